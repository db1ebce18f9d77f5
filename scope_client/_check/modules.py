"""Modules: the files behind the imports of a project, what they give their names, and what an answer rests on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple, Optional

from .._interrupts import pass_on
from .imported_constants import Constants, ConstantsOf
from .module_constants import constants_in_python
from .octets import octets
from .source_text import source_text

MAX_PYTHON_BYTES = 2_000_000
_MOST_FOLDERS_ABOVE = 40
Stamp = tuple[int, int, int]
"""The size of a file, and when its content, and anything of it, was changed."""


class Leaning(NamedTuple):
    """That a module was looked for, and where it was."""

    folder: str
    """The folder of the file that imports it."""
    module: str
    """Its dotted name."""
    path: Optional[str]
    """Its file, or None."""
    stamp: Optional[Stamp]
    """The file's size and times."""


def stamp_of(facts: os.stat_result) -> Stamp:
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


class Modules:
    """The modules that files import. What is found is kept, as files do not change while they are looked at.

    Args:
        here: The folder that a project's paths are relative to.
    """

    def __init__(self, here: str) -> None:
        self._here = here
        self._paths: dict[tuple[str, str], Optional[str]] = {}
        self._stamps: dict[str, Optional[Stamp]] = {}
        self._constants: dict[str, tuple[Optional[Constants], frozenset[Leaning]]] = {}

    def constants_for(self, file: str, leanings: set[Leaning]) -> ConstantsOf:
        """What gives the constants of the modules that a file imports.

        Args:
            file: The absolute path of the file.
            leanings: Gets what each answer rests on.
        """
        folder = os.path.dirname(file)

        def constants_of(module: str) -> Optional[Constants]:
            path = self._path(folder, module)
            leanings.add(Leaning(folder, module, path, None if path is None else self._stamp(path)))
            if path is None or path == file:
                return None
            constants, more = self._constants_in(path)
            leanings.update(more)
            return constants

        return constants_of

    def still_holds(self, leaning: Leaning) -> bool:
        """Whether the module is where it was, and the same."""
        path = self._path(leaning.folder, leaning.module)
        return path == leaning.path and (path is None or self._stamp(path) == leaning.stamp)

    def _constants_in(self, path: str) -> tuple[Optional[Constants], frozenset[Leaning]]:
        if path not in self._constants:
            self._constants[path] = None, frozenset()  # for a module that imports one that imports it
            leanings: set[Leaning] = set()
            constants = self._read(path, self.constants_for(path, leanings))
            self._constants[path] = constants, frozenset(leanings)
        return self._constants[path]

    def _read(self, path: str, constants_of: ConstantsOf) -> Optional[Constants]:
        content = octets(path, lambda _, reason: None, MAX_PYTHON_BYTES)
        if content is None:
            return None
        below = os.path.join(self._here, "")
        file = path[len(below) :] if path.startswith(below) else path
        try:
            return constants_in_python(source_text(content), file.replace(os.sep, "/"), constants_of)
        except (SyntaxError, ValueError, RecursionError) as error:
            pass_on(error)
            return None

    def _path(self, folder: str, module: str) -> Optional[str]:
        key = folder, module
        if key not in self._paths:
            self._paths[key] = self._found(folder, module)
        return self._paths[key]

    def _found(self, folder: str, module: str) -> Optional[str]:
        parts = module.split(".")
        if not all(part.isidentifier() or part.replace("-", "_").isidentifier() for part in parts):
            return None
        for root in self._roots(folder):
            whole = os.path.join(root, *parts)
            for path in (f"{whole}.py", os.path.join(whole, "__init__.py")):
                if self._stamp(path) is not None:
                    return path
        return None

    def _roots(self, folder: str) -> Iterator[str]:
        """Where Python may have begun to look for a module: the folders above the file, and `src` in them."""
        for _ in range(_MOST_FOLDERS_ABOVE):
            yield folder
            yield os.path.join(folder, "src")
            above = os.path.dirname(folder)
            if folder == self._here or above == folder:
                return
            folder = above

    def _stamp(self, path: str) -> Optional[Stamp]:
        if path not in self._stamps:
            try:
                self._stamps[path] = stamp_of(os.stat(path))
            except (OSError, ValueError):
                self._stamps[path] = None
        return self._stamps[path]
