"""Asked: what a template's text tells of prompts, by offsets, before lines are counted and comments are applied."""

from __future__ import annotations

from typing import NamedTuple


class Value(NamedTuple):
    """A variable that a tag or a call gives a value for."""

    name: str
    start: int
    kind: str | None = None
    """"text" or "messages", as for `Given`."""


class Asked(NamedTuple):
    """A tag or a call that asks for a prompt."""

    start: int
    """Where the tag begins, or the expression around the call; comments on the lines up to `end` count."""
    end: int
    place: int
    """Of the name, if it is written out; else of the tag or the call."""
    name: str | None = None
    label: str | None = None
    version: str | None = None
    using: str | None = None
    is_dynamic: bool = False
    given: tuple[Value, ...] = ()
    is_open: bool = False
    kind: str | None = None
    """"text" or "chat", as for `Use`."""


class Wrong(NamedTuple):
    """Something that the engine raises on, or prints as text."""

    start: int
    end: int
    code: str
    message: str
    prompt: str | None = None
    subject: str = ""


class Said(NamedTuple):
    """A comment that may say something to the check."""

    start: int
    end: int
    text: str


class Told(NamedTuple):
    """All that an engine's reading of a template tells."""

    asked: tuple[Asked, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    said: tuple[Said, ...] = ()
