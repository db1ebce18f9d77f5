"""An interrupt, a fork or a handler of the user's, at the worst moment, costs nobody else anything."""

from __future__ import annotations

import _thread
import functools
import itertools
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ManualClock, eventually
from faults.crowd import crowd
from faults.inside import answers_with, flights, hold_lock, is_fetching, shared
from faults.reading import content, wait_until_idle
from faults.replies import Gate, error, prompt
from faults.server import FaultServer

from scope_client import Clock, MemoryStore, ScopeClient
from scope_client._background import Background
from scope_client._interrupts import interrupt_in
from scope_client._prompt.ref import PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterator

Make = Callable[..., ScopeClient]


def test_an_interrupt_at_the_end_of_a_fetch_leaves_the_prompt_readable(
    client: ScopeClient, server: FaultServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers(prompt("old"), prompt("new"))
    content(client, cache=False)
    me, landing, armed = threading.get_ident(), threading.Event.set, [True]

    def interrupted(event: threading.Event) -> None:
        landing(event)
        if armed and threading.get_ident() == me and is_fetching(client):
            armed.clear()
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Event, "set", interrupted)
    with pytest.raises(KeyboardInterrupt):
        content(client)
    clock.passes(100_000)
    assert crowd(4, lambda: content(client)) == ["new"] * 4
    assert content(client) == "new"


def test_an_interrupt_on_the_way_into_a_fetch_holds_nobody_up_for_long(
    client: ScopeClient, monkeypatch: pytest.MonkeyPatch
) -> None:

    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(flights(client), "_lead", interrupted)
        with pytest.raises(KeyboardInterrupt):
            content(client)
    assert crowd(4, lambda: content(client)) == ["Hello, {{name}}!"] * 4
    assert content(client) == "Hello, {{name}}!"


def test_an_interrupt_with_the_lock_of_the_connections_taken_does_not_leave_it_so(
    client: ScopeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    content(client)
    entering, armed = threading.Condition.__enter__, [True]

    def interrupted(condition: threading.Condition) -> bool:
        entered = entering(condition)
        if armed and sys._getframe(1).f_code.co_filename == queue.__file__:
            armed.clear()
            raise KeyboardInterrupt
        return entered

    with monkeypatch.context() as patched:
        patched.setattr(threading.Condition, "__enter__", interrupted)
        crowd(1, lambda: content(client, cache=False))
    assert crowd(4, lambda: content(client, cache=False)) == ["Hello, {{name}}!"] * 4


def test_a_job_that_comes_as_the_threads_leave_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scope_client._background.IDLE_THREAD_SECONDS", 0.0001)
    background = Background()
    for number in range(300):
        done = threading.Event()
        assert background.submit(number, done.set)
        assert done.wait(10)
        threading.Event().wait(0.0002 * (number % 3))


def test_an_interrupted_start_of_a_thread_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    background, done = Background(), threading.Event()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_thread, "start_new_thread", interrupted)
        for number in range(3):
            with pytest.raises(KeyboardInterrupt):
                background.submit(number, lambda: None)
    background.submit("job", done.set)
    assert done.wait(10)


def test_a_signal_handler_may_clear_a_full_cache_at_any_moment(make_client: Make) -> None:
    client = make_client(cache_max_size=2000)
    version = client.get_prompt_version("greeting")
    answers_with(client, version)
    before = signal.signal(signal.SIGALRM, lambda *_: client.clear_cache())
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.011)
    try:
        for number in range(30_000):
            client.get_prompt_version(f"prompt-{number}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(client.status().prompts) <= 2000


class Raises(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("a handler of the user's")


@pytest.fixture
def broken_log() -> Iterator[None]:
    logger, handler = logging.getLogger("scope_client"), Raises()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.mark.usefixtures("broken_log")
def test_a_log_handler_that_raises_breaks_no_read(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    class Broken(MemoryStore):
        def get_many(self, keys: object) -> Any:
            raise OSError

    client = make_client(cache_store=Broken())
    assert content(client) == "Hello, {{name}}!"
    server.answers(error(503))
    clock.passes(400)
    assert content(client) == "Hello, {{name}}!"
    assert content(client, "cold", fallback="stand-in") == "stand-in"


_FORKS_DURING_THE_FIRST_FETCH = """
import os, sys, threading, time, warnings
from scope_client import ApiKeyCredentials, ScopeClient

warnings.simplefilter("ignore", DeprecationWarning)
client = ScopeClient(credentials=ApiKeyCredentials.from_env())
threading.Thread(target=lambda: client.get_prompt_version("greeting"), daemon=True).start()
time.sleep(float(sys.argv[1]))
if os.fork() == 0:
    found = client.get_prompt_version("greeting", deadline=10).content
    os._exit(0 if found == "Hello, {{name}}!" else 3)
print(os.waitstatus_to_exitcode(os.wait()[1]) if hasattr(os, "waitstatus_to_exitcode") else os.wait()[1])
"""


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.06, 0.1])
def test_a_fork_during_the_first_fetch_of_a_process_waits_for_its_import(after: float, server: FaultServer) -> None:
    variables = {"SCOPE_ORG_ID": "o", "SCOPE_API_KEY": "k", "SCOPE_API_SECRET": "s"}
    urls = {"SCOPE_API_URL": server.url, "SCOPE_AUTH_API_URL": server.url}
    done = subprocess.run(
        [sys.executable, "-c", _FORKS_DURING_THE_FIRST_FETCH, str(after)],
        env={**os.environ, **variables, **urls},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("bad", [("A", "B"), ("A",), ("A", "B", "C", "D")])
def test_prompts_that_fail_hold_no_other_up(
    bad: tuple[str, ...], make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    numbers = itertools.count(1)

    def answers(peer: Any) -> None:
        is_bad = peer.request.target.split("/")[-2] in failing
        peer.send(error(503, Retry_After=8) if is_bad else prompt(f"answer {next(numbers)}"))

    failing: tuple[str, ...] = ()
    server.answers(answers)
    client = make_client(cache_ttl=2, max_retries=0)
    for name in (*bad, "good"):
        content(client, name)
    failing = bad
    oldest = 0.0
    for _ in range(300):
        for name in (*bad, "good"):
            content(client, name)
            wait_until_idle(client)
        age = next(each.age for each in client.status().prompts if each.name == "good")
        oldest = max(oldest, age)
        clock.passes(0.5)
    assert oldest < 30


def test_a_clear_is_heard_by_a_machine_whose_clock_is_a_little_ahead(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), prompt("new"))
    store, ahead = MemoryStore(), ManualClock()
    ahead.passes(0.9)
    first = make_client(cache_store=store, cache_local_ttl=0, clock=ahead.clock)
    second = make_client(cache_store=store)
    assert content(first) == "old"
    second.clear_cache()
    ahead.passes(2)
    clock.passes(2)
    assert content(first) == "new"


def test_a_store_that_never_grants_a_lock_does_not_freeze_a_prompt(
    make_client: Make, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Refuses(MemoryStore):
        def add(self, key: str, value: str, ttl: float) -> bool:
            return False

    server.answers(prompt("old"), prompt("new"))
    client = make_client(cache_store=Refuses(timer=lambda: clock.time), cache_local_ttl=0, cache_ttl=10)
    assert content(client) == "old"
    for _ in range(40):
        clock.passes(1)
        content(client)
        wait_until_idle(client)
    assert content(client) == "new"
    assert "it refuses to add a key that is not there" in caplog.text


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_store_whose_locks_never_end_does_not_freeze_a_prompt(
    is_readable: bool, make_client: Make, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Keeps(MemoryStore):
        def add(self, key: str, value: str, ttl: float) -> bool:
            return super().add(key, value if is_readable else "garbage", 1e9)

    server.answers(prompt("old"), prompt("new"))
    client = make_client(cache_store=Keeps(timer=lambda: clock.time), cache_local_ttl=0, cache_ttl=10)
    assert content(client) == "old"
    hold_lock(shared(client), PromptRef("greeting"), 1.0)
    for _ in range(40):
        clock.passes(1)
        content(client)
        wait_until_idle(client)
    assert content(client) == "new"
    # Whose holder can be read is taken for dead as soon as a fetch should have ended.
    assert ("it refused the lock of a prompt for 15 seconds" in caplog.text) is not is_readable


def test_a_lock_that_another_process_had_long_ago_is_no_lock_that_is_never_granted(
    make_client: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore(timer=lambda: clock.time)
    late, other = (make_client(cache_store=store, cache_ttl=100, cache_local_ttl=1) for _ in range(2))
    content(late)
    for _ in range(3):
        clock.passes(92)
        hold_lock(shared(late), PromptRef("greeting"), 5.0)
        content(late)  # its renewal gives up, since another is at it
        wait_until_idle(late)
        clock.passes(6)
        content(other)
        content(late)
        wait_until_idle(late)
    assert caplog.text == ""


def test_a_slow_platform_is_no_outage(make_client: Make, server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    client, gate = make_client(cache_ttl=0.1, clock=Clock()), Gate()
    content(client)
    eventually(lambda: client.status().prompts[0].state == "stale")
    server.answers(gate.holds(prompt("new")))
    assert content(client) == "Hello, {{name}}!"  # after a second
    assert not client.status().is_down
    gate.open()
    eventually(lambda: content(client) == "new")
    assert caplog.text == ""


def lets_go(number: int, interrupted: object) -> None:
    """A handler of which nothing shows any more that the interpreter has called it."""
    del number, interrupted
    raise LookupError("time is over")


class LetsGo:
    def __call__(self, number: int, interrupted: object) -> None:
        lets_go(number, interrupted)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGALRM, signal.SIGRTMAX])
@pytest.mark.parametrize("handler", [lets_go, LetsGo(), functools.partial(lets_go)], ids=["plain", "object", "partial"])
def test_what_an_installed_handler_raises_is_known_by_its_code(number: signal.Signals, handler: Any) -> None:
    def raised(call: Callable[[], object]) -> LookupError:
        with pytest.raises(LookupError) as caught:
            call()
        return caught.value

    before = signal.signal(number, handler)
    try:
        struck = raised(lambda: signal.raise_signal(number))
        assert interrupt_in(struck) is struck
    finally:
        signal.signal(number, before)
    assert interrupt_in(raised(lambda: lets_go(0, None))) is None
