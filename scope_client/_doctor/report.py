"""Report of a diagnosis: the lines for people, and the JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Optional

from .._version import __version__
from .check import Check

_OUTCOME_WORDS = {"ok": "ok", "warning": "warning", "failed": "FAILED", "skipped": "skipped"}
_WIDTH_OF_OUTCOME = max(map(len, _OUTCOME_WORDS.values()))


def lines_of(check: Check) -> Iterator[str]:
    """What people read of one check: a line, and what to do in a second one."""
    time = f"{check.seconds * 1000:6.0f} ms" if check.seconds else " " * 9
    yield f"{_OUTCOME_WORDS[check.outcome]:{_WIDTH_OF_OUTCOME}} {time}  {check.name}: {check.detail}"
    if check.remedy is not None:
        yield f"{'':{_WIDTH_OF_OUTCOME}} {'':9}  -> {check.remedy}"


def data_of(checks: Sequence[Check]) -> dict[str, Any]:
    """What programs read."""
    outcomes = [check.outcome for check in checks]
    return {
        "version": __version__,
        "failed": outcomes.count("failed"),
        "warnings": outcomes.count("warning"),
        "checks": [check.to_dict() for check in checks],
    }


def failure_of(checks: Sequence[Check]) -> Optional[str]:
    """One line if something has failed."""
    failed = [check.name for check in checks if check.outcome == "failed"]
    if not failed:
        return None
    return f"{len(failed)} {'check has' if len(failed) == 1 else 'checks have'} failed: {', '.join(failed)}"
