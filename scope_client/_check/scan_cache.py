"""Scan cache: what was seen in each file, for the next scan. Whatever is wrong with it, files are looked at anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, Optional

from .._folder.replacing import hidden_name
from .._version import __version__
from .configured_calls import ConfiguredCall
from .files import File
from .finding import CodeFinding
from .look import Looked
from .modules import Leaning, Modules
from .use import Given, Place, Use
from .worker_processes import Seeing

CACHE_FOLDER = ".scope_cache"
_CACHE_FILE = "seen.json"
_GITIGNORE = "# Made by `scope check`.\n*\n"
_FORMAT_OF_THE_CACHE = 1
_CLOCK_TICK_NANOSECONDS = 50_000_000
_COARSE_TICK_NANOSECONDS = 2_000_000_000  # of file systems that count in seconds
_GIVEN = Use._fields.index("given")
_IGNORED = Use._fields.index("ignored")


class Kept:
    """What was seen in the files of a project, by file.

    Args:
        folder: The folder that it is kept in.
        here: The folder that the project's paths are relative to.
        calls: The calls that the project configures.
    """

    def __init__(self, folder: str, here: str, calls: Sequence[ConfiguredCall]) -> None:
        self._folder = folder
        self._identity = _identity(here, calls)
        self._modules = Modules(here)
        self._rows: dict[str, Any] = self._loaded()
        self._began_at = time.time_ns()

    def seen(self, file: File) -> Optional[Looked]:
        """What was seen in a file that is the same since, and so are the modules that it rests on; else None."""
        row = self._rows.get(_key(file))
        try:
            if row is None or row[0] != [file.size, *file.changed_at]:
                return None
            if all(self._modules.still_holds(_leaning(each)) for each in row[1]):
                return _looked(row[2])
        except (TypeError, ValueError, LookupError, AttributeError):
            pass
        return None

    def keep(self, found: Iterable[tuple[File, Seeing]]) -> None:
        """Keeps what was seen in these files, besides what was kept already."""
        for file, seeing in found:
            self._rows.pop(_key(file), None)
            if self._is_settled(file):
                stamp = [file.size, *file.changed_at]
                self._rows[_key(file)] = [stamp, sorted(seeing.leanings, key=repr), seeing.looked]
        rows = {key: row for key, row in self._rows.items() if os.path.lexists(key.split(":", 2)[2])}
        with contextlib.suppress(OSError, ValueError):
            self._write(json.dumps({"identity": self._identity, "rows": rows}, default=sorted, separators=(",", ":")))

    def _is_settled(self, file: File) -> bool:
        """Whether another change could not have the same time."""
        changed_at = max(file.changed_at)
        tick = _CLOCK_TICK_NANOSECONDS if changed_at % 1_000_000_000 else _COARSE_TICK_NANOSECONDS
        return changed_at + tick < self._began_at

    def _loaded(self) -> dict[str, Any]:
        try:
            with open(os.path.join(self._folder, _CACHE_FILE), encoding="utf-8") as opened:
                kept = json.load(opened)
            rows = kept["rows"] if kept["identity"] == self._identity else {}
            return rows if isinstance(rows, dict) else {}
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return {}

    def _write(self, text: str) -> None:
        if os.path.islink(self._folder):  # of a stranger's project, say, to a folder that is not its own
            return
        os.makedirs(self._folder, exist_ok=True)
        if not os.path.lexists(os.path.join(self._folder, ".gitignore")):
            self._replace(".gitignore", _GITIGNORE)
        self._replace(_CACHE_FILE, text)

    def _replace(self, name: str, text: str) -> None:
        path = os.path.join(self._folder, hidden_name())
        try:
            with open(path, "x", encoding="utf-8", newline="") as opened:
                opened.write(text)
            os.replace(path, os.path.join(self._folder, name))
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _identity(here: str, calls: Sequence[ConfiguredCall]) -> str:
    """What has to be the same for anything to hold: the code that looks, what it was told, and where."""
    code: list[Any] = []
    with contextlib.suppress(OSError), os.scandir(os.path.dirname(__file__)) as entries:
        code = sorted((each.name, each.stat().st_mtime_ns) for each in entries if each.name.endswith(".py"))
    facts = (_FORMAT_OF_THE_CACHE, __version__, sys.version, code, here, list(calls))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _key(file: File) -> str:
    return f"{file.kind}:{'named' if file.is_named else 'found'}:{file.path}"


def _looked(row: list[Any]) -> Looked:
    uses, findings, left_out = row
    return Looked(tuple(map(_use, uses)), tuple(map(_finding, findings)), left_out)


def _use(row: list[Any]) -> Use:
    row[0] = Place(*row[0])
    row[_GIVEN] = tuple(Given(name, Place(*place), kind) for name, place, kind in row[_GIVEN])
    row[_IGNORED] = None if row[_IGNORED] is None else frozenset(row[_IGNORED])
    return Use(*row)


def _finding(row: list[Any]) -> CodeFinding:
    return CodeFinding(Place(*row[0]), *row[1:])


def _leaning(row: list[Any]) -> Leaning:
    folder, module, path, stamp = row
    return Leaning(folder, module, path, None if stamp is None else tuple(stamp))
