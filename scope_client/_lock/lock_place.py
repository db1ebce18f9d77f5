"""LockPlace: where a lock and its folder are, and what the lock says so far."""

from __future__ import annotations

import os
from typing import NamedTuple

from .._client import ScopeClient
from .._interrupts import pass_on
from .._wording import shown
from ..errors import ConfigurationError, ValidationError
from .lock_file import LOCK_FILE_NAME, Lock, LockedVersion, read_lock
from .lock_file import StrPath as StrPath


class LockPlace(NamedTuple):
    """A lock that is there, or is to be made."""

    lock_path: str
    """Where the lock is, absolute."""
    folder_path: str
    """Where its folder is, absolute and without links."""
    folder: str
    """The same as the lock says it."""
    lock: Lock | None
    """What it says; None if there is no such file."""
    octets: bytes | None
    """The bytes of it."""

    @property
    def versions(self) -> tuple[LockedVersion, ...]:
        """What is locked so far."""
        return () if self.lock is None else self.lock.versions

    @property
    def shown_lock(self) -> str:
        """The lock as messages name it."""
        return shown_path(self.lock_path)

    @property
    def shown_folder(self) -> str:
        """The folder as messages name it."""
        return shown_path(self.folder_path)

    def shown_file(self, path: str) -> str:
        """A file of the folder as messages name it."""
        return shown_path(os.path.join(self.folder_path, *path.split("/")))

    def check_organisation(self, client: ScopeClient) -> str:
        """The organisation of the client's credentials; raises ConfigurationError if the lock is of another one."""
        organisation = str(getattr(client.config.credentials, "org_id", "") or "")
        if self.lock is not None and self.lock.organisation != organisation:
            raise ConfigurationError(
                f"the lock {self.shown_lock} is of the organisation {shown(self.lock.organisation)}, and the "
                f"credentials are of {shown(organisation)}: use those of the first, or another lock"
            )
        return organisation

    def check_unchanged(self) -> None:
        """Raises ConfigurationError if the lock is not as it was read."""
        if octets_of_lock(self.lock_path) != self.octets:
            raise ConfigurationError(f"the lock {self.shown_lock} was changed meanwhile; pull again")


def place_of(lock: StrPath | None, folder: StrPath | None) -> LockPlace:
    """Where the lock and its folder are.

    Args:
        lock: The lock; by default `scope.lock` in the working directory, or beside a folder that is elsewhere.
        folder: The folder; by default that which the lock names.

    Raises:
        ValidationError: There is no lock, and no folder is given.
        ConfigurationError: The lock cannot be used, or it names another folder.
    """
    lock_path = os.path.abspath(_default_lock(folder) if lock is None else os.fspath(lock))
    octets = octets_of_lock(lock_path)
    found = None if octets is None else read_lock(shown_path(lock_path))
    if folder is None:
        if found is None:
            raise ValidationError(
                f"the lock {shown_path(lock_path)} does not exist; `scope pull NAME -o prompts` writes one"
            )
        return LockPlace(lock_path, os.path.realpath(found.folder_path), found.folder, found, octets)
    relative = _relative(os.fspath(folder), lock_path)
    if found is not None and os.path.normpath(found.folder) != os.path.normpath(relative):
        raise ConfigurationError(
            f"the lock {shown_path(lock_path)} has its prompts in {shown(found.folder)}, not in {shown(relative)}: "
            f"leave -o out, or name another lock with --lock"
        )
    where = os.path.realpath(os.path.join(os.path.dirname(lock_path), *relative.split("/")))
    if os.path.lexists(where) and not os.path.isdir(where):
        raise ConfigurationError(f"{shown_path(where)} is not a folder; name one with -o")
    return LockPlace(lock_path, where, relative if found is None else found.folder, found, octets)


def octets_of_lock(path: str) -> bytes | None:
    """The bytes of a lock; None if there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        pass_on(error)
        raise ConfigurationError(f"the lock {shown_path(path)} cannot be read ({error.strerror})") from None


def shown_path(path: str) -> str:
    """Relative to the working directory if it is below that, with forward slashes."""
    relative = _below(os.path.abspath(path), os.getcwd())
    return path if relative is None else relative


def _default_lock(folder: StrPath | None) -> str:
    if folder is None or _below(os.path.abspath(folder), os.getcwd()) is not None:
        return LOCK_FILE_NAME
    return os.path.join(os.path.dirname(os.path.abspath(folder)), LOCK_FILE_NAME)


def _relative(folder: str, lock_path: str) -> str:
    beside = os.path.dirname(lock_path)
    relative = _below(os.path.abspath(folder), beside) or _below(os.path.realpath(folder), os.path.realpath(beside))
    if relative is None or "\\" in relative:
        raise ConfigurationError(
            f"the folder {shown(folder)} is not beside or below the lock {shown_path(lock_path)}: name another folder "
            "with -o, or another lock with --lock"
        )
    return relative


def _below(path: str, folder: str) -> str | None:
    try:
        relative = os.path.relpath(path, folder).replace(os.sep, "/")
    except ValueError:  # on Windows: another drive
        return None
    return None if relative.split("/")[0] == ".." else relative
