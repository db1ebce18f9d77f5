"""Files: the walk over what a check is to look at, each file once, whatever links lead to it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Callable, NamedTuple, Optional

from .._interrupts import pass_on
from .._wording import shown
from ..errors import ConfigurationError
from .kinds import EXCLUDED, KINDS_OF_FILES, kind_of, why_not_looked_into
from .left_out import Excluded
from .octets import Note


class File(NamedTuple):
    """A file to look at."""

    path: str
    """The absolute path, to open it."""
    shown: str
    """The path as places give it: relative to where the check was started, with forward slashes."""
    kind: str
    """"python", "notebook" or "template"."""
    size: int
    changed_at: tuple[int, int]
    """When its content, and when anything of it was changed, in nanoseconds."""
    is_named: bool
    """Whether it was named itself, and not found below a folder."""


def files(
    paths: Iterable[str],
    exclude: Iterable[str] = (),
    *,
    note: Note,
    kinds: Sequence[str] = KINDS_OF_FILES,
    here: Optional[str] = None,
) -> Iterator[File]:
    """The files that are named, and those below folders that are named.

    Left out are hidden files and folders, virtual environments, packages (site-packages, node_modules), what a build
    makes, and links that lead out of the folders. What .gitignore names is not left out.

    Args:
        paths: Files and folders.
        exclude: Patterns of paths to leave out, such as "tests", "tests/*.py" or "*.txt".
        note: Takes a path as places give it, and why it is not looked at.
        kinds: The kinds of files wanted.
        here: Where the check was started; the current folder by default.

    Raises:
        ConfigurationError: A path is not there, or is neither a file nor a folder.
    """
    walk = _Walk(Excluded(exclude), note, kinds, os.path.abspath(here or os.getcwd()))
    named = list(dict.fromkeys(paths))
    for path in named:
        walk.check(path)
    for path in named:
        yield from walk.files(path)
    yield from walk.files_behind_links()


class _Walk:
    def __init__(self, excluded: Excluded, note: Note, kinds: Sequence[str], here: str) -> None:
        self._excluded = excluded
        self._note = note
        self._kinds = frozenset(kinds)
        self._here = here
        self._real_here = os.path.realpath(here)
        self._seen: set[str] = set()
        self._roots: list[str] = []
        self._links: list[tuple[str, str]] = []

    def check(self, path: str) -> None:
        try:
            mode = os.stat(os.path.join(self._here, path) if path else path).st_mode
        except (OSError, ValueError) as error:
            pass_on(error)
            is_absent = isinstance(error, (FileNotFoundError, NotADirectoryError))
            why = "there is no such file or folder" if is_absent else f"it cannot be opened: {_said(error)}"
            raise ConfigurationError(f"{shown(path)} cannot be checked: {why}") from None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ConfigurationError(f"{shown(path)} cannot be checked: it is neither a file nor a folder")
        if stat.S_ISDIR(mode):
            self._roots.append(os.path.realpath(os.path.join(self._here, path)))

    def files(self, path: str) -> Iterator[File]:
        whole = os.path.normpath(os.path.join(self._here, path))
        if os.path.isdir(whole):
            yield from self._below(whole, os.path.realpath(whole))
        else:
            yield from self._file(whole, os.path.realpath(whole), os.stat, is_named=True)

    def files_behind_links(self) -> Iterator[File]:
        """Those that no other way led to. A link may lead to further ones."""
        while self._links:
            links = sorted(self._links, key=lambda link: os.path.isdir(link[1]))
            self._links = []
            yield from self._files_behind(links)

    def _files_behind(self, links: list[tuple[str, str]]) -> Iterator[File]:
        for path, real in links:
            if real in self._seen:
                continue
            if not any(real == root or real.startswith(os.path.join(root, "")) for root in self._roots):
                if os.path.isdir(real) or kind_of(self._shown(path)) in self._kinds:
                    self._note(self._shown(path), "a link that leads out of what is checked")
            elif os.path.isdir(real):
                yield from self._below(path, real)
            else:
                yield from self._file(path, real, os.stat)

    def _below(self, top: str, real_top: str) -> Iterator[File]:
        waiting = [(top, real_top)]
        while waiting:
            folder, real = waiting.pop()
            if real in self._seen:
                continue
            self._seen.add(real)
            try:
                with os.scandir(folder) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError as error:
                pass_on(error)
                self._note(self._shown(folder), f"cannot be opened: {_said(error)}")
                continue
            names = frozenset(entry.name for entry in entries)
            folders = []
            for entry in entries:
                if entry.is_symlink():
                    self._see_link(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    if not self._is_left_out(entry.path, entry.name, names):
                        folders.append((entry.path, os.path.join(real, entry.name)))
                elif not entry.name.startswith("."):
                    yield from self._file(entry.path, os.path.join(real, entry.name), partial(_facts, entry))
            waiting += reversed(folders)

    def _see_link(self, path: str) -> None:
        name = os.path.basename(path)
        if name.startswith(".") or (os.path.isdir(path) and self._is_left_out(path, name, frozenset())):
            return
        if os.path.exists(path) and not self._excluded.names(self._shown(path), path):
            self._links.append((path, os.path.realpath(path)))

    def _is_left_out(self, path: str, name: str, beside: frozenset[str]) -> bool:
        if name.startswith("."):
            return True
        reason = why_not_looked_into(path, name, beside)
        if reason is None and self._excluded.names(self._shown(path), path):
            reason = EXCLUDED
        if reason:
            self._note(self._shown(path) + "/", reason)
        return reason is not None

    def _file(
        self, path: str, real: str, facts_of: Callable[[str], os.stat_result], *, is_named: bool = False
    ) -> Iterator[File]:
        file = self._shown(path)
        kind = kind_of(file, path if is_named else None)
        if kind not in self._kinds or real in self._seen:
            return
        self._seen.add(real)
        if self._excluded.names(file, path):
            self._note(file, EXCLUDED)
            return
        try:
            facts = facts_of(path)
        except OSError as error:
            pass_on(error)
            self._note(file, f"cannot be opened: {_said(error)}")
            return
        if stat.S_ISREG(facts.st_mode):
            yield File(path, file, kind, facts.st_size, (facts.st_mtime_ns, facts.st_ctime_ns), is_named)

    def _shown(self, path: str) -> str:
        for here in (self._here, self._real_here):
            below = os.path.join(here, "")
            if path.startswith(below):
                return path[len(below) :].replace(os.sep, "/")
        return "." if path in (self._here, self._real_here) else path.replace(os.sep, "/")


def _facts(entry: os.DirEntry[str], path: str) -> os.stat_result:
    return entry.stat(follow_symlinks=False)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
