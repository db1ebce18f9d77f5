"""Report: what a command found, as lines for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """Something that is wrong; `file` and `line` are None where no template is at fault."""

    message: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = "" if self.file is None else f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return place + self.message

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()


class Report:
    """`failure` is one line that says why a command did not succeed, or None."""

    def __init__(self, lines: Sequence[str], data: Mapping[str, Any], failure: str | None = None) -> None:
        self.lines = tuple(lines)
        self.data = dict(data)
        self.failure = failure

    def text(self, *, as_json: bool = False, encoding: str | None = None) -> str:
        """What the encoding cannot hold is shown by its code point."""
        text = json.dumps(self.data, indent=2, ensure_ascii=False) if as_json else "\n".join(self.lines)
        return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
