"""A session of the caller's is used as it is, and stays the caller's."""

from __future__ import annotations

import io
import json
from typing import Any, Callable

import pytest
import requests
from faults.clock import JumpingClock
from faults.replies import PROMPT, error
from faults.server import FaultServer
from requests.adapters import BaseAdapter, HTTPAdapter

from scope_client import AuthorizationError, ConnectionError, ScopeClient, ScopeError, TimeoutError


class Counting(HTTPAdapter):
    sent = 0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.sent += 1
        return super().send(request, **options)


class Canned(BaseAdapter):
    """Answers by itself, with no socket."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.raw = io.BytesIO(json.dumps({"access_token": "t", "content": "canned"}).encode())
        return response

    def close(self) -> None:
        pass


class ByHand(BaseAdapter):
    """Answers with no `raw`, as a stub of a test does."""

    def __init__(self, body: bytes | None, **headers: str) -> None:
        self.body, self.headers = body, headers

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        is_login = request.method == "POST"
        response._content = b'{"access_token": "t"}' if is_login else self.body
        response.headers.update({} if is_login else self.headers)
        return response

    def close(self) -> None:
        pass


class Drip:
    """A body of a byte a second, without a socket and without an end."""

    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock
        self.read_bytes = 0

    def read(self, _: int) -> bytes:
        assert self.read_bytes < 10
        self.read_bytes += 1
        self._clock.passes(1.0)
        return b" "

    def close(self) -> None:
        pass


class Dripping(Canned):
    def __init__(self, drip: Drip) -> None:
        self._drip = drip

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = super().send(request, **options)
        if request.method == "GET":
            response.raw = self._drip
        return response


class Broken(Canned):
    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        raise self.failure


def test_its_headers_are_sent_and_ours_win(
    make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    session.headers.update({"X-Team": "blue", "accept": "text/html", "Authorization": "Basic eDp5"})
    make_client(session=session).get_prompt_version("greeting")
    (read,) = server.reads
    assert read.header("X-Team") == "blue"
    assert [value for name, value in read.headers if name.lower() == "accept"] == ["application/json"]
    assert [value for name, value in read.headers if name.lower() == "authorization"] == ["Bearer token-1"]


def test_a_header_that_it_sets_to_none_is_left_out(
    make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    session.headers.update({"X-Team": None, "Connection": None})
    make_client(session=session).get_prompt_version("greeting")
    assert server.reads[0].header("X-Team") is None


@pytest.mark.parametrize("auth", [("me", "hush"), lambda request: pytest.fail("its auth was used")])
def test_its_auth_does_not_replace_the_token(
    auth: object, make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    session.auth = auth
    make_client(session=session).get_prompt_version("greeting")
    assert [request.header("Authorization") for request in server.requests] == [None, "Bearer token-1"]


@pytest.fixture
def answered(make_client: Callable, session: requests.Session, server: FaultServer) -> Callable[[BaseAdapter], str]:
    """The text of a prompt that an adapter answers for."""

    def text(adapter: BaseAdapter, **options: float) -> str:
        session.mount(server.url, adapter)
        return str(make_client(session=session, max_retries=0, **options).get_prompt_version("greeting").content)

    return text


def test_a_response_that_was_made_by_hand_is_read_and_not_closed(answered: Callable) -> None:
    assert answered(ByHand(b'{"content": "canned"}')) == "canned"


def test_an_answer_that_drips_without_a_socket_ends_in_time(answered: Callable, jumping: JumpingClock) -> None:
    drip = Drip(jumping)
    with pytest.raises(TimeoutError):
        answered(Dripping(drip), timeout=3.5)
    assert drip.read_bytes == 5  # the fourth came too late: what has arrived by then is read, and that is nothing


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        (ByHand(b" " * (10 * 1024 * 1024 + 1)), "over the limit"),
        (ByHand(b'{"content": "canned"}', **{"Content-Encoding": "gzip"}), "which was not asked for"),
        (ByHand(b'{"content": "canned"}', **{"Content-Length": "100"}), "broke off after 21 of 100 bytes"),
        (ByHand(None), "got an empty body"),
    ],
    ids=["too large", "encoded", "cut short", "without a body"],
)
def test_a_response_that_was_made_by_hand_is_held_to_what_all_are(
    adapter: ByHand, said: str, answered: Callable
) -> None:
    with pytest.raises(ScopeError, match=said):
        answered(adapter)


def test_a_hook_that_fails_over_a_response_that_was_made_by_hand_is_heard(
    answered: Callable, session: requests.Session
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("theirs")

    session.hooks["response"] = fails
    with pytest.raises(KeyError, match="theirs"):
        answered(ByHand(b"{}"))


def test_its_adapters_are_used(make_client: Callable, session: requests.Session, server: FaultServer) -> None:
    adapter = Counting()
    session.mount(server.url, adapter)
    make_client(session=session).get_prompt_version("greeting")
    assert adapter.sent == len(server.requests) == 2


def test_an_adapter_without_sockets_is_used(make_client: Callable, session: requests.Session) -> None:
    session.mount("https://", Canned())
    client = make_client(session=session, base_url="https://scope.example", auth_api_url="https://scope.example")
    assert client.get_prompt_version("greeting").content == "canned"


@pytest.mark.parametrize("failure", [requests.RequestException("x"), OSError("x"), requests.exceptions.SSLError("x")])
def test_what_an_adapter_raises_becomes_an_error_of_ours(
    failure: Exception, make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    session.mount(f"{server.url}/api", Broken(failure))
    with pytest.raises(ScopeError) as caught:
        make_client(session=session, max_retries=0).get_prompt_version("greeting")
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize("failure", [ValueError("x"), AttributeError("x"), UnicodeError("x"), MemoryError()])
def test_a_bug_in_an_adapter_reaches_the_caller_unchanged(
    failure: Exception, make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    session.mount(f"{server.url}/api", Broken(failure))
    with pytest.raises(type(failure)) as caught:
        make_client(session=session).get_prompt_version("greeting", fallback="stand-in")
    assert caught.value is failure


@pytest.mark.parametrize("as_list", [True, False])
def test_its_hooks_are_called(
    as_list: bool, make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    seen: list[int] = []

    def hook(response: requests.Response, **_: Any) -> None:
        seen.append(response.status_code)

    session.hooks["response"] = [hook] if as_list else hook
    make_client(session=session).get_prompt_version("greeting")
    assert seen == [200, 200]


def test_closing_the_client_does_not_close_it(
    make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    with make_client(session=session) as client:
        client.get_prompt_version("greeting")
    assert session.get(f"{server.url}/by-hand").status_code == 200
    assert server.accepted == 1
    client.get_prompt_version("other")
    assert server.accepted == 1


def test_nothing_of_ours_is_left_on_it(make_client: Callable, session: requests.Session, server: FaultServer) -> None:
    before = (dict(session.headers), dict(session.proxies), session.verify, session.trust_env, session.max_redirects)
    make_client(session=session).get_prompt_version("greeting")
    assert before == (
        dict(session.headers),
        dict(session.proxies),
        session.verify,
        session.trust_env,
        session.max_redirects,
    )
    assert session.hooks == {"response": []}
    session.get(f"{server.url}/by-hand")
    assert server.requests[-1].header("Authorization") is None
    assert server.requests[-1].header("Accept") == "*/*"


def test_it_still_follows_redirects_for_the_caller(
    make_client: Callable, session: requests.Session, server: FaultServer
) -> None:
    make_client(session=session).get_prompt_version("greeting")
    server.answers(error(302, Location="/landed"), PROMPT)
    assert session.get(f"{server.url}/by-hand").url == f"{server.url}/landed"


def test_two_clients_share_it(make_client: Callable, session: requests.Session, server: FaultServer) -> None:
    one, two = make_client(session=session), make_client(session=session)
    one.get_prompt_version("greeting")
    one.close()
    two.get_prompt_version("greeting")
    assert [request.header("Authorization") for request in server.reads] == ["Bearer token-1", "Bearer token-2"]
    assert server.accepted == 1


def test_errors_are_the_same_with_it(make_client: Callable, session: requests.Session, server: FaultServer) -> None:
    server.answers(error(403, "not yours"))
    with pytest.raises(AuthorizationError, match="not yours"):
        make_client(session=session).get_prompt_version("greeting")


def test_the_session_of_a_client_is_part_of_its_configuration(
    make_client: Callable[..., ScopeClient], session: requests.Session
) -> None:
    assert make_client(session=session).config.session is session
