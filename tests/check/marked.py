"""Source with marks: what is found in it, in one line for each use, and where it has to be."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

from scope_client._check.configured_calls import configured_call
from scope_client._check.python_uses import uses_in_python

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scope_client._check.seen import Seen
    from scope_client._check.use import Use

MARK = "«"
FILE = "src/app/mail.py"


def said(use: Use) -> str:
    """`name@label#version(given:kind, ...)+`: "..." if it is open, no brackets if nothing is filled in, a `+` if values
    without a variable do no harm, `?` for what is known only at run time, and the type in brackets."""
    name = "?" if use.name is None else use.name
    which = f"{'@' + use.label if use.label else ''}{'#' + use.version if use.version else ''}"
    unsure = "@?" if use.is_dynamic and use.name is not None else ""
    given = [each.name + (f":{each.kind}" if each.kind == "messages" else "") for each in use.given]
    values = f"({', '.join([*given, *(['...'] if use.is_open else [])])})" if use.renders else ""
    return f"{name}{which}{unsure}{values}{'+' if use.passes_extra else ''}{f'[{use.kind}]' if use.kind else ''}"


def seen(source: str, calls: Sequence[str] = (), file: str = FILE, **more: Any) -> Seen:
    text = dedent(source).replace(MARK, "")
    return uses_in_python(text, file, [configured_call(call) for call in calls], **more)


def found(source: str, calls: Sequence[str] = (), file: str = FILE, **more: Any) -> list[str]:
    """The uses in one line each, and whether they are where the marks are, if there are any."""
    result = seen(source, calls, file, **more)
    places = sorted({use.place[1:] for use in result.uses})
    if MARK in source:
        assert places == places_of_marks(source)
    return [said(use) for use in result.uses]


def places_of_marks(source: str) -> list[tuple[int, int]]:
    """Line and column, from 1, in characters."""
    places = []
    for number, line in enumerate(dedent(source).split("\n"), 1):
        parts = line.split(MARK)
        lengths = [len(part) for part in parts]
        places += [(number, sum(lengths[:index]) + 1) for index in range(1, len(parts))]
    return places
