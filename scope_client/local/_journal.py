"""The journal of the local platform: the requests that arrived, as records for tests and as lines for people."""

import itertools
import logging
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Callable, NamedTuple, Optional

from requests.structures import CaseInsensitiveDict

from .._foreign_text import printable

KEPT_REQUESTS = 10_000

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

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} -> {self.status}>"


class Journal:
    """The last requests in the order of their arrival.

    Args:
        log: Is called with each line; without it, warnings are logged and answers are not.
        kept: How many requests to keep.
    """

    def __init__(self, log: Optional[Callable[[str], object]] = None, *, kept: int = KEPT_REQUESTS) -> None:
        self._log = log
        self._kept = kept
        self._numbers = itertools.count()
        self._records: dict[int, RecordedRequest] = {}
        self._lock = threading.Lock()

    @property
    def records(self) -> tuple[RecordedRequest, ...]:
        with self._lock:
            return tuple(self._records.values())

    def arrived(self, method: str, path: str, headers: Mapping[str, str], request_id: str) -> int:
        """Enters a request; returns the number under which to enter its answer."""
        shown = MappingProxyType(CaseInsensitiveDict(headers))
        with self._lock:
            number = next(self._numbers)
            self._records[number] = RecordedRequest(method, path, shown, request_id)
            self._records.pop(number - self._kept, None)
        return number

    def answered(self, number: int, status: int, elapsed_ms: float) -> None:
        """Enters the answer of a request, if the request is still kept."""
        with self._lock:
            if number in self._records:
                self._records[number] = self._records[number]._replace(status=status, elapsed_ms=elapsed_ms)

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
            self._log(f"{time.strftime('%H:%M:%S')}  {line}")
        except Exception:  # a user's `log` may raise anything
            _logger.exception("the log of the local platform failed")
