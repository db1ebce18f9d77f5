"""What the page on checking says is true: its runs print what it shows, its codes and keys are all there are."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest
import yaml
from manual import pages

from scope_client import __version__
from scope_client._check.finding import CODES
from scope_client._check.settings import CheckSettings

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "checking.md"
TEXT = pages.text_of(PAGE)
FIRST, PROMOTION, BASELINE = (block.text for block in pages.blocks(PAGE, "console"))
DRAFT = '[{"role": "system", "content": "{{tone}}, {{product}}"}, {"role": "user", "content": "{{question}}"}]\n'


@pytest.fixture
def project(folder: Path) -> Path:
    """The files of the page; without the settings, which are another example."""
    pages.write_prompts(PAGE, folder)
    pages.write_files(PAGE, folder)
    home = folder / "templates" / "home.html"
    home.write_text(f"\n{home.read_text()}")  # the comment that names it is its first line
    (folder / "pyproject.toml").unlink()
    return folder


def scope(command: str, project: Path, **more: str):
    return pages.python(["-m", "scope_client.cli", *shlex.split(command)[1:]], project, **more)


def commands(console: str) -> list[tuple[str, str]]:
    return [tuple(part.split("\n", 1)) for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]]


def test_the_first_run_prints_what_the_page_shows(project):
    ((command, shown),) = commands(FIRST)
    done = scope(command, project)
    assert (done.stdout, done.stderr, done.returncode) == (shown, "", 1)


def test_a_promotion_is_tried_as_the_page_shows(project):
    (project / "prompts" / "support-chat").mkdir()
    first = project / "prompts" / "support-chat" / "v1.md"
    (project / "prompts" / "support-chat.md").rename(first)
    first.write_text(first.read_text().replace("type: chat", "type: chat\nstatus: published"))
    (first.parent / "v2.md").write_text(f"---\ntype: chat\nstatus: draft\n---\n{DRAFT}")
    ((command, shown),) = commands(PROMOTION)
    assert scope(command, project).stdout == shown


def test_a_baseline_works_as_the_page_shows(project):
    (project / "pyproject.toml").write_text('[tool.scope.check]\nagainst = "prompts"\n')
    for command, shown in commands(BASELINE):
        done = scope(command, project)
        assert (done.stdout, done.returncode) == (shown, 0)


def test_the_comment_of_the_page_is_understood(project):
    (said,) = [block.text for block in pages.blocks(PAGE, "python") if "# scope: uses" in block.text]
    (project / "app.py").write_text(f"client = None\n{said}")
    found = json.loads(scope("scope check app.py --against prompts --json", project).stdout)
    assert (found["findings"], found["checked"], found["unchecked"]) == ([], 1, [])


def test_the_settings_of_the_page_are_understood(project):
    (project / "pyproject.toml").write_text(pages.files_of(PAGE)["pyproject.toml"])
    (project / "app.py").write_text('from llm.prompts import ask\n\nask("greeting", {"nmae": 1})\n')
    done = scope("scope check", project)
    assert "app.py:3:18 S102 prompt 'greeting' has no variable 'nmae'" in done.stdout


def test_each_code_and_each_key_is_in_a_table():
    table = TEXT.partition("## The codes\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (S\d+) \| ([^|]+) \|", table, re.MULTILINE) == [
        (code, meaning if code != "S108" else f"{meaning}, with `--strict`") for code, meaning in CODES.items()
    ]
    keys = TEXT.partition("| key | means |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", keys)) == set(CheckSettings._fields)


def test_the_json_of_the_page_is_that_of_the_command(project):
    found = json.loads(scope("scope check --against prompts --json", project).stdout)
    table = TEXT.partition("| key | is |")[2].partition("\n\n")[0]
    assert found.keys() == {
        key for first in re.findall(r"^\| ([^|]+) \|", table, re.M) for key in re.findall(r"\w+", first)
    }
    for key in (*found["findings"][0], *found["unchecked"][0]):
        assert f"`{key}`" in table


def test_the_hook_is_one_that_there_is():
    (repository,) = yaml.safe_load(pages.files_of(PAGE)[".pre-commit-config.yaml"])["repos"]
    there = {hook["id"]: hook for hook in yaml.safe_load((pages.ROOT / ".pre-commit-hooks.yaml").read_text())}
    (hook,) = repository["hooks"]
    assert hook["args"] == there[hook["id"]]["args"]
    assert repository["rev"] == f"v{__version__}"


def test_the_snippets_of_ci_are_yaml_with_commands_that_there_are(project):
    snippets = [text for name, text in pages.files_of(PAGE).items() if name.endswith(".yml")]
    assert len(snippets) == 3
    for text in snippets:
        assert yaml.safe_load(text)
        (command,) = re.findall(r"scope check [^>\n|]*", text)
        done = scope(command.replace("scope.lock", "prompts"), project)
        assert done.returncode == 1, done.stderr
