"""A new project without credentials: every command of Django works, and says what is missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.forked import Forking, as_text

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).resolve().parents[2]
PAGE = '{% load scope %}{% scope_prompt "greeting" time_of_day="morning" name=user.first_name|default:"there" %}'
MORE_SETTINGS = """
INSTALLED_APPS += ["scope_django", "shop"]
SCOPE = {"CACHE_ALIAS": "default", "CACHE_TTL": 600}
STATIC_ROOT = BASE_DIR / "static"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
"""
URLS = """
from django.urls import path
from django.views.generic import TemplateView

urlpatterns = [path("", TemplateView.as_view(template_name="page.html"))]
"""
TESTS = """
from django.test import TestCase
from scope_django.test import override_prompts


@override_prompts({"greeting": "Good {{time_of_day}}, {{name}}!"})
class PageTests(TestCase):
    def test_an_anonymous_visitor_is_greeted(self):
        self.assertContains(self.client.get("/"), "Good morning, there!")
"""
COMMANDS = (  # in an order in which each has what it needs
    *("check", "makemigrations --check --dry-run", "migrate --skip-checks", "migrate", "showmigrations", "test"),
    *("createcachetable", "collectstatic --noinput --dry-run"),
    "createsuperuser --noinput --username ada --email ada@example.com",
    *("dumpdata auth.user --output users.json", "loaddata users.json", "shell -c pass", "scope list"),
)
READS = "from scope_django import get_client; get_client().render_prompt('greeting')"


class Project:
    """A new one, and its `manage.py`."""

    def __init__(self, ready: Forking, folder: Path) -> None:
        self._ready = ready
        self.folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("SCOPE_", "DJANGO_"))}
        more = {"DJANGO_SUPERUSER_PASSWORD": "of-nobody", "PYTHONPATH": str(ROOT)}
        return as_text(self._ready.run(*arguments, env={**environ, **more}, cwd=self.folder, timeout=60))

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments)


@pytest.fixture(scope="module")
def manage(ready: Forking, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("projects") / "mysite"
    folder.mkdir()
    project = Project(ready, folder)
    project.run("django", "startproject", "mysite", ".")
    project("startapp", "shop")
    settings = folder / "mysite" / "settings.py"
    settings.write_text(settings.read_text() + MORE_SETTINGS)
    (folder / "mysite" / "urls.py").write_text(URLS)
    (folder / "shop" / "templates").mkdir()
    (folder / "shop" / "templates" / "page.html").write_text(PAGE)
    (folder / "shop" / "tests.py").write_text(TESTS)
    return project


def test_commands_work_and_say_what_is_missing(manage):
    silent = []
    for command in COMMANDS:
        ended = manage(*command.split())
        assert ended.returncode == 0, (command, ended.stderr)
        if "scope_django.W004" not in ended.stdout + ended.stderr:
            silent.append(command)
    assert not {"check", "migrate", "test"}.intersection(silent)


def test_a_deployment_is_told_that_it_is_an_error(manage):
    ended = manage("check", "--deploy")
    assert ended.returncode == 1
    assert "(scope_django.E004) the credentials lack SCOPE['ORG_ID'], SCOPE['API_KEY']" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_first_read_raises_and_says_where_credentials_go(manage):
    ended = manage("shell", "-c", READS)
    assert ended.returncode != 0
    assert ended.stderr.splitlines()[-1] == (
        "scope_client.MissingApiKeyError: the credentials lack SCOPE['ORG_ID'], SCOPE['API_KEY'], SCOPE['API_SECRET'] "
        "(add what is missing, or set SCOPE_ORG_ID, SCOPE_API_KEY, SCOPE_API_SECRET in the environment)"
    )


@pytest.mark.parametrize("command", ["scope check", "scope warm greeting"])
def test_a_command_that_asks_the_platform_fails_in_one_line(command, manage):
    ended = manage(*command.split())
    assert ended.returncode == 1
    assert "SCOPE['API_SECRET']" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
