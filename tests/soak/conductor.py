"""The conductor of a soak: publishes, makes the weather, troubles Redis, stops and wakes the readers."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Callable

from .board import NAMES, Board
from .reader import GRACE_SECONDS
from .weather import EXPIRED, FAIR, FAULTS, KILLED, PLACES, REDIS, STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .processes import Platform, Reader, Redis

STEP_SECONDS = 0.05
PUBLICATIONS_A_SECOND = 3.0
SQUALL_SECONDS = 15.0
CALM_SECONDS = 35.0
# After a squall: the pause of a prompt that failed all through it, and an attempt.
RECOVERY_SECONDS = 22.0
WARM_UP_SECONDS = 2.0


class Conductor:
    """One step every twentieth of a second; each track is a generator that says how long its step lasts."""

    def __init__(
        self,
        board: Board,
        *,
        platform: Platform,
        redis: Redis,
        readers: Sequence[Reader],
        chance: random.Random,
        ttl: float,
    ) -> None:
        self._board = board
        self._platform = platform
        self._redis = redis
        self._readers = readers
        self._chance = chance
        self._ttl = ttl
        self._published: list[deque[tuple[float, int]]] = [deque([(0.0, 0)]) for _ in NAMES]
        self._fair_since = time.monotonic()
        self.weathers: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.stops = 0

    def conduct(self, seconds: float, tell: Callable[[float], None]) -> None:
        ends_at = time.monotonic() + seconds
        self._board.begin()
        tracks = [self._weather(), self._redis_troubles(), self._stops(), self._publications(), self._tolerances()]
        next_at = [time.monotonic() + WARM_UP_SECONDS] * len(tracks)
        while time.monotonic() < ends_at:
            for place, track in enumerate(tracks):
                if time.monotonic() >= next_at[place]:
                    next_at[place] = time.monotonic() + next(track)
            tell(ends_at - time.monotonic())
            time.sleep(STEP_SECONDS)

    def settle(self) -> None:
        """All is well again, whatever was under way."""
        self._platform.start()
        self._platform.resume()
        self._redis.mend(REDIS[self._board.redis])
        for reader in self._readers:
            if reader.is_stopped:
                reader.wake()

    def _weather(self) -> Iterator[float]:
        """Squalls of many faults, every fourth of one fault for all of its time; and calms between them."""
        waiting: list[str] = []
        for turn in itertools.count():
            ends_at = time.monotonic() + SQUALL_SECONDS
            while time.monotonic() < ends_at:
                if not waiting:
                    waiting = self._chance.sample(FAULTS, len(FAULTS))
                lasts = SQUALL_SECONDS if turn % 4 == 3 else self._chance.uniform(0.7, 1.6)
                yield from self._one_fault(waiting.pop(), min(lasts, ends_at - time.monotonic()))
                if self._chance.random() < 0.5:
                    yield self._chance.uniform(0, 0.7)
            yield CALM_SECONDS

    def _one_fault(self, name: str, seconds: float) -> Iterator[float]:
        self.weathers[name] += 1
        self._board.weather = PLACES[name]
        if name == KILLED.name:
            self._platform.kill()
        elif name == STOPPED.name:
            self._platform.stop()
        elif name == EXPIRED.name:
            self._board.expired_tokens = self._board.issued_tokens
        yield seconds
        if name == KILLED.name:
            self._platform.start()
        elif name == STOPPED.name:
            self._platform.resume()
        self._board.weather = PLACES[FAIR.name]
        self._fair_since = time.monotonic()

    def _redis_troubles(self) -> Iterator[float]:
        for trouble in itertools.cycle(REDIS[1:]):
            yield self._chance.uniform(3.0, 7.0)
            self.troubles[trouble] += 1
            self._board.redis = REDIS.index(trouble)
            self._redis.turn(trouble)
            yield self._chance.uniform(1.0, 4.0)
            self._redis.mend(trouble)
            self._board.redis = 0

    def _stops(self) -> Iterator[float]:
        """One process for a while, now and then all of them."""
        for turn in itertools.count(1):
            yield self._chance.uniform(4.0, 9.0)
            stopped = self._readers if turn % 5 == 0 else [self._chance.choice(self._readers)]
            for reader in stopped:
                reader.stop()
            self.stops += len(stopped)
            yield self._chance.uniform(0.3, 5.0)
            for reader in stopped:
                reader.wake()

    def _publications(self) -> Iterator[float]:
        while True:
            place = self._chance.randrange(len(NAMES))
            self._board.current[place] += 1
            self._published[place].append((time.monotonic(), self._board.current[place]))
            yield self._chance.uniform(0, 2 / PUBLICATIONS_A_SECOND)

    def _tolerances(self) -> Iterator[float]:
        """Once it has been fair for long enough, what was replaced longer ago than the TTL and a grace is too old."""
        while True:
            now = time.monotonic()
            if self._board.weather == PLACES[FAIR.name] and now > self._fair_since + RECOVERY_SECONDS:
                replaced_by = now - self._ttl - GRACE_SECONDS
                for place, published in enumerate(self._published):
                    while len(published) > 1 and published[1][0] <= replaced_by:
                        published.popleft()
                    self._board.oldest[place] = published[0][1]
            yield 0.2
