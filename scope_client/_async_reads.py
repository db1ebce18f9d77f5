"""Asynchronous reads: what is fresh in memory stays on the event loop, anything else is a job in a thread."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import partial
from typing import Any

from . import _watching as watching
from ._asked import Asked
from ._async_jobs import AsyncJobs, Kind, running_loop
from ._cache.cache import PromptCache
from ._cache.platform_breaker import PlatformBreaker
from ._clock import Clock
from ._config.configuration import Configuration
from ._http.budget import Budget
from ._prefetch import MAX_PREFETCH_THREADS, PrefetchReport, Wanted, refs_of, report_of
from ._prompt import fallback as stand_ins
from ._prompt.prompt_read import PromptRead
from ._prompt.ref import PromptRef
from ._read_steps import awaited
from ._reading import Reading
from .errors import ScopeError

_ANY_STAND_IN = ""  # for a call that tasks share, each of which has a fallback of its own


class AsyncReads:
    """The asynchronous reads of one client, which end as those of `reading` do."""

    def __init__(
        self, config: Configuration, clock: Clock, *, reading: Reading, cache: PromptCache, platform: PlatformBreaker
    ) -> None:
        self._is_cached = config.cache_enabled
        self._stale_if_error = config.stale_if_error
        self._clock = clock
        self._reading = reading
        self._cache = cache
        self._platform = platform
        self._jobs = AsyncJobs()

    async def read(self, ref: PromptRef, **options: Any) -> PromptRead:
        """The answer to one read; the options are those of `Reading.read`."""
        return watching.read(ref, await self._answer(self._reading.asked(ref, **options)))

    async def read_for(self, ref: PromptRef, values: Mapping[str, object], **options: Any) -> PromptRead:
        """As `Reading.read_for`."""
        asked = self._reading.asked(ref, **options)._replace(values=values)
        return watching.read(ref, await self._answer(asked))

    async def prefetch(self, prompts: Iterable[Wanted], deadline: float | None) -> PrefetchReport:
        """Reads each prompt once, at most eight at a time."""
        import asyncio

        running_loop()
        budget = self._reading.budget(deadline)
        refs = refs_of(prompts, self._reading.check)
        found: dict[Wanted, PromptRead] = {}
        errors: dict[Wanted, ScopeError] = {}
        waiting = list(reversed(refs))

        async def work() -> None:
            while waiting:
                each = waiting.pop()
                try:
                    steps = self._reading.pins_and_rollouts().prefetch(Asked(refs[each], budget), self._reading.pins())
                    found[each] = watching.read(refs[each], await awaited(steps, self._once))
                except ScopeError as error:
                    errors[each] = error

        try:
            await asyncio.gather(*(work() for _ in range(min(MAX_PREFETCH_THREADS, len(refs)))))
        finally:
            waiting.clear()  # so that the others stop if one of them raises
        return report_of(refs, {each: read.version for each, read in found.items()}, errors)

    async def _answer(self, asked: Asked) -> PromptRead:
        pins = self._reading.pins()
        if asked.key is None and not pins:
            return await self._once(asked)
        return await awaited(self._reading.pins_and_rollouts().steps(asked, pins), self._once)

    async def _once(self, asked: Asked) -> PromptRead:
        found = await self._served(asked)
        if not self._reading.asks_for_another(asked, found):
            return self._reading.fitted(asked, found)
        return await self._jobs.share(None, lambda _: self._reading.fitted(asked, found), asked.budget, kind=Kind.SHORT)

    async def _served(self, asked: Asked) -> PromptRead:
        ref, fallback = asked.ref, asked.fallback
        is_cached = asked.cache and self._is_cached
        known = self._cache.peek(ref, asked.max_age) if is_cached else None
        if known is not None:
            return known
        any_stand_in = None if fallback is None else _ANY_STAND_IN
        found = await self._jobs.share(
            self._job_key(asked) if is_cached else None,
            lambda budget: self._reading.serve(asked.within(budget, any_stand_in)),
            asked.budget,
            kind=Kind.SHORT if is_cached and self._has_something(asked) else Kind.READ,
            gives_up=_is_stand_in,
        )
        if fallback is None or found.source != "fallback":
            return found
        stand_in = partial(stand_ins.stand_in, ref, fallback)
        if stand_ins.is_content(fallback):
            return PromptRead(stand_in(), "fallback", None)
        # The caller's own time is over perhaps, and its fallback is to be called all the same.
        version = await self._jobs.share(None, lambda _: stand_in(), Budget(self._clock.now), kind=Kind.FALLBACK)
        return PromptRead(version, "fallback", None)

    def _job_key(self, asked: Asked) -> Hashable:
        """The same for reads that end alike, whatever their budgets are."""
        stand_in = (asked.fallback is not None, asked.is_optional, asked.stands_in_for.key)
        return self._cache.epoch, asked.ref.key, asked.max_age, stand_in

    def _has_something(self, asked: Asked) -> bool:
        """Whether this read has something to serve, and tries the platform for a moment at most."""
        entry = self._cache.entries.get(asked.ref.key)
        if entry is not None and self._clock.now() < entry.expires_at + self._stale_if_error:
            return True
        return asked.is_optional or (asked.fallback is not None and self._platform.is_likely)


def _is_stand_in(found: PromptRead) -> bool:
    return found.version.is_fallback
