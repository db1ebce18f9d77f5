"""Asked: one read, its arguments checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ._cache.policy import FIRST_READER_SECONDS
from ._http.budget import Budget
from ._prompt.fallback import Fallback
from ._prompt.ref import PromptRef


class Asked(NamedTuple):
    """One read. `given` are the variables that the caller can give, None for any; `key` picks in a rollout.

    `values` are what the caller fills in, if that is known: a version that they do not fit is not picked. A read
    `is_optional` if there is another version to serve: it waits a moment at most, and nothing stands in for it.
    `in_place_of` is the ref whose stand-in is served, None if that is `ref` itself.
    """

    ref: PromptRef
    budget: Budget
    fallback: Fallback = None
    cache: bool = True
    max_age: float | None = None
    given: frozenset[str] | None = None
    key: str | None = None
    values: Mapping[str, object] | None = None
    is_optional: bool = False
    in_place_of: PromptRef | None = None

    @property
    def stands_in_for(self) -> PromptRef:
        return self.in_place_of or self.ref

    def within(self, budget: Budget, fallback: Fallback) -> Asked:
        """The same read within another budget, and with another fallback."""
        return self._replace(budget=budget, fallback=fallback)

    def of_anyone(self) -> Asked:
        """The same read by a caller who can give every variable."""
        return self._replace(given=None)

    def by_id(self, version_id: str) -> Asked:
        """A version in the place of what is asked for, with the same stand-in."""
        ref = PromptRef(self.ref.name, None, version_id)
        return Asked(ref, self.budget, self.fallback, self.cache, self.max_age, in_place_of=self.ref)

    def of_candidate(self, version_id: str) -> Asked:
        """A version in the place of the one in production, which is at hand."""
        ref = PromptRef(self.ref.name, None, version_id)
        budget = self.budget.at_most(FIRST_READER_SECONDS, retries=0)
        return Asked(ref, budget, None, self.cache, self.max_age, is_optional=True)
