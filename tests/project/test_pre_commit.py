"""The hooks of pre-commit: the one that is offered, tried in a repository of a user's, and those of this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
OFFERED = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
OWN = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
GOOD = "---\nstatus: published\n---\nHello, {{name}}!\n"
BAD = "---\nstatus: [published\n---\nHello, {{name}}!\n"


def ran(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(folder / ".hooks")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One of a user's, with a folder of prompts and the hook that is offered, by the command of this environment."""
    hook = {key: value for key, value in OFFERED[0].items() if key != "additional_dependencies"}
    config = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / ".gitignore").write_text(".hooks/\n")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "greeting.md").write_text(GOOD)
    for command in ("init --quiet", "add .", "-c user.name=a -c user.email=a@example.com commit --quiet -m prompts"):
        assert ran(tmp_path, "git", *command.split()).returncode == 0
    return tmp_path


def test_the_hook_that_is_offered_passes_prompts_without_a_mistake(repository):
    done = ran(repository, "pre-commit", "run", "--all-files", "--verbose")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "greeting  v1       published  text  name" in done.stdout


def test_the_hook_that_is_offered_names_the_file_with_a_mistake(repository):
    (repository / "prompts" / "greeting.md").write_text(BAD)
    done = ran(repository, "pre-commit", "run", "--all-files")
    assert done.returncode == 1
    assert "greeting.md: its front matter is not YAML" in done.stdout


def test_the_hook_that_is_offered_leaves_a_commit_without_prompts_alone(repository):
    (repository / "prompts" / "greeting.md").write_text(BAD)
    (repository / "app.py").write_text("print()\n")
    done = ran(repository, "pre-commit", "run", "--files", "app.py")
    assert done.returncode == 0, done.stdout
    assert "(no files to check)Skipped" in done.stdout


@pytest.mark.parametrize(
    ("command", "file"),
    [("validate-manifest", ".pre-commit-hooks.yaml"), ("validate-config", ".pre-commit-config.yaml")],
)
def test_pre_commit_can_read_them(command, file, tmp_path):
    done = ran(tmp_path, "pre-commit", command, str(ROOT / file))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_what_the_offered_hook_is_installed_with_is_an_extra():
    assert OFFERED[0]["language"] == "python"
    assert OFFERED[0]["additional_dependencies"] == [".[local]"]
    assert '\nlocal = [\n    "click' in (ROOT / "pyproject.toml").read_text()


def test_the_projects_own_hooks_download_nothing():
    assert [repo["repo"] for repo in OWN] == ["local"]
    hooks = OWN[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert not [hook["id"] for hook in hooks if not (BIN / Path(hook["entry"].split()[0]).name).is_file()]
