"""Interrupts: what a signal handler or a debugger raises in the middle of a call belongs to the caller.

A time limit of the caller's, such as a task queue's, is an exception of any class. It may look like a failure of the
network, and libraries that meet it wrap it as one. It is known by its traceback: the interpreter called the handler.
"""

from __future__ import annotations

import functools
import sys
from collections import deque
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any


def pass_on(error: BaseException) -> list[BaseException]:
    """Raises the interrupt that `error` is or wraps, unchanged; returns what `chain` does if there is none.

    To be called first wherever an exception would be swallowed, translated or shared.
    """
    wrapped = chain(error)
    interrupt = _interrupt_among(wrapped)
    if interrupt is None:
        return wrapped
    del error, wrapped
    context = interrupt.__context__
    try:
        # The frames between may hold what is secret: those of requests have the token among their local variables.
        raise interrupt.with_traceback(next(_from_its_handler_on(interrupt, _installed_handlers())))
    finally:
        interrupt.__context__ = context  # the error that wraps it would take its place
        del interrupt, context  # a circle: its traceback has this frame


def interrupt_in(error: BaseException) -> BaseException | None:
    """What a signal handler or a debugger raised, if that is `error` or what it wraps."""
    return _interrupt_among(chain(error))


def _interrupt_among(errors: list[BaseException]) -> BaseException | None:
    handlers = _installed_handlers()
    found = [(each, trace) for each in errors for trace in _from_its_handler_on(each, handlers)]
    # The last of those with the frame: urllib3 gives the traceback of what it wraps to the exception that wraps it.
    return next((each for each, trace in reversed(found) if trace.tb_frame is found[0][1].tb_frame), None)


def chain(error: BaseException) -> list[BaseException]:
    """An exception with all that it wraps, that caused it, and in whose handling it was raised; each once.

    Without what the caller was handling already when the call began: that is in the context of all that we raise.
    """
    site = error.__traceback__
    callers = set() if site is None else _callers_of(site.tb_frame)
    found: dict[int, BaseException] = {}
    waiting: deque[object] = deque([error])
    while waiting:
        each = waiting.popleft()
        if not isinstance(each, BaseException) or id(each) in found:
            continue
        trace = each.__traceback__
        if trace is None or trace.tb_frame not in callers:
            found[id(each)] = each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return list(found.values())


def _callers_of(frame: FrameType) -> set[FrameType]:
    found = set()
    caller = frame.f_back
    while caller is not None:
        found.add(caller)
        caller = caller.f_back
    return found


def _from_its_handler_on(error: BaseException, handlers: set[CodeType]) -> Iterator[TracebackType]:
    """The part of its traceback that begins with the handler's frame, if it came out of that frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
        if trace.tb_frame.f_code in handlers or _was_called_by_the_interpreter(trace.tb_frame):
            yield trace
            return


def _was_called_by_the_interpreter(frame: FrameType) -> bool:
    """Whether it was given the frame that it interrupted, as only handlers and trace functions are.

    A handler gets (number, frame), a trace function (frame, event, argument). A handler may have been replaced since.
    """
    code, interrupted = frame.f_code, frame.f_back
    if interrupted is None:
        return False
    takes_more = bool(code.co_flags & 0x04)  # inspect.CO_VARARGS
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + takes_more]
    variables = frame.f_locals
    given: list[Any] = [variables.get(name) for name in names]
    if takes_more and isinstance(given[-1], tuple):
        given += given.pop()
    return any(
        (second is interrupted and type(first) is int) or (first is interrupted and type(second) is str)
        for first, second in zip(given, given[1:])
    )


def _installed_handlers() -> set[CodeType]:
    """A handler that has let go of the frame it was given is still known by its code."""
    if "signal" not in sys.modules:  # a program that has not imported it has set no handler
        return set()
    # What `signal` stands on: that one makes an enum of each answer, 130 of them in all for every error.
    signal = sys.modules.get("_signal", sys.modules["signal"])
    return {code for number in range(1, signal.NSIG) for code in _code_of(signal.getsignal(number))}


def _code_of(handler: Any) -> Iterator[CodeType]:
    while isinstance(handler, functools.partial):
        handler = handler.func
    if callable(handler):
        function = handler if hasattr(handler, "__code__") else type(handler).__call__
        code = getattr(function, "__code__", None)  # a bound method has that of its function
        if isinstance(code, CodeType):
            yield code
