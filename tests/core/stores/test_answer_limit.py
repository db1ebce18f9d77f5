"""How long a store waits for an answer in parts: the waiting counts, and not what keeps its reader from reading."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.timelimit import TimeLimit

from scope_client._stores.answer_limit import AnswerLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5.0
LOOK = 0.001
LOOKS = 250
STOPPED_SECONDS = SECONDS_TO_UNDERSTAND = 1000.0
Read = Callable[[AnswerLimit, int], bytes]


class Line(socket.socket):
    """A client's end of a connection to a `server`, both on this machine, of which the test says how long it waits."""

    def __init__(self) -> None:
        self.server, plain = socket.socketpair()
        super().__init__(fileno=plain.detach())
        self.settimeout(SECONDS)
        self.now = 0.0
        self.wait = 0.0
        self.finds_its_time_over = False
        self.while_it_waits: Callable[[], object] = lambda: None
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
        self.while_it_waits()
        if self.finds_its_time_over:
            self.finds_its_time_over = False
            raise socket.timeout("timed out")

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


def test_what_has_come_is_read_however_long_its_reader_was_stopped_in_a_read(line: Line, read: Read) -> None:
    line.limited.sendall(b"?")
    line.server.sendall(b"abc")
    line.wait = STOPPED_SECONDS
    assert [read(line.limited, 1) for _ in range(3)] == [b"a", b"b", b"c"]
    assert line.limits == [SECONDS, LOOK, LOOK]


def test_a_stop_counts_as_the_time_that_its_read_had_and_not_against_the_next_looks(line: Line, read: Read) -> None:
    line.settimeout(2.0)
    line.limited.sendall(b"?")
    line.server.sendall(b"abc")
    line.wait = STOPPED_SECONDS
    assert [read(line.limited, 1) for _ in range(3)] == [b"a", b"b", b"c"]
    assert line.limits == [2.0, 2.0, 1.0]


def test_what_is_not_there_when_the_time_is_over_is_hardly_waited_for(line: Line, read: Read) -> None:
    line.limited.sendall(b"?")
    line.server.sendall(b"a")
    line.wait = SECONDS
    read(line.limited, 1)
    with pytest.raises(socket.timeout):
        read(line.limited, 1)
    assert line.limits == [SECONDS, LOOK]


def test_of_what_drips_when_the_time_is_over_a_quarter_of_a_second_is_waited_for(line: Line, read: Read) -> None:
    line.limited.sendall(b"?")
    line.server.sendall(b"a" * 1000)
    line.wait = SECONDS
    read(line.limited, 1)
    line.wait = LOOK
    with pytest.raises(socket.timeout):
        all(read(line.limited, 1) for _ in range(999))
    assert len(line.limits) in (LOOKS + 1, LOOKS + 2)  # a sum of fractions
    assert line.now == pytest.approx(SECONDS + 0.25, abs=2 * LOOK)


def test_a_read_that_has_not_looked_at_what_has_come_looks_once_more(line: Line, read: Read) -> None:
    line.limited.sendall(b"?")
    line.server.sendall(b"ab")
    line.wait = STOPPED_SECONDS
    line.finds_its_time_over = True
    assert read(line.limited, 1) == b"a"
    assert line.limits == [SECONDS, LOOK]
    assert line.gettimeout() == SECONDS


def test_each_question_begins_anew(line: Line, read: Read) -> None:
    line.wait = 4.0
    line.server.sendall(b"abcd")
    for _ in range(2):
        line.limited.sendall(b"?")
        read(line.limited, 1)
        read(line.limited, 1)
    assert line.limits == [SECONDS, 1.0] * 2


def test_a_wait_in_vain_counts_too(line: Line, read: Read) -> None:
    line.wait = 2.0
    line.settimeout(2.0)
    line.limited.sendall(b"?")
    line.finds_its_time_over = True
    with pytest.raises(socket.timeout):
        read(line.limited, 1)
    line.server.sendall(b"ab")
    assert [read(line.limited, 1) for _ in range(2)] == [b"a", b"b"]
    assert line.limits == [2.0, LOOK, 2.0, pytest.approx(1.0 - LOOK)]


def test_a_time_limit_of_the_callers_ends_the_read(line: Line, read: Read) -> None:
    line.limited.sendall(b"?")
    line.server.sendall(b"a")
    with TimeLimit(socket.timeout("time is up")) as limit:
        line.while_it_waits = limit.strikes
        with pytest.raises(socket.timeout, match="time is up"):
            read(line.limited, 1)
    assert line.limits == [SECONDS]


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
