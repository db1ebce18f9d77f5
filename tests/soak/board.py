"""Board: numbers that all processes of a soak see; each has one writer, and its eight bytes are written at once."""

from __future__ import annotations

import mmap
from pathlib import Path

NAMES = tuple(f"prompt-{number:02}" for number in range(12))
NOBODYS = tuple(f"misspelt-{number}" for number in range(4))
READERS = 3


class Board:
    """A file in memory; `current` has the edition in production of each prompt, `oldest` the oldest that may be served.

    `stops` counts for each reader process how often it was stopped or woken: odd while it is stopped. `woken_at` is
    when it was last woken, in monotonic nanoseconds, which all processes of a machine share.
    """

    size = 8 * (8 + 2 * READERS + 2 * len(NAMES))

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(self.size))
        with open(path, "r+b") as file:
            numbers = memoryview(mmap.mmap(file.fileno(), self.size)).cast("q")
        self._single = numbers[:8]
        self.stops = numbers[8 : 8 + READERS]
        self.woken_at = numbers[8 + READERS : 8 + 2 * READERS]
        first = 8 + 2 * READERS
        self.current = numbers[first : first + len(NAMES)]
        self.oldest = numbers[first + len(NAMES) :]

    @property
    def is_over(self) -> bool:
        return bool(self._single[0])

    def end(self) -> None:
        self._single[0] = 1

    @property
    def has_begun(self) -> bool:
        """Whether every process has read every prompt once."""
        return bool(self._single[6])

    def begin(self) -> None:
        self._single[6] = 1

    @property
    def weather(self) -> int:
        """The place of what the platform does in `weather.WEATHERS`."""
        return self._single[1]

    @weather.setter
    def weather(self, place: int) -> None:
        self._single[1] = place

    @property
    def redis(self) -> int:
        """The place of what Redis does in `weather.REDIS`."""
        return self._single[2]

    @redis.setter
    def redis(self, place: int) -> None:
        self._single[2] = place

    @property
    def expired_tokens(self) -> int:
        """Tokens up to this number are refused."""
        return self._single[3]

    @expired_tokens.setter
    def expired_tokens(self, number: int) -> None:
        self._single[3] = number

    @property
    def issued_tokens(self) -> int:
        return self._single[4]

    @issued_tokens.setter
    def issued_tokens(self, number: int) -> None:
        self._single[4] = number

    @property
    def requests(self) -> int:
        """What the platform was asked so far, tokens included."""
        return self._single[5]

    @requests.setter
    def requests(self, count: int) -> None:
        self._single[5] = count
