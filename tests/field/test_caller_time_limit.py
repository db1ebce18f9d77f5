"""A time limit of the caller's own, raised by a signal handler in the middle of a call, is the caller's alone."""

from __future__ import annotations

import builtins
import contextlib
import gc
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Callable, NamedTuple
from unittest import mock

import pytest
import redis
import requests
import urllib3
import urllib3.connection
from faults.clock import ends_within, eventually
from faults.crowd import Crowd
from faults.inside import hold_lock, is_fetching, shared
from faults.reading import content, wait_until_idle, warnings
from faults.redisserver import RedisServer
from faults.replies import Gate, error, hangs, head, prompt, token
from faults.server import FaultServer
from faults.timelimit import TimeLimit
from redis.backoff import NoBackoff
from redis.retry import Retry

import scope_client
from scope_client import ApiKeyCredentials, MemoryStore, RedisStore, ScopeClient, Telemetry
from scope_client._prompt.ref import PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 0.1
FAR_TOO_LONG_SECONDS = 20.0
IS_OLD_URLLIB3 = urllib3.__version__.startswith("1.")
GREETING = "Hello, {{name}}!"


class SoftTimeLimitExceeded(Exception):
    """As celery's."""


class JobTimeout(OSError):
    """One that looks like a failure of the network."""


class Stop(BaseException):
    """One that nobody catches by chance."""


ERRORS: dict[str, Callable[[], BaseException]] = {
    "Exception": lambda: SoftTimeLimitExceeded(),
    "TimeoutError": lambda: builtins.TimeoutError("mine"),
    "OSError": lambda: JobTimeout(110, "mine"),
    "ConnectionError": lambda: ConnectionResetError("mine"),
    "ValueError": lambda: UnicodeError("mine"),
    "ScopeError": lambda: scope_client.TimeoutError("mine"),
    "BaseException": lambda: Stop(),
}


class World:
    """A platform, the clients of it, and what is to be undone at the end."""

    def __init__(self, server: FaultServer, opened: contextlib.ExitStack, session: requests.Session | None) -> None:
        self.server = server
        self.opened = opened
        self.session = session

    def client(self, **options: object) -> ScopeClient:
        usual = {
            "credentials": ApiKeyCredentials("org", "key", "hush-hush"),
            "base_url": self.server.url,
            "auth_api_url": self.server.url,
            "timeout": FAR_TOO_LONG_SECONDS,
            "open_timeout": FAR_TOO_LONG_SECONDS,
            "session": self.session,
        }
        return self.opened.enter_context(ScopeClient(**{**usual, **options}))

    def heals(self) -> None:
        self.server.answers(prompt())
        self.server.gives_tokens(token())


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    yield
    Telemetry.clear_callbacks()


@pytest.fixture
def session() -> requests.Session | None:
    return None


@pytest.fixture
def world(session: requests.Session | None) -> Iterator[World]:
    with FaultServer() as server, contextlib.ExitStack() as opened:
        yield World(server, opened, session)


class Blocked(NamedTuple):
    """A read that takes far too long, and how to have the next one of the same client answered, if it can be."""

    client: ScopeClient
    read: Callable[[], object]
    heals: Callable[[], object] | None


def blocked(world: World, client: ScopeClient, name: str = "greeting", **options: object) -> Blocked:
    return Blocked(client, lambda: content(client, name, **options), world.heals)


def connecting(world: World) -> Blocked:
    listener = world.opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        each = world.opened.enter_context(socket.socket())
        each.setblocking(False)
        each.connect_ex(listener.getsockname())
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return blocked(world, world.client(base_url=url, auth_api_url=url))._replace(heals=None)


def shaking_hands(world: World) -> Blocked:
    listener = world.opened.enter_context(socket.create_server(("127.0.0.1", 0)))
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    return blocked(world, world.client(base_url=url, auth_api_url=url))._replace(heals=None)


def loading_certificates(world: World) -> Blocked:
    make = urllib3.connection.create_urllib3_context

    def slowly(*args: object, **options: object) -> object:
        time.sleep(FAR_TOO_LONG_SECONDS)
        return make(*args, **options)

    slow = mock.patch.object(urllib3.connection, "create_urllib3_context", slowly)
    world.opened.enter_context(slow)
    return shaking_hands(world)


def waiting_for_headers(world: World) -> Blocked:
    world.server.answers(hangs())
    return blocked(world, world.client())


def reading_a_body(world: World) -> Blocked:
    world.server.answers(hangs(head(Content_Length=100) + b"{"))
    return blocked(world, world.client())


def reading_chunks(world: World) -> Blocked:
    world.server.answers(hangs(head(Transfer_Encoding="chunked") + b"1\r\n{\r\n"))
    return blocked(world, world.client())


def reading_to_the_end_of_the_connection(world: World) -> Blocked:
    world.server.answers(hangs(head() + b"{"))
    return blocked(world, world.client())


def buying_a_token(world: World) -> Blocked:
    world.server.gives_tokens(hangs())
    return blocked(world, world.client())


def trying_first(world: World) -> Blocked:
    client = world.client(cache_ttl=0.01)
    content(client)
    eventually(lambda: client.status().prompts[0].state == "stale")
    world.server.answers(hangs())
    return blocked(world, client)


def with_a_fallback(world: World) -> Blocked:
    world.server.answers(hangs())
    return blocked(world, world.client(), fallback="stand-in")


def with_a_deadline(world: World) -> Blocked:
    world.server.answers(hangs())
    return blocked(world, world.client(), deadline=FAR_TOO_LONG_SECONDS)


def past_the_cache(world: World) -> Blocked:
    world.server.answers(hangs())
    return blocked(world, world.client(), cache=False)


def fetching_ahead(world: World) -> Blocked:
    gate, client = Gate(), world.client()
    world.server.answers(gate.holds(prompt()))
    prompts = ["greeting", ("greeting", "latest"), "other"]
    return Blocked(client, lambda: client.prefetch(prompts), gate.open)  # the other threads go on


# The socket that ssl drops, if anything but an OSError ends a handshake, is closed when it is collected.
SHAKING_HANDS = pytest.param(shaking_hands, marks=pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning"))
HTTP = [
    *(connecting, loading_certificates, SHAKING_HANDS, waiting_for_headers, reading_a_body, reading_chunks),
    *(reading_to_the_end_of_the_connection, buying_a_token, trying_first),
    *(with_a_fallback, with_a_deadline, past_the_cache, fetching_ahead),
]


def pausing_before_a_retry(world: World) -> Blocked:
    world.server.answers(error(503, Retry_After=int(FAR_TOO_LONG_SECONDS)))
    return blocked(world, world.client())


def waiting_for_another_thread(world: World) -> Blocked:
    gate, client = Gate(), world.client()
    world.server.answers(gate.holds(prompt()))
    other = Crowd(1, lambda: content(client))
    world.opened.callback(lambda: other.outcomes())
    world.opened.callback(gate.open)
    eventually(lambda: is_fetching(client) and world.server.reads)
    return blocked(world, client)._replace(heals=gate.open)


class SlowStore(MemoryStore):
    """Takes far too long for the operations that are `slow`: before them, as a network does."""

    def __init__(self, *slow: str) -> None:
        super().__init__()
        self.slow = set(slow)
        self._healed = threading.Event()

    def heals(self) -> None:
        self.slow.clear()
        self._healed.set()

    def _waits(self, what: str) -> None:
        if what in self.slow:
            self._healed.wait(FAR_TOO_LONG_SECONDS)

    def get_many(self, keys: Any) -> Any:
        self._waits("get_many")
        return super().get_many(keys)

    def add(self, key: str, value: str, ttl: float) -> bool:
        added = super().add(key, value, ttl)
        self._waits("add")
        return added

    def set(self, key: str, value: str, ttl: float | None) -> None:
        self._waits("set")
        super().set(key, value, ttl)

    def delete(self, key: str) -> None:
        self._waits("delete")
        super().delete(key)


def in_a_slow_store(*slow: str) -> Callable[[World], Blocked]:
    def place(world: World) -> Blocked:
        store = SlowStore(*slow)
        return blocked(world, world.client(cache_store=store))._replace(heals=store.heals)

    place.__name__ = f"in_{slow[0]}_of_a_slow_store"
    return place


def waiting_for_the_fleets_lock(world: World) -> Blocked:
    store = MemoryStore()
    client = world.client(cache_store=store)
    key = hold_lock(shared(client), PromptRef("greeting"), 60.0)
    return blocked(world, client)._replace(heals=lambda: store.delete(key))


def fetching_under_the_fleets_lock(world: World) -> Blocked:
    world.server.answers(hangs())
    return blocked(world, world.client(cache_store=MemoryStore()))


def waiting_for_credentials(world: World) -> Blocked:
    class Vault:
        token_path = "/v1/auth/sdk-token"
        org_id = "org"
        takes = FAR_TOO_LONG_SECONDS

        def token_body(self) -> dict[str, str]:
            threading.Event().wait(self.takes)
            return {"account_id": "org", "key_secret": "hush"}

    vault = Vault()
    return blocked(world, world.client(credentials=vault))._replace(heals=lambda: setattr(vault, "takes", 0))


def in_a_callback(register: Callable[..., object]) -> Callable[[World], Blocked]:
    def place(world: World) -> Blocked:
        seconds = [FAR_TOO_LONG_SECONDS]
        register(lambda info: threading.Event().wait(seconds[0]))
        return blocked(world, world.client())._replace(heals=lambda: seconds.insert(0, 0))

    place.__name__ = f"in_a_callback_of_{register.__name__}"
    return place


def in_a_hook(world: World) -> Blocked:
    seconds = [FAR_TOO_LONG_SECONDS]

    def hook(*_: object, **__: object) -> None:
        threading.Event().wait(seconds[0])

    world.session = world.opened.enter_context(requests.Session())
    world.session.hooks["response"] = hook
    return blocked(world, world.client())._replace(heals=lambda: seconds.insert(0, 0))


def in_a_log_handler(world: World) -> Blocked:
    seconds = [FAR_TOO_LONG_SECONDS]

    class Slow(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            threading.Event().wait(seconds[0])
            return True

    logger, handler, before = (
        logging.getLogger("scope_client.http"),
        Slow(),
        logging.getLogger("scope_client.http").level,
    )
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    world.opened.callback(logger.setLevel, before)
    world.opened.callback(logger.removeHandler, handler)
    return blocked(world, world.client())._replace(heals=lambda: seconds.insert(0, 0))


OTHERS = [
    *(pausing_before_a_retry, waiting_for_another_thread, in_a_slow_store("get_many"), in_a_slow_store("add")),
    *(in_a_slow_store("set", "delete"), in_a_slow_store("add", "get_many", "set", "delete")),
    *(waiting_for_the_fleets_lock, fetching_under_the_fleets_lock, waiting_for_credentials),
    *(in_a_callback(Telemetry.on_request), in_a_callback(Telemetry.on_response), in_a_hook, in_a_log_handler),
]


def named(place: Callable[..., object]) -> str:
    return place.__name__


def strikes(place: Blocked, error: BaseException) -> None:
    with ends_within(10), TimeLimit(error, SECONDS) as limit, pytest.raises(type(error)) as caught:
        place.read()
    assert limit.has_struck
    assert caught.value is error
    assert error.__cause__ is None
    if not IS_OLD_URLLIB3:  # which asks for an answer a second time in the handling of a TypeError
        assert (error.__context__, error.__suppress_context__) == (None, False)


def leaves_nothing_behind(place: Blocked, caplog: pytest.LogCaptureFixture) -> None:
    status = place.client.status()
    assert (status.is_down, status.last_error, status.counters["stale"]) == (False, None, 0)
    assert warnings(caplog) == []
    if place.heals is not None:
        place.heals()
        with ends_within(4):
            assert place.client.get_prompt_version("greeting", fallback="stand-in").content == GREETING
        wait_until_idle(place.client)
    status = place.client.status()
    assert (status.is_down, status.last_error, status.counters["fallbacks"]) == (False, None, 0)
    assert warnings(caplog) == []


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("place", HTTP, ids=named)
def test_it_reaches_the_caller_unchanged_and_is_evidence_of_nothing(
    place: Callable[[World], Blocked], kind: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    found = place(world)
    strikes(found, ERRORS[kind]())
    leaves_nothing_behind(found, caplog)
    if place is shaking_hands:
        gc.collect()


@pytest.mark.parametrize("kind", ["Exception", "OSError", "ScopeError"])
@pytest.mark.parametrize("place", OTHERS, ids=named)
def test_so_it_does_from_where_no_network_is(
    place: Callable[[World], Blocked], kind: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    found = place(world)
    strikes(found, ERRORS[kind]())
    leaves_nothing_behind(found, caplog)


@pytest.mark.parametrize("kind", ["TimeoutError", "OSError"])
@pytest.mark.parametrize("place", HTTP, ids=named)
class TestThroughASessionOfTheCallers:
    @pytest.fixture
    def session(self) -> Iterator[requests.Session]:
        with requests.Session() as session:
            yield session

    def test_it_reaches_the_caller_unchanged_and_is_evidence_of_nothing(
        self, place: Callable[[World], Blocked], kind: str, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        found = place(world)
        strikes(found, ERRORS[kind]())
        leaves_nothing_behind(found, caplog)


@pytest.mark.parametrize("kind", ERRORS)
def test_a_redis_that_hangs_does_not_swallow_it(
    kind: str, world: World, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    own = redis.Redis.from_url(
        redis_server.url, socket_timeout=FAR_TOO_LONG_SECONDS, retry=Retry(NoBackoff(), 0), protocol=2
    )
    world.opened.callback(own.close)
    client = world.client(cache_store=RedisStore(own))
    content(client, "other")
    caplog.clear()  # of the warning that this Redis would hold readers up
    redis_server.pause()
    place = blocked(world, client)._replace(heals=redis_server.resume)
    strikes(place, ERRORS[kind]())
    leaves_nothing_behind(place, caplog)
    assert client.status().counters["store_failures"] == 0


@pytest.mark.parametrize("kind", ["Exception", "OSError", "ScopeError"])
def test_a_fallback_callable_that_takes_too_long_lets_it_out(kind: str, world: World) -> None:
    world.server.answers(error(503))
    client = world.client(max_retries=0)
    raised = ERRORS[kind]()
    with ends_within(10), TimeLimit(raised, SECONDS), pytest.raises(type(raised)) as caught:
        content(client, fallback=lambda: str(threading.Event().wait(FAR_TOO_LONG_SECONDS)))
    assert caught.value is raised
    assert content(client, fallback="stand-in") == "stand-in"


@pytest.mark.parametrize("kind", ["Exception", "OSError", "ScopeError"])
def test_a_value_that_takes_too_long_to_become_text_lets_it_out(kind: str, world: World) -> None:
    class Slow:
        def __str__(self) -> str:
            return str(threading.Event().wait(FAR_TOO_LONG_SECONDS))

    raised = ERRORS[kind]()
    with ends_within(10), TimeLimit(raised, SECONDS), pytest.raises(type(raised)) as caught:
        world.client().render_prompt("greeting", {"name": Slow()})
    assert caught.value is raised


def test_those_who_wait_for_the_one_it_strikes_get_the_prompt(world: World) -> None:
    client, raised = world.client(), builtins.TimeoutError("mine")
    world.server.answers(hangs(), prompt())
    waiting: list[Crowd] = []
    starter = threading.Timer(SECONDS / 3, lambda: waiting.append(Crowd(8, lambda: content(client))))
    starter.start()
    with TimeLimit(raised, SECONDS * 3), pytest.raises(builtins.TimeoutError) as caught:
        content(client)
    assert caught.value is raised
    starter.join()
    assert waiting[0].outcomes() == [GREETING] * 8
    assert len(world.server.reads) == 2


def test_a_call_in_the_handling_of_one_has_failures_of_its_own(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A task that was told to end reads one prompt more, and that read fails: its error is the network's."""
    client = world.client(max_retries=0)
    world.server.answers(hangs())
    with TimeLimit(builtins.TimeoutError("mine"), SECONDS):
        try:
            content(client)
        except builtins.TimeoutError:
            world.server.answers(error(503))
            with pytest.raises(scope_client.ServerError):
                content(client)
            assert content(client, fallback="stand-in") == "stand-in"
    assert client.status().is_down


@pytest.mark.parametrize("kind", ["Exception", "OSError", "BaseException"])
@pytest.mark.parametrize("place", [waiting_for_headers, reading_a_body, buying_a_token], ids=named)
def test_its_frames_show_no_secret(place: Callable[[World], Blocked], kind: str, world: World) -> None:
    found, raised = place(world), ERRORS[kind]()
    with TimeLimit(raised, SECONDS), pytest.raises(type(raised)) as caught:
        found.read()
    shown = [
        f"{frame.f_code.co_filename}: {name} of {frame.f_code.co_name}"
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        for name, value in frame.f_locals.items()
        if any(secret in repr(value) for secret in ("token-1", "hush-hush")) and frame.f_code.co_filename != __file__
    ]
    assert shown == []


STRIKES = 1000
STRUCK_AT_ANY_MOMENT = """
import builtins, faulthandler, random, sys, time
from faults.timelimit import TimeLimit
from scope_client import ApiKeyCredentials, MemoryStore, ScopeClient, ServerError

faulthandler.dump_traceback_later(100, exit=True)
url, strikes = sys.argv[1], int(sys.argv[2])
kinds = builtins.TimeoutError, RuntimeError, ServerError, KeyboardInterrupt
chance, store = random.Random(7), MemoryStore()


def new_client(number):
    shared, ttl = (store if number % 2 else None), (0.001, 300)[number % 3 % 2]
    keys = ApiKeyCredentials("org", "key", "secret")
    return ScopeClient(
        credentials=keys, base_url=url, auth_api_url=url, cache_store=shared, cache_ttl=ttl, cache_local_ttl=0
    )


for number in range(strikes):
    client = new_client(number) if number % 10 == 0 else client
    raised = chance.choice(kinds)("mine")
    try:
        with TimeLimit(raised, 0.0001 + 0.004 * chance.random()):
            found = client.get_prompt_version("greeting", cache=number % 3 > 0, fallback="stand-in")
            assert not found.is_fallback
    except BaseException as error:
        assert error is raised, repr(error)
    started = time.monotonic()
    assert client.get_prompt_version(f"other-{number % 20}").content == "Hello, {{name}}!"
    assert time.monotonic() < started + 15
    assert not client.status().is_down
"""


def test_it_may_strike_at_any_moment(world: World) -> None:
    """In a process of its own: what strikes in a finalizer goes to stderr, as everything does that is raised there."""
    run = subprocess.run(
        [sys.executable, "-c", STRUCK_AT_ANY_MOMENT, world.server.url, str(STRIKES)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr


STRUCK_AT_IMPORTS = """
import os, sys
from importlib.machinery import SourceFileLoader
from faults.child import in_a_child
from faults.timelimit import TimeLimit
from scope_client import ApiKeyCredentials, ScopeClient

client = ScopeClient(
    credentials=ApiKeyCredentials("org", "key", "secret"), base_url=sys.argv[1], auth_api_url=sys.argv[1]
)
limit = TimeLimit(RuntimeError("mine"))


class Striking:
    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            limit.strikes()


def read(name=None):
    sys.meta_path.insert(0, Striking(name))
    with limit:
        return client.get_prompt_version("greeting", fallback="stand-in").content


def loaded_by_a_read():
    before = set(sys.modules)
    assert read() == "Hello, {{name}}!"
    new = {name: sys.modules[name] for name in set(sys.modules) - before}
    return sorted(name for name, module in new.items() if not isinstance(module.__loader__, SourceFileLoader))


def struck(name):
    try:
        found = read(name)
    except BaseException as error:
        return None if error is limit.error else repr(error)
    return found if limit.has_struck else None  # else it is another name for a module that was there


names = in_a_child(loaded_by_a_read)
assert {"_socket", "_ssl"} <= set(names), names
print({name: outcome for name in names if (outcome := in_a_child(lambda: struck(name)))})
"""


def test_it_may_strike_while_a_module_in_c_is_loaded_by_the_first_read(world: World) -> None:
    """Which another module in C may have asked for, and C code forgets what was raised in between."""
    run = subprocess.run(
        [sys.executable, "-c", STRUCK_AT_IMPORTS, world.server.url],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "{}\n", "")
