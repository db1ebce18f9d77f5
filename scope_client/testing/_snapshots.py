"""Snapshots: what each test of this process renders, compared with the files beside the tests."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Optional

import pytest

from .._lock.marked_text import marked
from .._lock.word_diff import word_diff
from .._renderings import Rendering, renderings
from .._wording import listed, shown
from ._rendered_text import part_of
from ._snapshot_file import (
    folder_of,
    is_the_same,
    parts_once,
    read_snapshot,
    snapshot_path,
    text_of_snapshot,
    write_snapshot,
)
from ._unused_snapshots import name_of_test, unused_snapshots

UPDATE_OPTION = "--scope-snapshot-update"
_NOT_IN_CI = ("", "0", "false", "no", "off")
MOST_LISTED_FILES = 20


class Snapshots:
    """Those of one process; `of_workers` are what other processes of the run have said of theirs."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._root = str(config.rootpath)
        self._item: Optional[pytest.Item] = None
        self._lock = threading.Lock()
        self._parts: list[str] = []
        self._taken: set[str] = set()  # the paths of the test that runs
        self._visited: dict[str, set[str]] = {}  # by the item's ID, the paths of a test that ran to its end
        self._stop: Any = None
        self.written: list[str] = []
        self.unused: list[str] = []

    def begin(self, item: pytest.Item) -> None:
        """A test begins that may take snapshots: from here on it is heard what is rendered."""
        if self._stop is None:
            self._stop = renderings.listen(self._hear)
        if item is not self._item:
            self._item, self._parts, self._taken = item, [], set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if item is not self._item:
            return
        if call.when == "call" and call.excinfo is None:
            self._visited[item.nodeid] = self._taken
        if call.when == "teardown":
            self._item = None
            self.pytest_unconfigure()

    def pytest_unconfigure(self) -> None:
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _hear(self, rendering: Rendering) -> None:
        part = part_of(rendering)
        with self._lock:
            self._parts.append(part)

    def take(self, name: Optional[str] = None) -> None:
        """Compares what was rendered since the last snapshot, or since the test began, with a file.

        Fails the test if the two differ. Writes the file if there is none, but not in CI.
        """
        __tracebackhide__ = True
        item = self._item
        if item is None:
            _fail("snapshot() is for tests: call it in one, after the code that renders")
        with self._lock:
            found, self._parts = self._parts, []
        names = [name_of_test(item), *self._more_names(item, name)]
        path = snapshot_path(folder_of(str(item.path)), *names)
        if path in self._taken:
            _fail(f"the snapshot {shown(name)} was taken twice in one test: give each a name of its own")
        self._taken.add(path)
        if not found:
            _fail("nothing was rendered before this snapshot: call snapshot() after the code that renders")
        try:
            self._compare(path, ".".join(names), parts_once(found), item)
        except OSError as error:
            _fail(f"the snapshot {self._shown_path(path)} cannot be read or written ({error.strerror})")

    def _more_names(self, item: pytest.Item, name: Optional[str]) -> list[str]:
        if name is not None:
            if not isinstance(name, str) or not name:
                _fail(f"the name of a snapshot must be text, got {shown(name)}")
            return [name]
        count = len(self._taken)
        return [str(count + 1)] if count else []

    def _compare(self, path: str, title: str, parts: tuple[str, ...], item: pytest.Item) -> None:
        __tracebackhide__ = True
        was = read_snapshot(path)
        if was is not None and is_the_same(was, title, parts):
            return
        text = text_of_snapshot(title, parts)
        where = self._shown_path(path)
        is_update = self._config.getoption("scope_snapshot_update")
        if was is None and not is_update and is_in_ci():
            _fail(
                f"there is no snapshot {where}, and in CI (the variable CI is set) none is written: "
                f"run the test on your machine, and commit the file"
            )
        if was is not None and not is_update:
            _fail(
                f"what was rendered is not what {where} has:\n\n{marked(word_diff(was, text))}\n\n"
                f"If the change is right, accept it: pytest {UPDATE_OPTION} {shlex.quote(item.nodeid)}"
            )
        write_snapshot(path, text)
        self.written.append(where)

    def _shown_path(self, path: str) -> str:
        return os.path.relpath(path, self._root).replace(os.sep, "/")

    def find_unused(self, items: Iterable[pytest.Item], known: Iterable[pytest.Item]) -> None:
        """Looks for files of which no test wants to know; `known` are tests that are there and were left out."""
        if self._config.getoption("lf", False):  # leaves tests out without a word
            return
        partly = {os.path.realpath(arg.partition("::")[0]) for arg in self._config.args if "::" in arg}
        found = unused_snapshots(items, known, self._visited, partly)
        self.unused = sorted({*self.unused, *map(self._shown_path, found)})

    def to_tell(self) -> Mapping[str, list[str]]:
        """For the process that runs the others."""
        return {"written": self.written, "unused": self.unused}

    def hear_of(self, told: Mapping[str, list[str]]) -> None:
        """What another process told."""
        self.written = sorted({*self.written, *told["written"]})
        self.unused = sorted({*self.unused, *told["unused"]})

    def summary(self) -> Iterable[str]:
        """What people should know at the end."""
        if self.written:
            them = "it" if len(self.written) == 1 else "them"
            yield f"{_files(self.written, 'written')}: look at {them}, and commit {them}"
        if self.unused:
            gone = "it if its test is" if len(self.unused) == 1 else "them if their tests are"
            yield f"{_files(self.unused, 'that no test takes')}: delete {gone} gone"


def is_in_ci() -> bool:
    return os.environ.get("CI", "").strip().lower() not in _NOT_IN_CI


def _files(paths: list[str], what: str) -> str:
    shown_paths = listed(paths[:MOST_LISTED_FILES], written=str)
    more = f", and {len(paths) - MOST_LISTED_FILES:,} more" if len(paths) > MOST_LISTED_FILES else ""
    return f"{len(paths):,} snapshot{'' if len(paths) == 1 else 's'} {what} ({shown_paths}{more})"


def _fail(said: str) -> NoReturn:
    __tracebackhide__ = True
    pytest.fail(said, pytrace=False)
