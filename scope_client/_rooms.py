"""Rooms: what a client is made of, and how its parts are connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol

from . import _watching as watching
from ._async_reads import AsyncReads
from ._background import Background
from ._cache.cache import PromptCache
from ._cache.fitting import Fitting
from ._cache.loading import Loader, Source
from ._cache.memory import Entries, Entry, Memory
from ._cache.platform_breaker import PlatformBreaker
from ._clock import Clock
from ._config.configuration import Configuration
from ._counters import Counters
from ._foreign_text import printable
from ._fork import held_back
from ._prompt.locked_reads import LockedReads
from ._prompt.ref import PromptRef
from ._reading import Reading
from ._status import PromptStatus, Status
from ._stores.cache_store import CacheStore

if TYPE_CHECKING:
    from ._cache.fleet_loading import FleetLoader
    from ._cache.shared_store import SharedStore
    from ._folder.bundle import Bundle
    from ._lock.lock_in_use import LockInUse

SERVED_STALE_LATELY_SECONDS = 60.0


class ClientSource(Source, Protocol):
    """A source with what a client shows and closes of it."""

    @property
    def token_expires_in(self) -> float | None:
        """Seconds until the token dies, None if there is none alive."""

    @property
    def is_refused(self) -> bool:
        """Whether the platform refuses the credentials."""

    def close(self) -> None:
        """Closes the connections; a later fetch opens new ones."""


class Rooms:
    """The parts of one client. `new_source` makes where its versions come from."""

    def __init__(
        self,
        config: Configuration,
        clock: Clock,
        new_source: Callable[[Background, Counters, Optional[LockedReads]], ClientSource],
    ) -> None:
        self._config = config
        self._clock = clock
        self.lock = None if config.lock is None else _lock(config.lock, config)
        self.counters = Counters(clock, is_telling=config.telemetry_enabled)
        self.background = Background()
        self.platform = PlatformBreaker(clock, longest_retry_after=config.retry_max_delay)
        self.source = new_source(self.background, self.counters, self.lock)
        self.shared = None if config.cache_store is None else _shared(config.cache_store, config, clock, self.lock)
        self.fitting = self._new_fitting() if config.when_unfit == "last_fitting" else None
        memory = Memory(config.cache_max_size)
        fleet = None if self.shared is None else self._new_fleet_loader(memory, self.shared)
        self.cache = PromptCache(
            config,
            clock,
            memory=memory,
            loader=fleet or Loader(config, clock, **self._loader_takes(memory)),
            fleet=fleet,
            background=self.background,
            platform=self.platform,
            counters=self.counters,
        )
        self.bundle = None if config.prompt_dir is None else _bundle(config.prompt_dir, clock)
        self.reading = Reading(
            config,
            clock,
            source=self.source,
            cache=self.cache,
            bundle=self.bundle if self.lock is None else self.lock.over(self.bundle),
            fitting=self.fitting,
            counters=self.counters,
            lock=self.lock,
        )
        self.async_reads = AsyncReads(config, clock, reading=self.reading, cache=self.cache, platform=self.platform)
        watching.made(self)

    @property
    def entries(self) -> Entries:
        """What is kept in memory."""
        return self.cache.entries

    @property
    def base_url(self) -> str:
        """Where the platform is."""
        return self._config.base_url

    def status(self) -> Status:
        """How the client is doing; nothing is sent."""
        now = self._clock.now()
        entries = list(self.cache.entries.values())
        counters = self.counters.counts
        counters["store_failures"] = 0 if self.shared is None else self.shared.failures
        return Status(
            is_down=self.platform.is_known,
            is_refused=self.source.is_refused,
            is_serving_stale=any(
                max(entry.expires_at, now - SERVED_STALE_LATELY_SECONDS) <= entry.stale_at for entry in entries
            ),
            prompts=tuple(self._shown(entry, now) for entry in entries),
            last_error=self.counters.last_error and printable(self.counters.last_error),
            last_error_age=self.counters.last_error_age,
            token_expires_in=self.source.token_expires_in,
            counters=counters,
            lock=None if self.lock is None else self.lock.path,
            locked_prompts=0 if self.lock is None else self.lock.prompts,
        )

    def _shown(self, entry: Entry, now: float) -> PromptStatus:
        ref = PromptRef.of_key(entry.key)
        stale_until = entry.expires_at + self._config.stale_if_error
        return PromptStatus(
            name=ref.name,
            label=ref.label,
            version=ref.version,
            version_id=entry.version.id and printable(entry.version.id),
            version_number=entry.version.version_number,
            age=now - entry.fetched_at,
            state="fresh" if now < entry.expires_at else "stale" if now < stale_until else "gone",
            missing_variables=self.fitting.held_back(entry.key, entry.version) if self.fitting else (),
            is_locked=self.lock is not None and self.lock.has(ref),
        )

    def _new_fleet_loader(self, memory: Memory, shared: SharedStore) -> FleetLoader:
        """Imported late: most programs share no store."""
        with held_back():
            from ._cache.fleet_loading import FleetLoader

        takes = self._loader_takes(memory)
        return FleetLoader(self._config, self._clock, background=self.background, shared=shared, **takes)

    def _loader_takes(self, memory: Memory) -> dict[str, Any]:
        return {
            "source": self.source,
            "memory": memory,
            "platform": self.platform,
            "counters": self.counters,
            "fitting": self.fitting,
        }

    def _new_fitting(self) -> Fitting:
        return Fitting(
            self._clock,
            shared=self.shared,
            background=self.background,
            counters=self.counters,
            max_prompts=self._config.cache_max_size,
            lock=self.lock,
        )


def _shared(store: CacheStore, config: Configuration, clock: Clock, lock: LockedReads | None) -> SharedStore:
    """Imported late: most programs share no store."""
    with held_back():
        from ._cache.shared_store import SharedStore

    return SharedStore(store, config, clock, lock)


def _lock(path: str, config: Configuration) -> LockInUse:
    """Imported late, as the folder's rooms: most programs have no lock."""
    with held_back():
        from ._lock.lock_in_use import open_lock

    return open_lock(path, config)


def _bundle(folder: str, clock: Clock) -> Bundle:
    """Imported late: what walks folders and reads YAML is half of what the package would take to import."""
    with held_back():
        from ._folder.bundle import Bundle

    return Bundle(folder, clock)
