"""Rollout: which version a key gets, by what the metadata of a production version says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from .._interrupts import pass_on
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._prompt.values import is_none, plain_text
from .._wording import cut, shown
from ..errors import ScopeError, ValidationError

ROLLOUT_IN_METADATA = "rollout"
MAX_CANDIDATES = 20
ALL_PERCENT = 100
HASHED_OCTETS = 8
HASH_RANGE = 256**HASHED_OCTETS
_ABOVE_ALL_HASHES = b"\xff" * 64
SUM_TOLERANCE = 1e-9  # 33.3 + 33.3 + 33.4 is not 100 in binary
_NO_KEYS = (bool, float, complex, bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset, type)


class _Sample(NamedTuple):
    candidate: str
    salt: bytes
    below: bytes


class Rollout:
    """The candidates of a production version, and the percentage of the keys that each of them gets.

    A key is in a candidate's sample if the first eight octets of SHA-256(candidate's ID + NUL + key) are below the
    candidate's share of 2**64. So each candidate has a sample of its own, that only grows with its percentage. With
    several, the candidates are asked in the order of their IDs, and each shares in what those before it leave over.
    """

    __slots__ = ("_samples", "_sha256", "candidates")

    def __init__(self, percentages: Mapping[str, float]) -> None:
        from hashlib import sha256

        self._sha256 = sha256
        self.candidates = tuple(sorted(candidate for candidate, percent in percentages.items() if percent))
        samples = []
        left: float = ALL_PERCENT
        for candidate in self.candidates:
            share = min(percentages[candidate] / left, 1.0) if left > 0 else 0.0
            samples.append(_Sample(candidate, candidate.encode() + b"\0", _octets(int(share * HASH_RANGE))))
            left -= percentages[candidate]
        self._samples = tuple(samples)

    def picked(self, key: str) -> str | None:
        """The candidate that this key gets, or None for the production version."""
        octets = key.encode("utf-8", "surrogatepass")
        for candidate, salt, below in self._samples:
            if self._sha256(salt + octets).digest() < below:  # as its first octets are, in the order of numbers
                return candidate
        return None


def _octets(below: int) -> bytes:
    return below.to_bytes(HASHED_OCTETS, "big") if below < HASH_RANGE else _ABOVE_ALL_HASHES


def rollout_of(version: PromptVersion) -> Rollout | None:
    """The rollout that a version's metadata describes, None if there is none.

    Raises ValidationError, which says in a clause what is wrong, for one that cannot be carried out.
    """
    given = None if version.is_fallback else version.get_metadata(ROLLOUT_IN_METADATA)
    if given is None or given == {}:
        return None
    if not isinstance(given, Mapping):
        raise ValidationError(f"it must map version IDs to percentages, got {shown(given)}")
    if len(given) > MAX_CANDIDATES:
        raise ValidationError(f"it must name at most {MAX_CANDIDATES} versions, got {len(given)}")
    for candidate, percent in given.items():
        _check_candidate(version, candidate)
        _check_percent(candidate, percent)
    if math.fsum(given.values()) > ALL_PERCENT + SUM_TOLERANCE:
        raise ValidationError(
            f"the percentages must be {ALL_PERCENT} together at most, got {math.fsum(given.values())}"
        )
    return Rollout(given)


def _check_candidate(version: PromptVersion, candidate: str) -> None:
    if candidate == version.id:
        raise ValidationError(f"it names {shown(candidate)}, which is the production version itself")
    try:
        PromptRef.of(version.name or candidate, None, candidate)
    except (ScopeError, TypeError) as error:
        raise ValidationError(str(error)) from None


def _check_percent(candidate: str, percent: object) -> None:
    is_number = isinstance(percent, (int, float)) and not isinstance(percent, bool)
    if not is_number or not 0 <= percent <= ALL_PERCENT:  # type: ignore[operator]  # NaN is in no range
        raise ValidationError(
            f"the percentage of {shown(candidate)} must be a number from 0 to {ALL_PERCENT}, got {shown(percent)}"
        )


def key_text(key: Any) -> Optional[str]:
    """The text of what a caller gives as `key`, the same in each process; None if there is no key.

    Raises ValidationError for what has no such text.
    """
    if type(key) is str and key:
        return key
    if type(key) is int:
        return _digits(key)
    if is_none(key):
        return None
    text = _text(key)
    if not text:
        raise ValidationError("key must not be empty: give None for a read without a rollout")
    return text


def _text(key: Any) -> str:
    if isinstance(key, str):
        return plain_text(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return _digits(key)
    kind = key.__class__  # that of what a proxy stands for
    if hasattr(kind, "_meta") and hasattr(kind, "pk"):
        raise ValidationError(f"key must not be a whole record, got {kind.__name__}: give its ID, such as user.id")
    is_enum = hasattr(kind, "__members__")
    if isinstance(key, _NO_KEYS) or is_enum or kind.__str__ is object.__str__:
        raise ValidationError(
            f"key must be text, a whole number or a UUID, such as user.id, got {kind.__name__}, "
            "which has no text that is the same in each process"
        )
    try:
        text = plain_text(str(key))
    except Exception as error:
        pass_on(error)
        raise ValidationError(
            f"key must have a text, and str() of this {kind.__name__} fails: {cut(str(error))}"
        ) from error
    if " at 0x" in text:
        raise ValidationError(f"key must be text, a whole number or a UUID, such as user.id, got {kind.__name__}")
    return text


def _digits(key: int) -> str:
    try:
        return int.__repr__(key) if issubclass(type(key), int) else plain_text(str(key))  # of a proxy
    except ValueError as error:
        raise ValidationError("key must be a number that has a text: it has more digits than Python writes") from error
