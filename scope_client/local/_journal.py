"""The journal of the local platform: the requests that arrived, as records for tests and as lines for people."""

import itertools
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Callable, NamedTuple, Optional

from requests.structures import CaseInsensitiveDict

from .._clock import SYSTEM_CLOCK, Clock
from .._foreign_text import printable
from .._fork import renew_in_children

KEPT_REQUESTS = 10_000
LONGEST_CLIENT_CHARACTERS = 100

_logger = logging.getLogger("scope_client.local")


class RecordedRequest(NamedTuple):
    """One request that arrived, and how it was answered. Its repr leaves out the headers, which hold the token."""

    method: str
    """The HTTP method."""
    path: str
    """The path and the query, as they were sent."""
    headers: Mapping[str, str]
    """All headers that came, under names in upper or lower case; read-only."""
    request_id: str
    """The X-Request-ID that came, or the platform's own if none came."""
    status: Optional[int] = None
    """The HTTP status of the answer; None until it is ready."""
    elapsed_ms: Optional[float] = None
    """Milliseconds until the answer was ready; None until then."""
    at: float = 0.0
    """When it arrived, in seconds since 1970."""
    client: str = ""
    """The User-Agent that came, as one line, cut if it is long; empty if none came."""
    note: str = ""
    """The version that was served, such as "v2", or the code of the error; empty until the answer is ready."""

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} -> {self.status}>"


class News(NamedTuple):
    """What is new in a journal; `position` is where to go on, and each request has its number, which stays the same."""

    position: int
    requests: tuple[tuple[int, RecordedRequest], ...]


class Journal:
    """The last requests in the order of their arrival.

    Args:
        log: Is called with each line; without it, warnings are logged and answers are not.
        kept: How many requests to keep.
        clock: Where the times of arrival come from.
    """

    def __init__(
        self,
        log: Optional[Callable[[str], object]] = None,
        *,
        kept: int = KEPT_REQUESTS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._log = log
        self._kept = kept
        self._clock = clock
        self._numbers = itertools.count()
        self._records: dict[int, RecordedRequest] = {}
        self._positions: dict[int, int] = {}  # at which each record changed last, the latest at the end
        self._position = 0
        self._is_closed = False
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._changed = threading.Condition()

    @property
    def records(self) -> tuple[RecordedRequest, ...]:
        with self._changed:
            return tuple(self._records.values())

    def arrived(self, method: str, path: str, headers: Mapping[str, str], request_id: str) -> int:
        """Enters a request; returns the number under which to enter its answer."""
        shown = MappingProxyType(CaseInsensitiveDict(headers))
        client = printable(shown.get("User-Agent", ""), LONGEST_CLIENT_CHARACTERS)
        record = RecordedRequest(method, path, shown, request_id, at=self._clock.wall(), client=client)
        with self._changed:
            number = next(self._numbers)
            self._enter(number, record)
            self._records.pop(number - self._kept, None)
            self._positions.pop(number - self._kept, None)
        return number

    def answered(self, number: int, status: int, elapsed_ms: float, note: str = "") -> None:
        """Enters the answer of a request, if the request is still kept."""
        with self._changed:
            if number in self._records:
                record = self._records[number]._replace(status=status, elapsed_ms=elapsed_ms, note=note)
                self._enter(number, record)

    def _enter(self, number: int, record: RecordedRequest) -> None:
        self._records[number] = record
        self._positions.pop(number, None)
        self._move_on()
        self._positions[number] = self._position

    def _move_on(self) -> None:
        self._position += 1
        self._changed.notify_all()

    def nudge(self) -> None:
        """Has those who follow look again: something else of the platform has changed."""
        with self._changed:
            self._move_on()

    def follow(self, after: int, seconds: float) -> Optional[News]:
        """Waits for what is new.

        Args:
            after: The position of the last news, or 0 for all that is kept. One of another journal, which was further,
                counts as 0.
            seconds: For how long to wait.

        Returns:
            The requests that arrived or were answered since, each as it is now; none if none was in this time, or if
            something else changed. None if the platform has stopped.
        """
        with self._changed:
            seen = after if after <= self._position else 0
            self._changed.wait_for(lambda: self._is_closed or self._position > seen, seconds)
            if self._is_closed:
                return None
            numbers = itertools.takewhile(lambda number: self._positions[number] > seen, reversed(self._positions))
            changed = tuple((number, self._records[number]) for number in numbers)
            return News(self._position, changed[::-1])

    def open(self) -> None:
        """From here on it can be followed, as it can at first."""
        with self._changed:
            self._is_closed = False

    def close(self) -> None:
        """Ends every wait for news."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def tell(self, method: str, what: str, status: int, elapsed_ms: float, note: str) -> None:
        """Logs one line about one answer."""
        if self._log is not None:
            self._say(f"{printable(method):<5}{printable(what):<31} {status}  {elapsed_ms:6.1f} ms  {note}".rstrip())

    def warn(self, text: str) -> None:
        line = printable(" ".join(text.split()))
        if self._log is None:
            _logger.warning(line)
        else:
            self._say(line)

    def _say(self, line: str) -> None:
        try:
            assert self._log is not None
            self._log(f"{datetime.fromtimestamp(self._clock.wall()):%H:%M:%S}  {line}")
        except Exception:  # a user's `log` may raise anything
            _logger.exception("the log of the local platform failed")
