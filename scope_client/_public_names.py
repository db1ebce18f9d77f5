"""Public names: what a package exports says that it lives there, and not in the private room that defines it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FunctionType


def publish(package: str, names: Iterable[str]) -> None:
    """Sets `__module__` of these classes and functions of ours to the package that exports them.

    So a traceback, a pickle and the documentation name the place to import from, which stays when a room moves.
    """
    exported = vars(sys.modules[package])
    for name in names:
        value = exported[name]
        if isinstance(value, (type, FunctionType)) and _top(value.__module__) == _top(package):
            value.__module__ = package


def _top(module: str) -> str:
    return module.partition(".")[0]
