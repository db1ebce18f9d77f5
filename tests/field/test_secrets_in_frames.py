"""No error tracker shows a secret: each error of the catalogue is given to the real ones, with their usual settings."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import pytest
from faults import trackers
from faults.clock import ManualClock
from faults.replies import answer, closes, drips, echoes, error, hangs, json_answer, resets, token
from faults.server import FaultServer

import scope_client
from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    ScopeClient,
    Telemetry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import SettingsWrapper

SECRET = hashlib.sha256(b"a secret").hexdigest()
TOKEN = "".join(hashlib.sha512(bytes([number])).hexdigest() for number in range(6))
KINDS = {"API key": ApiKeyCredentials, "client": ClientCredentials}
VARIABLES = {
    "API key": ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"),
    "client": ("SCOPE_ORG_ID", "SCOPE_CLIENT_ID", "SCOPE_CLIENT_SECRET"),
}


class World:
    """What a case may use; `opened` closes what it opens, `patch` undoes what it sets."""

    def __init__(self, patch: pytest.MonkeyPatch, settings: SettingsWrapper, opened: contextlib.ExitStack) -> None:
        self.patch = patch
        self.settings = settings
        self.opened = opened
        self._server: FaultServer | None = None

    @property
    def server(self) -> FaultServer:
        if self._server is None:
            self._server = self.opened.enter_context(FaultServer())
            self._server.gives_tokens(token(TOKEN))
        return self._server

    def client(self, **options: object) -> ScopeClient:
        usual = {
            "credentials": ApiKeyCredentials("org", "key", SECRET),
            "base_url": self.server.url,
            "auth_api_url": self.server.url,
            "max_retries": 0,
            "clock": ManualClock().clock,
        }
        return self.opened.enter_context(ScopeClient(**{**usual, **options}))

    def environment(self, kind: str, *values: str) -> None:
        for variable, value in zip(VARIABLES[kind], values):
            self.patch.setenv(variable, value)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper) -> Iterator[World]:
    with contextlib.ExitStack() as opened:
        yield World(monkeypatch, settings, opened)
    Telemetry.clear_callbacks()
    scope_client.reset_configuration()


class Case(NamedTuple):
    """`provoke` raises an error, or has one logged with its traceback."""

    name: str
    provoke: Callable[[World], object]


CASES: list[Case] = []


def add(name: str, provoke: Callable[[World], object]) -> None:
    CASES.append(Case(name, provoke))


def case(provoke: Callable[[World], object]) -> Callable[[World], object]:
    add(provoke.__name__.replace("_", " "), provoke)
    return provoke


# A proxy with a password.

PROXIES = {
    "refuses connections": "http://user:{}@127.0.0.1:9",
    "has no address": "http://user:{}@proxy.invalid:3128",
    "has an address that is none": "http://user:{}@:3128",
    "has a port that is none": "http://user:{}@127.0.0.1:port",
    "has a user only": "http://{}@127.0.0.1:9",
    "has no scheme": "user:{}@127.0.0.1:9",
    "has another scheme": "ftp://user:{}@127.0.0.1:9",
    "is for SOCKS, which is not installed": "socks5://user:{}@127.0.0.1:9",
    "has a slash in it": "http://user:12/{}@127.0.0.1:9",
    "has a hash in it": "http://user:12#{}@127.0.0.1:9",
    "has a question mark in it": "http://user:12?{}@127.0.0.1:9",
    "has a bracket in it": "http://user:[{}@127.0.0.1:9",
    "has an at sign in it": "http://user:12@{}@127.0.0.1:9",
    "has a space in it": "http://user:12 {}@127.0.0.1:9",
    "has an umlaut in it": "http://user:\xe4{}@127.0.0.1:9",
    "has what Latin-1 lacks": "http://user:\u2603{}@127.0.0.1:9",
    "has an escape in it": "http://user:%41{}%@127.0.0.1:9",
    "has a newline in it": "http://user:{}\n@127.0.0.1:9",
}
SCHEMES = {"https": "HTTPS_PROXY", "http": "HTTP_PROXY"}


def by_a_proxy(world: World, scheme: str, url: str, **options: object) -> None:
    world.patch.setenv(SCHEMES[scheme], url)
    far = f"{scheme}://scope.example"
    world.client(base_url=far, auth_api_url=far, allow_insecure=True, **options).get_prompt_version("greeting")


for scheme in SCHEMES:
    for what, url in PROXIES.items():
        proxy = url.format(SECRET)
        add(f"{scheme}: a proxy that {what}", lambda world, s=scheme, p=proxy: by_a_proxy(world, s, p))


def echoed(make: Callable[[str], bytes]) -> Any:
    """A reply with what the proxy was sent, the header with the password first."""
    return echoes(lambda said: make(" ".join(sorted(said.splitlines(), key=lambda line: "Proxy-A" not in line))))


PROXY_REPLIES = {
    "407": error(407),
    "407 with an echo": echoed(lambda said: answer(said, 407)),
    "502 with an echo": echoed(lambda said: answer(said, 502)),
    "a status line with an echo": echoed(lambda said: f"HTTP/1.1 403 {said}\r\n\r\n".encode()),
    "no HTTP": echoed(lambda said: said.encode()),
    "a close": closes(),
    "a reset": resets(),
    "nothing": hangs(),
}
for scheme in SCHEMES:
    for what, reply in PROXY_REPLIES.items():

        def answers(world: World, scheme: str = scheme, reply: Any = reply) -> None:
            world.server.answers(reply)
            world.server.gives_tokens(reply)
            by_a_proxy(world, scheme, f"http://user:{SECRET}@127.0.0.1:{world.server.port}", timeout=0.5)

        add(f"{scheme}: a proxy that answers {what}", answers)


@case
def a_proxy_of_a_session_of_the_callers(world: World) -> None:
    import requests

    session = world.opened.enter_context(requests.Session())
    session.proxies["all"] = f"http://user:{SECRET}@127.0.0.1:9"
    session.headers["X-Api-Key"] = SECRET
    world.client(session=session).get_prompt_version("greeting")


# Tokens.

GARBAGE = {
    "a newline": f"{TOKEN}\n",
    "a space": f"Bearer {TOKEN}",
    "a character": f"{TOKEN}\u2603",
    "a list": [TOKEN],
    "an object": {"text": TOKEN},
    "bytes": list(TOKEN.encode()),
    "a part": f"{TOKEN[:20]} {TOKEN[20:]}",
}
for what, odd in GARBAGE.items():

    def gives_garbage(world: World, odd: object = odd) -> None:
        world.server.gives_tokens(json_answer({"access_token": odd, "expires_in": 3600}))
        world.client().get_prompt_version("greeting")

    add(f"a token that is {what}", gives_garbage)

NO_TOKENS = {
    "HTML with it": answer(f"<html>{TOKEN}</html>"),
    "a form with it": answer(f"access_token={TOKEN}"),
    "a list with it": json_answer([{"access_token": TOKEN}]),
    "another name for it": json_answer({"token": TOKEN}),
    "half of it": closes(token(TOKEN)[:200]),
    "half of it, and a reset": resets(token(TOKEN)[:200]),
    "half of it, and silence": hangs(token(TOKEN)[:200]),
    "drops of it": drips(token(TOKEN), pause=0.01),
    "it in chunks that break": closes(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + TOKEN[:100].encode()
    ),
    "it in place of a chunk": closes(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + TOKEN.encode() + b"\r\n"
    ),
    "it as a status line": closes(f"{TOKEN}\r\n\r\n".encode()),
    "it as a status": closes(f"HTTP/1.1 {TOKEN} OK\r\n\r\n".encode()),
    "it as a header": closes(f"HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n{{}}".encode()),
    "it as an encoding": answer(TOKEN, Content_Encoding=TOKEN),
    "it as a Retry-After": error(429, Retry_After=TOKEN),
    "it in a redirect": answer(TOKEN, 302, Location=f"https://other.example/?{TOKEN}"),
    "compressed": answer(TOKEN, Content_Encoding="gzip"),
}
for what, reply in NO_TOKENS.items():

    def gives_no_token(world: World, reply: Any = reply) -> None:
        world.server.gives_tokens(reply)
        world.client(timeout=0.5).get_prompt_version("greeting")

    add(f"the token endpoint answers {what}", gives_no_token)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_no_tracker_shows_a_secret(case: Case, world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    errors: list[BaseException] = []
    try:
        case.provoke(world)
    except Exception as raised:
        errors.append(raised)
    for record in caplog.records:
        if record.exc_info and record.exc_info[1]:
            errors.append(record.exc_info[1])
        said = "\n".join([record.getMessage(), repr(record.args), *map(str, record.args or ())])
        assert not trackers.leaks(said, SECRET, TOKEN)
    assert errors, "nothing was raised, and nothing was logged"
    for each in errors:
        assert trackers.given_away(each, SECRET, TOKEN) == {}


@pytest.mark.parametrize("tracker", trackers.TRACKERS)
def test_each_tracker_would_show_what_a_frame_holds_in_the_open(tracker: str, tmp_path: Path) -> None:
    elsewhere: dict[str, Any] = {}
    program = tmp_path / "program.py"
    program.write_text("def fails(kept):\n    raise ValueError('x')")
    exec(compile(program.read_text(), str(program), "exec"), elsewhere)
    with pytest.raises(ValueError, match="x") as caught:
        elsewhere["fails"](SECRET)
    assert tracker in trackers.given_away(caught.value, SECRET)
