"""What the page on Django says is true: its files make a site, which is run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages
from manual.sites import DJANGO_SETTINGS, DJANGO_TEMPLATES, MANAGE, commands

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "integrations/django.md"
FILES = pages.files_of(PAGE)
SHARED = """
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": "kept"}}
"""
VISIT = """
import django
django.setup()
from django.template import engines
from django.test import Client
for path in ("/", "/async/"):
    print(Client().get(path).content.decode())
context = {"user": {"first_name": "<ada>"}, "prompt_name": "greeting", "now": "evening"}
print(engines["django"].get_template("page.html").render(context))
found = Client().get("/health/prompts/")
print(found.status_code, found.json()["ok"], "last_error" in found.json())
"""
HEALTH = """
import django, logging
django.setup()
logging.disable()
from django.test import Client
print(Client().get("/health/prompts/").status_code)
"""
VISIT_JINJA2 = """
import django
django.setup()
from django.template import engines
for user in ({"first_name": "<ada>"}, {}):
    print(engines["jinja2"].get_template("page.html").render({"user": user}))
"""
SIGNALS = """
import django
django.setup()
from scope_django import get_client, signals
for name in ("prompt_stale", "prompt_fallback"):
    getattr(signals, name).connect(lambda prompt, age, name=name, **_: print(name, prompt, age), weak=False)
print(get_client().get_prompt_version("greeting", fallback="Hi").content)
"""
CHECKS = re.findall(r"^\| `scope_django\.([EW]\d+)`", pages.text_of(PAGE), re.MULTILINE)


@pytest.fixture
def site(folder: Path) -> Path:
    pages.write_files(PAGE, folder)
    with open(folder / "settings.py", "a") as settings:
        settings.write(DJANGO_SETTINGS + DJANGO_TEMPLATES)
    return folder


def run(site: Path, program: str, *words: str, **environ: str) -> Any:
    return pages.python(["-W", "error", "-c", program, *words], site, DJANGO_SETTINGS_MODULE="settings", **environ)


def test_its_site_shows_its_prompts(site, platform):
    done = run(site, VISIT, **platform.environ)
    assert done.stderr == ""
    assert [line for line in done.stdout.splitlines() if line] == [
        "Good morning, Ada!",
        "Good evening, Ada!",
        "Good morning, &lt;ada&gt;!",
        "Good evening, &lt;Ada&gt;!",
        "200 True False",
    ]


def test_its_health_page_answers_503_only_without_a_client(site, platform):
    platform.fail(503)
    assert run(site, HEALTH, **platform.environ).stdout == "200\n"
    assert run(site, HEALTH).stdout == "503\n"


def test_its_jinja2_engine_shows_its_prompt(site, platform):
    (site / "settings.py").write_text(FILES["settings.py"] + DJANGO_SETTINGS + FILES["with_jinja2.py"])
    done = run(site, VISIT_JINJA2, **platform.environ)
    assert (done.stdout.split(), done.stderr) == (
        ["Good", "morning,", "&lt;ada&gt;!", "Good", "morning,", "there!"],
        "",
    )


def test_its_signals_tell_what_else_was_served(site, platform):
    platform.fail(503)
    done = run(site, SIGNALS, **platform.environ)
    assert done.stdout == "prompt_fallback greeting None\nHi\n", done.stderr


@pytest.mark.parametrize("command", commands(PAGE, "python manage.py"))
def test_a_command_of_the_page_exists(command, site, platform):
    with open(site / "settings.py", "a") as settings:
        settings.write(SHARED)
    template = '{% load scope %}{% scope_prompt "greeting" time_of_day="noon" name="Ada" %}'
    (site / "templates" / "page.html").write_text(template)
    done = run(site, MANAGE, *shlex.split(command), **platform.environ)
    assert done.returncode == 0, done.stderr


def test_its_checks_are_all_that_there_are():
    """What each of them says is tested with the package."""
    there = re.findall(r'"(?:scope_django\.)?([EW]0\d\d)"', (pages.ROOT / "scope_django" / "_checks.py").read_text())
    assert len(CHECKS) == len(set(CHECKS))
    assert set(CHECKS) == set(there)
