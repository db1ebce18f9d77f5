"""Fetching: many versions from the platform at once, past every cache."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from typing import Callable, NamedTuple, Union

from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from ..errors import AuthenticationError, ConnectionError, ScopeError, ServerError

MAX_FETCHING_THREADS = 24
# After one of these the next prompt would fail in the same way, perhaps after many seconds.
_HOPELESS = (AuthenticationError, ConnectionError, ServerError)

Outcome = Union[PromptVersion, ScopeError]
Step = Callable[[int, int], object]


class Wanted(NamedTuple):
    """A version to fetch: by a label, or by its ID."""

    prompt: str
    """The prompt's name or ID."""
    label: str | None = None
    """"production" or "latest"; None with a version."""
    version: str | None = None
    """The ID of the version."""


def nothing_told(done: int, total: int) -> None:
    """The step of who wants to hear nothing."""


def fetch_all(client: ScopeClient, wanted: Iterable[Wanted], step: Step = nothing_told) -> dict[Wanted, Outcome]:
    """The version or the error of each, in their order.

    Once the platform cannot be reached, fails, or refuses the credentials, no other version is asked for: those that
    were not are left out.

    Args:
        client: Asks the platform.
        wanted: What to fetch.
        step: Is called by this thread whenever one has come, with how many have, and how many there are.

    Raises:
        ValidationError: Something cannot be asked for; nothing was sent.
    """
    each_once = list(dict.fromkeys(wanted))
    for one in each_once:
        PromptRef.of(*one)
    waiting = list(reversed(each_once))
    outcomes: queue.SimpleQueue[tuple[Wanted, Outcome | BaseException] | None] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_work, args=(client, waiting, outcomes), name="scope-pull", daemon=True)
        for _ in range(min(MAX_FETCHING_THREADS, len(each_once)))
    ]
    found: dict[Wanted, Outcome] = {}
    try:
        for thread in threads:
            thread.start()
        working = len(threads)
        while working:
            came = outcomes.get()
            if came is None:
                working -= 1
                continue
            one, outcome = came
            if not isinstance(outcome, (PromptVersion, ScopeError)):
                raise outcome
            found[one] = outcome
            step(len(found), len(each_once))
    finally:
        waiting.clear()  # so that the threads end if an interrupt ends this one
    return {one: found[one] for one in each_once if one in found}


def _work(
    client: ScopeClient,
    waiting: list[Wanted],
    outcomes: queue.SimpleQueue[tuple[Wanted, Outcome | BaseException] | None],
) -> None:
    try:
        while waiting:
            try:
                one = waiting.pop()
            except IndexError:  # another thread was quicker
                return
            outcome = _fetched(client, one)
            if isinstance(outcome, _HOPELESS):
                waiting.clear()
            outcomes.put((one, outcome))
    finally:
        outcomes.put(None)


def _fetched(client: ScopeClient, wanted: Wanted) -> Outcome | BaseException:
    try:
        if wanted.version is not None:
            return client.get_prompt_version(wanted.prompt, version=wanted.version, cache=False)
        return client.get_prompt_version(wanted.prompt, label=wanted.label, cache=False)  # type: ignore[arg-type]  # a label
    except BaseException as error:  # noqa: BLE001  # the thread that waits for it raises what is not for a prompt
        return error
