"""The cache of one client without a platform: by a clock that stands still, over a source that does as it is told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable, Union

from faults.clock import ManualClock, eventually

from scope_client import ApiKeyCredentials, Configuration, PromptVersion, ServerError
from scope_client._background import Background
from scope_client._cache.cache import PromptCache
from scope_client._cache.fitting import Fitting
from scope_client._cache.fleet_loading import FleetLoader
from scope_client._cache.loading import Loader
from scope_client._cache.memory import Memory
from scope_client._cache.platform_breaker import PlatformBreaker
from scope_client._cache.shared_store import SharedStore
from scope_client._counters import Counters
from scope_client._http.budget import Budget
from scope_client._prompt.ref import PromptRef

if TYPE_CHECKING:
    from scope_client import CacheStore

Outcome = Union[str, Exception, Callable[[], str]]
GREETING = PromptRef("greeting")
CREDENTIALS = ApiKeyCredentials("org", "key", "secret")


def down(**facts: object) -> ServerError:
    return ServerError("down", http_status=503, **facts)


class Source:
    """Gives the outcomes in turn, the last one for ever: a content, an error to raise, or a callable that does either.

    `asked` has the ref and the budget of each fetch; `takes` is how long one takes, in seconds of the clock.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._outcomes: list[Outcome] = ["first"]
        self.takes = 0.0
        self.asked: list[tuple[PromptRef, Budget]] = []

    def gives(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)

    def fetch(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        with self._lock:
            self.asked.append((ref, budget))
            outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        self._clock.passes(self.takes)
        found = outcome() if callable(outcome) else outcome
        if isinstance(found, Exception):
            raise found
        return PromptVersion.from_api({"id": f"v_{found}", "content": found}, ref)


class Rig:
    """`read` gives the content, or None for a stand-in; the rest are the rooms that a client wires together."""

    def __init__(self, clock: ManualClock, store: CacheStore | None = None, **options: object) -> None:
        settings = {"credentials": CREDENTIALS, "cache_ttl": 100, "cache_local_ttl": 0, **options}
        config = Configuration(**settings)
        self.clock = clock
        self.source = Source(clock)
        self.background = Background()
        self.platform = PlatformBreaker(clock.clock, longest_retry_after=config.retry_max_delay)
        self.shared = None if store is None else SharedStore(store, config, clock.clock)
        self.counters = Counters(clock.clock, is_telling=False)
        self.fitting = None
        if config.when_unfit == "last_fitting":
            self.fitting = Fitting(
                clock.clock,
                shared=self.shared,
                background=self.background,
                counters=self.counters,
                max_prompts=config.cache_max_size,
            )
        takes = {
            "source": self.source,
            "memory": Memory(config.cache_max_size),
            "platform": self.platform,
            "counters": self.counters,
            "fitting": self.fitting,
        }
        fleet = None
        if self.shared is not None:
            fleet = FleetLoader(config, clock.clock, background=self.background, shared=self.shared, **takes)
        self.cache = PromptCache(
            config,
            clock.clock,
            memory=takes["memory"],
            loader=fleet or Loader(config, clock.clock, **takes),
            fleet=fleet,
            background=self.background,
            platform=self.platform,
            counters=self.counters,
        )

    def read(
        self, ref: PromptRef = GREETING, *, seconds: float | None = None, settles: bool = True, **options: object
    ) -> str | None:
        budget = Budget(self.clock.clock.now, seconds)
        try:
            found = self.cache.get(ref, budget, **options)
        finally:
            if settles:
                self.settle()
        return None if found is None else found.version.content

    def settle(self) -> None:
        """Until the background has nothing more to do."""
        eventually(lambda: self.background.is_idle)

    @property
    def fetches(self) -> int:
        return len(self.source.asked)

    def entry(self, ref: PromptRef = GREETING) -> object:
        return self.cache.entries[ref.key]
