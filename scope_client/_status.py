"""Status: how a client is doing, as a frozen value for health pages."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, Optional

from ._frozen import Frozen

State = Literal["fresh", "stale", "gone"]


class PromptStatus(Frozen):
    """One cached version: what was asked for, and what is kept for it."""

    __slots__ = (
        *("name", "label", "version", "version_id", "version_number", "age", "state", "missing_variables"),
        "is_locked",
    )
    name: str
    """The name or ID that was asked for."""
    label: Optional[str]
    """"production" or "latest"; None if a version was asked for."""
    version: Optional[str]
    """The version ID that was asked for; None if a label was asked for."""
    version_id: Optional[str]
    """The ID of the version that is kept."""
    version_number: Optional[int]
    """The number of the version that is kept."""
    age: float
    """Seconds since the version was fetched."""
    state: State
    """"fresh", "stale" (expired, kept as the last known good) or "gone" (too old even for that)."""
    missing_variables: tuple[str, ...]
    """What this version needs and calls do not give, so that the last version that fits is served; or ()."""
    is_locked: bool
    """Whether the lock names the version that answers this."""

    def __init__(
        self,
        *,
        name: str,
        label: Optional[str],
        version: Optional[str],
        version_id: Optional[str],
        version_number: Optional[int],
        age: float,
        state: State,
        missing_variables: tuple[str, ...] = (),
        is_locked: bool = False,
    ) -> None:
        self._freeze(
            name=name,
            label=label,
            version=version,
            version_id=version_id,
            version_number=version_number,
            age=age,
            state=state,
            missing_variables=missing_variables,
            is_locked=is_locked,
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields by name; fit for JSON."""
        return {**self._fields(), "missing_variables": list(self.missing_variables)}

    def __reduce__(self) -> Any:
        return functools.partial(type(self), **self._fields()), ()


class Status(Frozen):
    """How a client is doing at one moment."""

    __slots__ = (
        "is_down",
        "is_refused",
        "is_serving_stale",
        "prompts",
        "last_error",
        "last_error_age",
        "token_expires_in",
        "counters",
        "lock",
        "locked_prompts",
    )
    is_down: bool
    """Whether the platform did not answer when it was last asked."""
    is_refused: bool
    """Whether the platform refuses the credentials, so that a read of what is not cached fails."""
    is_serving_stale: bool
    """Whether a version past its end was served within the last minute, and has not been renewed since."""
    prompts: tuple[PromptStatus, ...]
    """The versions in memory."""
    last_error: Optional[str]
    """The class and message of the error in which a fetch last ended, whether a reader saw it or not."""
    last_error_age: Optional[float]
    """Seconds since then."""
    token_expires_in: Optional[float]
    """Seconds for which the token is still valid; None if there is no token."""
    counters: Mapping[str, int]
    """What happened since the client was made: "fetches", "errors", "refreshes", "changes" (of the version in memory),
    "stale" (reads of versions past their end), "fallbacks", "evictions", "unfit" (reads of the last version that fits)
    and "store_failures" (of the shared cache).
    """
    lock: Optional[str]
    """Where the lock is, if there is one."""
    locked_prompts: int
    """How many prompts the lock has; 0 without a lock."""

    def __init__(
        self,
        *,
        is_down: bool,
        is_refused: bool = False,
        is_serving_stale: bool,
        prompts: tuple[PromptStatus, ...],
        last_error: Optional[str],
        last_error_age: Optional[float],
        token_expires_in: Optional[float],
        counters: Mapping[str, int],
        lock: Optional[str] = None,
        locked_prompts: int = 0,
    ) -> None:
        self._freeze(
            is_down=is_down,
            is_refused=is_refused,
            is_serving_stale=is_serving_stale,
            prompts=prompts,
            last_error=last_error,
            last_error_age=last_error_age,
            token_expires_in=token_expires_in,
            counters=MappingProxyType(dict(counters)),
            lock=lock,
            locked_prompts=locked_prompts,
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, down to the last; fit for JSON, and without secrets."""
        prompts = [each.to_dict() for each in self.prompts]
        return {**self._fields(), "prompts": prompts, "counters": dict(self.counters)}

    def __hash__(self) -> int:
        return hash((self.is_down, self.prompts, self.last_error))

    def __reduce__(self) -> Any:
        fields = {**self._fields(), "counters": dict(self.counters)}  # a read-only mapping does not pickle
        return functools.partial(type(self), **fields), ()
