"""A page of a hostile site, in a real Chromium, that wants the prompts of a local platform with its well-known keys."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from faults.clock import eventually
from faults.sites import PATIENCE, browser_page, free_port

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

LATEST = "/api/v1/prompts/greeting/latest"
SECRET_PROMPT = "You are the assistant of {{company}}."
PAGE = b"<!doctype html><title>Nice pictures</title><body></body>"
# What a page can do: each way of asking, and what it gets to see.
ATTACK = """async ([base, body, path]) => {
  const seen = [];
  const ask = async (url, options) => {
    try {
      const answer = await fetch(url, options);
      const text = await answer.text();
      seen.push([answer.status, text]);
      return text;
    } catch (error) {
      seen.push([0, String(error)]);
      return "{}";
    }
  };
  for (const more of [
    {headers: {"Content-Type": "application/json"}},
    {headers: {"Content-Type": "text/plain"}},
    {mode: "no-cors"},
  ]) {
    const token = await ask(`${base}/v1/auth/sdk-token`, {method: "POST", body, ...more});
    const bearer = token.startsWith("{") ? JSON.parse(token).access_token : undefined;
    await ask(`${base}${path}`, {headers: {Authorization: `Bearer ${bearer}`}});
  }
  return seen;
}"""
FORM = """([base, body]) => {
  const form = document.createElement("form");
  [form.method, form.enctype, form.action] = ["POST", "text/plain", `${base}/v1/auth/sdk-token`];
  const field = document.createElement("input");
  [field.name, field.value] = [body.slice(0, -1) + ', "x', '": 1}'];
  form.append(field);
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Of a browser to which evil.example, and all below it, leads to this machine."""
    rules = "MAP evil.example 127.0.0.1, MAP *.evil.example 127.0.0.1"
    with browser_page(f"--host-resolver-rules={rules}") as opened:
        yield opened


@pytest.fixture(params=[(), None], ids=["of its own names", "of any name"])
def allowed_hosts(request: pytest.FixtureRequest) -> Any:
    """Those of `scope serve`, and those of a platform that a program makes."""
    return request.param


@pytest.fixture
def platform(allowed_hosts: Any) -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": SECRET_PROMPT}, allowed_hosts=allowed_hosts) as started:
        yield started


class HostileSite(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def hostile_site(port: int = 0) -> Iterator[int]:
    """A web server on this machine: from there a browser would let no page of the internet ask without a question."""
    with HTTPServer(("127.0.0.1", port), HostileSite) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def site() -> Iterator[int]:
    with hostile_site() as port:
        yield port


def attack(page: Page, base: str, platform: LocalPlatform) -> list[Any]:
    keys = platform.credentials.token_body()
    return page.evaluate(ATTACK, [base, json.dumps(keys), LATEST])


def got(seen: list[Any]) -> bool:
    return any(status == 200 or "access_token" in text or SECRET_PROMPT in text for status, text in seen)


def statuses(platform: LocalPlatform) -> set[int | None]:
    return {request.status for request in platform.requests}


@pytest.mark.parametrize("name", ["evil.example", "www.evil.example", "rebind.localhost"])
def test_a_site_whose_name_is_rebound_to_the_platform_gets_nothing(name: str, allowed_hosts: Any, page: Page) -> None:
    platform = LocalPlatform({"greeting": SECRET_PROMPT}, port=free_port(), allowed_hosts=allowed_hosts)
    base = f"http://{name}:{platform.port}"
    with hostile_site(platform.port):
        page.goto(base)
    with platform:  # where the name leads to from here on
        seen = attack(page, base, platform)
    assert not got(seen)
    if allowed_hosts == ():
        assert {status for status, _ in seen} == {421}
        assert statuses(platform) == {421}
    else:  # it refuses by the Origin of what asks for a token, and the rest needs one; a browser also wants an icon
        assert {status for status, _ in seen} == {401, 403}
        assert statuses(platform) <= {401, 403, 404}


@pytest.mark.parametrize("name", ["evil.example", "localhost"])
@pytest.mark.parametrize("target", ["127.0.0.1", "localhost", "evil.example"])
def test_a_page_of_another_site_gets_nothing_and_no_token_is_made(
    name: str, target: str, page: Page, platform: LocalPlatform, site: int
) -> None:
    page.goto(f"http://{name}:{site}")
    seen = attack(page, f"http://{target}:{platform.port}", platform)
    assert not got(seen)
    assert len(platform.requests) >= 3
    assert statuses(platform) <= {403, 421}


def test_a_form_that_a_page_of_another_site_sends_gets_nothing(page: Page, platform: LocalPlatform, site: int) -> None:
    page.goto(f"http://evil.example:{site}")
    with page.expect_navigation():
        page.evaluate(FORM, [platform.url, json.dumps(platform.credentials.token_body())])
    assert "access_token" not in page.content()
    asked = [(request.method, request.status) for request in platform.requests if "auth" in request.path]
    assert asked == [("POST", 403)]


def test_a_frame_a_script_and_a_picture_of_another_site_get_nothing(
    page: Page, platform: LocalPlatform, site: int
) -> None:
    page.goto(f"http://evil.example:{site}")
    for number, tag in enumerate(("iframe", "script", "img"), 1):
        page.evaluate(
            "([tag, src]) => document.body.append(Object.assign(document.createElement(tag), {src}))",
            [tag, f"{platform.url}{LATEST}?{tag}"],
        )
        eventually(lambda number=number: len(platform.requests) == number, PATIENCE)
    eventually(lambda: statuses(platform) == {403}, PATIENCE)


def test_the_platforms_own_page_and_what_a_person_types_are_served(page: Page, platform: LocalPlatform) -> None:
    for name in ("127.0.0.1", "localhost"):
        base = f"http://{name}:{platform.port}"
        page.goto(f"{base}{LATEST}")
        assert "missing_token" in page.content()
        seen = attack(page, base, platform)
        assert [status for status, _ in seen][:2] == [200, 200]
        assert SECRET_PROMPT in seen[1][1]
