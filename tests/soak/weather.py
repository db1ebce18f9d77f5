"""The weather of a soak: every way in which the platform fails, and every way in which Redis does."""

from __future__ import annotations

import itertools
from typing import Callable, NamedTuple

from faults import replies
from faults.server import Peer, Reply

Answer = Callable[[Peer], bytes]
"""Makes the answer to this request as it should be."""
Fault = Callable[[Peer, Answer], Reply]
"""Makes of it what is sent in its place."""

REDIS = ("works", "killed", "emptied", "paused", "full", "slow", "dripping", "locked by the dead", "forged")


class Weather(NamedTuple):
    """What the platform does: to a question for a prompt, and to one for a token."""

    name: str
    prompts: Fault
    tokens: Fault


def _well(peer: Peer, answer: Answer) -> Reply:
    return answer(peer)


def _always(reply: Reply) -> Fault:
    return lambda peer, answer: reply


def _late(seconds: float) -> Fault:
    def fault(peer: Peer, answer: Answer) -> Reply:
        peer.stopping.wait(seconds)
        return answer(peer)

    return fault


def _of_a_part(make: Callable[[bytes], Reply], cut: int) -> Fault:
    return lambda peer, answer: make(answer(peer)[:cut])


def _drip(peer: Peer, answer: Answer) -> Reply:
    return replies.drips(answer(peer), pause=0.05)


def _in_turn(*given: Reply) -> Fault:
    turns = itertools.cycle(given)
    return lambda peer, answer: next(turns)


def _everywhere(name: str, fault: Fault) -> Weather:
    return Weather(name, fault, fault)


_UNSAID = replies.head() + b'{"content": "never true"'
_GARBAGE = _in_turn(
    *(replies.answer(body) for body in ("", "{", "null", "[]", "{}", "<html>", '{"content": 5}', b"\xff" * 99)),
    replies.answer(b"\x1f\x8b\x08", Content_Encoding="gzip"),
    replies.chunked(b'{"content": "never', is_whole=False),
    replies.floods(replies.head(Transfer_Encoding="chunked"), b"400\r\n" + b"x" * 1024 + b"\r\n", 11_000),
    b"HTTP/9.9 what\r\n\r\n",
    b"\x00" * 100,
)

FAIR = Weather("fair", _well, _well)
KILLED = Weather("killed", _well, _well)
STOPPED = Weather("stopped", _well, _well)
EXPIRED = Weather("tokens expire", _well, _well)
WEATHERS = (
    FAIR,
    KILLED,
    STOPPED,
    EXPIRED,
    *(_everywhere(str(status), _always(replies.error(status))) for status in (408, 500, 502, 503, 504, 429)),
    _everywhere("429, at once", _always(replies.error(429, Retry_After=0))),
    _everywhere("503, in an hour", _always(replies.error(503, Retry_After=3600))),
    _everywhere("redirect", _always(replies.answer("moved", 302, Location="http://127.0.0.1:1/"))),
    _everywhere("hang", _always(replies.hangs())),
    _everywhere("hang in the middle", _of_a_part(replies.hangs, -5)),
    _everywhere("drip", _drip),
    _everywhere("slow", _late(0.3)),
    _everywhere("too slow", _late(1.5)),
    _everywhere("close", _always(replies.closes())),
    _everywhere("close in the middle", _of_a_part(replies.closes, -5)),
    _everywhere("close in headers", _of_a_part(replies.closes, 20)),
    _everywhere("reset", _always(replies.resets())),
    _everywhere("reset in the middle", _of_a_part(replies.resets, -5)),
    _everywhere("untrue and cut", _always(replies.resets(_UNSAID))),
    _everywhere("garbage", _GARBAGE),
    Weather("no tokens", _always(replies.error(401)), _always(replies.error(503))),
    Weather("tokens hang", _always(replies.error(401)), _always(replies.hangs())),
)
FAULTS = tuple(weather.name for weather in WEATHERS if weather is not FAIR)
PLACES = {weather.name: place for place, weather in enumerate(WEATHERS)}
