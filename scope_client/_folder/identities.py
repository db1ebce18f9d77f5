"""Identities: which prompt of a folder has which ID; the one that was read first keeps it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from .record import is_prompt_id, prompt_id

ID_PREFIX = "prompt_"


class Identities:
    """The IDs of prompts by name, and the other way round."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._made_up: dict[str, str] = {}

    def owner(self, identity: str) -> str | None:
        """The name of the prompt that has this ID, or would have it if its files were right."""
        key = _key(identity)
        return self._owners.get(key) or self._made_up.get(key)

    def rival(self, name: str, identity: str) -> str | None:
        """The name of another prompt that has this ID."""
        owner = self._owners.get(_key(identity), name)
        return None if owner == name else owner

    def give(self, name: str, ids: Iterable[str]) -> None:
        """From here on a prompt has these IDs, apart from those that others have."""
        self.take(name)
        with contextlib.suppress(UnicodeEncodeError):  # a name that no prompt can have
            self._made_up[_key(prompt_id(name))] = name
        keys = tuple(_key(each) for each in ids if self.rival(name, each) is None)
        self._ids[name] = keys
        self._owners.update(dict.fromkeys(keys, name))

    def take(self, name: str) -> None:
        """From here on a prompt has no ID."""
        for key in self._ids.pop(name, ()):
            self._owners.pop(key, None)
        with contextlib.suppress(UnicodeEncodeError):
            self._made_up.pop(_key(prompt_id(name)), None)


def _key(identity: str) -> str:
    return f"{ID_PREFIX}{identity[len(ID_PREFIX) :].upper()}" if is_prompt_id(identity) else identity
