"""Whatever fails while secrets are sent, no error tracker shows one: each is asked, by its usual settings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, NoReturn

import pytest
import requests
from faults import trackers
from faults.clock import ManualClock
from faults.reading import wait_until_idle
from faults.replies import Gate, answer, closes, drips, echoes, error, hangs, json_answer, prompt, resets, token
from faults.secrets import SECRET, TOKEN, Watch, World
from faults.server import FaultServer
from faults.timelimit import TimeLimit

from scope_client import Clock, ScopeClient, Telemetry

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
each_place = pytest.mark.parametrize("where", ["reads", "tokens"])


@pytest.mark.parametrize("tracker", trackers.TRACKERS)
def test_a_tracker_would_show_what_a_frame_holds_in_the_open(tracker: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("def fails(kept):\n    raise ValueError('x')")
    elsewhere: dict[str, Any] = {}
    exec(compile(program.read_text(), str(program), "exec"), elsewhere)
    with pytest.raises(ValueError, match="x") as caught:
        elsewhere["fails"](SECRET)
    assert tracker in trackers.given_away(caught.value, SECRET)


PROGRAM = """
import logging, os, sentry_sdk
from faults.trackers import Sentry
from scope_client import ApiKeyCredentials, ScopeClient

sentry = Sentry()
sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=sentry)

def read(**options):
    with ScopeClient(credentials=ApiKeyCredentials.from_env(), max_retries=0, **options) as client:
        client.get_prompt_version("greeting")

def read_by_a_proxy():
    read(base_url="https://scope.example", auth_api_url="https://scope.example")

def has_no_organisation():
    del os.environ["SCOPE_ORG_ID"]
    read()

for fails in (read, read_by_a_proxy, has_no_organisation):
    try:
        fails()
    except Exception:
        logging.exception("it has failed")
        sentry_sdk.capture_exception()
sentry_sdk.flush()
print(sentry.events)
"""


def test_sentry_in_a_program_of_its_own_shows_nothing(world: World) -> None:
    world.server.answers(FAILURES["500 with an echo"])
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SCOPE_ORG_ID": "org",
        "SCOPE_API_KEY": "key",
        "SCOPE_API_SECRET": SECRET,
        "SCOPE_API_URL": world.server.url,
        "SCOPE_AUTH_API_URL": world.server.url,
        "https_proxy": f"http://user:{SECRET}@127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert [
        kind for kind in ("ServerError", "TokenRefreshError", "MissingApiKeyError") if kind not in done.stdout
    ] == []
    assert trackers.leaks(done.stdout, SECRET, TOKEN) == []


# A proxy with a password.

PROXIES = {
    "refuses connections": "http://user:{}@127.0.0.1:9",
    "has no address": "http://user:{}@proxy.invalid:3128",
    "has no host": "http://user:{}@:3128",
    "has a port that is none": "http://user:{}@127.0.0.1:port",
    "has a key for a user": "http://{}@127.0.0.1:9",
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
    "has a line break in it": "http://user:{}\n@127.0.0.1:9",
}
PROXY_REPLIES = {
    "407": error(407),
    "407 with an echo": echoes(lambda said: answer(password_first(said), 407)),
    "502 with an echo": echoes(lambda said: answer(password_first(said), 502)),
    "a status line with an echo": echoes(lambda said: f"HTTP/1.1 403 {password_first(said)}\r\n\r\n".encode()),
    "what is not HTTP": echoes(lambda said: password_first(said).encode()),
    "a close": closes(),
    "a reset": resets(),
    "nothing": hangs(),
}
each_scheme = pytest.mark.parametrize("scheme", ["https", "http"])


def password_first(said: str) -> str:
    """What a proxy was sent in one line, which begins with the header that has the password."""
    return " ".join(sorted(said.splitlines(), key=lambda line: not line.startswith("Proxy-Authorization")))


def far_client(world: World, scheme: str, proxy: str, **options: object) -> ScopeClient:
    """A client of a host that only a proxy can reach."""
    world.patch.setenv(f"{scheme}_proxy", proxy)
    far = f"{scheme}://scope.example"
    return world.client(base_url=far, auth_api_url=far, allow_insecure=True, **options)


@each_scheme
@pytest.mark.parametrize("proxy", PROXIES.values(), ids=PROXIES)
def test_a_proxy_cannot_be_used(scheme: str, proxy: str, world: World, watch: Watch) -> None:
    client = far_client(world, scheme, proxy.format(SECRET))
    watch(lambda: client.get_prompt_version("greeting"))


@each_scheme
@pytest.mark.parametrize("reply", PROXY_REPLIES.values(), ids=PROXY_REPLIES)
def test_a_proxy_answers_badly(scheme: str, reply: Any, world: World, watch: Watch) -> None:
    world.server.answers(reply)
    world.server.gives_tokens(reply)
    client = far_client(world, scheme, f"http://user:{SECRET}@127.0.0.1:{world.server.port}", timeout=0.5)
    watch(lambda: client.get_prompt_version("greeting"))


def test_the_proxy_of_a_session_of_the_callers_cannot_be_used(world: World, watch: Watch) -> None:
    session = world.opened.enter_context(requests.Session())
    session.proxies["all"] = f"http://user:{SECRET}@127.0.0.1:9"
    session.headers["X-Api-Key"] = SECRET
    client = world.client(session=session)
    watch(lambda: client.get_prompt_version("greeting"))


# A token request that cannot be made, and what comes in place of a token.


class Own:
    """Credentials of the caller's."""

    org_id = "org"

    def __init__(self, body: object, path: str = "/v1/auth/own") -> None:
        self.token_path = path
        self._body = body

    def token_body(self) -> Any:
        return self._body() if callable(self._body) else self._body


TOKEN_BODIES = {
    "text": SECRET,
    "a list": [SECRET],
    "pairs": [("key_secret", SECRET), ("x", 5)],
    "a value in bytes": {"a": SECRET, "key_secret": SECRET.encode()},
    "a value that is a number": {"key_secret": SECRET, "n": 5},
    "a value that is a list": {"key_secret": [SECRET]},
    "a value that is None": {"a": None, "key_secret": SECRET},
    "a name that is a number": {5: SECRET},
}


@pytest.mark.parametrize("body", TOKEN_BODIES.values(), ids=TOKEN_BODIES)
def test_a_token_body_cannot_be_sent(body: object, world: World, watch: Watch) -> None:
    client = world.client(credentials=Own(body))
    watch(lambda: client.get_prompt_version("greeting"))


@pytest.mark.parametrize("path", ["v1/auth", "/\x00 \n"])
def test_a_token_path_cannot_be_used(path: str, world: World, watch: Watch) -> None:
    client = world.client(credentials=Own({"key_secret": SECRET}, path))
    watch(lambda: client.get_prompt_version("greeting"))


NO_TOKENS = {
    **{
        f"a token that is {what}": json_answer({"access_token": odd, "expires_in": 3600})
        for what, odd in {
            "a line": f"{TOKEN}\n",
            "two words": f"Bearer {TOKEN}",
            "not ASCII": f"{TOKEN}\u2603",
            "a list": [TOKEN],
            "an object": {"text": TOKEN},
            "in two parts": f"{TOKEN[:20]} {TOKEN[20:]}",
        }.items()
    },
    "HTML": answer(f"<html>{TOKEN}</html>"),
    "a form": answer(f"access_token={TOKEN}"),
    "a list": json_answer([{"access_token": TOKEN}]),
    "another name": json_answer({"token": TOKEN}),
    "half of it": closes(token(TOKEN)[:200]),
    "half of it, and a reset": resets(token(TOKEN)[:200]),
    "half of it, and silence": hangs(token(TOKEN)[:200]),
    "drops of it": drips(token(TOKEN), pause=0.01),
    "a chunk that breaks off": closes(CHUNKED + b"fff\r\n" + TOKEN[:100].encode()),
    "it in the place of a chunk": closes(CHUNKED + TOKEN.encode() + b"\r\n"),
    "it as a status line": closes(f"{TOKEN}\r\n\r\n".encode()),
    "it as a status": closes(f"HTTP/1.1 {TOKEN} OK\r\n\r\n".encode()),
    "it as a header": closes(f"HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n{{}}".encode()),
    "it as an encoding": answer(TOKEN, Content_Encoding=TOKEN),
    "it as a content type": answer(TOKEN, Content_Type=TOKEN),
    "it as a Retry-After": error(429, Retry_After=TOKEN),
    "it in a redirect": answer(TOKEN, 302, Location=f"https://other.example/?{TOKEN}"),
}


@pytest.mark.parametrize("reply", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_comes_is_not_a_token(reply: Any, world: World, watch: Watch) -> None:
    world.server.gives_tokens(reply)
    client = world.client(timeout=0.5)
    watch(lambda: client.get_prompt_version("greeting"))


# A read that fails, with a token and before there is one.

FAILURES = {
    "401": error(401),
    "401 with an echo": echoes(lambda said: error(401, said)),
    "403 with an echo": echoes(lambda said: answer(said, 403)),
    "404": error(404),
    "429 with an echo": echoes(lambda said: error(429, said, Retry_After="9999")),
    "500 with an echo": echoes(lambda said: answer(f"<html>{said}</html>", 500)),
    "302 with an echo": echoes(lambda said: answer(said, 302, Location="http://x.example/?" + said.replace("\n", "&"))),
    "HTML with an echo": echoes(lambda said: answer(f"<html>{said}</html>")),
    "an object with an echo": echoes(lambda said: json_answer({"content": [said]})),
    "another type": echoes(lambda said: prompt("x", type=said)),
    "half a body": closes(prompt("x")[:-20]),
    "half a head": closes(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "what is not HTTP": echoes(lambda said: "\n".join(reversed(said.splitlines())).encode()),
    "a close": closes(),
    "a reset": resets(),
    "nothing": hangs(),
}
READS: dict[str, Callable[[ScopeClient], object]] = {
    "a cold read": lambda client: client.get_prompt_version("greeting"),
    "one past the cache": lambda client: client.get_prompt_version("known", cache=False),
    "one with a deadline": lambda client: client.get_prompt_version("greeting", deadline=0.4),
    "a strict prefetch": lambda client: client.prefetch(["a", ("b", "latest")], strict=True),
    "a rendered one": lambda client: client.render_prompt("greeting", {"name": "A"}),
}


def failing(world: World, where: str, reply: Any, **options: object) -> ScopeClient:
    """A client that meets this reply from now on; if it does in reads, it has a token and has read `known`."""
    client = world.client(**{"timeout": 0.5, **options})
    if where == "reads":
        client.get_prompt_version("known")
        world.server.answers(reply)
    else:
        world.server.gives_tokens(reply)
    return client


@each_place
@pytest.mark.parametrize("reply", FAILURES.values(), ids=FAILURES)
def test_a_read_fails(where: str, reply: Any, world: World, watch: Watch) -> None:
    client = failing(world, where, reply)
    watch(lambda: client.get_prompt_version("greeting"))


@each_place
@pytest.mark.parametrize("reply", [FAILURES["500 with an echo"], hangs(), resets()], ids=["500", "nothing", "a reset"])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_of_any_kind_fails(
    where: str, reply: Any, read: Callable[[ScopeClient], object], world: World, watch: Watch
) -> None:
    client = failing(world, where, reply, clock=Clock(), max_retries=1, retry_base_delay=0.01)
    watch(lambda: read(client))


@each_place
def test_all_who_wait_for_a_fetch_fail(where: str, world: World, watch: Watch) -> None:
    gate = Gate()
    client = failing(world, where, gate.holds(error(500)), timeout=10)

    def together() -> list[BaseException | None]:
        with ThreadPoolExecutor(3) as threads:
            reads = [threads.submit(client.get_prompt_version, "greeting") for _ in range(3)]
            world.server.wait_for_reads(2) if where == "reads" else world.server.wait_for_logins(1)
            gate.open()
        return [read.exception() for read in reads]

    watch(together)


@each_place
def test_one_who_waits_for_a_fetch_has_no_more_time(where: str, world: World, watch: Watch) -> None:
    gate = Gate()
    client = failing(world, where, gate.holds(error(500)), timeout=10, clock=Clock())

    def together() -> list[BaseException | None]:
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(client.get_prompt_version, "greeting")
            world.server.wait_for_reads(2) if where == "reads" else world.server.wait_for_logins(1)
            second = threads.submit(client.get_prompt_version, "greeting", deadline=0.1)
            waited = second.exception()
            gate.open()
        return [first.exception(), waited]

    watch(together)


@pytest.mark.parametrize("age", [290, 301], ids=["ahead of its end", "stale"])
@pytest.mark.parametrize("what", ["500 with an echo", "an object with an echo"])
def test_a_renewal_fails(age: float, what: str, world: World, watch: Watch) -> None:
    clock, heard = ManualClock(), []
    client = failing(world, "reads", FAILURES[what], clock=clock.clock)

    def renewed() -> list[BaseException]:
        Telemetry.on_error(lambda info: heard.append(info.error))
        clock.passes(age)
        client.get_prompt_version("known")
        wait_until_idle(client)
        assert heard
        return heard

    watch(renewed)


def test_a_token_cannot_be_renewed_ahead_of_its_end(world: World, watch: Watch) -> None:
    clock = ManualClock()
    client = world.client(clock=clock.clock)
    client.get_prompt_version("known")
    world.server.gives_tokens(FAILURES["500 with an echo"])

    def renewed() -> None:
        clock.passes(3590)
        client.get_prompt_version("other")
        wait_until_idle(client)

    watch(renewed)


@pytest.mark.parametrize("has_token", [False, True])
def test_a_certificate_is_not_trusted(has_token: bool, world: World, watch: Watch) -> None:
    secure = world.opened.enter_context(FaultServer(tls=True))
    client = world.client(base_url=secure.url, auth_api_url=world.server.url if has_token else secure.url)
    watch(lambda: client.get_prompt_version("greeting"))


def test_the_ca_bundle_is_not_there(world: World, watch: Watch) -> None:
    world.patch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    client = world.client(base_url="https://127.0.0.1:9")
    watch(lambda: client.get_prompt_version("greeting"))


# What code of the caller's raises in the middle of a call.


class Broken(Exception):
    pass


def breaks(*_: object, **__: object) -> NoReturn:
    raise Broken("a bug of the caller's")


@pytest.mark.parametrize("hook", ["on_request", "on_response", "on_error", "on_cache"])
def test_a_callback_of_telemetry_fails(hook: str, world: World, watch: Watch) -> None:
    client = failing(world, "reads", error(500))

    def called_back() -> None:
        getattr(Telemetry, hook)(breaks)
        client.get_prompt_version("greeting", fallback="a stand-in")

    watch(called_back)


@pytest.mark.parametrize("part", ["hook", "adapter"])
def test_a_session_of_the_callers_fails(part: str, world: World, watch: Watch) -> None:
    session = world.opened.enter_context(requests.Session())
    session.hooks["response"] = breaks if part == "hook" else []
    if part == "adapter":
        session.mount("http://", type("Adapter", (requests.adapters.HTTPAdapter,), {"send": breaks})())
    client = world.client(session=session)
    watch(lambda: client.get_prompt_version("greeting"))


def test_credentials_of_the_callers_fail(world: World, watch: Watch) -> None:
    client = world.client(credentials=Own(breaks))
    watch(lambda: client.get_prompt_version("greeting"))


def test_a_fallback_of_the_callers_fails(world: World, watch: Watch) -> None:
    client = failing(world, "reads", error(500))
    watch(lambda: client.get_prompt_version("greeting", fallback=breaks))


def full_listener(world: World) -> str:
    """The URL of one whose queue is full: a connect waits."""
    listener = world.opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        waiting = world.opened.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listener.getsockname())
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


PATIENT = {"timeout": 10, "max_retries": 9, "retry_base_delay": 60, "retry_max_delay": 60, "clock": Clock()}
WAITS: dict[str, Callable[[World], ScopeClient]] = {
    "a connect": lambda world: world.client(base_url=full_listener(world)),
    "a connect for a token": lambda world: world.client(auth_api_url=full_listener(world)),
    "an answer": lambda world: failing(world, "reads", hangs(), **PATIENT),
    "a token": lambda world: failing(world, "tokens", hangs(), **PATIENT),
    "the rest of an answer": lambda world: failing(world, "reads", hangs(prompt("x", a=TOKEN)[:-20]), **PATIENT),
    "the rest of a token": lambda world: failing(world, "tokens", hangs(token(TOKEN)[:-20]), **PATIENT),
    "a retry": lambda world: failing(world, "reads", error(500), **PATIENT),
    "a retry for a token": lambda world: failing(world, "tokens", error(500), **PATIENT),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("kind", [Broken, TimeoutError, ConnectionError, KeyboardInterrupt])
def test_a_time_limit_of_the_callers_strikes(
    wait: Callable[[World], ScopeClient], kind: type[BaseException], world: World, watch: Watch
) -> None:
    client = wait(world)
    limit = TimeLimit(kind("time is up"), 0.2)

    def limited() -> None:
        with limit:
            client.get_prompt_version("greeting")

    watch(limited)
    assert limit.has_struck


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_ctrl_c_strikes(wait: Callable[[World], ScopeClient], world: World, watch: Watch) -> None:
    client = wait(world)

    def interrupted() -> None:
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            client.get_prompt_version("greeting")
        finally:
            signal.signal(signal.SIGALRM, before)

    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted()
    watch(lambda: [caught.value])
