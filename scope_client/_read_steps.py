"""Steps: a read that may take several reads, written once for those that wait and those that are awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Callable, Protocol

from ._asked import Asked
from ._prompt.prompt_read import PromptRead
from ._prompt.ref import PromptRef
from .errors import ScopeError

Steps = Generator[Asked, PromptRead, PromptRead]
"""Yields what is to be read, is sent what was found or is thrown the error, and returns what the caller gets."""


class ReadRules(Protocol):
    """What the steps have to know of the client that reads."""

    @property
    def is_cached(self) -> bool:
        """Whether it keeps versions in memory."""

    @property
    def serves_last_fitting(self) -> bool:
        """Whether a version that the caller cannot fill in is held back."""

    def has_lock_for(self, ref: PromptRef) -> bool:
        """Whether a lock says which version answers this ref."""

    def fits(self, asked: Asked, found: PromptRead) -> bool:
        """Whether the caller can give all variables of what was found."""


def carried_out(steps: Steps, read: Callable[[Asked], PromptRead]) -> PromptRead:
    """What the steps return, each of them read by `read`."""
    try:
        wanted = next(steps)
        while True:
            try:
                found = read(wanted)
            except ScopeError as error:  # noqa: PERF203  # one read at a time
                wanted = steps.throw(error)
            else:
                wanted = steps.send(found)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]  # as Steps says


async def awaited(steps: Steps, read: Callable[[Asked], Awaitable[PromptRead]]) -> PromptRead:
    """As `carried_out`, with a `read` that is awaited."""
    try:
        wanted = next(steps)
        while True:
            try:
                found = await read(wanted)
            except ScopeError as error:  # noqa: PERF203  # one read at a time
                wanted = steps.throw(error)
            else:
                wanted = steps.send(found)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]  # as Steps says
