"""File changes: the files of a prompt folder and its lock, changed all together or not at all.

| step | a process that ends here leaves |
|---|---|
| the new files are written into the hidden folder `.scope-pull` | nothing that counts |
| the former files are kept there, then a list of all changes | the same |
| the files of each prompt are replaced | a folder that can be read; the list has the next change put it back |
| the lock is replaced | everything as it should be |

A version that takes the place of another replaces its file, and is renamed after that: so no reader meets two published
versions, or none. The new file is open for writing until all of its prompt are there, which readers that run take as
unfinished: they keep the former state.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, NamedTuple

from .._folder.replacing import liken, settle
from .._interrupts import pass_on

STAGE_NAME = ".scope-pull"
CHANGES_FILE_NAME = "changes.json"
MAX_SETTLING_THREADS = 16


class FileChange(NamedTuple):
    """One file of a folder."""

    path: str
    """In the folder, with forward slashes."""
    before: bytes | None
    """Its bytes; None if there is no such file."""
    after: bytes | None
    """The same, as they shall be."""
    group: str = ""
    """The prompt whose file it is."""


def undo_what_was_left(folder: str) -> None:
    """Puts back what a process that ended in the middle had changed, unless its lock has come too."""
    stage = os.path.join(folder, STAGE_NAME)
    with contextlib.suppress(FileNotFoundError):
        written = _Written.read(stage, folder)
        if written is not None and _digest_at(written.lock) == written.lock_before:
            written.undo()
        _remove(stage)


def carry_out(folder: str, changes: Sequence[FileChange], lock: str, lock_after: bytes | None) -> None:
    """Changes the files, and then the lock, unless that is None. The new files are in the folder of `staged` already.

    Raises OSError, and leaves everything as it was, if that fails.
    """
    stage = os.path.join(folder, STAGE_NAME)
    new_lock = os.path.join(os.path.dirname(lock), f".{os.path.basename(lock)}.tmp")
    written = None
    try:
        if lock_after is not None:
            _write(new_lock, lock_after, like=lock)
            _settle_file(new_lock)
        written = _Written.new(stage, folder, changes, lock)
        for group in _grouped(changes):
            _change(folder, stage, group)
        _together(settle, {os.path.dirname(_at(folder, each.path)) for each in changes})
        if lock_after is not None:
            os.replace(new_lock, lock)
    except BaseException:
        if written is not None:
            written.undo()  # if that fails too, what is kept stays for the next change
        with contextlib.suppress(OSError):
            os.unlink(new_lock)
        drop_staged(folder)
        raise
    settle(os.path.dirname(lock))
    drop_staged(folder)


def staged(folder: str, changes: Iterable[FileChange]) -> str:
    """Writes the new files into a hidden folder, beside copies of those that stay; where that is."""
    stage = os.path.join(folder, STAGE_NAME)
    after = os.path.join(stage, "after")
    os.makedirs(after)
    changed = {each.path: each.after for each in changes}
    for path in _prompt_files(folder):
        if path not in changed:
            _copy(_at(folder, path), _at(after, path))
    written = [path for path, octets in changed.items() if octets is not None]
    for path in written:
        _write(_at(after, path), changed[path] or b"", like=_at(folder, path))
    _together(_settle_file, (_at(after, path) for path in written))
    return after


def drop_staged(folder: str) -> None:
    """Removes what `staged` has written."""
    _remove(os.path.join(folder, STAGE_NAME))


class _Written(NamedTuple):
    """The list of changes, as the hidden folder has it."""

    folder: str
    lock: str
    lock_before: str | None
    former: dict[str, str | None]
    """By path, where the former file is kept; None if there was none."""
    ours: frozenset[str | None]
    """The digests of the new files; None among them, for a file that went."""

    @classmethod
    def new(cls, stage: str, folder: str, changes: Sequence[FileChange], lock: str) -> _Written:
        former: dict[str, str | None] = {}
        os.makedirs(os.path.join(stage, "before"), exist_ok=True)
        for number, change in enumerate(changes):
            kept = os.path.join(stage, "before", str(number))
            former[change.path] = None if change.before is None else kept
            if change.before is not None:
                _keep(_at(folder, change.path), kept)
        ours = [None, *(_digest(each.after) for each in changes if each.after is not None)]
        facts = {
            "lock": os.path.relpath(lock, folder),
            "before": _digest_at(lock),
            "former": {path: kept and os.path.basename(kept) for path, kept in former.items()},
            "ours": ours,
        }
        unfinished = os.path.join(stage, f"{CHANGES_FILE_NAME}.tmp")
        _write(unfinished, json.dumps(facts).encode())
        _settle_file(unfinished)
        os.replace(unfinished, os.path.join(stage, CHANGES_FILE_NAME))
        settle(stage)
        return cls(folder, lock, facts["before"], former, frozenset(ours))  # type: ignore[arg-type]  # of mixed values

    @classmethod
    def read(cls, stage: str, folder: str) -> _Written | None:
        """None if there is no whole list, so that nothing was changed."""
        try:
            with open(os.path.join(stage, CHANGES_FILE_NAME), "rb") as file:
                facts: dict[str, Any] = json.load(file)
            lock, before, ours = facts["lock"], facts["before"], frozenset(facts["ours"])
            former = {
                _inner(path): kept and os.path.join(stage, "before", os.path.basename(kept))
                for path, kept in facts["former"].items()
            }
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            pass_on(error)
            return None
        return cls(folder, os.path.normpath(os.path.join(folder, lock)), before, former, ours)

    def undo(self) -> None:
        """Of each file that is as the change has made it; what somebody has written since stays."""
        for path, kept in self.former.items():
            there = _at(self.folder, path)
            if _digest_at(there) not in self.ours:
                continue
            if kept is not None:
                os.makedirs(os.path.dirname(there), exist_ok=True)
                with contextlib.suppress(FileNotFoundError):  # it was put back already
                    os.replace(kept, there)
            elif os.path.lexists(there):
                os.unlink(there)
                _remove_empty(self.folder, path)


def _inner(path: str) -> str:
    """The list may have come with somebody else's repository; raises ValueError for a path that leads out."""
    if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in path.split("/")):
        raise ValueError(path)
    return path


def _change(folder: str, stage: str, group: Sequence[FileChange]) -> None:
    """The files of one prompt."""
    gone = [each.path for each in group if each.after is None]
    come = [each.path for each in group if each.before is None]
    changed = [each.path for each in group if each.before is not None and each.after is not None]
    with contextlib.ExitStack() as being_written:
        for path in [*changed, *come] if os.name != "nt" else ():  # an open file cannot be renamed there
            being_written.enter_context(open(_at(os.path.join(stage, "after"), path), "r+b"))
        for path in come:
            os.makedirs(os.path.dirname(_at(folder, path)), exist_ok=True)
        if len(gone) == len(come) == 1:
            os.replace(_at(os.path.join(stage, "after"), come[0]), _at(folder, gone[0]))
            os.rename(_at(folder, gone[0]), _at(folder, come[0]))
            _remove_empty(folder, gone[0])
            gone, come = [], []
        for path in gone:
            os.unlink(_at(folder, path))
        for path in [*changed, *come]:
            os.replace(_at(os.path.join(stage, "after"), path), _at(folder, path))
        for path in gone:
            _remove_empty(folder, path)


def _grouped(changes: Iterable[FileChange]) -> Iterable[Sequence[FileChange]]:
    groups: dict[str, list[FileChange]] = {}
    for change in changes:
        groups.setdefault(change.group, []).append(change)
    return groups.values()


def _prompt_files(folder: str) -> Iterator[str]:
    """The paths of all that readers may look at; links are what they lead to."""
    for root, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".") and each.lower() != "node_modules"]
        for file in files:
            if not file.startswith(".") and file.lower().endswith(".md"):
                yield os.path.relpath(os.path.join(root, file), folder).replace(os.sep, "/")


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # a link to nowhere
        shutil.copyfile(source, target)


def _keep(source: str, target: str) -> None:
    """The very file, where the file system can do that; else a copy with its times."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target)


def _write(path: str, octets: bytes, like: str = "") -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        if like and os.path.exists(like):
            liken(path, os.stat(like))
        file.write(octets)


def _settle_file(path: str) -> None:
    """Has the bytes outlast a crash."""
    opened = os.open(path, os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _together(work: Callable[[str], object], paths: Iterable[str]) -> None:
    """In several threads: a disk is quicker with many such requests at once than one after the other."""
    with ThreadPoolExecutor(MAX_SETTLING_THREADS, thread_name_prefix="scope-pull") as pool:
        for _ in pool.map(work, paths):
            pass


def _at(folder: str, path: str) -> str:
    return os.path.join(folder, *path.split("/"))


def _digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def _digest_at(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return _digest(file.read())
    except FileNotFoundError:
        return None


def _remove(stage: str) -> None:
    """The list first: without it, what is left counts for nothing."""
    if os.path.islink(stage):
        os.unlink(stage)
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(stage, CHANGES_FILE_NAME))
    with contextlib.suppress(OSError):
        after = os.path.join(stage, "after")
        _together(lambda each: shutil.rmtree(each, ignore_errors=True), [each.path for each in os.scandir(after)])
    shutil.rmtree(stage, ignore_errors=True)


def _remove_empty(folder: str, path: str) -> None:
    """The folders of a file that went, as far as nothing else is in them."""
    parts = path.split("/")[:-1]
    while parts:
        try:
            os.rmdir(_at(folder, "/".join(parts)))
        except OSError:
            return
        parts.pop()
