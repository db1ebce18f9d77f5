"""What docs/command-line.md says is true: its commands print what the page says, and it names every option there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from manual import pages

from scope_client.cli._program import scope
from scope_client.frameworks import COMMANDS
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "command-line.md"
TEXT = pages.text_of(PAGE)
PROGRAMS = {
    "scope": "from scope_client.cli import main; raise SystemExit(main())",
    "flask": "from flask.cli import main; main()",
}
NOT_RUN = (
    "scope serve prompts",
    "scope demo",
)  # the one goes on for ever, and tests/cli/test_demo.py looks at the other


def examples() -> list[tuple[str, str]]:
    """Each command of the page, with what the page says that it prints."""
    found = []
    for block in pages.blocks(PAGE, "console"):
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """The folder of the page, and the environment of a platform that serves its prompts."""
    folder = tmp_path_factory.mktemp("page")
    pages.write_prompts(PAGE, folder)
    pages.write_files(PAGE, folder)
    home = folder / "templates" / "home.html"
    home.write_text(f"\n{home.read_text()}")  # the comment that names it is its first line
    with LocalPlatform(folder / "prompts") as platform:
        yield folder, platform.environ


def ran(command: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A line of the page, as a shell runs it; a function stands for each of the two programs."""
    functions = "".join(f"{name}() {{ '{sys.executable}' -c '{code}' \"$@\"; }}\n" for name, code in PROGRAMS.items())
    variables = {**os.environ, **environ, "PYTHONPATH": str(pages.ROOT), "PYTHONSAFEPATH": ""}
    shell = ["bash", "-c", f"{functions}{command}"]
    return subprocess.run(shell, cwd=folder, env=variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("command", "printed"), [each for each in examples() if each[0] not in NOT_RUN])
def test_a_command_prints_what_the_page_says(command: str, printed: str, environ: tuple[Path, dict[str, str]]) -> None:
    done = ran(command, *environ)
    assert done.stdout + done.stderr == printed
    is_wrong_usage = "--help)" in printed
    has_findings = re.search(r"^\d+ findings? in ", printed, re.MULTILINE) is not None
    is_failure = printed.startswith("scope: ") or "\nError: " in printed or has_findings
    assert done.returncode == (2 if is_wrong_usage else 1 if is_failure else 0)


@pytest.mark.parametrize("name", scope.commands)
def test_the_section_of_a_command_names_its_arguments_and_options(name: str) -> None:
    section = TEXT.partition(f"## scope {name}\n")[2].partition("\n## ")[0]
    section += TEXT.partition("## scope get\n")[2].partition("\n## ")[0] if name == "render" else ""
    assert section
    for parameter in scope.commands[name].params:
        is_argument = isinstance(parameter, click.Argument)
        names = [(parameter.name or "").upper()] if is_argument else parameter.opts
        for each in names:
            assert re.search(rf"`(?:[^`]*[ ,])?{re.escape(each)}[` ]", section), f"scope {name}: {each}"


def test_the_page_has_every_command_of_a_site() -> None:
    section = TEXT.partition("## In a site\n")[2]
    for name in COMMANDS:
        assert f"`{name}" in section
    for option in ("--exclude", "--label", "--version", "-v", "--vars-file", "--using", "--json", "--format"):
        assert option in section


def test_both_pages_on_sites_have_the_same_actions(environ: tuple[Path, dict[str, str]]) -> None:
    help_text = ran("flask --app app scope --help", *environ).stdout
    for name in COMMANDS:
        assert re.search(rf"^  {name}\b", help_text, re.MULTILINE)
