"""PinsAndRollouts: the steps of a read that pins answer, or a rollout."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Optional

from ._asked import Asked
from ._attribute_names import ID_OF_VERSION, PROMPT_NAME
from ._cache.cache import PromptCache
from ._cache.fitting import lacking
from ._cache.platform_breaker import is_gone
from ._clock import Clock
from ._foreign_text import printable
from ._interrupts import pass_on
from ._log import Log
from ._prompt.prompt_read import PromptRead
from ._read_steps import ReadRules, Steps
from ._rollouts.keyed_reads import KeyedReads
from ._rollouts.picking import key_text
from ._wording import shown
from .errors import ScopeError

if TYPE_CHECKING:
    from ._pins.pin_state import PinState
    from ._pins.pinned_prompts import PinnedPrompt, PinnedVersion

_log = Log("scope_client.pins")
_Found = Generator[Asked, PromptRead, Optional[PromptRead]]


class PinsAndRollouts:
    """What pins and rollouts make of the reads of one client."""

    def __init__(self, rules: ReadRules, cache: PromptCache, clock: Clock) -> None:
        self._rules = rules
        self._now = clock.now
        self.rollouts = KeyedReads(rules, cache, clock)
        self.key_text = key_text

    def steps(self, asked: Asked, pins: tuple[PinState, ...]) -> Steps:
        """One read, under these pins, of which the first is the innermost."""
        if asked.ref.label is None:
            return (yield asked)
        if self._rules.has_lock_for(asked.ref):
            found = yield asked
            for each in pins:
                each.replace(asked.ref, found, self._now())
            return found
        pinned = yield from self._pinned(asked, pins)
        if pinned is not None:
            return pinned
        found = yield from self.rollouts.steps(asked)
        return found if found.version.is_fallback else self._kept(asked, pins, found)

    def prefetch(self, asked: Asked, pins: tuple[PinState, ...]) -> Steps:
        """The same, and the candidates of a rollout, whose errors are logged instead."""
        found = yield from self.steps(asked, pins)
        if not self._rules.has_lock_for(asked.ref):
            yield from self.rollouts.candidates(asked, found)
        return found

    def _pinned(self, asked: Asked, pins: tuple[PinState, ...]) -> _Found:
        """What is pinned and fits the caller."""
        unfit: PromptRead | None = None
        for each in pins:
            prompt = each.find(asked.ref)
            for version in () if prompt is None else tuple(prompt.versions):
                assert prompt is not None
                found = version.again(self._now()) or (yield from self._of_token(asked, prompt, version))
                if found is not None and self._rules.fits(asked, found):
                    if prompt.versions[:1] == [version]:
                        pins[0].answer_at_once(asked.ref, found, self._now())
                    return found
                unfit = unfit or found
        if unfit is not None and asked.given is not None and not self._rules.serves_last_fitting:
            raise lacking(unfit.version, asked.given)
        return None

    def _of_token(self, asked: Asked, prompt: PinnedPrompt, version: PinnedVersion) -> _Found:
        """A version that a token names; None, and it is no longer pinned, if the platform no longer has it."""
        assert version.version_id is not None
        try:
            found = yield asked.by_id(version.version_id)
        except ScopeError as error:
            pass_on(error)
            if not is_gone(error):
                raise
            prompt.drop(version)
            if self.rollouts.tell_once("gone", asked.ref.name, version.version_id):
                _log.warning(
                    "the prompt %s: version %s is pinned, and the platform no longer has it; "
                    "the present version is pinned in its place",
                    shown(asked.ref.name),
                    printable(version.version_id),
                    facts={PROMPT_NAME: asked.ref.name, ID_OF_VERSION: version.version_id},
                )
            return None
        if found.version.is_fallback:
            return found
        version.was_read(found, self._now())
        return PromptRead(found.version, found.source, found.age, variant=version.variant)

    def _kept(self, asked: Asked, pins: tuple[PinState, ...], found: PromptRead) -> PromptRead:
        """Pins what was read, or returns what another thread has pinned meanwhile."""
        now = self._now()
        for each in reversed(pins):  # the outermost first, whose blocks the others are in
            prompt = each.keep(asked.ref, found, now)
            first = self._first_fitting(asked, prompt, now)
            found = first if first and first.version is not found.version else found
            if [version.version_id for version in prompt.versions[:1]] == [found.version.id]:
                each.answer_at_once(asked.ref, found, now)
        return found

    def _first_fitting(self, asked: Asked, prompt: PinnedPrompt, now: float) -> PromptRead | None:
        reads = (version.again(now) for version in prompt.versions)
        return next((read for read in reads if read and self._rules.fits(asked, read)), None)
