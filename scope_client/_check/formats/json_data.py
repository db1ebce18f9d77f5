"""The JSON format. Its keys are stable: later versions may add some, and take none away."""

from __future__ import annotations

from typing import Any

from ..comparison import Unchecked
from ..finding import CODES, CodeFinding
from ..outcome import Outcome
from ..severity import level_of

JSON_FORMAT = 1


def json_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome as one JSON object."""
    return {
        "format": JSON_FORMAT,
        "findings": [*map(_problem, outcome.problems), *map(_finding, outcome.findings)],
        "unchecked": list(map(_unchecked, outcome.unchecked)),
        "checked": outcome.checked,
        "prompts": outcome.prompts,
        "uses": outcome.checked + len(outcome.unchecked),
        "files": outcome.files,
        "against": outcome.against,
        "ignored": outcome.ignored,
        "in_baseline": outcome.known,
        "outdated": [entry._asdict() for entry in outcome.outdated],
        "notes": list(outcome.notes),
    }


def _finding(finding: CodeFinding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "title": CODES[finding.code],
        "level": level_of(finding.code),
        "message": finding.message,
        **finding.place._asdict(),
        "prompt": finding.prompt,
        "subject": finding.subject,
        "within": finding.within,
    }


def _problem(message: str) -> dict[str, Any]:
    nowhere = dict.fromkeys(("file", "line", "column", "prompt"))
    return {"code": None, "title": None, "level": "error", "message": message, **nowhere, "subject": "", "within": ""}


def _unchecked(unchecked: Unchecked) -> dict[str, Any]:
    return {**unchecked.use.place._asdict(), "prompt": unchecked.use.name, "why": unchecked.why}
