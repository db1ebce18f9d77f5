"""The files of one prompt, as they are seen in the tree without being read, and what is wrong with their places."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Union

from .entries import Entry, number_in, stem_of
from .escaping import folded, paths_beside
from .sight import Sight
from .tree import Listed, Place, Tree

# What is seen of a file; or in words why what is there cannot be a version.
Seen = Union[Sight, str]


def files_of(tree: Tree, name: str) -> dict[str, Seen]:
    """By their paths in the folder; folders end in a slash. A name becomes a path only if a folder lists it."""
    places = list(tree.places(name))
    seen: dict[str, Seen] = {place.at.path: place.at.why_not for place in places if place.at.why_not}
    owners: dict[int | None, str] = {}
    folders = [
        (place, entry, seen_inside)
        for place in places
        for entry in place.at.entries.folders(place.rest)
        for seen_inside in [dict(_folder(tree, place.at, entry, owners))]
    ]
    for _, _, seen_inside in folders:
        seen.update(seen_inside)
    there = next((f"{place.at.path}{entry.name}/" for place, entry, inside in folders if inside), "")
    ways = {f"{place.at.path}{entry.name}/": (place, entry) for place, entry, inside in folders if inside}
    there = f"a folder {there}" if there else ""
    for place, entry, sight in _lone_files(tree, places):
        file = f"{place.at.path}{entry.name}"
        seen[file] = f"there is {there} too; keep one of the two" if there else sight
        there = there or file
        ways.setdefault(file, (place, entry))
    for file, (place, entry) in list(ways.items())[:1]:
        seen.update(_rivals(tree, place, entry, file))
    return seen


def place_for(tree: Tree, name: str) -> str:
    """The path of the folder of a new prompt: within the folders that are there, beside whatever is in them."""
    place = min(tree.places(name), key=lambda each: len(each.rest))
    for entry in place.at.entries.folders(place.rest):
        below = tree.entered(place.at, entry)
        if below is not None:
            return below.path[:-1]
    taken = {folded(each) for entry in os.listdir(place.at.real) for each in (entry, stem_of(entry)) if each}
    paths = list(paths_beside(place.rest, is_first=not place.at.path))
    free = [path for path in paths if folded(path.partition("/")[0]) not in taken]
    return f"{place.at.path}{(free or paths)[0]}"


def _folder(tree: Tree, at: Listed, entry: Entry, owners: dict[int | None, str]) -> Iterator[tuple[str, Seen]]:
    """What the folder of a prompt holds of it, which may be nothing: then it only holds other prompts."""
    below = tree.entered(at, entry)
    if below is None:
        sight = tree.sight(at, entry)
        if sight.is_folder and sight.is_outside:
            yield f"{at.path}{entry.name}/", sight
        return
    if below.why_not:
        yield below.path, below.why_not
    for each in below.entries.versions:
        file = f"{below.path}{each.name}"
        sight = tree.sight(below, each)
        if sight.is_outside:
            yield file, sight
        elif sight.is_folder:
            continue
        elif number_in(each.name) is None:
            yield file, "a version's file is named v1.md, v2.md and so on; rename it"
        else:
            owner = owners.setdefault(number_in(each.name), file)
            yield file, sight if owner == file else f"there is {owner} too; keep one of the two"


def _lone_files(tree: Tree, places: list[Place]) -> Iterator[tuple[Place, Entry, Sight]]:
    for place in places:
        for entry in place.at.entries.files(place.rest):
            sight = tree.sight(place.at, entry)
            if not sight.is_folder and not (place.at.path and entry in place.at.entries.versions):
                yield place, entry, sight


def _rivals(tree: Tree, place: Place, entry: Entry, file: str) -> Iterator[tuple[str, str]]:
    """What some disks cannot hold beside the folders on the way, or beside the prompt itself."""
    for at, folder in place.way:
        for other in at.entries.alike(folder):
            if tree.entered(at, other) is not None:
                yield f"{at.path}{folder.name}/", _alike(at, other)
    for other in place.at.entries.alike(entry):
        below = tree.entered(place.at, other)
        if (below is not None) == file.endswith("/") or below is None or below.entries.versions:
            yield file, _alike(place.at, other)


def _alike(at: Listed, other: Entry) -> str:
    return f"differs from {at.path}{other.name} in upper and lower case alone; rename one of the two"
