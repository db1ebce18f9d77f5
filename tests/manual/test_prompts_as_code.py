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
LISTED = next(text for text in CONSOLES if text.startswith("$ scope list"))
# The consoles from the pull to the check of the mended call, in their order.
RECORDED = [text for text in CONSOLES if text is not LISTED]


@pytest.fixture
def project(folder: Path) -> Path:
    pages.write_files(PAGE, folder)
    return folder


def scope(command, project, platform=None):
    environ = {} if platform is None else platform.environ
    return pages.python(["-m", "scope_client.cli", *shlex.split(command)[1:]], project, **environ)


def test_the_list_is_what_is_in_the_folder(project):
    command, *shown = LISTED.splitlines()
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


@pytest.fixture
def project_of_the_page(tmp_path):
    (tmp_path / "app.py").write_text(pages.files_of(PAGE)["app.py"])
    return tmp_path


def test_the_terminal_shows_what_the_page_shows(project_of_the_page, tmp_path_factory):
    served = tmp_path_factory.mktemp("served") / "greeting"
    copied, drafted, promoted, mended = RECORDED
    write_versions(served, v1="published")
    with LocalPlatform(served.parent) as platform:
        assert replayed(copied, project_of_the_page, platform) == copied
        write_versions(served, v1="published", v2="draft")
        assert replayed(drafted, project_of_the_page, platform) == drafted
        write_versions(served, v1="archived", v2="published")
        assert replayed(promoted, project_of_the_page, platform) == promoted
        app = project_of_the_page / "app.py"
        app.write_text(app.read_text().replace('"name": "Ada"', '"name": "Ada", "tone": "calm"'))
        assert replayed(mended, project_of_the_page, platform) == mended


def write_versions(folder: Path, **statuses: str) -> None:
    """The versions of `greeting`, such as v1="published"; the second one needs another variable, and another model."""
    texts = {"v1": "Good {{time_of_day}}, {{name}}!", "v2": "Good {{time_of_day}}, {{name}}! Stay {{tone}}."}
    models = {"v1": "gpt-4", "v2": "gpt-4o"}
    folder.mkdir(exist_ok=True)
    for version, status in statuses.items():
        new = folder / f".{version}"
        new.write_text(f"---\nstatus: {status}\nmetadata: {{model: {models[version]}}}\n---\n{texts[version]}\n")
        new.replace(folder / f"{version}.md")


def replayed(console: str, folder: Path, platform: LocalPlatform) -> str:
    """The same console, with what its commands print now."""
    lines = []
    for command in (line[2:] for line in console.splitlines() if line.startswith("$ ")):
        program, *words = shlex.split(command)
        arguments = ["-m", "scope_client.cli", *words] if program == "scope" else words
        done = pages.python(arguments, folder, **platform.environ)
        lines += [f"$ {command}", *(done.stdout + done.stderr).splitlines()]
    return "".join(f"{line}\n" for line in lines)
