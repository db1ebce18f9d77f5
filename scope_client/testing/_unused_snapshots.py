"""Unused snapshots: the files beside test modules that belong to no test any more, as far as this run can tell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

import pytest

from ._snapshot_file import SNAPSHOT_ENDING, folder_of, snapshot_path
from .plugin import SNAPSHOT_FIXTURES, SNAPSHOT_FOLDER


def unused_snapshots(
    items: Iterable[pytest.Item],
    known: Iterable[pytest.Item],
    visited: Mapping[str, set[str]],
    partly: Iterable[str],
) -> set[str]:
    """The paths of the files.

    Args:
        items: The tests of this run.
        known: Those that were left out of it.
        visited: By the ID of a test that ran and passed, the snapshots that it took.
        partly: The modules of which only some tests were collected.
    """
    modules: dict[str, list[pytest.Item]] = {}
    for item in (*items, *known):
        modules.setdefault(os.path.realpath(item.path), []).append(item)
    found = set(_of_no_module({os.path.dirname(module) for module in modules}))
    for module in modules.keys() - {os.path.realpath(each) for each in partly}:
        files = set(_files_in(folder_of(module)))
        found |= {file for file in files if not any(_may_be_of(file, item, visited) for item in modules[module])}
    return found


def _may_be_of(file: str, item: pytest.Item, visited: Mapping[str, set[str]]) -> bool:
    taken = visited.get(item.nodeid)
    if taken is not None:
        return file in {os.path.realpath(path) for path in taken}
    if SNAPSHOT_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        return False
    first = os.path.realpath(snapshot_path(folder_of(str(item.path)), name_of_test(item)))
    return file == first or file.startswith(f"{first[: -len(SNAPSHOT_ENDING)]}.")


def name_of_test(item: pytest.Item) -> str:
    """Within its module."""
    classes = [each.name for each in item.listchain() if isinstance(each, pytest.Class)]
    return ".".join([*classes, item.name])


def _of_no_module(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        for name in _names_in(os.path.join(folder, SNAPSHOT_FOLDER)):
            if not os.path.exists(os.path.join(folder, f"{name}.py")):
                yield from _files_in(os.path.join(folder, SNAPSHOT_FOLDER, name))


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _files_in(folder: str) -> Iterator[str]:
    for place, _, files in os.walk(folder):
        yield from (os.path.realpath(os.path.join(place, file)) for file in files if file.endswith(SNAPSHOT_ENDING))
