"""Names that a module imports from another of the same project."""

from __future__ import annotations

from textwrap import dedent

import pytest
from check.marked import found

from scope_client._check.module_constants import constants_in_python

NAMES = """
from enum import Enum, StrEnum
from typing import Final, Literal
BASE = "support"
GREETING: Final = "greeting"
WHOLE = f"{BASE}/a"
EITHER = "a" if DEBUG else "b"
NAMES = ["a", "b", GREETING]
PROMPTS = {"mail": "m", "chat": "c"}
PromptName = Literal["a", "b"]
TWICE = "a"
TWICE = "b"
CHANGED = ["a"]
CHANGED.append(more)
unknown = make()
class Prompt(StrEnum):
    HELLO = "hello"
    BYE = "bye"
class Old(Enum):
    HELLO = "hello"
class Holder:
    NAME = "held"
    class Inner:
        NAME = "inner"
def render_prompt(name): ...
"""
FILES = {
    "src.app.names": ("src/app/names.py", NAMES),
    "src.app": ("src/app/__init__.py", "from .names import GREETING, Prompt, NAMES\nVERSION = '1'"),
    "src.app.star": ("src/app/star.py", "from .names import GREETING\nfrom .names import *"),
}


READ: dict[str, object] = {}


def constants_of(module: str):
    """As a scan reads them: each module once, and one that is being read is not known."""
    file, text = FILES.get(module) or FILES.get(f"src.{module}") or (None, None)
    if file is None:
        return None
    if file not in READ:
        READ[file] = None
        READ[file] = constants_in_python(text, file, constants_of)
    return READ[file]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from app.names import GREETING\n«client.get_prompt_version(GREETING)", ["greeting"]),
        ("from app.names import GREETING as g\n«client.get_prompt_version(g)", ["greeting"]),
        ("from .names import GREETING\n«client.get_prompt_version(GREETING)", ["greeting"]),
        ("from ..app.names import GREETING\n«client.get_prompt_version(GREETING)", ["greeting"]),
        ("from . import names\n«client.get_prompt_version(names.GREETING)", ["greeting"]),
        ("import app.names\n«client.get_prompt_version(app.names.GREETING)", ["greeting"]),
        ("import app.names as n\n«client.get_prompt_version(n.GREETING)", ["greeting"]),
        ("from app.names import *\n«client.get_prompt_version(GREETING)", ["greeting"]),
        ("from app import GREETING\n«client.get_prompt_version(GREETING)", ["greeting"]),
        ("from app import Prompt\n«client.get_prompt_version(Prompt.HELLO)", ["hello"]),
        ("from app import NAMES\n«client.aprefetch(NAMES)", ["a", "b", "greeting"]),
        ("from app.star import GREETING\n«client.get_prompt_version(GREETING)", ["greeting"]),
        ("from app.names import WHOLE\n«client.get_prompt_version(WHOLE)", ["support/a"]),
        ("from app.names import BASE\nclient.get_prompt_version(«f'{BASE}/b')", ["support/b"]),
        ("from app.names import EITHER\n«client.get_prompt_version(EITHER)", ["a", "b"]),
        ("from app.names import NAMES\n«client.aprefetch(NAMES)", ["a", "b", "greeting"]),
        ("from app.names import NAMES\nfor n in NAMES:\n    «client.get_prompt_version(n)", ["a", "b", "greeting"]),
        ("from app.names import PROMPTS\n«client.get_prompt_version(PROMPTS['mail'])", ["m"]),
        ("from app.names import PROMPTS\n«client.get_prompt_version(PROMPTS[k])", ["m", "c"]),
        ("from app.names import PROMPTS\n«client.aprefetch(PROMPTS.values())", ["m", "c"]),
        ("from app.names import PROMPTS\n«client.aprefetch(PROMPTS)", ["mail", "chat"]),
        ("from app.names import Prompt\n«client.get_prompt_version(Prompt.HELLO)", ["hello"]),
        ("from app.names import Old\n«client.get_prompt_version(Old.HELLO.value)", ["hello"]),
        ("from app.names import Prompt\n«client.aprefetch(Prompt)", ["hello", "bye"]),
        ("from app.names import Prompt\nfor p in Prompt:\n    «client.get_prompt_version(p.value)", ["hello", "bye"]),
        ("from app.names import Prompt\ndef f(p: Prompt):\n    «client.get_prompt_version(p.value)", ["hello", "bye"]),
        ("from app.names import PromptName\ndef f(p: PromptName):\n    «client.get_prompt_version(p)", ["a", "b"]),
        ("from app.names import Holder\n«client.get_prompt_version(Holder.NAME)", ["held"]),
        ("from app.names import TWICE\n«client.get_prompt_version(TWICE)", ["b"]),
        ("from app.names import CHANGED\nimport scope_client\n«client.aprefetch(CHANGED)", ["?"]),
        ("from app.names import unknown\n«client.get_prompt_version(unknown)", ["?"]),
        ("from app.names import missing\n«client.get_prompt_version(missing)", ["?"]),
        ("from app.other import GREETING\n«client.get_prompt_version(GREETING)", ["?"]),
        ("import names\n«client.get_prompt_version(names.GREETING)", ["?"]),
        ("from app import names\nnames.render_prompt('a')", []),
        ("from app import names\nnames.get_prompt_version(«'a')", ["a"]),
    ],
)
def test_an_imported_constant_is_resolved_if_its_module_is_at_hand(source: str, expected: list[str]) -> None:
    assert found(source, constants_of=constants_of) == expected


def test_what_may_be_more_than_is_seen_is_no_constant() -> None:
    constants = constants_in_python(dedent(NAMES), "src/app/names.py")
    assert "CHANGED[]" not in constants
    assert "unknown" not in constants
    assert constants["render_prompt()"] == ()


def test_modules_that_import_each_other_come_to_an_end() -> None:
    seen: list[str] = []

    def circle(module: str):
        seen.append(module)
        text = f"from app.{'b' if module == 'app.a' else 'a'} import NAME"
        return constants_in_python(text, "app/x.py", circle) if len(seen) < 5 else None

    assert found("from app.a import NAME\nclient.get_prompt_version(NAME)", constants_of=circle) == ["?"]


def test_without_the_modules_an_imported_name_is_known_at_run_time() -> None:
    assert found("from app.names import GREETING\n«client.get_prompt_version(GREETING)") == ["?"]
