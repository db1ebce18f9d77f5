"""Frames: what error trackers show of the local variables on the way of an error, and when that is too much."""

from __future__ import annotations

import functools
import os
from types import FrameType
from typing import Any, Callable, TypeVar

from ._interrupts import pass_on

_Function = TypeVar("_Function", bound=Callable[..., Any])
# Whose frames hold what was given.
_HOLDERS = ("scope_client", "scope_django", "scope_flask", "redis", "valkey", "urllib")


def hides_what_it_was_given(function: _Function) -> _Function:
    """Errors leave the function without its frames, whose local variables may be secrets in the open.

    What code of the caller's raises in between, such as a property of credentials, keeps the frames of that code.
    """

    @functools.wraps(function)
    def without_its_frames(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            hide_frames(error)
            # Not a bare raise: on Python 3.10 that brings back the frames it came with.
            raise error

    return without_its_frames  # type: ignore[return-value]  # it takes and returns the same


def hide_frames(error: BaseException) -> None:
    """Takes those that may hold a secret out of an error; raises the interrupt that it is or wraps, if any."""
    try:
        for each in pass_on(error):
            kept = trace = each.__traceback__
            while trace is not None:
                frame, trace = trace.tb_frame, trace.tb_next
                package = str(frame.f_globals.get("__name__")).partition(".")[0]
                kept = trace if package in _HOLDERS or shows_environment(frame) else kept
            each.__traceback__ = kept  # what follows the last frame that may hold a secret
    finally:
        del error  # a circle: the traceback of an interrupt has this frame


def shows_environment(frame: FrameType) -> bool:
    """Whether it is one of `os.environ` itself, whose repr has every variable and its value."""
    return any(value is os.environ for value in frame.f_locals.values())
