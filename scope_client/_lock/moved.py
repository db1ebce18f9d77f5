"""Moved: what is different between a locked version and the one that the platform gives now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._prompt.prompt_version import PromptVersion
from .lock_file import LockedVersion
from .word_diff import Piece, word_diff


class Absent:
    """What has no value here: a variable that came, a key of the metadata that went."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = Absent()


class Difference(NamedTuple):
    """One fact that is different, apart from the text."""

    field: str
    """"id", "version_number", "name", "prompt_id", "type", "description", "variables", "tags" or "metadata"."""
    key: str
    """The name of the variable, the tag, or the key of the metadata with its path: "options.temperature"; else ""."""
    old: Any
    """The former value; ABSENT if there was none."""
    new: Any
    """The new value; ABSENT if there is none."""


class Moved(NamedTuple):
    """A prompt of which the platform gives another version than the locked one, or none."""

    name: str
    """The prompt's name."""
    label: str
    """"production" or "latest"."""
    locked: LockedVersion | None
    """None if the lock does not have the prompt."""
    old: PromptVersion | None
    """The locked version; None if there is none, or nobody knows its text any more."""
    new: PromptVersion | None
    """The version of the platform; None if it gives none."""
    why: str = ""
    """Why it gives none."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All but the text; empty if one of the two is not known."""
        if self.old is None or self.new is None:
            return ()
        return tuple(_differences(self.old.to_dict(), self.new.to_dict()))

    @property
    def is_text_same(self) -> bool:
        """Whether the text is the same; False if one of the two is not known."""
        return self.old is not None and self.new is not None and self.old.content == self.new.content

    @property
    def text(self) -> tuple[Piece, ...]:
        """The words of the text that went and came; empty if it is the same, or one of the two is not known."""
        if self.old is None or self.new is None or self.is_text_same:
            return ()
        old, new = readable(self.old), readable(self.new)
        return word_diff(old, new) if old != new else word_diff(self.old.content, self.new.content)


def readable(version: PromptVersion) -> str:
    """The content as people read it: of a chat prompt, the messages below each other."""
    if version.type != "chat":
        return version.content
    return "\n".join(map(_message, json.loads(version.content)))


def _message(message: Mapping[str, Any]) -> str:
    more = {key: value for key, value in message.items() if key not in ("role", "content")}
    content = message.get("content")
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
    rest = [json.dumps(more, ensure_ascii=False, indent=1)] if more else []
    return "\n".join([f"[{message.get('role')}]", text, *rest, ""])


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for field in ("version_number", "id", "name", "prompt_id", "type", "description"):
        was, now = old.get(field), new.get(field)
        if was != now:
            yield Difference(field, "", ABSENT if was is None else was, ABSENT if now is None else now)
    for field in ("variables", "tags"):
        yield from _members(field, old[field], new[field])
    was, now = dict(_leaves("", old["metadata"])), dict(_leaves("", new["metadata"]))
    for key in sorted({**was, **now}):
        before, after = was.get(key, ABSENT), now.get(key, ABSENT)
        if _written(before) != _written(after):
            yield Difference("metadata", key, before, after)


def _members(field: str, old: list[str], new: list[str]) -> Iterator[Difference]:
    for each in dict.fromkeys((*old, *new)):
        if (each in old) != (each in new):
            yield Difference(field, each, each if each in old else ABSENT, each if each in new else ABSENT)


def _leaves(path: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(f"{path}{key}.", value)
        else:
            yield f"{path}{key}", value


def _written(value: object) -> str:
    """To compare: for Python 1 is 1.0 and True, for a model they may be three settings."""
    return repr(value) if value is ABSENT else json.dumps(value, sort_keys=True)
