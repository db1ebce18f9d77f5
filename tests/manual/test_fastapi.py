"""What the page on FastAPI says is true: its app is served by uvicorn, and its tests pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from manual import pages

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "integrations/fastapi.md"
VISIT = """
import json, sys, threading, time, urllib.error, urllib.request
import uvicorn
from main import app
site = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
thread = threading.Thread(target=site.run)
thread.start()
while not site.started:
    time.sleep(0.01)
port = site.servers[0].sockets[0].getsockname()[1]
seen = []
for path in sys.argv[1:]:
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}")
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        seen.append([answer.status, answer.read().decode()])
print(json.dumps(seen))
site.should_exit = True
thread.join()
"""


@pytest.fixture
def site(folder: Path) -> Path:
    pages.write_files(PAGE, folder)
    return folder


def visit(site, platform, *paths):
    done = pages.python(["-W", "error", "-c", VISIT, *paths], site, **platform.environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_its_app_shows_what_it_has_read_before_the_first_request(site, platform):
    (health, home), said = visit(site, platform, "/health", "/?name=Bob")
    assert said == ""
    assert home == [200, "Good noon, Bob!"]
    assert [prompt["name"] for prompt in json.loads(health[1])["prompts"]] == ["greeting"]
    assert len([request for request in platform.requests if "/prompts/" in request.path]) == 1


def test_it_starts_though_no_prompt_can_be_read_and_says_so_in_its_answers(site, platform):
    platform.fail(400)
    ((status, text), (health, _)), said = visit(site, platform, "/", "/health")
    assert (status, list(json.loads(text)), health) == (502, ["error"], 200)
    assert said.count("is not there yet") == 1


def test_its_tests_pass(site):
    done = pages.run_tests(site)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr
