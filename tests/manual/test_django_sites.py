"""What the page on running a Django site says is true: its files make a project, which is run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from faults.reading import reads
from faults.redisserver import RedisServer
from faults.sites import free_port, got, running

from scope_client.local import LocalPlatform

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "integrations" / "django-sites.md").read_text()
WHOLE = re.DOTALL | re.MULTILINE
NAMED = re.findall(r"^```(?:python|django)\n(?:# |\{# )([\w/.]+)(?: #\})?\n(.*?)^```$", PAGE, WHOLE)
COMMANDS = re.findall(r"^\$ python manage\.py (.+?)(?: {2,}#.*)?$", PAGE, re.MULTILINE)
(GUNICORN,) = re.findall(r"^\$ gunicorn (.+)$", PAGE, re.MULTILINE)
OFFER = "{{name}} pays {{price}}"
SETTINGS = """
import os
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parents[1]
SECRET_KEY = "not one"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
LANGUAGE_CODE = "de"
INSTALLED_APPS = ["scope_django", "shop"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"]}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""
WSGI = """
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
"""
MANAGE = """
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
execute_from_command_line(sys.argv)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("mysite", "shop", "templates"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "mysite" / "wsgi.py").write_text(WSGI)
    files = {"settings.py": SETTINGS}
    for name, text in NAMED:
        files[name] = files.get(name, "") + text
    for name, text in files.items():
        (tmp_path / ("mysite/" if "/" not in name else "") / name).write_text(text)
    return tmp_path


@pytest.fixture
def platform() -> object:
    with LocalPlatform({"offer": OFFER}) as started:
        yield started


def manage(project: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("SCOPE_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project,
        env={**clean, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_each_file_of_the_page_is_part_of_the_project():
    assert {name for name, _ in NAMED} == {
        *("settings.py", "urls.py", "several.py", "templates/home.html", "templates/mail.txt"),
        *("shop/views.py", "shop/mails.py", "shop/tasks.py", "shop/tests.py"),
    }
    assert len(NAMED) == len(re.findall(r"^```(?:python|django)$", PAGE, re.MULTILINE))


def test_its_tests_pass_without_credentials_and_without_a_cache_server(project):
    done = manage(project, "test", REDIS_URL="redis://127.0.0.1:9/0")
    assert (done.returncode, "Ran 5 tests" in done.stderr) == (0, True), done.stderr
    assert "scope_django.W004" in done.stderr


@pytest.mark.parametrize(("old", "new"), [("name=name price=price|localize", "name=name"), ('"offer"', '"ofer"')])
def test_its_last_test_fails_if_a_template_does_not_fit(old, new, project):
    template = project / "templates" / "home.html"
    template.write_text(template.read_text().replace(old, new, 1))
    done = manage(project, "test", "shop.tests.OfferTests.test_the_templates_fit_the_prompts")
    assert "FAILED (errors=1)" in done.stderr, done.stderr


def test_its_commands_run_and_its_workers_ask_the_platform_once(project, platform):
    with RedisServer() as redis:
        mine = {"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": str(ROOT)}
        environ = {**platform.environ, **mine, "REDIS_URL": redis.url}
        for command in COMMANDS:
            done = manage(project, *shlex.split(command), **environ)
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        asked = reads(platform)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        words = [*shlex.split(GUNICORN), "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
        with running(["-m", "gunicorn", *words], project, f"{url}/health/prompts/", environ):
            pages = {got(f"{url}/") for _ in range(30)}
            assert '"ok": true' in got(f"{url}/health/prompts/")
        assert reads(platform) == asked
    (page,) = pages
    assert page.split("\n")[1:4] == [f"&lt;Ada&gt; pays {price}" for price in ("1234.5", "1.234,5", "1.234,50")]


def test_its_log_has_one_line_when_an_outage_begins(project, platform):
    platform.fail(503)
    code = (
        "from scope_django import get_client\n"
        "values = {'name': 'Ada', 'price': 3}\n"
        "for _ in range(3): print(get_client().render_prompt('offer', values, fallback='Hi {{name}} {{price}}'))"
    )
    done = manage(
        project, "shell", "-c", code, **platform.environ, REDIS_URL="redis://127.0.0.1:9/0", SCOPE_TIMEOUT="1"
    )
    assert done.stdout.splitlines()[-3:] == ["Hi Ada 3"] * 3
    lines = [line for line in done.stderr.splitlines() if line.startswith("WARNING scope_client.outage ")]
    assert len(lines) == 1, done.stderr


def test_its_several_organisations_are_settings_that_work(project):
    settings = project / "mysite" / "settings.py"
    settings.write_text(settings.read_text() + "\nfrom mysite.several import SCOPE\n")
    code = (
        "from scope_django import get_client\n"
        "found = get_client('eu').config\n"
        "print(found.credentials.org_id, found.cache_ttl)"
    )
    done = manage(project, "shell", "-c", code, REDIS_URL="redis://127.0.0.1:9/0")
    assert done.stdout.splitlines()[-1] == "org-2 60.0", done.stderr
