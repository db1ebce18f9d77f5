"""Folders of templates: their files, and what is in these, read as fast as 20,000 of them ask for."""

import os
import stat
from collections.abc import Iterator
from typing import Optional

from .._interrupts import pass_on

MAX_TEMPLATE_BYTES = 10_000_000
FOLDERS_OF_PACKAGES = frozenset({"bower_components", "node_modules"})
_FOLDERS_OF_TOOLS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".idea", ".vscode", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
)
_OPEN_AT_ONCE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe has no writer yet


def files(folder: str, packages: list[str]) -> Iterator[tuple[str, str]]:
    """The files in a folder and below. Links to folders are followed; each folder is read once.

    Args:
        folder: Where to begin.
        packages: Gets the folders that are not looked into, because they hold other people's packages.

    Yields:
        The path of a file, and its name as a template's: relative to `folder`, with slashes.
    """
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        packages += [os.path.join(parent, each) for each in sorted(FOLDERS_OF_PACKAGES.intersection(folders))]
        folders[:] = sorted(each for each in folders if each not in FOLDERS_OF_PACKAGES | _FOLDERS_OF_TOOLS)
        below = "" if parent == folder else os.path.relpath(parent, folder).replace(os.sep, "/") + "/"
        for name in sorted(names):
            yield os.path.join(parent, name), below + name


def octets(file: str) -> Optional[bytes]:
    """What is in a file; None for a pipe, a link that leads nowhere, and a file that is too long to be a template."""
    try:
        opened = os.open(file, _OPEN_AT_ONCE)
    except OSError as error:
        pass_on(error)
        return None
    try:
        facts = os.fstat(opened)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_TEMPLATE_BYTES:
            return None
        return os.read(opened, facts.st_size + 1)  # a buffer of the whole limit costs more than the file
    except OSError as error:
        pass_on(error)
        return None
    finally:
        os.close(opened)
