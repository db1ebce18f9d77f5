"""The page on errors: each class has an entry, and each message is one that is met when an error is provoked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from faults.server import FaultServer
from manual.pages import text_of
from manual.provoked import GREETING, PROVOCATIONS, Provocation, Scene

import scope_client
from scope_client import ScopeError, Telemetry
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "errors.md"
TEXT = text_of(PAGE)
CLASSES, MESSAGES = TEXT.split("\n## The messages\n")
# A message, the classes or check IDs of the text below it, and that text.
ENTRIES: list[tuple[str, str]] = re.findall(r"^- `(.+)`\n\n  (.+(?:\n  .+)*)", MESSAGES, re.MULTILINE)
Met = tuple[set[str], str]


def classes_of(said: str) -> set[str]:
    """What the first sentence names before its first full stop, such as {"TimeoutError"}."""
    return set(re.findall(r"`([A-Z]\w+|scope_django\.[EW]\d+)`", re.split(r"\. [A-Z`\[]", said)[0]))


def pattern_of(message: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.split(r"<[a-z][^<>]*>", message))), re.DOTALL)


def fits(entry: tuple[str, str], met: Met) -> bool:
    message, said = entry
    kinds, text = met
    lines = [text, *(line.strip() for line in text.splitlines())]
    return bool(kinds & classes_of(said)) and any(map(pattern_of(message).fullmatch, lines))


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> list[list[Met]]:
    """What came of each provocation."""
    with LocalPlatform({"greeting": GREETING}) as platform:
        return [_met(call, platform, tmp_path_factory.mktemp("scene")) for call in PROVOCATIONS]


def _met(call: Provocation, platform: LocalPlatform, folder: Path) -> list[Met]:
    with FaultServer() as server, pytest.MonkeyPatch.context() as at:
        at.chdir(folder)
        try:
            found: Any = call(Scene(folder, platform, server))
        except Exception as error:
            return [({kind.__name__ for kind in type(error).__mro__}, str(error))]
        finally:
            Telemetry.clear_callbacks()
    return [({str(each.id)}, str(each.msg)) for each in found]


def family(kind: type[ScopeError] = ScopeError) -> Iterator[type[ScopeError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == "scope_client":
            yield from family(child)


def test_each_class_has_an_entry_and_no_other_has_one() -> None:
    entries = re.findall(r"^### (\w+)$", CLASSES, re.MULTILINE)
    assert sorted(entries) == sorted({kind.__name__ for kind in family()})


def test_the_tree_is_that_of_the_classes() -> None:
    (tree,) = re.findall(r"^```text\n(ScopeError\n.*?)^```$", CLASSES, re.DOTALL | re.MULTILINE)
    parents: list[str] = []
    for line in tree.splitlines():
        drawn, name = re.match(r"([│├└─ ]*)(\w+)", line).groups()  # type: ignore[union-attr]  # each line has a name
        del parents[len(drawn) // 4 :]
        bases = [base.__name__ for base in getattr(scope_client, name).__bases__]
        assert not parents or parents[-1] in bases, name
        assert ("also the builtin" in line) == (len(bases) == 2), name
        parents.append(name)
    assert sorted(re.findall(r"\b[A-Z]\w+Error\b", tree)) == sorted(kind.__name__ for kind in family())


@pytest.mark.parametrize("kind", list(family()), ids=lambda kind: kind.__name__)
def test_the_facts_of_an_entry_are_fields(kind: type[ScopeError]) -> None:
    (entry,) = re.findall(rf"^### {kind.__name__}\n\n(.*?)(?=^##|\Z)", CLASSES, re.DOTALL | re.MULTILINE)
    facts = re.search(r"\*\*Facts:\*\*(.*?)\*\*Cause", entry, re.DOTALL)
    for name in re.findall(r"`([a-z_]+)`", facts.group(1) if facts else ""):
        assert hasattr(kind(), name) or name == "__cause__"
    if kind not in (ScopeError, scope_client.ResourceError):
        assert ("**Cause:**" in entry, "**Remedy:**" in entry) == (True, True)


def test_each_entry_of_the_messages_is_read() -> None:
    assert len(ENTRIES) == len(re.findall(r"^- ", MESSAGES, re.MULTILINE)) > 80
    assert all(classes_of(said) for _, said in ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry[0][:60])
def test_a_message_is_met_with_the_class_that_the_page_names(entry: tuple[str, str], met: list[list[Met]]) -> None:
    assert any(fits(entry, each) for one in met for each in one)


@pytest.mark.parametrize("number", range(len(PROVOCATIONS)))
def test_what_is_met_is_on_the_page(number: int, met: list[list[Met]]) -> None:
    assert met[number]
    for each in met[number]:
        assert any(fits(entry, each) for entry in ENTRIES), each
