"""What a program needs to find this platform: the variables, for each place where one writes them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Callable, NamedTuple

from flask import Response

from ._filling import version_of
from ._shelf import Shelf, all_shelves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Blueprint

    from ._page import Pages

TUTORIAL_PROMPT = "greeting"
NOT_SHOWN = "the secret that you gave, or that scope serve printed"

WATCHING = """\
import time

from scope_client import ApiKeyCredentials, ScopeClient, ScopeError

client = ScopeClient(credentials=ApiKeyCredentials.from_env(), cache_ttl=2)
while True:
    try:
        read = client.read_prompt({name!r})
        print(f"{{read.source:8}} {{read.age:4.1f}} s  {{read.version.content}}", flush=True)
    except ScopeError as error:
        print(f"{{type(error).__name__}}: {{error}}", flush=True)
    time.sleep(1)
"""


class Snippet(NamedTuple):
    """Something to copy."""

    id: str
    title: str
    where: str
    text: str


class Connecting:
    """The view."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def add_to(self, face: Blueprint) -> None:
        face.add_url_rule("/connect", "connect", self.connect)

    def connect(self) -> Response:
        """The page to copy from."""
        variables = self._pages.variables()
        client = self._pages.client_variables()
        shelves, _ = all_shelves(self._pages.behind.library)
        fit = [shelf for shelf in shelves if shelf.production is not None and shelf.shown.type == "text"]
        best = next((shelf for shelf in fit if shelf.name == TUTORIAL_PROMPT), fit[0] if fit else None)
        return self._pages.show(
            "connect.html",
            snippets=snippets_of(variables),
            client=Snippet("client", "Client credentials", "", _exports(client)),
            program=program_for(best),
            watching=WATCHING.format(name=TUTORIAL_PROMPT if best is None else best.name),
        )


def snippets_of(variables: Mapping[str, str]) -> list[Snippet]:
    """The same variables as each place wants them; one without a value is a secret that the user knows."""
    return [
        Snippet("sh", "Shell", "In a terminal with bash, zsh or another sh", _exports(variables)),
        Snippet("powershell", "PowerShell", "In a terminal on Windows", _powershell(variables)),
        Snippet("dotenv", "A .env file", "For docker run --env-file, Compose or python-dotenv", _dotenv(variables)),
        Snippet("python", "Python", "In a program or a test, before the first client is made", _python(variables)),
    ]


def program_for(shelf: Shelf | None) -> str:
    """Lines that print a prompt: this one, or the one of the manual."""
    name = TUTORIAL_PROMPT if shelf is None else shelf.name
    names = ("time_of_day", "name") if shelf is None else version_of(shelf.shown).variables
    values = ", ".join(f"{each!r}: {_example(each)!r}" for each in names)
    return (
        "from scope_client import ApiKeyCredentials, ScopeClient\n"
        "\n"
        "client = ScopeClient(credentials=ApiKeyCredentials.from_env())\n"
        f"text = client.render_prompt({name!r}, {{{values}}})\n"
        "print(text)\n"
    )


def _example(name: str) -> str:
    return {"name": "Ada", "time_of_day": "morning"}.get(name, f"some {name.replace('_', ' ')}")


def _exports(variables: Mapping[str, str]) -> str:
    return _lines(variables, lambda name, value: f"export {name}={shlex.quote(value)}")


def _powershell(variables: Mapping[str, str]) -> str:
    return _lines(variables, lambda name, value: f"$env:{name} = {_in_single_quotes(value)}")


def _dotenv(variables: Mapping[str, str]) -> str:
    return _lines(variables, "{}={}".format)


def _python(variables: Mapping[str, str]) -> str:
    lines = _lines(variables, lambda name, value: f"    {name!r}: {str(value)!r},", indent="    ")
    return f"import os\n\nos.environ.update({{\n{lines}\n}})"


def _in_single_quotes(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _lines(variables: Mapping[str, str], written: Callable[[str, str], str], indent: str = "") -> str:
    return "\n".join(
        written(name, value) if value else f"{indent}# {name}: {NOT_SHOWN}" for name, value in variables.items()
    )
