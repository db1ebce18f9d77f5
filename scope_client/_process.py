"""The client that a process has one of, and what sets the Configuration that it follows."""

import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional, Protocol

from ._client import ScopeClient
from ._clock import SYSTEM_CLOCK
from ._config.configuration import Configuration
from ._config.options import Options, Unpack
from ._config.process_wide import process_wide
from ._fork import held_back, renew_in_children
from ._frames import hides_what_it_was_given
from ._http.budget import Budget

if TYPE_CHECKING:
    from ._async_jobs import AsyncJobs


class Follower(Protocol):
    """Has clients of its own, which the platform of a test is to reach too."""

    def made_clients(self) -> Iterable[ScopeClient]:
        """Those that have been made."""

    def drop_clients(self) -> None:
        """Closes them, because the default was swapped. The next read makes new ones."""


class Default(NamedTuple):
    """What a client is made of if nothing else is said."""

    configured: Optional[Configuration]
    """What `configure` set."""
    of_test: Options
    """Where the platform of a test is."""


class _Process:
    def __init__(self) -> None:
        self.client: Optional[ScopeClient] = None
        self.followers: weakref.WeakSet[Follower] = weakref.WeakSet()
        self.jobs: Optional[AsyncJobs] = None
        self.after_fork()

    def after_fork(self) -> None:
        self.lock = threading.RLock()


_process = _Process()
renew_in_children(_process)


@hides_what_it_was_given
def configure(**options: Unpack[Options]) -> Configuration:
    """Sets options of the process-wide Configuration; those of an earlier call stay unless they are given again.

    Args:
        options: The options, as keywords.

    Returns:
        The Configuration that is in force now.

    Raises:
        ConfigurationError: An option has a value that it must not have; nothing was changed.
        TypeError: There is no such option; nothing was changed.
    """
    with _process.lock:
        before = process_wide.configured
        changed = Configuration(**options) if before is None else before.merge(**options)
        process_wide.configured = changed
        former, _process.client = _process.client, None
    if former is not None:
        former.close()
    return changed


def client(*, config: Optional[Configuration] = None, **options: Unpack[Options]) -> ScopeClient:
    """The client of the process-wide Configuration, made on first use and shared by all who call this.

    With arguments, a new client of the changed Configuration, as `ScopeClient` makes it: keep that one.

    Args:
        config: A Configuration in place of the process-wide one.
        options: Options to change, as keywords.

    Raises:
        MissingApiKeyError: Neither `configure` nor the environment has credentials.
        ConfigurationError: An option has a value that it must not have.
        TypeError: There is no such option.
    """
    if config is not None or options:
        try:
            return ScopeClient(config=config, **options)
        finally:  # an error shows the local variables of this frame, which may be secrets in the open
            del config, options
    found = _process.client
    if found is None:  # the lock is for the first callers alone
        with _process.lock:
            found = _process.client = _process.client or ScopeClient()
    return found


def follow_default(follower: Follower) -> None:
    """Has it told when the default is swapped, as long as it lives."""
    with _process.lock:
        _process.followers.add(follower)


def made_clients() -> Iterator[ScopeClient]:
    """The client of the process and those of all followers, as far as they have been made."""
    if _process.client is not None:
        yield _process.client
    for follower in _followers():
        yield from follower.made_clients()


def _followers() -> list[Follower]:
    with _process.lock:
        return list(_process.followers)


def made_client() -> Optional[ScopeClient]:
    """The client that `client` returns, or None if it would have to make it, which may read files."""
    return _process.client


async def made_off_the_loop(make: Callable[[], ScopeClient]) -> ScopeClient:
    """What `make` returns. A thread calls it, once for all tasks that wait for it: to make a client may read files."""
    with _process.lock, held_back():
        from ._async_jobs import AsyncJobs

        jobs = _process.jobs = _process.jobs or AsyncJobs()
    return await jobs.share(make, lambda _: make(), Budget(SYSTEM_CLOCK.now))


def reset_configuration() -> None:
    """Forgets what `configure` set and closes its client."""
    _replace(Default(None, process_wide.of_test))


def swap(replacement: Default) -> Default:
    """Replaces the default, closes the clients that were made of it, and returns the former one. For tests."""
    before = _replace(replacement)
    for follower in _followers():
        follower.drop_clients()
    return before


def _replace(replacement: Default) -> Default:
    with _process.lock:
        former, _process.client = _process.client, None
        before = Default(process_wide.configured, process_wide.of_test)
        process_wide.configured, process_wide.of_test = replacement
    if former is not None:
        former.close()
    return before
