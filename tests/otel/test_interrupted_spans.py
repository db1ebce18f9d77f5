"""What a signal handler raises in the middle of a tracer's work reaches the caller, whose context is as it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import context

import scope_client

if TYPE_CHECKING:
    from types import FrameType

    from faults.traced import Traced

    from scope_client import ScopeClient

PACKAGE = Path(scope_client.__file__).parent
WATCHED = {str(PACKAGE / "_watching.py"), *map(str, (PACKAGE / "_otel").glob("*.py"))}
MORE_THAN_THERE_ARE = 2000


class SoftTimeLimitExceeded(Exception):
    """As a task queue has it."""


class StrikesAt:
    """Raises as the interpreter comes to this line of those that watch, counted from 1.

    Not within `__exit__`, which nothing can protect before its first line.
    """

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call":
            is_watched = frame.f_code.co_filename in WATCHED and frame.f_code.co_name != "__exit__"
            return self if is_watched else None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise SoftTimeLimitExceeded
        return self


def struck(client: ScopeClient, number: int) -> BaseException | None:
    """What a read raises that is struck there."""
    strikes = StrikesAt(number)
    before = sys.gettrace()
    sys.settrace(strikes)
    try:
        client.get_prompt_version("greeting", cache=False)
    except BaseException as error:
        return error
    finally:
        sys.settrace(before)
    assert strikes.left > 0, "the interrupt was swallowed"
    return None


def test_an_interrupt_at_any_line_of_the_watchers_reaches_the_caller_and_leaves_no_span_behind(
    traced: Traced, client: ScopeClient
) -> None:
    client.get_prompt_version("greeting")
    with traced.tracer.start_as_current_span("reader"):
        here = context.get_current()
        for number in range(1, MORE_THAN_THERE_ARE):
            error = struck(client, number)
            if error is None:
                break
            assert isinstance(error, SoftTimeLimitExceeded), number
            assert context.get_current() == here, number
    assert 20 < number < MORE_THAN_THERE_ARE - 1
    assert client.get_prompt_version("greeting", cache=False).content == "Hello, {{name}}!"
