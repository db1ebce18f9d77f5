"""What the page on prompts as code says is true: its programs run, and its commands print what it shows."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from manual import pages
from manual.sites import DJANGO_SETTINGS, DJANGO_TEMPLATES, MANAGE

from scope_client import __version__
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "prompts-as-code.md"
CONSOLES = [block.text for block in pages.blocks(PAGE, "console")]


@pytest.fixture
def project(folder: Path) -> Path:
    pages.write_files(PAGE, folder)
    return folder


def scope(command, project, platform=None):
    environ = {} if platform is None else platform.environ
    return pages.python(["-m", "scope_client.cli", *shlex.split(command)[1:]], project, **environ)


def test_the_list_is_what_is_in_the_folder(project):
    command, *shown = CONSOLES[0].splitlines()
    done = scope(command[2:], project)
    assert (done.stdout.splitlines(), done.stderr) == (shown, "")


def test_the_list_fails_over_a_file_that_is_wrong(project):
    (project / "prompts" / "greeting.md").write_text("---\nstatus: pubished\n---\nHi")
    done = scope("scope list prompts", project)
    assert done.returncode == 1
    assert "greeting.md" in done.stderr


def test_the_hook_of_pre_commit_is_one_that_there_is():
    (repository,) = yaml.safe_load(pages.files_of(PAGE)[".pre-commit-config.yaml"])["repos"]
    there = yaml.safe_load((pages.ROOT / ".pre-commit-hooks.yaml").read_text())[0]
    (hook,) = repository["hooks"]
    assert (hook["id"], f"{there['entry']} {hook['args'][0]}") == (there["id"], "scope list prompts")
    assert repository["rev"] == f"v{__version__}"


def test_a_version_is_printed_as_it_is(project, platform):
    command, shown, as_json = CONSOLES[2].splitlines()
    assert scope(command[2:], project, platform).stdout == f"{shown}\n"
    done = scope(as_json[2:].partition(" > ")[0], project, platform)
    assert '"version_number": 1' in done.stdout


def test_a_command_runs_with_the_prompts_of_the_folder(project):
    inner = "import scope_client; print(scope_client.client().get_prompt_version('greeting').content)"
    done = pages.python(["with_prompts.py", sys.executable, "-c", inner], project)
    assert (done.stdout, done.stderr) == ("Good {{time_of_day}}, {{name}}!\n", "")
    assert pages.python(["with_prompts.py", sys.executable, "-c", "raise SystemExit(3)"], project).returncode == 3


@pytest.mark.parametrize("framework", ["django", "flask"])
def test_the_templates_of_a_site_are_checked_against_the_folder(framework, project):
    pages.write_files(f"integrations/{framework}.md", project)
    with open(project / "prompts" / "greeting.md", "a") as prompt:
        prompt.write("{{tone}}")
    words = ["-m", "flask", "--app", "app", "scope", "check"]
    if framework == "django":
        with open(project / "settings.py", "a") as settings:
            settings.write(DJANGO_SETTINGS + DJANGO_TEMPLATES)
        words = ["-c", MANAGE, "scope", "check"]
    done = pages.python(["with_prompts.py", sys.executable, *words], project, DJANGO_SETTINGS_MODULE="settings")
    assert done.returncode == 1
    assert "prompt 'greeting' is given no value for 'tone'" in done.stdout, done.stderr


def test_its_tests_read_the_folder(project):
    done = pages.run_tests(project)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_what_is_pulled_comes_back_the_same(project, platform):
    command, *shown = CONSOLES[1].splitlines()
    done = scope(command[2:], project, platform)
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, shown, "")
    with LocalPlatform(project / "pulled") as copied:
        for name in ("greeting", "support-chat"):
            assert copied.client().get_prompt_version(name) == platform.client().get_prompt_version(name)


def test_a_prompt_that_was_written_by_hand_has_to_go_first(project, platform):
    done = scope("scope pull greeting -o prompts", project, platform)
    assert done.returncode == 1
    assert "greeting.md" in done.stderr
