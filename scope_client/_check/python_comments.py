"""Python comments: what the comments of a file say to the check, by line."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from .comments import Remarks, remarks
from .finding import CodeFinding
from .seen import Seen
from .source_places import SourcePlaces
from .use import Given, Use

_Lines = tuple[int, int]


class Comment(NamedTuple):
    """A comment that says something to the check."""

    line: int
    column: int
    """Of its sign, from 0."""
    remarks: Remarks
    is_alone: bool
    """Whether nothing else stands on its line."""


class PythonComments:
    """The comments of one file.

    Args:
        text: The file.
        places: Gives places in it.
    """

    def __init__(self, text: str, places: SourcePlaces) -> None:
        self._places = places
        found = _comments(text) if "scope:" in text.lower() else ()
        self.of_lines = {each.line: each for each in found}

    def ignored(self, first: int, last: int) -> frozenset[str] | None:
        """The codes that comments on these lines ignore; None for all.

        Args:
            first: The first line of a statement.
            last: Its last line.
        """
        codes: frozenset[str] = frozenset()
        for line, comment in self.of_lines.items():
            if first <= line <= last:
                if comment.remarks.ignored is None:
                    return None
                codes |= comment.remarks.ignored
        return codes

    def tells_of(self, first: int, last: int) -> bool:
        """Whether a comment says what the statement on these lines uses: on one of them, or on the line before.

        Args:
            first: The first line of a statement.
            last: Its last line.
        """
        before = first - 1
        while before in self.of_lines and self.of_lines[before].is_alone and not self.of_lines[before].remarks.uses:
            before -= 1
        return any(comment.remarks.uses and before <= line <= last for line, comment in self.of_lines.items())

    def seen(self, within: dict[int, str]) -> Seen:
        """The uses that comments tell of, and the comments that cannot be read.

        Args:
            within: The function of each line that has a comment.
        """
        uses, findings = [], []
        for comment in self.of_lines.values():
            for said in comment.remarks.uses:
                place = self._places.at(comment.line, comment.column + said.start + 1)
                given = tuple(
                    Given(each.name, self._places.at(comment.line, comment.column + each.start + 1))
                    for each in said.given
                )
                use = Use(place, said.name, said.label, said.version, given=given, renders=said.renders)
                ignored = self.ignored(comment.line, comment.line)
                use = use._replace(is_open=said.is_open, ignored=ignored, in_function=within.get(comment.line, ""))
                uses.append(use)
            for message, start in comment.remarks.mistakes:
                place = self._places.at(comment.line, comment.column + start + 1)
                findings.append(CodeFinding(place, "S100", message, within=within.get(comment.line, "")))
        return Seen(uses, findings)


def _comments(text: str) -> Iterator[Comment]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                said = remarks(token.string)
                if said:
                    line, column = token.start
                    yield Comment(line, column, said, not token.line[:column].strip())
    except (tokenize.TokenError, SyntaxError):
        pass  # what the module `tokenize` cannot read, and the parser can, such as some form feeds


def lines_of(statement: ast.AST | None, call: ast.AST) -> _Lines:
    """The lines of a statement; of one with a block, those of its head.

    Args:
        statement: The statement, if it is known.
        call: What stands in it.
    """
    first, last = _from_to(call)
    if statement is None:
        return first, last
    head, end = _from_to(statement)
    inside = getattr(statement, "body", None) or getattr(statement, "cases", None)
    if isinstance(inside, list):
        end = max(head, _from_to(getattr(inside[0], "pattern", None) or inside[0])[0] - 1)
    return min(first, head), max(last, end)


def _from_to(node: ast.AST) -> _Lines:
    first: int = getattr(node, "lineno", 1)
    return first, getattr(node, "end_lineno", None) or first
