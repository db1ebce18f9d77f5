"""LockInUse: what the lock of one client says of its reads, and the copies that its folder has."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Protocol

from .._attribute_names import ID_OF_VERSION, LOCK_PATH, LOCK_PROMPTS, LOCK_UNUSABLE, LOCK_VERSIONS, PROMPT_NAME
from .._config.configuration import Configuration
from .._folder.record import is_prompt_id
from .._http.budget import Budget
from .._log import Log
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._redaction import Redaction
from .._wording import listed, nearest, shown
from ..errors import ApiError, ConfigurationError, NotFoundError, ScopeError, ValidationError
from .copies import copies_of
from .digest import digest_of
from .lock_file import Lock, LockedVersion, StrPath, read_lock
from .organisation import check_organisation

_log = Log("scope_client.lock")
LONGEST_FLAWS_OF_LOCK = 800  # of the thousand characters that a value of a log record may have
LOCK_MISMATCH = "locked_version_differs"


class Folder(Protocol):
    """The prompts of a folder."""

    def find(self, ref: PromptRef, budget: Budget) -> PromptVersion | None:
        """What stands in for this ref."""


class LockInUse:
    """The locked versions by what they answer. What is here does not change, whatever becomes of the files."""

    def __init__(self, lock: Lock, copies: Mapping[LockedVersion, PromptVersion]) -> None:
        self.path = lock.path
        self._folder = lock.folder_path
        self._copies = copies
        self._by_ref: dict[tuple[str, str], LockedVersion] = {}
        for locked in lock.versions:
            if locked.prompt_id is not None:
                self._by_ref[_prompt(locked.prompt_id), locked.label] = locked
        # Last, so that a name wins over an ID.
        self._by_ref.update({(_prompt(locked.name), locked.label): locked for locked in lock.versions})
        self._names = tuple(dict.fromkeys(locked.name for locked in lock.versions))
        self._told: set[LockedVersion] = set()

    @property
    def prompts(self) -> int:
        """How many prompts it has."""
        return len(self._names)

    def check(self, ref: PromptRef) -> None:
        if ref.label != "production" or self._find(ref) is not None:
            return
        if (_prompt(ref.name), "latest") in self._by_ref:
            there = f"the lock {shown(self.path)} has {shown(ref.name)} for label='latest' alone"
        else:
            there = f"the lock {shown(self.path)} has no prompt {shown(ref.name)}"
            near = nearest(ref.name, self._names)
            there += f"; the nearest one is {near!r}" if near else ""
        raise ValidationError(f"{there}. {_pull(ref.name)} adds the version that is in production")

    def has(self, ref: PromptRef) -> bool:
        return self._find(ref) is not None

    def asked_for(self, ref: PromptRef) -> PromptRef:
        locked = self._find(ref)
        return ref if locked is None else PromptRef(locked.name, None, locked.version_id)

    def identity(self, ref: PromptRef) -> tuple[str, ...]:
        locked = self._find(ref)
        return () if locked is None else (locked.version_id, locked.sha256)

    def is_met_by(self, ref: PromptRef, version: PromptVersion) -> bool:
        locked = self._find(ref)
        return locked is None or digest_of(version) == locked.sha256

    def copy(self, ref: PromptRef) -> PromptVersion | None:
        locked = self._find(ref)
        return None if locked is None else self._copies.get(locked)

    def over(self, folder: Folder | None) -> Folder:
        """The copies for what is locked, and this folder for the rest."""
        return _Over(self, folder)

    def differs(self, ref: PromptRef, version: PromptVersion) -> ApiError:
        locked = self._find(ref)
        assert locked is not None
        said = f"the platform's version {locked.version_id!r} of the prompt {shown(locked.name)} is not the one"
        error = ApiError(
            f"{said} that the lock {shown(self.path)} names, because something of it was changed: "
            f"{_pull(locked.name)} locks what the platform has now",
            http_status=200,
            error_code=LOCK_MISMATCH,
        )
        error._breaks_lock = True
        self._tell(locked, "has changed since then")
        return error

    def explained(self, ref: PromptRef, error: ScopeError) -> ScopeError:
        locked = self._find(ref)
        if locked is None or not isinstance(error, NotFoundError):
            return error
        error.message = (
            f"{error.message}: the lock {shown(self.path)} names the version {locked.version_id!r} of the prompt "
            f"{shown(locked.name)}, which the platform does not have; {_pull(locked.name)} locks the one in production"
        )
        error.args = (error.message,)
        error._breaks_lock = True
        self._tell(locked, "is gone")
        return error

    def _find(self, ref: PromptRef) -> LockedVersion | None:
        return None if ref.label is None else self._by_ref.get((_prompt(ref.name), ref.label))

    def _tell(self, locked: LockedVersion, what: str) -> None:
        if locked in self._told:
            return
        self._told.add(locked)
        is_there = locked in self._copies
        copy = f"the copy in the folder {shown(self._folder)} is served" if is_there else "its folder has no copy"
        _log.warning(
            "the prompt %s: the version %s, which the lock %s names, %s on the platform; %s. %s locks the present one",
            shown(locked.name),
            locked.version_id,
            self.path,
            what,
            copy,
            _pull(locked.name),
            facts={PROMPT_NAME: locked.name, ID_OF_VERSION: locked.version_id, LOCK_PATH: self.path},
        )


class _Over:
    """The copies of a lock, and a prompt folder below them."""

    def __init__(self, lock: LockInUse, folder: Folder | None) -> None:
        self._lock = lock
        self._folder = folder

    def find(self, ref: PromptRef, budget: Budget) -> PromptVersion | None:
        if self._lock.has(ref):
            return self._lock.copy(ref)
        return None if self._folder is None else self._folder.find(ref, budget)


def open_lock(path: StrPath, config: Configuration) -> LockInUse:
    """The lock for the clients of this Configuration.

    Raises:
        ConfigurationError: It cannot be used. Files of its folder that cannot be used are logged instead, in one line.
    """
    lock = _read(path, config)
    copies, flaws = copies_of(lock, extra_values=config.extra_values)
    if flaws:
        _log.warning(
            "the lock %s: while the platform cannot answer, %d of %d locked versions cannot be served: %s. "
            "put them back with `scope pull --locked --force`, or with git",
            lock.path,
            len(lock.versions) - len(copies),
            len(lock.versions),
            listed(flaws, written=str, joint="; ", most=LONGEST_FLAWS_OF_LOCK),
            facts={
                LOCK_PATH: lock.path,
                LOCK_VERSIONS: len(lock.versions),
                LOCK_UNUSABLE: len(lock.versions) - len(copies),
            },
        )
    used = LockInUse(lock, copies)
    facts = {LOCK_PATH: lock.path, LOCK_PROMPTS: used.prompts}
    _log.info("the lock %s is in use, with %d prompts", lock.path, used.prompts, facts=facts)
    return used


def _read(path: StrPath, config: Configuration) -> Lock:
    """Somebody may have put a secret where the path belongs: no error shows it."""
    try:
        lock = read_lock(os.path.abspath(path))
        check_organisation(lock, config)
    except ConfigurationError as error:
        message = error.message
    else:
        return lock
    secrets = (getattr(config.credentials, name, None) for name in ("api_secret", "client_secret"))
    known = Redaction([str.__str__(secret) for secret in secrets if isinstance(secret, str)])
    raise ConfigurationError(known.text(message))


def _prompt(name: str) -> str:
    """A prompt as a lock is asked for it; an ID may be in lower case."""
    return f"prompt_{name[len('prompt_') :].upper()}" if is_prompt_id(name) else name


def _pull(name: str) -> str:
    return f"`scope pull {shlex.quote(name)}`"
