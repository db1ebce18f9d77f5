"""What the page on Django says is true: its files make a site, which is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faults.manual import DJANGO_SETTINGS, DJANGO_TEMPLATES, ManualPage, run_python, write

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ManualPage("integrations/django.md")
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
MANAGE = "import sys, django.core.management as m; m.execute_from_command_line(['manage.py', *sys.argv[1:]])"
CHECKS = sorted(re.findall(r"^\| `scope_django\.([EW]\d+)`", PAGE.text, re.MULTILINE))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    PAGE.write(tmp_path, "views.py", "urls.py", "templates/page.html", "jinja2/page.html")
    write(tmp_path, {"settings.py": PAGE.files["settings.py"] + DJANGO_SETTINGS + DJANGO_TEMPLATES})
    return tmp_path


@pytest.fixture
def platform(site: Path) -> Iterator[LocalPlatform]:
    with LocalPlatform(site / "prompts") as started:
        yield started


def run(site: Path, *words: str, **environ: str) -> Any:
    return run_python(site, "-W", "error", "-c", *words, DJANGO_SETTINGS_MODULE="settings", **environ)


def test_each_file_of_the_page_is_run():
    assert set(PAGE.files) == {
        *("settings.py", "views.py", "urls.py", "with_jinja2.py", "templates/page.html", "jinja2/page.html"),
    }
    assert len(PAGE.named) == len(re.findall(r"^```(?:python|django|jinja)$", PAGE.text, re.MULTILINE))


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
    program = (
        "import django\ndjango.setup()\nfrom django.test import Client\n"
        "print(Client().get('/health/prompts/').status_code)"
    )
    platform.fail(503)
    assert run(site, program, **platform.environ).stdout == "200\n"
    assert run(site, "import logging; logging.disable()\n" + program).stdout == "503\n"


def test_its_jinja2_engine_shows_its_prompt(site, platform):
    settings = PAGE.files["settings.py"] + DJANGO_SETTINGS + PAGE.files["with_jinja2.py"]
    write(site, {"settings.py": settings})
    done = run(site, VISIT_JINJA2, **platform.environ)
    assert (done.stdout.split(), done.stderr) == (
        ["Good", "morning,", "&lt;ada&gt;!", "Good", "morning,", "there!"],
        "",
    )


def test_its_signals_tell_what_else_was_served(site, platform):
    platform.fail(503)
    done = run(site, SIGNALS, **platform.environ)
    assert done.stdout == "prompt_fallback greeting None\nHi\n", done.stderr


@pytest.mark.parametrize("command", PAGE.commands("python manage.py"))
def test_a_command_of_the_page_exists(command, site, platform):
    write(
        site,
        {
            "settings.py": PAGE.files["settings.py"] + DJANGO_SETTINGS + DJANGO_TEMPLATES + SHARED,
            "templates/page.html": '{% load scope %}{% scope_prompt "greeting" time_of_day="noon" name="Ada" %}',
        },
    )
    done = run(site, MANAGE, *shlex.split(command), **platform.environ)
    assert done.returncode == 0, done.stderr


def test_its_checks_are_all_that_there_are():  # what each says is tested with the package
    package = Path(__file__).resolve().parents[2] / "scope_django"
    there = set(re.findall(r'"(?:scope_django\.)?([EW]0\d\d)"', (package / "_checks.py").read_text()))
    assert set(CHECKS) == there
