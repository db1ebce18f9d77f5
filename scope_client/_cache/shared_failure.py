"""What a fetch for the fleet has failed with, as it lies in a shared store for those who waited, or ask next."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from .._foreign_text import printable
from ..errors import (
    ApiError,
    ConflictError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeError,
    ServerError,
)
from .fleet_locks import Lock
from .shared_entry import CLOCK_SKEW_SECONDS, SCHEMA, id_in, new_id

MAX_SHARED_CHARACTERS = 2000  # of a message, or of a body
# What the platform says to one process about a prompt holds for its neighbours. Not what it says about credentials,
# which may be others, nor that there is no connection, which may be this machine's fault.
_SHARED_KINDS: dict[str, type[ScopeError]] = {
    kind.__name__: kind
    for kind in (ApiError, ConflictError, NoProductionVersionError, NotFoundError, RateLimitError, ServerError)
}
_PROXY_AUTHENTICATION_REQUIRED = 407
_TEXT_FACTS = ("http_body", "error_code", "request_id", "prompt_id")


class Failure(NamedTuple):
    """The error that another process met `age` seconds ago, as it was then; `holder` is whose lock it had."""

    error: ScopeError
    holder: str | None
    age: float


class Told(NamedTuple):
    """An error to leave for the others for so many `seconds`, of a fetch under `lock` that failed at `stamp`."""

    error: ScopeError
    lock: Lock
    stamp: float
    generation: int
    seconds: float


def is_shared(error: ScopeError) -> bool:
    """Whether it says something about the prompt, or about the platform, that holds for the whole fleet.

    Not that a locked version is gone: the neighbour may have a copy.
    """
    if error._breaks_lock or error.http_status in (None, _PROXY_AUTHENTICATION_REQUIRED):
        return False
    return _SHARED_KINDS.get(type(error).__name__) is type(error)


def failure_text(told: Told) -> str:
    """`lock` names the lock under which the next fetch is made, as in the entry of a version."""
    error = told.error
    facts = {name: getattr(error, name, None) for name in (*_TEXT_FACTS, "http_status", "retry_after")}
    texts = {name: fact[:MAX_SHARED_CHARACTERS] for name, fact in facts.items() if isinstance(fact, str)}
    said = {**facts, **texts, "kind": type(error).__name__, "message": error.message[:MAX_SHARED_CHARACTERS]}
    entry = {"schema": SCHEMA, "generation": told.generation, "failed_at": told.stamp, "lock": new_id()}
    return json.dumps({**entry, "failure": {**said, "holder": told.lock.holder}})


def failure_in(entry: dict[str, Any], *, generation: int, now: float) -> Failure | None:
    """None for whatever cannot be used: another schema, another generation, a time to come, garbage."""
    said: Any = entry.get("failure")
    stamp: Any = entry.get("failed_at")
    if not isinstance(said, dict) or (entry.get("schema"), entry.get("generation")) != (SCHEMA, generation):
        return None
    kind, message, status = _SHARED_KINDS.get(str(said.get("kind"))), said.get("message"), said.get("http_status")
    if kind is None or type(message) is not str or type(status) is not int or not _is_number(stamp):
        return None
    age = now - stamp
    if age < -CLOCK_SKEW_SECONDS:
        return None
    error: Any = kind(http_status=status)
    error.message = printable(message, MAX_SHARED_CHARACTERS)
    error.args = (error.message,)
    for name in _TEXT_FACTS:
        fact = said.get(name)
        if hasattr(error, name) and type(fact) is str:
            is_shown = name in ("error_code", "request_id")
            setattr(error, name, printable(fact) if is_shown else fact[:MAX_SHARED_CHARACTERS])
    wait: Any = said.get("retry_after")
    if _is_number(wait):
        error.retry_after = float(wait)
    return Failure(error, id_in(said, "holder"), max(age, 0.0))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
