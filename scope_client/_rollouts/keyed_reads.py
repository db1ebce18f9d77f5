"""KeyedReads: the reads of one client that have a key, and what is known of its prompts' rollouts."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple, Optional

from .._asked import Asked
from .._attribute_names import ID_OF_VERSION, PROMPT_NAME, SERVED_VERSION_ID
from .._cache.cache import PromptCache
from .._clock import Clock
from .._error_facts import error_facts
from .._foreign_text import printable
from .._interrupts import pass_on
from .._log import Log
from .._prompt.prompt_read import PromptRead
from .._prompt.prompt_version import PromptVersion, refused_values
from .._prompt.ref import LABELS, PromptRef
from .._read_steps import ReadRules, Steps
from .._wording import listed, shown
from ..errors import ScopeError, ValidationError
from .picking import ROLLOUT_IN_METADATA, Rollout, key_text, rollout_of

_log = Log("scope_client.rollout")
ASK_FOR_CANDIDATE_AGAIN_SECONDS = 30.0
MAX_KNOWN_ROLLOUTS = 1000


class _Known(NamedTuple):
    version: PromptVersion
    rollout: Optional[Rollout]


class KeyedReads:
    """What is known of them follows from the versions that are read; so it needs no lock, and a fork keeps it."""

    def __init__(self, rules: ReadRules, cache: PromptCache, clock: Clock) -> None:
        self._rules = rules
        self._cache = cache
        self._entries = cache.entries
        self._now: Callable[[], float] = clock.now
        self._known: dict[str, _Known] = {}
        self._missing_until: dict[str, float] = {}
        self._told: set[tuple[str, ...]] = set()

    def quick(self, name: str, key: object) -> PromptVersion | None:
        """What a plain read of a production version finds in memory; None if more has to be done."""
        known = self._known.get(name)
        entry = self._entries.get(name)
        if known is None or entry is None or known.version is not entry.version:
            return None
        now = self._now()
        if now >= entry.due_at:
            return None
        if known.rollout is not None:
            text = key if type(key) is str and key else key_text(key)
            picked = None if text is None else known.rollout.picked(text)
            if picked is not None:
                entry = self._entries.get((name, None, picked))
                if entry is None or now >= entry.due_at:
                    return None
        entry.read_at = now
        return entry.version

    def steps(self, asked: Asked) -> Steps:
        """A read, with a key or without."""
        if asked.key is None or asked.ref.label != LABELS[0]:
            return (yield asked)
        found = yield asked.of_anyone()
        rollout = self._rollout(asked.ref, found.version)
        if rollout is None:
            return found if self._rules.fits(asked, found) else (yield asked)
        picked = rollout.picked(asked.key)
        self._keep_warm(asked, rollout, picked)
        candidate = None if picked is None else (yield from self._candidate(asked, found.version, picked))
        if candidate is not None:
            return PromptRead(candidate.version, candidate.source, candidate.age, variant=picked)
        if not self._rules.fits(asked, found):
            return (yield asked)
        # Who was to get the candidate, and could not, is in neither group.
        variant = found.version.id if picked is None else None
        return PromptRead(found.version, found.source, found.age, found.is_locked, variant)

    def candidates(self, asked: Asked, found: PromptRead) -> Generator[Asked, PromptRead, None]:
        """Reads the candidates of a production version that was read, as far as they can be had."""
        is_production = asked.ref.label == LABELS[0] and found.variant is None
        if not is_production or ROLLOUT_IN_METADATA not in found.version.metadata:
            return
        rollout = self._rollout(asked.ref, found.version)
        for each in () if rollout is None else rollout.candidates:
            yield from self._had(asked, found.version, each)

    def tell_once(self, *words: str) -> bool:
        """Whether this is the first time that these words are given."""
        is_new = words not in self._told
        if len(self._told) >= MAX_KNOWN_ROLLOUTS:
            self._told.clear()
        self._told.add(words)
        return is_new

    def _rollout(self, ref: PromptRef, version: PromptVersion) -> Rollout | None:
        known = self._known.get(ref.name)
        if known is not None and known.version is version:
            return known.rollout
        try:
            rollout = rollout_of(version)
        except ValidationError as error:
            rollout = None
            if self.tell_once("flaw", ref.name, str(version.id)):
                _log.warning(
                    "the prompt %s: the rollout in the metadata of version %s is left aside: %s",
                    shown(ref.name),
                    printable(version.id or "?"),
                    error.message,
                    facts={PROMPT_NAME: ref.name, ID_OF_VERSION: version.id},
                )
        if len(self._known) >= MAX_KNOWN_ROLLOUTS:
            self._known.clear()
        self._known[ref.name] = _Known(version, rollout)
        return rollout

    def _keep_warm(self, asked: Asked, rollout: Rollout, picked: str | None) -> None:
        """Fetches, behind the reader, what memory has not or is to renew, apart from what is read next."""
        if not (asked.cache and self._rules.is_cached):
            return
        for each in rollout.candidates:
            ref = PromptRef(asked.ref.name, None, each)
            if each != picked and not self._is_missing(ref):
                self._cache.keep_warm(ref)

    def _is_missing(self, ref: PromptRef) -> bool:
        """Whether it could not be had a moment ago, nor has it come since."""
        until = self._missing_until.get(ref.version or "")
        return until is not None and self._now() < until and ref.key not in self._entries

    def _candidate(
        self, asked: Asked, production: PromptVersion, picked: str
    ) -> Generator[Asked, PromptRead, Optional[PromptRead]]:
        """None if it cannot be had now, or cannot be filled in by this caller."""
        found = yield from self._had(asked, production, picked)
        if found is None:
            return None
        flaw = self._misfit(asked, found)
        if flaw and self.tell_once("misfit", asked.ref.name, picked, flaw):
            _log.warning(
                "the prompt %s: version %s, which its rollout names, %s; the production version is served in its place",
                shown(asked.ref.name),
                printable(picked),
                flaw,
                facts={PROMPT_NAME: asked.ref.name, ID_OF_VERSION: picked, SERVED_VERSION_ID: production.id},
            )
        return None if flaw else found

    def _had(
        self, asked: Asked, production: PromptVersion, picked: str
    ) -> Generator[Asked, PromptRead, Optional[PromptRead]]:
        wanted = asked.of_candidate(picked)
        if self._is_missing(wanted.ref):
            return None
        try:
            return (yield wanted)
        except ScopeError as error:
            pass_on(error)
            if len(self._missing_until) >= MAX_KNOWN_ROLLOUTS:
                self._missing_until.clear()
            self._missing_until[picked] = self._now() + ASK_FOR_CANDIDATE_AGAIN_SECONDS
            if self.tell_once("missing", asked.ref.name, picked, type(error).__name__):
                _log.warning(
                    "the prompt %s: version %s, which the rollout of version %s names, cannot be had: %s; "
                    "the production version is served in its place",
                    shown(asked.ref.name),
                    printable(picked),
                    printable(production.id or "?"),
                    error,
                    facts={
                        PROMPT_NAME: asked.ref.name,
                        ID_OF_VERSION: picked,
                        SERVED_VERSION_ID: production.id,
                        **error_facts(error),
                    },
                )
            return None

    def _misfit(self, asked: Asked, found: PromptRead) -> str:
        """Why this caller cannot fill in what was found; empty if it can."""
        needed, values = found.version.variables, asked.values
        given = asked.given if values is None else values
        lacking = [] if given is None else [name for name in needed if name not in given]
        if lacking:
            return f"needs {listed(lacking)}, which the code does not give"
        surplus = [name for name in values or () if isinstance(name, str) and name not in needed]
        refused = refused_values(found.version, surplus)
        return f"has no variable {listed(refused)}, which the code gives" if refused else ""
