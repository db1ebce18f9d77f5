"""Which files this process opens, as Python's own audit events tell."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_listeners: list[tuple[str, list[str]]] = []


@contextlib.contextmanager
def opened_in(folder: str | os.PathLike[str]) -> Iterator[list[str]]:
    """The paths within the folder, relative to it, in the order in which they are opened; each time of each."""
    if not _listeners:
        sys.addaudithook(_hear)  # for good: an audit hook cannot be taken away
        _listeners.append(("", []))
    listener = f"{os.fspath(folder)}{os.sep}", []
    _listeners.append(listener)
    try:
        yield listener[1]
    finally:
        _listeners.remove(listener)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        for prefix, opened in _listeners:
            if prefix and arguments[0].startswith(prefix):
                opened.append(arguments[0][len(prefix) :])
