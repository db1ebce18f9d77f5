"""What lies in a shared store: JSON text with a schema number, for a version or for the lock of one."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._prompt.jsonvalue import parse
from .._prompt.prompt_version import PromptVersion, version_in
from .._prompt.ref import PromptRef
from .._stores.cache_store import CacheStore
from ..errors import ApiError

SCHEMA = 1
CLOCK_SKEW_SECONDS = 1.0  # what the clocks of a fleet may differ by
ID_BYTES = 4
MAX_SAID_SECONDS = 1000.0
MAX_VERSIONS_CHARACTERS = 900_000


class Found(NamedTuple):
    """A version fetched at `stamp`, in seconds since 1970, which is `age` seconds ago; fresh for `life` seconds."""

    version: PromptVersion
    stamp: float
    age: float
    life: float
    generation: int


def entry_text(version: PromptVersion, *, stamp: float, life: float, generation: int) -> str:
    """`lock` names the lock under which this very entry is replaced."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "generation": generation,
            "fetched_at": stamp,
            "life": life,
            "lock": new_id(),
            "version": version.to_dict(),
        }
    )


def lock_text(holder: str, silent_for: float | None = None) -> str:
    """`silent_for` is in how many seconds the holder says that it is still at it; None if it does not."""
    return json.dumps({"schema": SCHEMA, "holder": holder, "silent_for": silent_for})


def new_id() -> str:
    return os.urandom(ID_BYTES).hex()


def parsed(text: str) -> dict[str, Any]:
    """An empty one for what is not JSON, or not an object."""
    try:
        entry = parse(text)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def id_in(entry: dict[str, Any], name: str) -> str | None:
    found = entry.get(name)
    is_one = isinstance(found, str) and len(found) == 2 * ID_BYTES and found.isascii() and found.isalnum()
    return found if is_one else None


def seconds_in(entry: dict[str, Any], name: str) -> float | None:
    found: Any = entry.get(name)
    is_one = type(found) in (int, float) and 0 <= found < MAX_SAID_SECONDS
    return float(found) if is_one else None


def values_of(store: CacheStore, *keys: str) -> Mapping[str, str]:
    """What lies under the keys. Raises TypeError if the store, which may be anybody's, breaks its promise."""
    values = store.get_many(keys)
    if not isinstance(values, Mapping):
        raise TypeError(f"get_many must return a mapping, got {type(values).__name__}")
    for value in values.values():
        if not isinstance(value, str):
            raise TypeError(f"get_many must return text by key, got {type(value).__name__}")
    return values


def versions_text(versions: Sequence[tuple[PromptVersion, float]]) -> str:
    """The text of several versions of a prompt, each with a time in seconds since 1970.

    Without the oldest of them, if it would be too long for a store that takes a megabyte, as memcached does.
    """
    texts = [json.dumps({"at": at, "version": version.to_dict()}) for version, at in versions]
    newest_first = [text for _, text in sorted(zip([at for _, at in versions], texts), reverse=True)]
    room = MAX_VERSIONS_CHARACTERS
    kept: list[str] = []
    for text in newest_first:
        room -= len(text)
        if kept and room < 0:
            break
        kept.append(text)
    return f'{{"schema": {SCHEMA}, "versions": [{", ".join(kept)}]}}'


def versions_in(entry: dict[str, Any], ref: PromptRef, extra_values: str) -> list[tuple[PromptVersion, float]]:
    """Those of `versions_text` that can be used."""
    found = []
    bodies = entry.get("versions") if entry.get("schema") == SCHEMA else None
    for body in bodies if isinstance(bodies, list) else ():
        with contextlib.suppress(ApiError, ValueError, TypeError, KeyError, AttributeError):
            found.append((version_in(body["version"], ref, extra_values=extra_values), float(body["at"])))
    return found


def found_in(entry: dict[str, Any], ref: PromptRef, *, generation: int, now: float, extra_values: str) -> Found | None:
    """None for whatever cannot be used: another schema, another generation, a time to come, garbage."""
    try:
        if entry.get("schema") != SCHEMA or entry.get("generation") != generation:
            return None
        stamp, life = float(entry["fetched_at"]), float(entry["life"])
        age = now - stamp
        if not (math.isfinite(stamp) and math.isfinite(life) and life >= 0) or age < -CLOCK_SKEW_SECONDS:
            return None
        return Found(
            version_in(entry["version"], ref, extra_values=extra_values), stamp, max(age, 0.0), life, generation
        )
    except (ApiError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
