"""The example site, run as its README says, in a real browser; and under gunicorn, forked and with gevent."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

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

SITE = EXAMPLES / "flask_site"
PROMPTS = EXAMPLES / "prompts"


@pytest.fixture
def page() -> Iterator[Page]:
    with browser_page() as opened:
        yield opened


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform(PROMPTS) as started:
        yield started


def posted(url: str, body: object) -> tuple[int, dict]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@contextlib.contextmanager
def gunicorn(
    platform: LocalPlatform, redis: RedisServer, *words: str, program: str = "gunicorn", **environ: str
) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = ["-m", program, *words, "--bind", f"127.0.0.1:{port}", "app:create_app()"]
    with running(command, SITE, f"{url}health", {**platform.environ, "REDIS_URL": redis.url, **environ}):
        yield url


def test_the_site_in_a_browser(page: Page, platform: LocalPlatform, redis_server: RedisServer, tmp_path: Path) -> None:
    with gunicorn(platform, redis_server, "--workers", "2", FLASK_SCOPE_CACHE_TTL="1") as url:
        page.on("dialog", lambda dialog: pytest.fail("a script of a value ran"))
        page.goto(url)
        assert page.inner_text(".prompt") == "Good morning, stranger!"
        assert page.locator("text=Stop the platform").count() == 0
        keep_picture(page, "flask-page")
        page.fill("input", "<script>alert('gotcha')</script>")
        page.click("button")
        assert page.inner_text(".prompt") == "Good morning, <script>alert('gotcha')</script>!"
        keep_picture(page, "flask-script-as-text")

        platform.stop()
        eventually(lambda: '"is_down":true' in got(f"{url}health") or not got(url), PATIENCE)
        page.goto(url)
        assert page.inner_text(".prompt") == "Good morning, stranger!"
        keep_picture(page, "flask-platform-stopped")

        platform.publish("greeting", "Welcome this {{time_of_day}}, {{name}}!")
        platform.start()
        eventually(lambda: "Welcome" in got(url), PATIENCE)
        page.goto(url)
        eventually(lambda: page.reload() and page.inner_text(".prompt") == "Welcome this morning, stranger!")
        keep_picture(page, "flask-new-version")


def test_the_command_of_the_readme_runs_the_site(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    prompts = shutil.copytree(PROMPTS, tmp_path / "prompts")
    with running(["run.py", "--port", str(port), "--prompts", str(prompts)], SITE, url, {"SITE_VAR": str(tmp_path)}):
        assert "Good morning, Ada!" in got(f"{url}?name=Ada")
        status, answer = posted(f"{url}answer", {"question": 'Is it "dimmable"?'})
        assert (status, answer["answer"]) == (200, 'You said, at a temperature of 0.2: Is it "dimmable"?')
        assert [message["role"] for message in answer["messages"]] == ["system", "user"]
        status, answer = posted(f"{url}answer", {"quest": "?"})
        assert status == 400
        assert "question" in answer["error"]


@pytest.mark.parametrize(
    "words",
    [("--workers", "3", "--preload"), ("--workers", "1", "--worker-class", "gevent")],
    ids=["prefork", "gevent"],
)
def test_many_requests_make_one_fetch_and_outlast_the_platform(
    words: tuple[str, ...], platform: LocalPlatform, redis_server: RedisServer
) -> None:
    platform.latency = 0.1
    with gunicorn(platform, redis_server, *words) as url:
        pages = crowd(24, lambda: got(url))
        assert all("Good morning, stranger!" in page for page in pages)
        assert reads(platform) == 1
        platform.stop()
        assert all("Good morning, stranger!" in page for page in crowd(24, lambda: got(url)))


def test_flask_scope_check_finds_the_mistakes_in_templates(platform: LocalPlatform, tmp_path: Path) -> None:
    site = Path(shutil.copytree(SITE, tmp_path / "site", ignore=shutil.ignore_patterns("__pycache__")))

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", "scope", "check"],
            cwd=site,
            env={**os.environ, **platform.environ},
            capture_output=True,
            text=True,
            timeout=60,
        )

    clean = check()
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "3 uses of 2 prompts" in clean.stdout  # in the template and in the code
    template = site / "templates" / "greeting.html"
    text = template.read_text()
    template.write_text(text.replace("name=name,", "nmae=name,") + '{{ scope_prompt("greetings") }}\n')
    found = check()
    assert found.returncode == 1
    assert re.search(r"greeting\.html:1:\d+ S10\d .*no variable 'nmae'; the nearest one is 'name'", found.stdout)
    assert re.search(r"greeting\.html:2:\d+ S10\d .*'greetings'", found.stdout)
    assert "Traceback" not in found.stderr
