"""Pages are shown on this machine, elsewhere to whoever has the key, and change things in a browser of this machine."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
from typing import TYPE_CHECKING, Any, Callable

import pytest
import requests
from flask import Blueprint

from scope_client import ApiKeyCredentials
from scope_client.local import LocalPlatform, _routes
from scope_client.local._face import FACE
from scope_client.local._gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = {"Authorization": "Basic " + base64.b64encode(b"my-key:my-secret").decode()}
OWN = "http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages: one to read, one that changes something."""

    def add_face(site: Any, behind: Any) -> None:
        pages = Blueprint(FACE, __name__)
        pages.add_url_rule("/", "index", lambda: "read")
        pages.add_url_rule("/change", "change", lambda: "changed", methods=["POST"])
        site.register_blueprint(pages)

    monkeypatch.setattr(_routes, "add_face", add_face)


@pytest.fixture
def ask() -> Iterator[Callable[..., tuple[int, str]]]:
    with contextlib.ExitStack() as opened:

        def ask(method: str, path: str, headers: dict[str, str], **options: Any) -> tuple[int, str]:
            mine = ApiKeyCredentials("my-org", "my-key", "my-secret")
            platform = opened.enter_context(LocalPlatform({"a": "x"}, ui=True, credentials=mine, **options))
            connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=10)
            with contextlib.closing(connection):
                said = {name: value.replace("{port}", str(platform.port)) for name, value in headers.items()}
                connection.request(method, path, headers=said)
                answer = connection.getresponse()
                text = answer.read().decode()
                return answer.status, text if answer.status == 200 else json.loads(text)["error"]["code"]

        yield ask


def test_without_a_face_there_are_no_pages() -> None:
    with LocalPlatform() as platform:
        assert requests.get(platform.url, timeout=10).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_on_this_machine_pages_are_shown_and_change_things(host: str, ask) -> None:
    page = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert ask("GET", "/", {"Host": host}) == (200, "read")
    assert ask("POST", "/change", page) == (200, "changed")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "localhost.evil.example:{port}"])
def test_a_page_has_no_other_name_even_if_programs_may_ask_by_any(host: str, ask) -> None:
    assert ask("GET", "/", {"Host": host}) == (421, "foreign_host")
    assert ask("POST", "/change", {"Host": host, "Origin": f"http://{host}"}) == (421, "foreign_host")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "read_only_from_here"),
        ({"Origin": "http://evil.example"}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Origin": OWN, "Sec-Fetch-Site": "cross-site"}, "foreign_origin"),
        ({"Origin": "http://localhost:{port}"}, "read_only_from_here"),
        ({"Origin": OWN.replace("http", "https")}, "read_only_from_here"),
        ({"Origin": OWN, "X-Forwarded-For": "10.0.0.7"}, "read_only_from_here"),
        ({"Origin": "http://scope", "Host": "scope"}, "read_only_from_here"),
    ],
    ids=str,
)
def test_whatever_else_asks_for_a_change_is_refused(headers: dict[str, str], code: str, ask) -> None:
    assert ask("POST", "/change", {**headers, **KEY}, allowed_hosts=["scope"]) == (403, code)


LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_a_link_of_another_site_leads_to_a_page_and_nothing_else_of_that_site_does(ask) -> None:
    assert ask("GET", "/", LINK) == (200, "read")
    for other in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "cors"}, {"Origin": "http://evil.example"}):
        assert ask("GET", "/", {**LINK, **other}) == (403, "foreign_origin")
    assert ask("POST", "/change", {**LINK, "Origin": OWN}) == (403, "foreign_origin")
    assert ask("GET", "/api/v1/prompts/a/latest", LINK) == (403, "foreign_origin")


@pytest.mark.parametrize("headers", [{"Host": "scope"}, {"Via": "1.1 proxy"}, {"X-Real-IP": "10.0.0.7"}], ids=str)
def test_from_elsewhere_a_page_is_shown_to_whoever_has_the_key(headers: dict[str, str], ask) -> None:
    for key in ({}, {"Authorization": "Basic bXkta2V5Ong="}, {"Authorization": "Bearer my-secret"}):
        assert ask("GET", "/", {**headers, **key}, allowed_hosts=["scope"]) == (401, "key_needed")
    assert ask("GET", "/", {**headers, **KEY}, allowed_hosts=["scope"]) == (200, "read")


def test_a_page_meets_no_fault_and_is_not_on_record() -> None:
    with LocalPlatform(ui=True) as platform:
        platform.fail(503)
        platform.slow(1000)
        assert requests.get(platform.url, timeout=10).text == "read"
        assert platform.faults[0].hits == platform.faults[1].hits == 0
        assert platform.requests == ()


@pytest.mark.parametrize(
    ("peer", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.0.7", False),
        ("::ffff:192.168.0.7", False),
        ("", False),
    ],
)
def test_the_other_end_of_the_connection_says_which_machine_asks(peer: str, is_own: bool) -> None:
    environ = {"REMOTE_ADDR": peer, "SERVER_PORT": "8750", "HTTP_HOST": "localhost:8750", "REQUEST_METHOD": "GET"}
    assert Gate("0.0.0.0", ()).is_own_loopback(environ) is is_own
