"""Callers: where in the user's program a call into these packages came from, for a warning to name."""

from __future__ import annotations

import sys
from types import FrameType

_OURS = ("scope_client", "scope_django", "scope_flask", "scope_langchain")


def stack_level() -> int:
    """The `stacklevel` with which `warnings.warn`, called by this function's caller, names the user's line."""
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None and frame.f_back is not None and _is_ours(frame):
        frame = frame.f_back
        level += 1
    return level


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _OURS
