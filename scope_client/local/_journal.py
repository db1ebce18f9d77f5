"""What arrived at the local platform: records for tests, lines for people."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable, NamedTuple

from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = 10_000

_logger = logging.getLogger("scope_client.local")


class RecordedRequest(NamedTuple):
    """`path` is as in the request line; `status` and `elapsed_ms` are None until the answer is ready.

    `headers` are all that came, whatever the case of a name; the repr leaves them out, for they hold the token.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    request_id: str
    status: int | None = None
    elapsed_ms: float | None = None

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} -> {self.status}>"


class Journal:
    """The requests in order of arrival, of which the last 10,000 are kept."""

    def __init__(self, log: Callable[[str], object] | None = None) -> None:
        self._log = log
        self._numbers = itertools.count()
        self._records: dict[int, RecordedRequest] = {}
        self._lock = threading.Lock()

    @property
    def records(self) -> tuple[RecordedRequest, ...]:
        with self._lock:
            return tuple(self._records.values())

    def arrived(self, method: str, path: str, headers: Mapping[str, str], request_id: str) -> int:
        """The number under which the answer is to be entered."""
        kept = MappingProxyType(CaseInsensitiveDict(headers))
        with self._lock:
            number = next(self._numbers)
            self._records[number] = RecordedRequest(method, path, kept, request_id)
            self._records.pop(number - KEPT, None)
        return number

    def answered(self, number: int, status: int, elapsed_ms: float) -> None:
        with self._lock:
            if number in self._records:
                self._records[number] = self._records[number]._replace(status=status, elapsed_ms=elapsed_ms)

    def tell(self, method: str, what: str, status: int, elapsed_ms: float, note: str) -> None:
        """One line about one answer."""
        if self._log is not None:
            self._say(f"{method:<5}{_printable(what):<31} {status}  {elapsed_ms:6.1f} ms  {note}".rstrip())

    def warn(self, text: str) -> None:
        line = _printable(" ".join(text.split()))
        if self._log is None:
            _logger.warning(line)
        else:
            self._say(line)

    def _say(self, line: str) -> None:
        try:
            assert self._log is not None
            self._log(f"{time.strftime('%H:%M:%S')}  {line}")
        except Exception:  # whatever a log of the user's raises
            _logger.exception("the log of the local platform failed")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
