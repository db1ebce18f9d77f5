"""What a signal handler or a debugger raises is told from what a library raises, whatever the handler looks like."""

from __future__ import annotations

import bdb
import builtins
import contextlib
import functools
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

import jinja2
import pytest
from faults.crowd import in_a_thread
from faults.reading import content, counted
from faults.timelimit import TimeLimit

from scope_client import MemoryStore, RateLimitError, ScopeClient
from scope_client.frameworks import ForeignStore, Search, pass_on, search_jinja

Make = Callable[..., ScopeClient]


class Mine(builtins.TimeoutError):
    """A failure of the network, by its looks."""


def plain(number: int, frame: object) -> None:
    helps()


def takes_anything(*_: object) -> None:
    helps()


def lets_go(number: int, frame: object) -> None:
    del number, frame
    helps()


def puts_back_what_was_there(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    helps()


def takes_more(told: str, number: int, frame: object) -> None:
    helps()


def decorated(handler: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(handler)
    def wrapper(*arguments: Any, **keywords: Any) -> None:
        handler(*arguments, **keywords)

    return wrapper


def explains(number: int, frame: object) -> None:
    try:
        raise KeyError("the task")
    except KeyError as error:
        raise Mine("mine") from error


def helps() -> None:
    raise Mine("mine")


class Handler:
    def method(self, number: int, frame: object) -> None:
        helps()

    def __call__(self, number: int, frame: object) -> None:
        helps()


HANDLERS = {
    "plain": plain,
    "takes anything": takes_anything,
    "lets go of what it was given": lets_go,
    "puts back what was there": puts_back_what_was_there,
    "partial": functools.partial(takes_more, "x"),
    "partial of a partial": functools.partial(functools.partial(lets_go)),
    "decorated": decorated(plain),
    "method": Handler().method,
    "object": Handler(),
    "lambda": lambda *_: helps(),
    "explains": explains,
}


@pytest.fixture(autouse=True)
def no_handler_stays() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR2)
    yield
    signal.signal(signal.SIGUSR2, before)


class Wraps(MemoryStore):
    """As clients of servers do: what they meet becomes an error of their own."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        try:
            signal.raise_signal(signal.SIGUSR2)
        except OSError as error:
            raise LookupError("the connection broke", error) from None
        return super().get_many(keys)


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
def test_a_handler_of_any_form_is_known(handler: Any, make_client: Make) -> None:
    client = make_client(cache_store=Wraps())
    signal.signal(signal.SIGUSR2, handler)
    with pytest.raises(Mine, match="mine") as caught:
        content(client)
    assert isinstance(caught.value.__cause__, KeyError if handler is explains else type(None))
    assert counted(client, "store_failures") == 0
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    assert content(client) == "Hello, {{name}}!"


def test_what_a_store_raises_while_handlers_are_installed_is_a_failure_of_the_store(make_client: Make) -> None:
    def looks_like_a_handler(number: int, frame: object) -> None:
        raise Mine("of the store")

    class Fails(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
            looks_like_a_handler(5, None)
            return {}

    client = make_client(cache_store=Fails())
    signal.signal(signal.SIGUSR2, plain)
    assert content(client) == "Hello, {{name}}!"
    assert counted(client, "store_failures") == 1


def test_one_that_struck_before_the_call_is_not_raised_again(make_client: Make) -> None:
    class Fails(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
            raise OSError("of the store")

    client = make_client(cache_store=Fails())
    limit = TimeLimit(Mine("mine"))
    with limit:
        try:
            limit.strikes()
        except Mine:
            assert content(client) == "Hello, {{name}}!"
    assert counted(client, "store_failures") == 1


def test_an_error_of_ours_that_a_handler_raises_is_not_shared_and_not_evidence(make_client: Make) -> None:
    class Slow(MemoryStore):
        def add(self, key: str, value: str, ttl: float) -> bool:
            limit.strikes()
            return True

    raised = RateLimitError("mine", retry_after=30)
    client = make_client(cache_store=Slow())
    with TimeLimit(raised) as limit, pytest.raises(RateLimitError) as caught:
        content(client, fallback="stand-in")
    assert caught.value is raised
    assert not client.status().is_down
    limit.strikes = lambda: None
    assert content(client) == "Hello, {{name}}!"


def test_the_end_of_a_debugging_session_goes_through(make_client: Make) -> None:
    class Quits(bdb.Bdb):
        def user_line(self, frame: object) -> None:
            raise bdb.BdbQuit

    class Stops(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
            Quits().set_trace(sys._getframe())
            return super().get_many(keys)

    client = make_client(cache_store=Stops())
    before = sys.gettrace()

    def reads() -> None:
        try:
            content(client)
        finally:
            sys.settrace(before)

    with pytest.raises(bdb.BdbQuit):
        in_a_thread(reads)


class Cache:
    """A framework's cache, in which the caller's time is over; what it raises looks like garbage."""

    def __init__(self, strikes: Callable[[], object]) -> None:
        self._strikes = strikes

    def _struck(self, *_: object, **__: object) -> Any:
        self._strikes()

    get = get_many = set = add = delete = _struck


class Foreign(ForeignStore):
    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def opened(self) -> Any:
        return contextlib.nullcontext(self._cache)

    def found(self, cache: Any, keys: Sequence[str]) -> Mapping[str, Any]:
        return cache.get_many(keys)

    def timeout(self, cache: Any, seconds: int | None) -> int | None:
        return seconds


@pytest.mark.parametrize("raised", [ValueError("mine"), OSError("mine"), RuntimeError("mine")])
@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.get_many(["a"]),
        lambda store: store.set("a", "b", 5.0),
        lambda store: store.add("a", "b", 5.0),
        lambda store: store.delete("a"),
    ],
)
def test_a_store_over_a_frameworks_cache_does_not_take_it_for_garbage(
    call: Callable[[Any], object], raised: Exception
) -> None:
    with TimeLimit(raised) as limit:
        store = Foreign(Cache(limit.strikes))
        with pytest.raises(type(raised)) as caught:
            call(store)
    assert caught.value is raised


def test_a_survey_of_templates_does_not_take_it_for_a_broken_template() -> None:
    raised = Mine("mine")
    search = Search(".")
    env = jinja2.Environment(loader=jinja2.DictLoader({"page.html": "{{ scope_prompt('p') }}"}), autoescape=True)
    search_jinja(search, env)
    limit = TimeLimit(raised)
    env.parse = lambda *_: limit.strikes()  # type: ignore[method-assign]
    with limit, pytest.raises(Mine) as caught:
        search.survey()
    assert caught.value is raised


def test_what_is_no_interrupt_is_not_raised() -> None:
    try:
        raise OSError("a failure") from ValueError("its cause")
    except OSError as error:
        pass_on(error)
    pass_on(OSError("never raised"))
