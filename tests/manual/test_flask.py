"""What the page on Flask says is true: its files make an app, which is run."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.manual import ManualPage, run_python, write

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ManualPage("integrations/flask.md")
VISIT = """
from app import create_app
client = create_app().test_client()
print(client.get("/").text)
print(client.get("/text").text)
print(client.get("/scope/health").json["ok"], "last_error" in client.get("/scope/health").json)
"""
VISIT_QUIET = """
from flask import Flask
from scope_flask import Scope
from quiet_health import register
app = Flask("quiet")
Scope(app)
register(app)
found = app.test_client().get("/scope/health")
print(found.status_code, "last_error" in found.json)
"""
COMMAND = "import sys; from flask.cli import cli; cli.main(sys.argv[1:])"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return PAGE.write(tmp_path)


@pytest.fixture
def platform(site: Path) -> Iterator[LocalPlatform]:
    with LocalPlatform(site / "prompts") as started:
        yield started


def test_each_file_of_the_page_is_run():
    assert set(PAGE.files) == {"app.py", "templates/home.html", "quiet_health.py"}
    assert len(PAGE.named) == len(re.findall(r"^```(?:python|jinja)$", PAGE.text, re.MULTILINE))


def test_its_app_shows_its_prompts(site, platform):
    done = run_python(site, "-W", "error", "-c", VISIT, **platform.environ)
    shown = [line for line in done.stdout.splitlines() if line]
    assert (shown, done.stderr) == (
        ["Good morning, Ada!", "Good noon, Ada!", "Good evening, Ada!", "True True"],
        "",
    )


def test_its_quiet_health_page_leaves_the_last_error_out(site, platform):
    done = run_python(site, "-W", "error", "-c", VISIT_QUIET, **platform.environ)
    assert (done.stdout, done.stderr) == ("200 False\n", "")
    assert run_python(site, "-W", "error", "-c", VISIT_QUIET).stdout == "503 False\n"


@pytest.mark.parametrize("command", PAGE.commands("flask"))
def test_a_command_of_the_page_exists(command, site, platform):
    write(site, {"kept.py": "import cachelib\ncache = cachelib.FileSystemCache('kept')\n"})
    words = ["-W", "error", "-c", COMMAND, *shlex.split(command)]
    done = run_python(site, *words, **platform.environ, FLASK_APP="app", FLASK_SCOPE_CACHE="kept.cache")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "value"), [("API_KEY", "'\"1e5\"'"), ("", "1e5")])
def test_a_key_that_json_changes_is_read_as_text(name, value, site, platform):
    program = "from app import create_app\napp = create_app()\nwith app.app_context():\n    "
    program += "print(app.extensions['scope'].configuration().credentials.api_key)"
    environ = {**platform.environ, f"FLASK_SCOPE_{name}" if name else "SCOPE_API_KEY": shlex.split(value)[0]}
    assert f"SCOPE_API_KEY={value}`" in PAGE.text
    done = run_python(site, "-c", program, **environ)
    assert done.stdout == "1e5\n", done.stderr
    assert os.environ.get("FLASK_SCOPE_API_KEY") is None
