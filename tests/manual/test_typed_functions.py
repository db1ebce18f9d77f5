"""What the page on typed functions says is true: its commands print what it shows, and its program runs."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from manual import pages

from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion, text_of
from scope_client._types.signatures import signatures_of
from scope_client._types.sources import TypedPrompt
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PAGE = "typed-functions.md"
COMMANDS = [
    (command, printed)
    for block in pages.blocks(PAGE, "console")
    for command, _, printed in (part.partition("\n") for part in re.split(r"^\$ ", block.text, flags=re.M)[1:])
]


@pytest.fixture
def project(folder: Path, platform: LocalPlatform) -> Path:
    pages.write_files(PAGE, folder)
    (folder / "clash").mkdir()
    for name in ("a-b", "a_b"):
        (folder / "clash" / f"{name}.md").write_text("Hi")
    client = platform.client()
    found = [client.get_prompt_version(name) for name in ("greeting", "support-chat")]
    entries = [LockedVersion(each.name, "production", each.id or "", digest_of(each)) for each in found]
    (folder / "scope.lock").write_text(text_of("org", "prompts", entries))
    return folder


def ran(command: str, project: Path, platform: LocalPlatform) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(command)
    begin = ["-m", "scope_client.cli"] if program == "scope" else []
    return pages.python([*begin, *words], project, **platform.environ)


def test_each_command_prints_what_the_page_says(project: Path, platform: LocalPlatform) -> None:
    for command, printed in COMMANDS:
        done = ran(command, project, platform)
        said = done.stdout + done.stderr
        assert said == printed or (printed == "" and said == "prompts.py is up to date: 2 prompts\n"), command
        assert done.returncode == (1 if printed.startswith("scope: ") else 0), command


def test_the_function_looks_as_the_page_shows_it(project: Path, platform: LocalPlatform) -> None:
    (shown,) = pages.blocks(PAGE, "text")
    assert shown.text in ran("scope types prompts -o -", project, platform).stdout


def test_the_functions_are_called_as_the_page_says() -> None:
    rows = re.findall(r"^\| (`.+`) \| is called (`.+`) \|$", pages.text_of(PAGE), re.MULTILINE)
    assert len(rows) == 2
    for prompts, functions in rows:
        names = re.findall(r"`([^`]+)`", prompts)
        found = [TypedPrompt(name, "production", False, (), (), frozenset(), "") for name in names]
        assert [made.function for made in signatures_of(found, {})] == re.findall(r"`([^`]+)`", functions)
