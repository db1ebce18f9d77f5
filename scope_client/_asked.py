"""Asked: one read, its arguments checked."""

from __future__ import annotations

from collections.abc import Mapping

from ._cache.policy import FIRST_READER_SECONDS
from ._http.budget import Budget
from ._prompt.fallback import Fallback
from ._prompt.ref import PromptRef


class Asked:
    """One read. `given` are the variables that the caller can give, None for any; `key` picks in a rollout.

    `values` are what the caller fills in, if that is known: a version that they do not fit is not picked. A read
    `is_optional` if there is another version to serve: it waits a moment at most, and nothing stands in for it.
    `stands_in_for` is the ref whose stand-in is served, if that is another one.
    """

    __slots__ = (
        *("budget", "cache", "fallback", "given", "is_optional", "key", "max_age", "ref", "stands_in_for"),
        "values",
    )

    def __init__(
        self,
        ref: PromptRef,
        budget: Budget,
        fallback: Fallback = None,
        cache: bool = True,
        max_age: float | None = None,
        given: frozenset[str] | None = None,
        key: str | None = None,
    ) -> None:
        self.ref = self.stands_in_for = ref
        self.budget = budget
        self.fallback = fallback
        self.cache = cache
        self.max_age = max_age
        self.given = given
        self.key = key
        self.values: Mapping[str, object] | None = None
        self.is_optional = False

    def within(self, budget: Budget, fallback: Fallback) -> Asked:
        """The same read within another budget, and with another fallback."""
        twin = Asked(self.ref, budget, fallback, self.cache, self.max_age, self.given, self.key)
        twin.values, twin.is_optional, twin.stands_in_for = self.values, self.is_optional, self.stands_in_for
        return twin

    def of_anyone(self) -> Asked:
        """The same read by a caller who can give every variable."""
        twin = self.within(self.budget, self.fallback)
        twin.given = None
        return twin

    def by_id(self, version_id: str) -> Asked:
        """A version in the place of what is asked for, with the same stand-in."""
        twin = Asked(PromptRef(self.ref.name, None, version_id), self.budget, self.fallback, self.cache, self.max_age)
        twin.stands_in_for = self.ref
        return twin

    def of_candidate(self, version_id: str) -> Asked:
        """A version in the place of the one in production, which is at hand."""
        budget = self.budget.at_most(FIRST_READER_SECONDS, retries=0)
        twin = Asked(PromptRef(self.ref.name, None, version_id), budget, None, self.cache, self.max_age)
        twin.is_optional = True
        return twin
