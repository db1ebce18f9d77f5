"""The hooks of pre-commit: the one that is offered, tried in a repository of a user's, and those of this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scope_client import ScopeClient
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion, text_of
from scope_client.local import LocalPlatform

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
OFFERED = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
OWN = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
GOOD = "---\nstatus: published\n---\nHello, {{name}}!\n"
BAD = "---\nstatus: [published\n---\nHello, {{name}}!\n"


def ran(folder: Path, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        **more,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(folder / ".hooks"),
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


CALL = """from scope_client import ScopeClient

client = ScopeClient()
print(client.render_prompt("greeting", {"name": "Ada"}))
"""
# Whoever would open a connection fails.
NO_NETWORK = """import socket


def refuse(*_, **__):
    raise AssertionError("the network was asked")


socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


def set_up(folder: Path, hook: dict[str, str]) -> Path:
    """A repository of a user's with a hook that is offered, by the command of this environment."""
    local = {key: value for key, value in hook.items() if key != "additional_dependencies"}
    config = {"repos": [{"repo": "local", "hooks": [{**local, "language": "system"}]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (folder / ".gitignore").write_text(".hooks/\n")
    (folder / "prompts").mkdir()
    (folder / "prompts" / "greeting.md").write_text(GOOD)
    for command in ("init --quiet", "add .", "-c user.name=a -c user.email=a@example.com commit --quiet -m prompts"):
        assert ran(folder, "git", *command.split()).returncode == 0
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return set_up(tmp_path, OFFERED[0])


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One whose prompts are locked, without a network."""
    folder = set_up(tmp_path, OFFERED[1])
    with LocalPlatform(folder / "prompts") as platform:
        keys, url = platform.credentials, platform.url
        with ScopeClient(credentials=keys, base_url=url, auth_api_url=url) as client:
            found = client.get_prompt_version("greeting")
    entry = LockedVersion("greeting", "production", str(found.id), digest_of(found), 1, found.prompt_id)
    (folder / "scope.lock").write_text(text_of("local-org", "prompts", [entry]))
    (folder / "app.py").write_text(CALL)
    (folder / ".hooks" / "without").mkdir(parents=True)
    (folder / ".hooks" / "without" / "sitecustomize.py").write_text(NO_NETWORK)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / ".hooks" / "without"), str(ROOT)]))
    assert ran(folder, "git", "add", ".").returncode == 0
    return folder


def test_the_hook_of_code_passes_what_fits_the_lock_without_a_network(locked):
    done = ran(locked, "pre-commit", "run", "scope-check", "--all-files", "--verbose")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 use of 1 prompt fits the lock scope.lock" in done.stdout
    asked = ran(locked, BIN / "scope", "get", "greeting", SCOPE_ORG_ID="a", SCOPE_API_KEY="b", SCOPE_API_SECRET="c")
    assert "the network was asked" in asked.stderr


def test_the_hook_of_code_names_what_does_not(locked):
    (locked / "app.py").write_text(CALL.replace('"name"', '"nmae"'))
    done = ran(locked, "pre-commit", "run", "scope-check", "--all-files")
    assert done.returncode == 1
    assert "app.py:4:" in done.stdout
    assert " S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'" in done.stdout


def test_the_hook_of_code_names_what_is_not_as_it_was_locked(locked):
    (locked / "prompts" / "greeting.md").write_text(GOOD.replace("Hello", "Hi"))
    done = ran(locked, "pre-commit", "run", "scope-check", "--files", "prompts/greeting.md")
    assert done.returncode == 1
    assert " S106 " in done.stdout


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
    assert {hook["language"] for hook in OFFERED} == {"python"}
    assert [hook["additional_dependencies"] for hook in OFFERED] == [[".[local]"]] * 2
    assert '\nlocal = [\n    "click' in (ROOT / "pyproject.toml").read_text()


def test_the_projects_own_hooks_download_nothing():
    assert [repo["repo"] for repo in OWN] == ["local"]
    hooks = OWN[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert not [hook["id"] for hook in hooks if not (BIN / Path(hook["entry"].split()[0]).name).is_file()]
