"""Pages with prompts under the servers of asynchronous Django sites, on a platform that takes its time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django_app.page_site import JINJA_SOURCE, PROMPTS
from faults.greeting import GREETING
from faults.reading import reads
from faults.sites import free_port, got, running

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parents[1]
REQUESTS, LATENCY_SECONDS = 50, 2.0
MOST_PING_SECONDS = 1.5
"""Of a machine that is busy; a page that is rendered on the loop holds a ping up for all of LATENCY_SECONDS."""
SERVERS = {
    "uvicorn": ["-m", "uvicorn", "--port", "PORT", "--log-level", "error", "django_app.page_site:app"],
    "daphne": ["-m", "daphne", "-p", "PORT", "-v", "0", "django_app.page_site:app"],
}


@pytest.fixture(params=list(SERVERS))
def url(request: pytest.FixtureRequest, platform: LocalPlatform, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "page.jinja").write_text(JINJA_SOURCE)
    for number in range(PROMPTS):
        platform.publish(f"greeting-{number}", GREETING)
    port = free_port()
    command = [str(port) if word == "PORT" else word for word in SERVERS[request.param]]
    here = f"http://127.0.0.1:{port}"
    environ = {**platform.environ, "PYTHONPATH": f"{TESTS.parent}:{TESTS}", "JINJA_FOLDER": str(tmp_path)}
    with running(command, TESTS, f"{here}/ping/", environ):
        yield here


@pytest.mark.parametrize("engine", ["django", "jinja"])
def test_pings_go_on_while_fifty_pages_wait_for_ten_prompts(engine, url, platform):
    platform.latency = LATENCY_SECONDS
    with ThreadPoolExecutor(REQUESTS) as visitors:
        pages = [visitors.submit(got, f"{url}/page/{engine}/greeting-{each % PROMPTS}/") for each in range(REQUESTS)]
        pings = []
        while not all(page.done() for page in pages):
            began = time.monotonic()
            assert got(f"{url}/ping/") == "pong"
            pings.append(time.monotonic() - began)
    print(f"the slowest of {len(pings)} pings: {max(pings) * 1000:.1f} ms")
    assert {page.result() for page in pages} == {"Good day, &lt;Ada&gt;!"}
    assert reads(platform) == PROMPTS
    assert max(pings) < MOST_PING_SECONDS
