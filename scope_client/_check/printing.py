"""Printing: an outcome in the format that was asked for."""

from __future__ import annotations

import json
import os

from .._foreign_text import in_json, printable
from .formats.github import github_lines
from .formats.json_data import json_data
from .formats.sarif import sarif_log
from .formats.text import text_lines
from .outcome import Outcome

CHECK_FORMATS = ("text", "json", "github", "sarif")
LONGEST_PRINTED_CHARACTERS = 10_000


def printed(outcome: Outcome, format: str, folder: str = ".", *, is_verbose: bool = False) -> str:  # noqa: A002
    """The whole report, without a line end.

    Args:
        outcome: What was found.
        format: One of `CHECK_FORMATS`.
        folder: What the paths of places are relative to.
        is_verbose: Whether what is known only at run time is listed.
    """
    if format == "json":
        return _as_json(json_data(outcome))
    if format == "sarif":
        return _as_json(sarif_log(outcome, os.path.abspath(folder)))
    if format == "github":
        return "\n".join(github_lines(outcome, os.path.abspath(folder)))
    lines = text_lines(outcome, is_verbose=is_verbose)
    return "\n".join(printable(line, LONGEST_PRINTED_CHARACTERS) for line in lines)


def _as_json(data: object) -> str:
    return in_json(json.dumps(data, indent=2, ensure_ascii=False))
