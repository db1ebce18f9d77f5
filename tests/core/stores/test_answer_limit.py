"""How long a store waits for an answer in parts: the waiting counts, and not what its reader does meanwhile."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, Callable

import pytest

from scope_client._stores.answer_limit import AnswerLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5.0
SECONDS_TO_UNDERSTAND = 1000.0
Read = Callable[[AnswerLimit, int], bytes]


class Line(socket.socket):
    """A client's end of a connection to a `server`, both on this machine, of which the test says how long it waits."""

    def __init__(self) -> None:
        self.server, plain = socket.socketpair()
        super().__init__(fileno=plain.detach())
        self.settimeout(SECONDS)
        self.now = 0.0
        self.wait = 0.0
        self.limits: list[float | None] = []
        self.limited = AnswerLimit(self, SECONDS, now=lambda: self.now)

    def recv(self, *arguments: Any) -> bytes:
        self._waits()
        return super().recv(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        self._waits()
        return super().recv_into(*arguments)

    def _waits(self) -> None:
        self.now += self.wait
        self.limits.append(self.gettimeout())

    def close(self) -> None:
        self.server.close()
        super().close()


@pytest.fixture
def line() -> Iterator[Line]:
    with contextlib.closing(Line()) as opened:
        yield opened


def received(limited: AnswerLimit, count: int) -> bytes:
    return limited.recv(count)


def received_into(limited: AnswerLimit, count: int) -> bytes:
    buffer = bytearray(count)
    return bytes(buffer[: limited.recv_into(buffer)])


pytestmark = pytest.mark.parametrize("read", [received, received_into])


def test_what_has_come_is_read_however_long_its_reader_was_busy_with_the_first_part(line: Line, read: Read) -> None:
    line.limited.sendall(b"?")
    line.server.sendall(b"abc")
    for part in (b"a", b"b", b"c"):
        assert read(line.limited, 1) == part
        line.now += SECONDS_TO_UNDERSTAND


def test_all_waits_for_one_answer_are_counted_together(line: Line, read: Read) -> None:
    line.wait = 2.0
    line.limited.sendall(b"?")
    line.server.sendall(b"abcd")
    assert [read(line.limited, 1) for _ in range(3)] == [b"a", b"b", b"c"]
    assert line.limits == [SECONDS, 3.0, 1.0]
    with pytest.raises(socket.timeout):
        read(line.limited, 1)
    assert len(line.limits) == 3


def test_each_question_begins_anew(line: Line, read: Read) -> None:
    line.wait = 4.0
    line.server.sendall(b"abcd")
    for _ in range(2):
        line.limited.sendall(b"?")
        read(line.limited, 1)
        read(line.limited, 1)
    assert line.limits == [SECONDS, 1.0] * 2


def test_a_wait_in_vain_counts_too(line: Line, read: Read) -> None:
    line.wait = SECONDS
    line.settimeout(0.001)
    line.limited.sendall(b"?")
    with pytest.raises(socket.timeout):
        read(line.limited, 1)
    line.server.sendall(b"a")
    with pytest.raises(socket.timeout):
        read(line.limited, 1)


def test_the_limit_of_the_socket_itself_stays(line: Line, read: Read) -> None:
    line.wait = 2.0
    line.limited.sendall(b"?")
    line.server.sendall(b"ab")
    for _ in range(2):
        read(line.limited, 1)
        assert line.gettimeout() == SECONDS


@pytest.mark.parametrize("limit", [0.0, None])
def test_a_read_that_does_not_wait_or_may_wait_for_ever_is_left_alone(
    limit: float | None, line: Line, read: Read
) -> None:
    line.wait = SECONDS
    line.settimeout(limit)
    line.limited.sendall(b"?")
    line.server.sendall(b"abc")
    assert [read(line.limited, 1) for _ in range(3)] == [b"a", b"b", b"c"]
    assert line.limits == [limit] * 3


def test_what_nobody_has_asked_for_is_left_alone(line: Line, read: Read) -> None:
    line.wait = SECONDS
    line.server.sendall(b"abc")
    assert [read(line.limited, 1) for _ in range(3)] == [b"a", b"b", b"c"]
    assert line.limits == [SECONDS] * 3
