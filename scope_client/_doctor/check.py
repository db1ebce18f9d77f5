"""Check: what came of one step, how long it took, and what to do if it failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable, Literal, NamedTuple, Optional

from .._clock import SYSTEM_CLOCK
from .._redaction import Redaction

Outcome = Literal["ok", "warning", "failed", "skipped"]


class Said(NamedTuple):
    """What a step has found."""

    outcome: Outcome
    detail: str
    remedy: Optional[str] = None


class Check(NamedTuple):
    """One step of a diagnosis."""

    name: str
    """What was looked at, such as "dns api.scope.io"."""
    outcome: Outcome
    """"ok", "warning", "failed" or "skipped"."""
    seconds: float
    """How long it took."""
    detail: str
    """What was found, without a secret."""
    remedy: Optional[str] = None
    """What to do, if it is not ok."""

    def without(self, redaction: Redaction) -> Check:
        """The same without secrets, wherever somebody has put one by mistake."""
        remedy = None if self.remedy is None else redaction.text(self.remedy)
        return self._replace(name=redaction.text(self.name), detail=redaction.text(self.detail), remedy=remedy)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name; fit for JSON."""
        return {**self._asdict(), "seconds": round(self.seconds, 6)}


def ok(detail: str) -> Said:
    return Said("ok", detail)


def warning(detail: str, remedy: str) -> Said:
    return Said("warning", detail, remedy)


def failed(detail: str, remedy: str) -> Said:
    return Said("failed", detail, remedy)


def skipped(detail: str) -> Said:
    return Said("skipped", detail)


def timed(name: str, look: Callable[[], Said]) -> Check:
    """What a step found, with its time."""
    began = SYSTEM_CLOCK.now()
    said = look()
    return Check(name, said.outcome, SYSTEM_CLOCK.now() - began, said.detail, said.remedy)


def at_once(name: str, said: Said) -> Check:
    """What was found without a look at anything that takes time."""
    return Check(name, said.outcome, 0.0, said.detail, said.remedy)


def has_failed(checks: Iterable[Check]) -> bool:
    return any(check.outcome == "failed" for check in checks)
