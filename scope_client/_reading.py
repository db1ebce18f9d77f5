"""Reading: one read from its arguments to its answer, whatever it is answered with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from . import _watching as watching
from ._asked import Asked
from ._cache.cache import PromptCache
from ._cache.fitting import Fitting, lacking
from ._cache.loading import Source
from ._cache.platform_breaker import is_outage
from ._cache.policy import FIRST_READER_SECONDS
from ._clock import Clock
from ._config import rules
from ._config.configuration import Configuration
from ._config.read_options import KEYWORDS_OF_READS
from ._counters import Counters
from ._fork import held_back
from ._http.budget import Budget
from ._interrupts import pass_on
from ._prompt import fallback as stand_ins
from ._prompt.fallback import Fallback
from ._prompt.locked_reads import LockedReads
from ._prompt.prompt_read import PromptRead
from ._prompt.prompt_version import PromptVersion
from ._prompt.ref import PromptRef
from ._prompt.values import is_none
from ._read_steps import carried_out
from ._wording import nearest, shown
from .errors import ConnectionError, ScopeError, TimeoutError, ValidationError

if TYPE_CHECKING:
    from ._pins.active_pins import Pinning
    from ._pins.pin_state import PinState
    from ._pins_and_rollouts import PinsAndRollouts


class Folder(Protocol):
    """The prompts of a folder."""

    def find(self, ref: PromptRef, budget: Budget) -> PromptVersion | None:
        """What stands in for this ref."""


class Reading:
    """What all methods of a client that read have in common."""

    def __init__(
        self,
        config: Configuration,
        clock: Clock,
        *,
        source: Source,
        cache: PromptCache,
        bundle: Folder | None,
        fitting: Fitting | None,
        counters: Counters,
        lock: LockedReads | None = None,
    ) -> None:
        self._clock = clock
        self._deadline = config.deadline
        self._unlimited = Budget(clock.now)  # for all calls: it has no time that one of them could spend
        self.is_cached = config.cache_enabled
        self._source = source
        self._cache = cache
        self._bundle = bundle
        self._fitting = fitting
        self._counters = counters
        self._lock = lock
        self._pins_and_rollouts: PinsAndRollouts | None = None
        self.pinning: Pinning[PinState] | None = None

    def read(self, ref: PromptRef, **options: Any) -> PromptRead:
        """The answer to one read; the options are those of `ScopeClient.get_prompt_version`, and raise as there."""
        return self._answer(self.asked(ref, **options))

    def read_for(self, ref: PromptRef, values: Mapping[str, object], **options: Any) -> PromptRead:
        """As `read`, for a caller who fills in these values: a rollout picks nothing that they do not fit."""
        return self._answer(self.asked(ref, **options)._replace(values=values))

    def prefetched(self, ref: PromptRef, budget: Budget) -> PromptRead:
        """The answer to a read of a prefetch, which brings the candidates of a rollout too."""
        steps = self.pins_and_rollouts().prefetch(Asked(ref, budget), self.pins())
        return watching.read(ref, carried_out(steps, self.once))

    def _answer(self, asked: Asked) -> PromptRead:
        """What answers it: one read, or those that pins or a rollout make of it."""
        pins = self.pins()
        if asked.key is None and not pins:
            found = self.once(asked)
        else:
            found = carried_out(self.pins_and_rollouts().steps(asked, pins), self.once)
        return found if watching.watcher is None else watching.read(asked.ref, found)

    def once(self, asked: Asked) -> PromptRead:
        """The answer to one read, whatever is pinned."""
        found = self.serve(asked)
        return found if asked.given is None and self._lock is None else self.fitted(asked, found)

    def cached(self, ref: PromptRef) -> PromptVersion | None:
        """The version if it is pinned, or in memory and fresh."""
        pins = self.pins()
        asked = Asked(ref, self._unlimited)
        try:
            found = carried_out(self.pins_and_rollouts().steps(asked, pins), self._peek) if pins else self._peek(asked)
        except _NotInMemory:
            return None
        return watching.read(ref, found).version

    def quick(self, name: str, key: object) -> PromptVersion | None:
        """What a plain read with a key finds in memory; None if more has to be done."""
        known = self._pins_and_rollouts
        if known is None or watching.watcher is not None or self.pins():
            return None
        return known.rollouts.quick(name, key)

    def pins(self) -> tuple[PinState, ...]:
        """Those in force in this thread or task, the innermost first."""
        return () if self.pinning is None else self.pinning.here()

    def pins_and_rollouts(self) -> PinsAndRollouts:
        """Imported late: most programs have no pins and no rollouts."""
        if self._pins_and_rollouts is None:
            with held_back():
                from ._pins_and_rollouts import PinsAndRollouts
            self._pins_and_rollouts = PinsAndRollouts(self, self._cache, self._clock)
        return self._pins_and_rollouts

    def has_lock_for(self, ref: PromptRef) -> bool:
        """Whether a lock says which version answers this ref."""
        return self._lock is not None and self._lock.has(ref)

    @property
    def serves_last_fitting(self) -> bool:
        """Whether a version that the caller cannot fill in is held back."""
        return self._fitting is not None

    def _peek(self, asked: Asked) -> PromptRead:
        found = self._cache.peek(asked.ref) if self.is_cached else None
        if found is None:
            raise _NotInMemory
        return found

    def asked(
        self,
        ref: PromptRef,
        *,
        cache: bool = True,
        cache_ttl: float | None = None,
        fallback: Fallback = None,
        deadline: float | None = None,
        requires: Collection[str] | None = None,
        key: object = None,
        **unknown: object,
    ) -> Asked:
        """The read that these arguments ask for.

        Raises:
            ValidationError: An argument is not what it must be, or the lock does not have the prompt.
            TypeError: There is no such option.
        """
        for name in unknown:
            near = nearest(name, KEYWORDS_OF_READS, cutoff=0.0)
            raise TypeError(f"a read has no option {shown(name)}; the nearest one is {near!r}")
        max_age = None if cache_ttl is None else rules.SECONDS.check("cache_ttl", cache_ttl, ValidationError)
        given = None if requires is None or is_none(requires) else _names(requires)
        stand_in = None if fallback is None else stand_ins.checked(fallback)
        of_key = None if key is None else self.pins_and_rollouts().key_text(key)
        self.check(ref)
        return Asked(ref, self.budget(deadline), stand_in, cache, max_age, given, of_key)

    def check(self, ref: PromptRef) -> None:
        """Raises ValidationError if there is a lock that does not have the prompt."""
        if self._lock is not None:
            self._lock.check(ref)

    def fits(self, asked: Asked, found: PromptRead) -> bool:
        """Whether the caller can give all variables of what was found."""
        return asked.given is None or found.version.is_fallback or asked.given.issuperset(found.version.variables)

    def needs_another(self, found: PromptVersion, values: Mapping[str, object]) -> bool:
        """Whether these values cannot fill in a version, and another one may be served."""
        if self._fitting is None or found.is_fallback or not self.is_cached:
            return False
        return not all(variable in values for variable in found.variables)

    def asks_for_another(self, asked: Asked, found: PromptRead) -> bool:
        """Whether a shared store has to be asked for a version that fits."""
        if self.fits(asked, found) or self._fitting is None:
            return False
        return self._fitting.asks_the_store(asked.ref)

    def fitted(self, asked: Asked, found: PromptRead) -> PromptRead:
        """What was found, or the last version that fits the caller; raises MissingVariableError if there is none."""
        if asked.given is None or self.fits(asked, found):
            is_locked = found.source != "fallback" and self.has_lock_for(asked.ref)
            return PromptRead(found.version, found.source, found.age, is_locked=True) if is_locked else found
        if self._fitting is None or not asked.cache:
            raise lacking(found.version, asked.given)
        return PromptRead(self._fitting.chosen(asked.ref, found.version, asked.given), "stale", None)

    def budget(self, deadline: float | None) -> Budget:
        """What a call may spend; raises ValidationError for what is not a deadline."""
        given = None if deadline is None else rules.DEADLINE.check("deadline", deadline, ValidationError)
        seconds = self._deadline if given is None else given
        return self._unlimited if seconds is None else Budget(self._clock.now, seconds)

    def serve(self, asked: Asked) -> PromptRead:
        """The version, or what stands in for it if the platform cannot answer and nothing is known."""
        ref, budget, fallback = asked.ref, asked.budget, asked.fallback
        bundled = self._in_folder(asked)
        has_stand_in = bundled is not None or fallback is not None or asked.is_optional
        if bundled is not None and not bundled.is_fallback:  # the locked version itself: the platform has no other
            budget = budget.at_most(FIRST_READER_SECONDS, retries=0)
        is_cached = asked.cache and self.is_cached
        try:
            if is_cached:
                found = self._cache.get(ref, budget, max_age=asked.max_age, has_stand_in=has_stand_in)
                if found is not None:
                    return found
            else:
                return PromptRead(self._source.fetch(ref, budget), "platform", 0.0)
        except ScopeError as error:
            pass_on(error)
            if not (has_stand_in and is_outage(error)):
                raise
            if is_cached and isinstance(error, TimeoutError) and error.is_deadline:
                # Behind this caller: if all callers are in such haste, none of them would ever get the version.
                self._cache.renew(ref)
            if asked.is_optional:
                raise
        return self._stand_in(asked, bundled)

    def _in_folder(self, asked: Asked) -> PromptVersion | None:
        """What a folder has for it. Past the cache, a copy of a locked version alone: it is never out of date."""
        if asked.is_optional:
            return None
        if asked.cache:
            return self._bundle.find(asked.stands_in_for, asked.budget) if self._bundle else None
        return None if self._lock is None else self._lock.copy(asked.ref)

    def _stand_in(self, asked: Asked, bundled: PromptVersion | None) -> PromptRead:
        ref, fallback = asked.ref, asked.fallback
        if asked.is_optional:
            raise ConnectionError("the platform does not answer, and this version is not known")
        is_locked = bundled is not None and not bundled.is_fallback
        found = bundled if fallback is None or is_locked else stand_ins.stand_in(ref, fallback)
        assert found is not None
        self._counters.cache_event("fallback", ref, None)
        return PromptRead(found, "folder" if found is bundled else "fallback", None)


class _NotInMemory(Exception):  # noqa: N818  # no error
    pass


def _names(requires: Any) -> frozenset[str]:
    if not isinstance(requires, Collection) or isinstance(requires, (str, bytes)):
        raise ValidationError(
            f'requires must be a set or list of names such as {{"name"}}, got {type(requires).__name__}'
        )
    odd = [name for name in requires if not isinstance(name, str)]
    if odd:
        raise ValidationError(f"requires must hold names as text, got one of the type {type(odd[0]).__name__}")
    return frozenset(requires)
