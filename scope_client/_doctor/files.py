"""Files: the prompt folder, and the lock with the folder of its own."""

from __future__ import annotations

import os

from .._config.configuration import Configuration
from .._config.rules import is_loopback
from .._folder.reader import PromptFolder
from .._foreign_text import printable
from .._lock.copies import copies_of
from .._lock.lock_file import LOCK_FILE_NAME, read_lock
from .._wording import listed, shown
from ..errors import ConfigurationError
from .check import Said, failed, ok, skipped, warning


def folder_check(folder: str | None) -> Said:
    """Whether the files of `prompt_dir` can be read."""
    if folder is None:
        return skipped("there is none (prompt_dir)")
    try:
        names = PromptFolder(os.path.abspath(folder)).names
    except ConfigurationError as error:
        return failed(printable(error.message), "correct the files that it names; `scope list` shows them")
    if not names:
        return warning(
            f"{shown(folder)} has no prompts", "put files such as greeting.md into it, or correct prompt_dir"
        )
    return ok(f"{len(names)} prompts in {printable(folder)}")


def lock_check(config: Configuration, path: str | None) -> Said:
    """Whether the lock can be used, is of this organisation, and has its files."""
    if path is None:
        there = f"; {LOCK_FILE_NAME} is in this folder, name it by --lock or SCOPE_LOCK"
        return skipped(f"there is none (lock){there if os.path.isfile(LOCK_FILE_NAME) else ''}")
    try:
        lock = read_lock(os.path.abspath(path))
        copies = copies_of(lock)
    except ConfigurationError as error:
        return failed(printable(error.message), "restore it from version control, or name another lock")
    own = getattr(config.credentials, "org_id", None)
    if own not in (None, lock.organisation) and not is_loopback(config.base_url):
        return failed(
            f"the lock is of the organisation {shown(lock.organisation)}, and the credentials are of {shown(own)}",
            "give the credentials of the same organisation, or pull a lock of this one",
        )
    if copies.flaws:
        wrong = listed(copies.flaws, written=printable, joint="; ")
        return failed(
            f"the folder has {len(copies.versions)} of {len(lock.versions)} versions as they were locked: {wrong}",
            "put its files and the lock back with git, or run scope pull --locked --force; or deploy the folder beside "
            "the lock",
        )
    return ok(f"{len(lock.versions)} locked versions, and the folder {printable(lock.folder)} has each of them")
