"""Places: where exactly in its file a template asks for a prompt; an engine tells the line alone."""

import os
import re
from collections.abc import Sequence
from typing import Optional

from .._check.finding import CodeFinding
from .._check.octets import octets
from .._check.seen import Seen
from .._check.templates import seen_in_template
from .._check.use import Given, Place, Use
from ._report import Finding
from ._survey import Survey
from ._uses import TEMPLATE_FUNCTION, PromptUse

_SAYS_USES = re.compile(r"scope:[ \t]*uses\b", re.IGNORECASE)
_ASKS = re.compile(rf"(\{{[{{%]-?\s*)?{TEMPLATE_FUNCTION}")
_PRINTED_AS_TEXT = "prints it as text"


class Located:
    """What a survey found, with its places.

    Args:
        project: The folder that the paths of the survey are relative to.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        self._texts: dict[str, str] = {}

    def uses(self, survey: Survey) -> list[Use]:
        """Each use of the survey, and those that comments in its templates tell of."""
        by_file: dict[str, list[PromptUse]] = {}
        for use in survey.uses:
            by_file.setdefault(use.file, []).append(use)
        return [each for file, uses in by_file.items() for each in self._uses_of_file(file, uses)]

    def findings(self, survey: Survey) -> list[CodeFinding]:
        """What is wrong with its templates whatever the prompts are."""
        mistakes = [(use, mistake) for use in survey.uses for mistake in use.mistakes]
        return [
            *map(self._unread, survey.unread),
            *(CodeFinding(self._place(use.file, use.line), "S107", mistake, use.name) for use, mistake in mistakes),
        ]

    def _uses_of_file(self, file: str, uses: Sequence[PromptUse]) -> list[Use]:
        seen = self._seen(file)
        left = list(seen.uses)
        found = []
        for use in uses:
            like = next((each for each in left if _is_the_same(use, each)), None)
            if like is not None:
                left.remove(like)
            found.append(_use(use, like, self._place(file, use.line)))
        return [*found, *(each for each in left if self._is_said(file, each.place))]

    def _seen(self, file: str) -> Seen:
        text = self._text(file)
        return seen_in_template(text, file) if text else Seen([], [])

    def _is_said(self, file: str, place: Place) -> bool:
        return _SAYS_USES.search(self._line(file, place.line)[: place.column]) is not None

    def _unread(self, finding: Finding) -> CodeFinding:
        code = "S107" if _PRINTED_AS_TEXT in finding.message else "S100"
        return CodeFinding(self._place(finding.file or "", finding.line), code, finding.message)

    def _place(self, file: str, line: Optional[int]) -> Place:
        asks = _ASKS.search(self._line(file, line or 1))
        return Place(file, line or 1, asks.start() + 1 if asks else 1)

    def _line(self, file: str, number: int) -> str:
        lines = self._text(file).split("\n")
        return lines[number - 1] if number <= len(lines) else ""

    def _text(self, file: str) -> str:
        if file not in self._texts:
            path = os.path.join(self._project, file)
            content = octets(path, lambda path, why: None) if os.path.isfile(path) else None
            text = "" if content is None else content.decode("utf-8-sig", "replace")
            self._texts[file] = text.replace("\r\n", "\n")
        return self._texts[file]


def _is_the_same(use: PromptUse, seen: Use) -> bool:
    """Whether the one may be what an engine, and the other what a look at the text has made of the same tag."""
    is_near = seen.place.line >= use.line if use.name is not None else seen.place.line == use.line
    return seen.name == use.name and is_near and {each.name for each in seen.given} >= {*use.variables}


def _use(use: PromptUse, seen: Optional[Use], place: Place) -> Use:
    places = {} if seen is None else {each.name: each for each in seen.given}
    whole = seen.place if seen else place
    return Use(
        whole,
        use.name,
        use.label,
        use.version,
        is_dynamic=use.is_dynamic,
        given=tuple(places.get(name, Given(name, whole)) for name in use.variables),
        is_open=use.is_open,
        kind=seen.kind if seen else None,
        why_kind=seen.why_kind if seen else "",
        using=use.using,
        ignored=seen.ignored if seen else frozenset(),
    )
