"""What the page on Flask says is true: its files make an app, which is run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from manual import pages
from manual.sites import commands

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "integrations/flask.md"
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
KEY = """
from app import create_app
print(create_app().extensions["scope"].configuration().credentials.api_key)
"""


@pytest.fixture
def site(folder: Path) -> Path:
    pages.write_files(PAGE, folder)
    return folder


def test_its_app_shows_its_prompts(site, platform):
    done = pages.run(VISIT, site, **platform.environ)
    shown = [line for line in done.stdout.splitlines() if line]
    assert (shown, done.stderr) == (
        ["Good morning, Ada!", "Good noon, Ada!", "Good evening, Ada!", "True True"],
        "",
    )


def test_its_quiet_health_page_leaves_the_last_error_out(site, platform):
    assert pages.run(VISIT_QUIET, site, **platform.environ).stdout == "200 False\n"
    assert pages.run(VISIT_QUIET, site).stdout == "503 False\n"


@pytest.mark.parametrize("command", commands(PAGE, "flask"))
def test_a_command_of_the_page_exists(command, site, platform):
    (site / "kept.py").write_text("import cachelib\ncache = cachelib.FileSystemCache('kept')\n")
    words = ["-W", "error", "-c", COMMAND, *shlex.split(command)]
    done = pages.python(words, site, **platform.environ, FLASK_APP="app", FLASK_SCOPE_CACHE="kept.cache")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("setting", ["FLASK_SCOPE_API_KEY='\"1e5\"'", "SCOPE_API_KEY=1e5"])
def test_a_key_that_json_changes_is_read_as_text(setting, site, platform):
    assert f"`{setting}`" in pages.text_of(PAGE)
    name, value = shlex.split(setting)[0].split("=")
    done = pages.run(KEY, site, **{**platform.environ, name: value})
    assert done.stdout == "1e5\n", done.stderr
