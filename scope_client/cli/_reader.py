"""What `get` and `render` have in common: which version of a prompt, with whose credentials, and how it is printed."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

import click

from .. import ScopeClient
from .._config.credentials import ApiKeyCredentials, Credentials, kind_in_environment, read_parts
from ..errors import MissingApiKeyError
from ..frameworks import ARGUMENTS, LABELS, Report
from . import _terminal as terminal

_Function = TypeVar("_Function", bound=Callable[..., Any])

_VERSION_OPTIONS = (
    click.argument("name"),
    click.option("--label", type=click.Choice(LABELS), help=ARGUMENTS["label"]),
    click.option("--version", metavar="ID", help=ARGUMENTS["version"]),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def asks_for_a_version(function: _Function) -> _Function:
    """Gives a command the parameters `name`, `label`, `version` and `as_json`."""
    for option in reversed(_VERSION_OPTIONS):
        function = option(function)
    return function


def show(
    command: Callable[..., Report], name: str, label: str | None, version: str | None, as_json: bool, **more: Any
) -> None:
    """Runs a command that reads a version, and prints its report; raises what the command raises, and UsageError."""
    if label is not None and version is not None:
        raise click.UsageError("--label and --version exclude each other: give one of them")
    # Without a prompt folder, so that the answer is the platform's, or its error.
    with ScopeClient(credentials=_credentials(), prompt_dir=None) as client:
        report = command(client, name=name, label=label, version=version, **more)
    if report.note and not as_json:
        terminal.note(report.note)
    terminal.say(report.text(as_json=as_json, is_terminal=terminal.is_one()))


def _credentials() -> Credentials:
    kind = kind_in_environment()
    missing = [f"SCOPE_{key}" for key, part in read_parts(kind, {}).items() if not part]
    if missing:
        hint = "; `scope serve` prints them" if kind is ApiKeyCredentials else ""
        raise MissingApiKeyError(f"the credentials are missing: set {', '.join(missing)} in the environment{hint}")
    return kind.from_env()
