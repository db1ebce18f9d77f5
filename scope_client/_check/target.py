"""Target: what `--against` means: the platform, a folder of prompts, or a lock."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import Callable, NamedTuple

from .._client import ScopeClient
from .._folder.reader import read_prompt_dir
from .._lock.lock_file import LOCK_FILE_NAME, Lock, read_lock
from .._lock.organisation import check_organisation
from .._wording import shown
from ..errors import ConfigurationError, ScopeError
from .catalogue import FolderCatalogue, LockCatalogue
from .comparison import Against
from .platform_catalogue import PlatformCatalogue
from .settings import PLATFORM


class Target(NamedTuple):
    """What uses are compared with, and what that is called."""

    against: Against
    """What there is."""
    described: str
    """Such as "the platform"."""


def is_platform(against: str | None) -> bool:
    """Whether the platform is to be asked: it is, unless something else is named, or the environment has a lock."""
    return against == PLATFORM or (against is None and not os.environ.get("SCOPE_LOCK"))


def target(
    against: str | None,
    *,
    client: Callable[[], ScopeClient],
    label: str | None = None,
    lock: str | None = None,
    prompt_dir: str | None = None,
) -> Target:
    """What to compare with.

    Args:
        against: "platform", a folder or a lock; by default the lock of SCOPE_LOCK, or the platform.
        client: Makes the client that asks the platform.
        label: The label whose versions stand for those in production.
        lock: The lock that what is in production is to be that of; for the platform `scope.lock` by default, if it is
            in the current folder.
        prompt_dir: A folder whose prompts are offered in place of a misspelt one.

    Raises:
        ConfigurationError: There is no such folder or lock, or it cannot be used.
    """
    if is_platform(against):
        found = against_platform(client(), label=label, lock=lock_to_hold(lock), prompt_dir=prompt_dir)
        return Target(found, "the platform")
    where = against or os.environ["SCOPE_LOCK"]
    if os.path.isdir(where):
        return Target(Against(FolderCatalogue(where), label, _lock(lock)), f"the folder {where}")
    if os.path.isfile(where):
        return Target(Against(LockCatalogue(read_lock(where)), label), f"the lock {where}")
    raise ConfigurationError(
        f"{shown(where)} is neither a folder of prompts nor a lock: name one that there is, or {PLATFORM}"
    )


def lock_to_hold(lock: str | None) -> Lock | None:
    """The lock of what is to be in production: this one, or `scope.lock` of the current folder, if there is one."""
    return _lock(lock) or (_lock(LOCK_FILE_NAME) if os.path.isfile(LOCK_FILE_NAME) else None)


def against_platform(
    client: ScopeClient, *, label: str | None = None, lock: Lock | None = None, prompt_dir: str | None = None
) -> Against:
    """What the platform of a client has.

    Raises:
        ConfigurationError: The lock is of another organisation.
    """
    if lock is not None:
        check_organisation(lock, client.config)
    locked = [version.name for version in lock.versions] if lock else []
    return Against(PlatformCatalogue(client, [*locked, *_names_in(prompt_dir)]), label, lock)


def _lock(path: str | None) -> Lock | None:
    return None if path is None else read_lock(path)


def _names_in(folder: str | None) -> Iterable[str]:
    with contextlib.suppress(ScopeError):  # which the first outage tells
        return () if folder is None else list(read_prompt_dir(folder))
    return ()
