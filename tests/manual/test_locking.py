"""What the page on locking prompts says is true: its commands print what it shows, and its workflow can be read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
import yaml
from manual import pages

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from scope_client.local import LocalPlatform

PAGE = "locking.md"
PULL, USED_BY, LOCKED, CHECK, BUMP = (block.text for block in pages.blocks(PAGE, "console"))
NEW_TEXT = "Good {{time_of_day}}, dear {{name}}! {{tone}}"


@pytest.fixture
def project(folder: Path) -> Path:
    """Beside the folder of prompts that the pages' platform serves."""
    project = folder / "project"
    project.mkdir()
    pages.write_files(PAGE, project)
    return project


def run(console: str, project: Path, platform: LocalPlatform) -> tuple[subprocess.CompletedProcess[str], str]:
    command, _, printed = console.partition("\n")
    words = shlex.split(command)
    assert words[:2] == ["$", "scope"]
    return pages.python(["-m", "scope_client.cli", *words[2:]], project, **platform.environ), printed


def test_the_commands_print_what_the_page_says(project: Path, platform: LocalPlatform) -> None:
    done, printed = run(PULL, project, platform)
    assert (done.returncode, done.stdout) == (0, printed)
    done, printed = run(LOCKED, project, platform)
    assert (done.returncode, done.stdout) == (0, printed)
    platform.publish("greeting", NEW_TEXT, metadata={"model": "gpt-4o", "temperature": 0.7})
    for console in (CHECK, BUMP):
        done, printed = run(console, project, platform)
        assert (done.returncode, done.stdout) == (1, printed)
    done, _ = run(CHECK, project, platform)
    assert done.returncode == 0


def test_the_prompts_of_code_are_pulled(project: Path, platform: LocalPlatform) -> None:
    (project / "templates").mkdir()
    (project / "templates" / "page.html").write_text('{% scope_prompt "support-chat" product=p question=q %}')
    done, _ = run(USED_BY, project, platform)
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "prompts" / "support-chat" / "v1.md").exists()


def test_the_workflow_is_one(project: Path) -> None:
    workflow = yaml.safe_load((project / ".github/workflows/bump-prompts.yml").read_text())
    steps = workflow["jobs"]["bump"]["steps"]
    assert [step["run"].split()[:2] for step in steps if "scope " in step.get("run", "")] == [["scope", "bump"]]
