"""Tree: a folder of prompts with the folders in it, each listed when a look comes to it, and only then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Callable, NamedTuple

from .._circuit_breaker import NEVER
from .._interrupts import pass_on
from .entries import Entries, Entry, stem_of, visible
from .escaping import is_like_a_version, read_last_part, read_part
from .flaws import unreadable_folder
from .sight import Sight, sight_in

MAX_FOLDERS_IN_FOLDERS = 40
MAX_LINKS_ON_A_WAY = 4
_NO_ENTRIES = Entries()


class Listed(NamedTuple):
    """A folder as it was listed; `path` is "" for the root, or ends in a slash."""

    path: str
    entries: Entries
    ways: tuple[str, ...] = ()
    """Where the folders on the way to it really are, and itself: none is entered twice, for a link may lead back."""
    links: int = 0
    listed_at: float = NEVER
    look: int = 0
    why_not: str = ""
    """Why its entries are not known."""

    @property
    def real(self) -> str:
        return self.ways[-1]


class Place(NamedTuple):
    """A folder that may hold files of a prompt: as `rest.md`, or in a folder `rest`."""

    at: Listed
    rest: str
    way: tuple[tuple[Listed, Entry], ...]
    """The folders on the way, each with the entry that is the next one."""


class Tree:
    """The folders of one prompt folder.

    Args:
        root: Where it is.
        look_seconds: For how long a listing is taken as it is.
        file_time: Returns the time of the file system, in nanoseconds since 1970.
    """

    def __init__(self, root: str, look_seconds: float, file_time: Callable[[], int]) -> None:
        self._root = root
        self._look_seconds = look_seconds
        self._file_time = file_time
        self._listings: dict[str, Listed] = {}
        self._look = 0
        self._now = NEVER
        self.real_root = root

    def begin_look(self, now: float) -> bool:
        """From here on each folder is listed once, if its listing is not new enough.

        Returns whether the root was listed; raises OSError if that cannot be done.
        """
        self._look += 1
        self._now = now
        was = self._listings.get("")
        if was is not None and not self._is_old(was, now):
            return False
        real = os.path.realpath(self._root)
        try:
            seen = visible(real)
        except OSError:
            if was is not None:
                self._listings[""] = was._replace(listed_at=now)
            raise
        self.real_root = real
        entries = was.entries if was is not None and was.entries.all == seen else Entries(seen)
        self._listings[""] = Listed("", entries, (real,), 0, now, self._look)
        return True

    def is_due(self, name: str, now: float) -> bool:
        """Whether a folder on the way to a prompt would be listed by a look; this lists none."""
        return any(at is None or self._is_old(at, now) for at in self._known_on_the_way(name))

    def may_have(self, name: str) -> bool:
        """Whether the listings that are known have an entry for the prompt; this lists none."""
        return any(self._entries_for(place) for place in self._places(name, self._known))

    def places(self, name: str) -> Iterator[Place]:
        """Where the files of a prompt may be."""
        return self._places(name, self.entered)

    def names(self) -> Iterator[str]:
        """Of the prompts that there may be, in the order of their paths."""
        visited: set[str] = set()
        root = self._listings.get("")
        if root is not None:
            yield from self._names_in(root, "", "", visited)
        for path in self._listings.keys() - visited:
            self._listings.pop(path, None)

    def sight(self, at: Listed, entry: Entry) -> Sight:
        """What an entry is."""
        return sight_in(at.real, entry, self.real_root, self._file_time)

    def entered(self, at: Listed, entry: Entry) -> Listed | None:
        """The folder that an entry is; None if it is none, leads out of the root or back to a folder on the way."""
        path = f"{at.path}{entry.name}/"
        was = self._listings.get(path)
        if was is not None and was.look == self._look and was.ways[:-1] == at.ways:
            return was
        real = self._real_folder(at, entry)
        if real is None or real in at.ways:
            return None
        links = at.links + entry.is_link
        ways = (*at.ways, real)
        if was is not None and not self._is_old(was, self._now) and was.ways == ways:
            return was
        listed = self._listed(path, real, was)._replace(ways=ways, links=links, listed_at=self._now, look=self._look)
        if len(ways) > MAX_FOLDERS_IN_FOLDERS or links > MAX_LINKS_ON_A_WAY:
            listed = listed._replace(entries=_NO_ENTRIES, why_not="is too deep; move its files up, or elsewhere")
        self._listings[path] = listed
        return listed

    def _listed(self, path: str, real: str, was: Listed | None) -> Listed:
        try:
            seen = visible(real)
        except (FileNotFoundError, NotADirectoryError) as error:
            pass_on(error)
            return Listed(path, _NO_ENTRIES)
        except OSError as error:
            pass_on(error)
            return Listed(path, _NO_ENTRIES, why_not=unreadable_folder(error))
        return Listed(path, was.entries if was is not None and was.entries.all == seen else Entries(seen))

    def _real_folder(self, at: Listed, entry: Entry) -> str | None:
        if not entry.may_be_folder:
            return None
        path = os.path.join(at.real, entry.name)
        if entry.is_folder and not os.path.islink(path):  # which it may have become since it was listed
            return path
        sight = self.sight(at, entry._replace(is_folder=False, is_link=True))
        return sight.path if sight.is_folder and not sight.is_outside else None

    def _is_old(self, listed: Listed, now: float) -> bool:
        return now >= listed.listed_at + self._look_seconds

    def _known(self, at: Listed, entry: Entry) -> Listed | None:
        return self._listings.get(f"{at.path}{entry.name}/")

    def _known_on_the_way(self, name: str) -> Iterator[Listed | None]:
        """Every folder that a look at this prompt would list; None for one that was never listed."""
        root = self._listings.get("")
        yield root
        level = [(root, name)] if root is not None else []
        while level:
            at, rest = level.pop()
            for entry in at.entries.folders(rest):
                yield self._known(at, entry) if entry.is_folder else self._known(at, entry) or at
            for entry, after in at.entries.parents(rest):
                listed = self._known(at, entry)
                yield listed if entry.is_folder else listed or at
                if listed is not None:
                    level.append((listed, after))

    def _places(self, name: str, enter: Callable[[Listed, Entry], Listed | None]) -> Iterator[Place]:
        root = self._listings.get("")
        level = [] if root is None else [Place(root, name, ())]
        while level:
            place = level.pop()
            yield place
            for entry, rest in place.at.entries.parents(place.rest):
                listed = enter(place.at, entry)
                if listed is not None:
                    level.append(Place(listed, rest, (*place.way, (place.at, entry))))

    def _entries_for(self, place: Place) -> bool:
        entries = place.at.entries
        return bool(entries.files(place.rest) or entries.folders(place.rest))

    def _names_in(self, at: Listed, own: str, prefix: str, visited: set[str]) -> Iterator[str]:
        visited.add(at.path)
        if at.why_not:
            yield own
        for entry in at.entries.ordered:
            stem = None if entry.is_folder else stem_of(entry.name)
            if stem is not None:
                is_own = at.path and is_like_a_version(stem)
                yield own if is_own else f"{prefix}{read_last_part(stem)}"
            if not entry.may_be_folder:
                continue
            own_below = f"{prefix}{read_last_part(entry.name)}"
            below = self.entered(at, entry)
            if below is not None:
                goes_on, text = read_part(entry.name)
                yield from self._names_in(below, own_below, f"{prefix}{text}{'' if goes_on else '/'}", visited)
            elif entry.is_link:
                yield own_below
