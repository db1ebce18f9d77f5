"""The writer of a folder of prompts: publishes, archives and drafts versions, so that no reader meets half a change.

A change of several files goes in this order, so that a crash in between loses nothing, and says what to do if it
leaves a flaw. The first file is open for writing until the last one is there: programs that read the folder take the
prompt as unfinished, and keep its former state.

| change | steps |
|---|---|
| publish | the version becomes published; the former one archived |
| draft beside files | a status that the only file does not give is written into it; the new file comes |
| draft beside NAME.md | a hidden folder gets v1.md and v2.md; it becomes NAME/; NAME.md goes |
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable, NamedTuple

from .._clock import SYSTEM_CLOCK
from .._wording import listed, shown
from ..errors import ConfigurationError
from .entries import number_in, stem_of
from .reader import SETTLING_SECONDS, PromptFolder
from .record import VersionRecord, rfc3339
from .replacing import Identity, check_unchanged, created, hidden_name, identity, liken, replaced, settle
from .version_file import version_in
from .whole_file import read_whole
from .written_file import octets_of, with_status

STATE_CHARACTERS = 32


def state_of(versions: Iterable[VersionRecord]) -> str:
    """A text that is the same for the same versions of a prompt, whenever they were written."""
    facts = [
        [each.number, each.id, each.declared, {**each.to_body(), "created_at": "", "updated_at": ""}]
        for each in versions
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:STATE_CHARACTERS]


class _File(NamedTuple):
    """The file of a version, as it was read: its name in the folder, and where that really is."""

    name: str
    path: str
    octets: bytes
    identity: Identity


class FolderWriter:
    """Writes versions into the folder of a reader, one call at a time.

    Each call looks at the prompt first. It raises ConfigurationError, and changes nothing, if a file of the prompt has
    a flaw, is being written or leads out of the folder, if it changes meanwhile, or if the prompt's `state_of` is not
    `expected`, where that is given.
    """

    def __init__(
        self,
        folder: PromptFolder,
        *,
        sleep: Callable[[float], object] = SYSTEM_CLOCK.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._sleep = sleep
        self._clock = clock

    def publish(self, name: str, number: int, expected: str | None = None) -> None:
        """Makes a version the published one, and archives the one that was."""
        versions = self._checked(name, expected)
        former = [each for each in versions if each.status == "published" and each.number != number]
        wanted = [(version_of(versions, number), "published"), *((each, "archived") for each in former)]
        with _translated(name):
            files = [(self._file(each, versions), status) for each, status in wanted if each.status != status]
            at = rfc3339(self._clock())
            _write([(file, _in_status(file, status, at)) for file, status in files])
        self._folder.look_at_what_is_written(name)

    def archive(self, name: str, number: int, expected: str | None = None) -> None:
        """Makes a version an archived one."""
        versions = self._checked(name, expected)
        version = version_of(versions, number)
        if version.status != "archived":
            with _translated(name):
                file = self._file(version, versions)
                _write([(file, _in_status(file, "archived", rfc3339(self._clock())))])
        self._folder.look_at_what_is_written(name)

    def draft(self, version: VersionRecord, expected: str | None = None) -> None:
        """Writes a new version, whose number is higher than all others."""
        versions = self._checked(version.prompt, expected)
        for each in versions:
            if each.number >= version.number or each.id == version.id:
                raise ConfigurationError(f"{shown(version.prompt)} has v{each.number} with the ID {each.id!r} already")
        octets = octets_of(version)
        with _translated(version.prompt):
            if not versions:
                self._begin(version, octets)
            elif _is_in_its_folder(self._folder.files(version.prompt)[versions[-1].number][0]):
                self._add(versions, version, octets)
            else:
                self._unfold(versions, version, octets)
        self._folder.look_at_what_is_written(version.prompt)

    def _checked(self, name: str, expected: str | None) -> tuple[VersionRecord, ...]:
        """The versions of a prompt, as its files are now."""
        self._folder.look(name)
        if self._folder.is_unfinished(name):  # for the system may not tell whether somebody still has a file open
            self._sleep(SETTLING_SECONDS)
            self._folder.look(name)
        flaws = self._folder.flaws(name)
        if flaws:
            raise ConfigurationError(f"{shown(name)} cannot be changed: {listed(flaws, written=str, joint='; ')}")
        versions = self._folder.versions(name)
        if expected is not None and expected != state_of(versions):
            raise ConfigurationError(f"{shown(name)} was changed since you looked at it; look again")
        return versions

    def _file(self, version: VersionRecord, versions: Sequence[VersionRecord]) -> _File:
        name, path = self._folder.files(version.prompt)[version.number]
        if not os.access(path, os.W_OK):  # for to replace it, only its folder has to be writable
            raise ConfigurationError(f"{name} is read-only for this user; make it writable, and try again")
        found = identity(path)
        read = read_whole(path)
        default = "published" if len(versions) == 1 else "draft"
        file = _File(name, path, read.octets, found)
        found_version = version_in(read, version.prompt, version.number, default)
        if found_version._replace(prompt_id=version.prompt_id) != version:  # which it may have from another file
            raise ConfigurationError(f"{name} was changed meanwhile; look at it, and try again")
        return file

    def _begin(self, version: VersionRecord, octets: bytes) -> None:
        root = self._folder.real_path
        folder = os.path.join(root, *self._folder.place_for(version.prompt).split("/"))
        made = [folder]
        while os.path.dirname(made[-1]) != root and not os.path.lexists(os.path.dirname(made[-1])):
            made.append(os.path.dirname(made[-1]))
        made = [each for each in made if not os.path.lexists(each)]
        try:
            for each in reversed(made):
                os.mkdir(each)
                liken(each, os.stat(root))
            with created(os.path.join(folder, _named(version)), octets, like=None):
                for each in made:
                    settle(os.path.dirname(each))
        except OSError:
            for each in made:
                with contextlib.suppress(OSError):
                    os.rmdir(each)
            raise

    def _add(self, versions: Sequence[VersionRecord], version: VersionRecord, octets: bytes) -> None:
        """Beside the files that are there; one that is not alone any more says what it has been so far."""
        if len(versions) == 1:
            file = self._file(versions[0], versions)
            _write([(file, _in_status(file, versions[0].status))], keeps_time=True)
        path, last = self._folder.files(version.prompt)[versions[-1].number]
        folder = os.path.realpath(os.path.join(self._folder.real_path, os.path.dirname(path)))
        with created(os.path.join(folder, _named(version)), octets, like=os.stat(last)):
            pass

    def _unfold(self, versions: Sequence[VersionRecord], version: VersionRecord, octets: bytes) -> None:
        """NAME.md becomes NAME/v1.md, beside the new version; it is there until both are."""
        (only,) = versions
        file = self._file(only, versions)
        if os.path.islink(os.path.join(self._folder.real_path, file.name)):
            raise ConfigurationError(f"{file.name} is a link; replace it by a file, or by a folder with {_named(only)}")
        like = os.stat(file.path)
        new = [(_named(version), octets), (_named(only), _in_status(file, only.status))]
        path = os.path.join(self._folder.real_path, *file.name.split("/"))
        parent, stem = os.path.realpath(os.path.dirname(path)), stem_of(os.path.basename(path)) or ""
        folder = os.path.join(parent, stem)
        if os.path.isdir(folder):  # with other prompts in it
            with _files_in(folder, new, like):
                _remove(file)
            return
        hidden = os.path.join(parent, hidden_name())
        os.mkdir(hidden)
        try:
            liken(hidden, os.stat(parent))
            with _files_in(hidden, new, like):
                _put_in_place(hidden, folder, file)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)


@contextlib.contextmanager
def _files_in(folder: str, files: Sequence[tuple[str, bytes]], like: os.stat_result) -> Iterator[None]:
    """Makes files; they are open for writing while the block runs, and gone if it fails. The last has the same time."""
    paths = [os.path.join(folder, name) for name, _ in files]
    done: list[str] = []
    with contextlib.ExitStack() as open_files:
        try:
            for path, (_, octets) in zip(paths, files):
                open_files.enter_context(created(path, octets, like=like))
                done.append(path)
            os.utime(paths[-1], ns=(like.st_atime_ns, like.st_mtime_ns))
            yield
        except (OSError, ConfigurationError):
            for path in done:
                with contextlib.suppress(OSError):
                    os.unlink(path)
            raise


def _put_in_place(hidden: str, folder: str, file: _File) -> None:
    """The folder first: while both are there, the reader says so, and nothing is lost."""
    check_unchanged(file.path, file.identity)
    os.rename(hidden, folder)
    settle(os.path.dirname(folder))
    try:
        _remove(file)
    except (OSError, ConfigurationError):
        os.rename(folder, hidden)
        raise


def _remove(file: _File) -> None:
    """Only as it was read."""
    parent = os.path.dirname(file.path)
    aside = os.path.join(parent, hidden_name())
    os.rename(file.path, aside)
    if identity(aside) != file.identity:
        os.rename(aside, file.path)
        check_unchanged(file.path, file.identity)
    os.unlink(aside)
    settle(parent)


def _is_in_its_folder(file: str) -> bool:
    """Whether a file is one of the versions in the folder of a prompt, and not a prompt alone."""
    return "/" in file and number_in(file.rpartition("/")[2]) is not None


def version_of(versions: Iterable[VersionRecord], number: int) -> VersionRecord:
    """The version of this number; ConfigurationError if there is none."""
    there = {each.number: each for each in versions}
    if number not in there:
        raise ConfigurationError(f"there is no v{number}; the versions are: {listed(sorted(there))}")
    return there[number]


def _named(version: VersionRecord) -> str:
    return f"v{version.number}.md"


def _in_status(file: _File, status: str, at: str | None = None) -> bytes:
    try:
        return with_status(file.octets, status, at)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file.name}: {error.message}") from None


def _write(changes: Iterable[tuple[_File, bytes]], *, keeps_time: bool = False) -> None:
    """Replaces the files, or none of them."""
    done: list[tuple[_File, Identity]] = []
    with contextlib.ExitStack() as open_files:
        try:
            for file, octets in changes:
                if octets != file.octets:
                    writing = replaced(file.path, octets, was=file.identity, keeps_time=keeps_time)
                    open_files.enter_context(writing)
                    done.append((file, identity(file.path)))
        except BaseException:
            for file, written in done:
                with replaced(file.path, file.octets, was=written):
                    pass
            raise


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise ConfigurationError(f"{shown(name)} was changed meanwhile; look at it, and try again") from None
    except OSError as error:
        raise ConfigurationError(f"{shown(name)} cannot be written ({error.strerror}); nothing was lost") from None
