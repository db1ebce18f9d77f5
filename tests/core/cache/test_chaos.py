"""Whatever the platform does meanwhile: a reader gets what was once true, soon enough after it was."""

from __future__ import annotations

import itertools
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults import replies
from faults.clock import eventually
from faults.crowd import Crowd
from faults.server import FaultServer, Peer, Reply

from scope_client import Clock, ScopeClient, ScopeError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

Make = Callable[..., ScopeClient]
NAMES = ("a", "b", "c", "d")
SECONDS = 3.0
TTL = 0.3
SLACK = 2.0  # an attempt, and a thread that gets no turn
OPTIONS = {
    "cache_ttl": TTL,
    "timeout": 0.2,
    "open_timeout": 0.2,
    "max_retries": 1,
    "retry_base_delay": 0.01,
    "retry_max_delay": 0.05,
}


class Publications:
    """What is true of each prompt, and until when each of its contents was."""

    def __init__(self) -> None:
        self._numbers = dict.fromkeys(NAMES, 0)
        self._ended: dict[tuple[str, int], float] = {}

    def content(self, name: str) -> str:
        return f"{name} in edition {self._numbers[name]}"

    def publish(self, name: str) -> str:
        before = self._numbers[name]
        self._numbers[name] = before + 1
        self._ended[name, before] = time.monotonic()
        return self.content(name)

    def age(self, name: str, content: str, asked_at: float) -> float:
        """For how many seconds it had been true no more; fails for what never was."""
        found = re.fullmatch(rf"{name} in edition (\d+)", content)
        assert found, f"{content!r} was never true of {name!r}"
        number = int(found[1])
        assert number <= self._numbers[name]
        return max(asked_at - self._ended.get((name, number), asked_at), 0.0)


class Readers:
    """Eight threads that read all of the prompts until they are stopped, and note what is wrong."""

    def __init__(self, client: ScopeClient, known: Publications, *, oldest: float, may_raise: Any = ()) -> None:
        self._client = client
        self._known = known
        self._oldest = oldest
        self._may_raise = may_raise
        self._stopping = threading.Event()
        self.reads = 0
        self.raised: list[BaseException] = []
        self._crowd = Crowd(8, self._read_all)

    def stop(self) -> None:
        self._stopping.set()
        assert [outcome for outcome in self._crowd.outcomes() if outcome is not None] == []

    def _read_all(self) -> None:
        for name in itertools.cycle(NAMES):
            if self._stopping.wait(0.002):
                return
            asked_at = time.monotonic()
            try:
                content = self._client.get_prompt_version(name).content
            except self._may_raise as error:
                self.raised.append(error)
                continue
            self.reads += 1
            assert self._known.age(name, content, asked_at) <= self._oldest, f"{content!r} is too old"


@pytest.fixture
def known() -> Publications:
    return Publications()


@pytest.fixture
def good(known: Publications) -> Reply:
    """The answer for whichever prompt was asked for, as it should be."""

    def reply(peer: Peer) -> None:
        peer.send(_answer(peer, known))

    return reply


def _answer(peer: Peer, known: Publications) -> bytes:
    name = peer.request.target.split("/")[-2]
    return replies.prompt(known.content(name), name=name)


def faults(known: Publications) -> Iterator[Reply]:
    """Every way to answer badly, again and again."""

    def of_the_answer(make: Callable[[bytes], Reply]) -> Reply:
        def reply(peer: Peer) -> None:
            fault = make(_answer(peer, known))
            fault(peer) if callable(fault) else peer.send(fault)

        return reply

    unsaid = replies.head() + b'{"content": "never true"'
    return itertools.cycle(
        [
            *(replies.error(status) for status in (408, 500, 501, 502, 503, 504, 429)),
            replies.error(429, Retry_After=0),
            replies.error(503, Retry_After=2),
            *(replies.answer(body) for body in ("", "{", "null", "[]", "{}", "<html>", '{"content": 5}', b"\xff" * 99)),
            replies.answer("moved", 302, Location="http://127.0.0.1:1/"),
            replies.answer(b"\x1f\x8b\x08", Content_Encoding="gzip"),
            replies.chunked(b'{"content": "never', is_whole=False),
            replies.closes(),
            replies.closes(unsaid),
            replies.resets(),
            replies.resets(unsaid),
            replies.hangs(),
            replies.hangs(unsaid),
            replies.drips(b"x" * 1000, at_once=replies.head(Content_Length=5000), pause=0.02),
            replies.floods(replies.head(Transfer_Encoding="chunked"), b"400\r\n" + b"x" * 1024 + b"\r\n", 20_000),
            of_the_answer(lambda answer: replies.closes(answer[:-5])),
            of_the_answer(lambda answer: replies.resets(answer[:-5])),
            of_the_answer(lambda answer: replies.hangs(answer[:-5])),
            of_the_answer(lambda answer: replies.drips(answer, pause=0.05)),
            of_the_answer(lambda answer: replies.drips(answer[-20:], at_once=answer[:-20], pause=0.001)),
            replies.echoes(lambda text: replies.answer(text)),
            b"HTTP/9.9 what\r\n\r\n",
            b"\x00" * 100,
        ]
    )


def refusals() -> list[bytes]:
    return [replies.error(401), replies.error(403), replies.error(404, code="prompt_not_found"), replies.error(404)]


def weather(server: FaultServer, good: Reply, known: Publications, extra: list[bytes]) -> None:
    """Bad and good turns of 50 ms each, with something new published all the time."""
    ends_at = time.monotonic() + SECONDS
    names, bad = itertools.cycle(NAMES), faults(known)
    more = itertools.cycle(extra) if extra else bad
    for turn in itertools.count():
        if time.monotonic() > ends_at:
            break
        fault = next(more) if turn % 5 == 4 else next(bad)
        server.answers(good if turn % 3 == 0 else fault)
        server.gives_tokens(replies.error(503) if turn % 7 == 3 else replies.token(f"token-{turn}", expires_in=1))
        known.publish(next(names))
        time.sleep(0.05)
    server.answers(good)
    server.gives_tokens(replies.token("token-last"))


def is_newest(client: ScopeClient, known: Publications) -> bool:
    def reads(name: str) -> str | None:
        try:
            return client.get_prompt_version(name).content
        except ScopeError:
            return None

    return all(reads(name) == known.content(name) for name in NAMES)


def assert_it_becomes_newest(client: ScopeClient, known: Publications, patience: float) -> None:
    ends_at = time.monotonic() + patience
    while not is_newest(client, known):
        assert time.monotonic() < ends_at, f"no news of a platform that is up again; {client.status().to_dict()}"
        time.sleep(0.01)


def test_no_known_prompt_is_ever_in_error(
    make_client: Make, server: FaultServer, known: Publications, good: Reply
) -> None:
    server.answers(good)
    client = make_client(clock=Clock(), **OPTIONS)
    client.prefetch(NAMES, strict=True)
    readers = Readers(client, known, oldest=SECONDS + 5)
    weather(server, good, known, [])
    assert_it_becomes_newest(client, known, 20.0)
    readers.stop()
    assert readers.reads > 500
    assert readers.raised == []


def test_what_is_served_is_never_older_than_it_may_be_and_errors_are_ours(
    make_client: Make, server: FaultServer, known: Publications, good: Reply
) -> None:
    client = make_client(clock=Clock(), stale_if_error=0.5, **OPTIONS)
    readers = Readers(client, known, oldest=TTL + 0.5 + SLACK, may_raise=ScopeError)
    weather(server, good, known, refusals())
    server.answers(replies.error(404, code="prompt_not_found"))
    eventually(lambda: readers.raised)  # none may have been so far, on a machine with little time for them
    server.answers(good)
    assert_it_becomes_newest(client, known, 20.0)
    readers.stop()
    assert readers.reads > 100


def test_a_platform_that_stops_and_starts_all_the_time_is_not_noticed(known: Publications) -> None:
    with LocalPlatform({name: known.content(name) for name in NAMES}) as platform, platform.client(**OPTIONS) as client:
        client.prefetch(NAMES, strict=True)
        readers = Readers(client, known, oldest=10.0)
        ends_at = time.monotonic() + SECONDS
        for turn, name in zip(itertools.count(), itertools.cycle(NAMES)):
            if time.monotonic() > ends_at:
                break
            (platform.stop, platform.start, lambda: platform.fail(503), platform.recover)[turn % 4]()
            platform.publish(name, known.publish(name))
            if turn % 10 == 9:
                platform.expire_tokens()
            time.sleep(0.05)
        platform.start()
        platform.recover()
        assert_it_becomes_newest(client, known, 20.0)
        readers.stop()
    assert readers.reads > 500
    assert readers.raised == []
