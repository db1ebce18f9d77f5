"""The example site, run as its README says, in a real browser; and under gunicorn."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest
from faults.clock import eventually
from faults.crowd import crowd
from faults.reading import reads
from faults.redisserver import RedisServer
from faults.sites import EXAMPLES, PATIENCE, browser_page, free_port, got, keep_picture, running
from playwright.sync_api import Page

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = EXAMPLES / "django_site"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "demo_site.settings"}


@pytest.fixture
def page() -> Iterator[Page]:
    with browser_page() as opened:
        yield opened


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "prompts", tmp_path / "prompts"))


def test_the_site_in_a_browser(page: Page, prompts: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    (prompts / "mirror.md").write_text("You said: {{text}}")
    environ = {**SETTINGS, "SITE_VAR": str(tmp_path / "var"), "PROMPT_TTL": "60"}
    with running(["run.py", "--port", str(port), "--prompts", str(prompts)], SITE, url, environ):
        page.goto(url)
        assert re.search(r"Good (morning|afternoon|evening), stranger!", page.inner_text(".prompt"))
        page.click("text=Sign in")
        page.fill("#id_username", "ada")
        page.fill("#id_password", "ada")
        page.click("input[type=submit]")
        page.wait_for_url(url)
        assert "Ada!" in page.inner_text(".prompt")
        keep_picture(page, "greeting")

        page.click("text=Preview")
        page.fill("#id_prompt", "no-such-prompt")
        page.click("text=Choose")
        assert "was not found" in page.inner_text(".errorlist")
        keep_picture(page, "unknown-prompt")

        page.fill("#id_prompt", "mirror")
        page.click("text=Choose")
        page.locator("#variables").evaluate("form => form.noValidate = true")
        page.click("text=Fill in")
        assert "required" in page.inner_text("#variables .errorlist")
        keep_picture(page, "missing-value")

        page.on("dialog", lambda dialog: pytest.fail("a script of a value ran"))
        page.fill("#id_variable-text", "<script>alert('gotcha')</script>{% now 'Y' %}{{ x }}")
        page.click("text=Fill in")
        assert page.inner_text("#text") == "You said: <script>alert('gotcha')</script>{% now 'Y' %}{{ x }}"
        keep_picture(page, "script-as-text")

        (prompts / "greeting" / "v2.md").write_text(
            "---\nstatus: published\n---\nWelcome this {{time_of_day}}, {{name}}!"
        )
        page.goto(url)
        assert "Good" in page.inner_text(".prompt")
        page.click("text=Clear the cache")
        assert "Welcome this" in page.inner_text(".prompt")
        keep_picture(page, "new-version")
        page.click("nav >> text=Admin")
        assert "Site administration" in page.inner_text("#content")


@contextlib.contextmanager
def gunicorn(platform: LocalPlatform, redis: RedisServer, folder: Path, **environ: str) -> Iterator[str]:
    """Three workers of a preloaded parent; gives the URL."""
    port = free_port()
    variables = {
        **platform.environ,
        "REDIS_URL": redis.url,
        "SITE_VAR": str(folder),
        "DJANGO_DEBUG": "1",
        **SETTINGS,
        **environ,
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v", "0"], cwd=SITE, env={**os.environ, **variables}, check=True
    )
    command = ["-m", "gunicorn", "--preload", "--workers", "3", "--bind", f"127.0.0.1:{port}", "demo_site.wsgi"]
    url = f"http://127.0.0.1:{port}/"
    with running(command, SITE, f"{url}health/", variables):
        yield url


def test_three_preloaded_workers_make_one_fetch(
    platform: LocalPlatform, redis_server: RedisServer, tmp_path: Path
) -> None:
    with gunicorn(platform, redis_server, tmp_path) as url:
        pages = crowd(12, lambda: got(url))
        assert all("stranger!" in page and "Stop the platform" not in page for page in pages)
        assert reads(platform) == 1


def test_the_workers_go_on_when_the_platform_stops_and_have_the_new_version_when_it_is_back(
    platform: LocalPlatform, redis_server: RedisServer, tmp_path: Path
) -> None:
    with gunicorn(platform, redis_server, tmp_path, PROMPT_TTL="1") as url:
        assert "Good" in got(url)
        platform.stop()
        eventually(lambda: '"is_serving_stale": true' in got(f"{url}health/") or not got(url), PATIENCE)
        pages = crowd(12, lambda: got(url))
        assert all("stranger!" in page for page in pages)
        platform.publish("greeting", "Welcome this {{time_of_day}}, {{name}}!")
        platform.start()
        eventually(lambda: "Welcome" in got(url), PATIENCE)


@pytest.fixture
def deployed(platform: LocalPlatform, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs manage.py in a copy of the site, with the platform's credentials in the environment."""
    copy = Path(shutil.copytree(SITE, tmp_path / "site", ignore=shutil.ignore_patterns("var", "__pycache__")))

    def manage(*words: str, edits: dict[str, tuple[str, str]] | None = None) -> subprocess.CompletedProcess[str]:
        for file, (before, after) in (edits or {}).items():
            text = (copy / file).read_text()
            assert before in text
            (copy / file).write_text(text.replace(before, after))
        # Byte code of a file that changed within a second, and kept its length, would be taken for that of the new one.
        environ = {**os.environ, **platform.environ, **SETTINGS, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=copy, env=environ, capture_output=True, text=True, timeout=60
        )

    return manage


def test_the_site_is_clean(deployed: Callable) -> None:
    checked = deployed("check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    found = deployed("scope", "check")
    assert (found.returncode, found.stderr) == (0, "")
    assert "1 use of 1 prompt" in found.stdout


def test_three_mistakes_are_all_found(deployed: Callable) -> None:
    template = "pages/templates/pages/greeting.html"
    edits = {
        "demo_site/settings.py": ('"CACHE_TTL"', '"CACHE_TLL"'),
        template: ('{% scope_prompt "greeting"', '{% scope_prompt "greetings" %}\n{% scope_prompt "greeting"'),
    }
    checked = deployed("check", edits=edits)
    assert checked.returncode == 1
    assert "scope_django.E002" in checked.stderr
    assert "CACHE_TTL" in checked.stderr
    found = deployed("scope", "check")
    assert found.returncode == 1
    assert "CACHE_TLL" in found.stdout

    deployed(
        "check", edits={"demo_site/settings.py": ('"CACHE_TLL"', '"CACHE_TTL"'), template: (" name=user", " nmae=user")}
    )
    found = deployed("scope", "check")
    assert found.returncode == 1
    assert re.search(r"greeting\.html:2:\d+ S10\d .*'greetings'", found.stdout)
    assert re.search(r"greeting\.html:3:\d+ S10\d .*no variable 'nmae'; the nearest one is 'name'", found.stdout)
    assert "Traceback" not in found.stderr
