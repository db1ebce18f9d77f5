"""The reader of a folder of prompts, a file for each version; of what it has read, only what changed is read again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Callable, NamedTuple, Union

from .._circuit_breaker import NEVER
from .._clock import SYSTEM_CLOCK
from .._foreign_text import printable
from .._interrupts import pass_on
from .._wording import cut, listed
from ..errors import ConfigurationError
from .entries import number_in
from .flaws import flaw, ids_twice, prompt_id_twice, prompt_ids_differ, published_twice, unreadable_folder
from .identities import ID_PREFIX, Identities
from .prompt_files import Seen, files_of, place_for
from .record import VersionRecord, is_prompt_id, prompt_id
from .sight import Sight
from .tree import Tree
from .version_file import read_version
from .whole_file import FileTime, UnfinishedError

StrPath = Union[str, "os.PathLike[str]"]
LONGEST_FLAWS_CHARACTERS = 600
UNFINISHED_SECONDS = 2.0  # so long a file that is being written leaves its former text in place
SETTLING_SECONDS = 0.2
MOST_IN_QUESTION = 20  # prompts that each have the former ID of the next one


def read_prompt_dir(folder: StrPath) -> Mapping[str, tuple[VersionRecord, ...]]:
    """The versions of every prompt, in the order of their numbers; one ConfigurationError names every wrong file."""
    read = PromptFolder(folder)
    return MappingProxyType({name: read.versions(name) for name in read.names})


class _Prompt(NamedTuple):
    """What is known of a prompt: its files as they are `seen`, what they hold, and the last versions without a flaw.

    `read` has, by file and by the status of one that gives none, the version or what is wrong. `misplaced` and `wrong`
    are the flaws of the present files, `claims` are those of an ID that another prompt has, `outside` names files that
    are links out of the folder.
    """

    looked_at: float = NEVER
    seen: Mapping[str, Seen] = MappingProxyType({})
    read: Mapping[tuple[str, str], VersionRecord | str] = MappingProxyType({})
    versions: tuple[VersionRecord, ...] = ()
    misplaced: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def to_tell(self) -> tuple[str, ...]:
        return (*self.misplaced, *self.wrong, *self.claims, *self.outside)


class PromptFolder:
    """The prompts of a folder. A look at one of them lists the folder, and reads those of its files that changed.

    A prompt with a flaw stays as it was before, and so does one of which a file is being written. A link that leads
    out of the folder is not followed. Only `versions` and `is_due` may be called while another thread looks.

    Args:
        folder: Where the files are.
        warn: Is called with a text that names all flaws, if a look finds a new one.
        note: Is called with a text that names all links that lead out of the folder, if there is a new one.
        look_seconds: For how long what a look saw is taken as it is.
        now: Returns monotonic seconds.
        file_time: Returns the time of the file system, in nanoseconds since 1970.
        is_strict: Whether the first look raises what is wrong; if not, `warn` hears of it.

    Raises:
        ConfigurationError: There is no such folder, or files in it have flaws; it names all of them.
    """

    def __init__(
        self,
        folder: StrPath,
        warn: Callable[[str], object] = lambda flaws: None,
        *,
        note: Callable[[str], object] = lambda links: None,
        look_seconds: float = 0.0,
        now: Callable[[], float] = SYSTEM_CLOCK.now,
        file_time: Callable[[], int] = time.time_ns,
        is_strict: bool = True,
    ) -> None:
        self._root = os.fspath(folder)
        self._look_seconds = look_seconds
        self._now = now
        self._file_time = file_time
        self._tree = Tree(self._root, look_seconds, file_time)
        self._looked_at_all_at = NEVER
        self._why_unlisted = ""
        self._identities = Identities()
        self._prompts: dict[str, _Prompt] = {}
        self._told: set[str] = set()
        self._unfinished_since: dict[str, float] = {}
        self._in_question: set[str] = set()
        self._note = note
        self._warn: Callable[[str], object] = _refuse if is_strict else warn
        self._has_read = False
        self.look_at_all()
        self._warn = warn
        self._has_read = True

    @property
    def names(self) -> list[str]:
        """Of all prompts that are known."""
        return [name for name, prompt in self._prompts.items() if prompt.versions]

    @property
    def flawed(self) -> list[str]:
        """The names of all prompts that have flaws."""
        return [name for name in self._prompts if self.flaws(name)]

    def name(self, prompt: str) -> str:
        """The name that a name or an ID stands for."""
        known = None if is_prompt_id(prompt) else self._prompts.get(prompt)
        return prompt if known and known.versions else self._identities.owner(prompt) or prompt

    def is_unfinished(self, prompt: str) -> bool:
        """Whether somebody was writing a file of a prompt when it was looked at."""
        return self.name(prompt) in self._unfinished_since

    def place_for(self, prompt: str) -> str:
        """The path of the folder that a prompt without files is to have; some of the folders in it may be there."""
        return place_for(self._tree, prompt)

    @property
    def path(self) -> str:
        """Where the folder is, as it was given."""
        return self._root

    @property
    def real_path(self) -> str:
        """Where the folder really is."""
        return self._tree.real_root

    def files(self, prompt: str) -> dict[int, tuple[str, str]]:
        """The files of a prompt's versions, by number: each path in the folder, and where that really is."""
        seen = self._prompts.get(self.name(prompt), _NOTHING).seen
        return {
            _number(file): (file, sight.path)
            for file, sight in seen.items()
            if isinstance(sight, Sight) and not sight.is_outside
        }

    def versions(self, prompt: str) -> tuple[VersionRecord, ...]:
        """What is known of a prompt, by its name or ID, in the order of the numbers; empty if there is none."""
        return self._prompts.get(self.name(prompt), _NOTHING).versions

    def readable(self, prompt: str) -> tuple[VersionRecord, ...]:
        """Each present version of a prompt that can be read, whatever is wrong with the other files."""
        name = self.name(prompt)
        read = self._prompts.get(name, _NOTHING).read
        return _of_one_prompt(name, [version for version in read.values() if not isinstance(version, str)])

    def flaws(self, prompt: str) -> tuple[str, ...]:
        """Why versions of a prompt, by its name or ID, may be missing: what is wrong with its files."""
        name = self.name(prompt)
        known = self._prompts.get(name, _NOTHING)
        outside = (flaw(file, "is a link that leads out of the folder, and is not followed") for file in known.outside)
        unfinished = ["somebody is writing a file of it; ask again"] if self.is_unfinished(name) else []
        unlisted = [self._why_unlisted] if self._why_unlisted else []
        return (*unlisted, *known.misplaced, *known.wrong, *known.claims, *outside, *unfinished)

    def is_due(self, prompt: str) -> bool:
        """Whether a look at this prompt, by its name or ID, would see more than what is known."""
        now = self._now()
        name = self.name(prompt)
        if self._tree.is_due(name, now):
            return True
        known = self._prompts.get(name)
        if known is None:
            return self._tree.may_have(name) or self._may_be_new_id(prompt, now)
        return now >= known.looked_at + self._look_seconds

    def look(self, prompt: str) -> None:
        """Brings what is known of this prompt, by its name or ID, up to date."""
        now = self._now()
        self._list(now)
        if self._why_unlisted:
            return
        finds = [self._finds_a_flaw(name, now) for name in dict.fromkeys((prompt, self.name(prompt)))]
        if any(finds) or self._may_be_new_id(prompt, now):
            self.look_at_all()

    def look_at_what_is_written(self, prompt: str) -> None:
        """The same for who has written its files: where the system cannot tell, they would be taken as unfinished."""
        self._unfinished_since[self.name(prompt)] = NEVER
        self.look(prompt)

    def look_at_all(self) -> None:
        """Brings what is known of every prompt up to date."""
        now = self._now()
        self._list(now)
        if self._why_unlisted:
            return
        self._looked_at_all_at = now
        for name in {**dict.fromkeys(self._tree.names()), **self._prompts}:
            self._finds_a_flaw(name, now)
        prompts = self._prompts.values()
        outside = [file for each in prompts for file in each.outside]
        kinds = ("misplaced", "wrong", "claims")
        flaws = [*dict.fromkeys(flaw for kind in kinds for each in prompts for flaw in getattr(each, kind))]
        told, self._told = self._told, {*outside, *flaws}
        if not told.issuperset(outside):
            links = listed(outside, written=printable)
            self._note(
                f"the prompt folder {self._root!r} has links that lead out of it, which are not followed: {links}"
            )
        if not told.issuperset(flaws):
            self._warn(self._unusable(flaws))

    def _may_be_new_id(self, prompt: str, now: float) -> bool:
        """Whether this may be the ID of a prompt that has come since all were looked at."""
        is_new = prompt.startswith(ID_PREFIX) and not self.versions(prompt)
        return is_new and now >= self._looked_at_all_at + self._look_seconds

    def _list(self, now: float) -> None:
        try:
            if not self._tree.begin_look(now):
                return
        except OSError as error:
            pass_on(error)
            why = self._why_not_there(error)
        else:
            why = ""
        was, self._why_unlisted = self._why_unlisted, why
        if why not in ("", was):
            self._warn(why)

    def _why_not_there(self, error: OSError) -> str:
        if os.path.isdir(self._root):
            return self._unusable([f"./: {unreadable_folder(error)}"])
        wrong = "is not a folder" if os.path.exists(self._root) else "does not exist"
        return f"the prompt folder {self._root!r} {wrong}; name one that holds .md files"

    def _unusable(self, flaws: Sequence[str]) -> str:
        named = listed(flaws, written=cut, joint="\n  ", most=LONGEST_FLAWS_CHARACTERS)
        return f"the prompt folder {self._root!r} cannot be used:\n  {named}"

    def _finds_a_flaw(self, name: str, now: float, *, at_once: bool = False) -> bool:
        """Looks at one prompt; whether there is something of it that was not told of."""
        known = self._prompts.get(name, _NOTHING)
        if not at_once and now < known.looked_at + self._look_seconds:
            return False
        seen = files_of(self._tree, name)
        is_known = seen == known.seen and not known.claims
        try:
            prompt = known if is_known else self._read(name, seen, known, now)
        except UnfinishedError:
            self._unfinished_since.setdefault(name, now)
            looked_at = now - self._look_seconds + min(self._look_seconds, SETTLING_SECONDS)
            self._prompts[name] = known._replace(looked_at=looked_at)
            return False
        self._unfinished_since.pop(name, None)
        self._told.difference_update(set(known.to_tell).difference(prompt.to_tell))
        if not self._tree.may_have(name) and not (seen and name in self._prompts):
            self._prompts.pop(name, None)
            self._identities.take(name)
            return False
        self._prompts[name] = prompt._replace(looked_at=now)
        if not is_known:
            self._identities.give(name, {version.prompt_id for version in prompt.versions})
        return not self._told.issuperset(prompt.to_tell)

    def _may_be_unfinished(self, name: str, now: float) -> bool:
        """At first there is no former text to leave in place."""
        return self._has_read and now < self._unfinished_since.get(name, now) + UNFINISHED_SECONDS

    def _read(self, name: str, seen: Mapping[str, Seen], known: _Prompt, now: float) -> _Prompt:
        """Raises UnfinishedError if a file is being written."""
        sights = {file: sight for file, sight in seen.items() if isinstance(sight, Sight)}
        files = {_number(file): file for file, sight in sights.items() if not sight.is_outside}
        default = "published" if len(files) == 1 else "draft"
        file_time = self._file_time if self._may_be_unfinished(name, now) else None
        read: dict[tuple[str, str], VersionRecord | str] = {}
        for number, file in sorted(files.items()):
            key = file, default
            is_known = key in known.read and known.seen[file] == seen[file]
            read[key] = known.read[key] if is_known else _version(sights[file].path, name, number, default, file_time)
        versions = _of_one_prompt(name, [version for version in read.values() if not isinstance(version, str)])
        misplaced = tuple(flaw(file, sight) for file, sight in seen.items() if isinstance(sight, str))
        unread = (flaw(file, why) for (file, _), why in read.items() if isinstance(why, str))
        differ = prompt_ids_differ(name, versions, files)
        wrong = (*unread, *published_twice(versions, files), *ids_twice(versions, files), *differ)
        claims = () if wrong else tuple(self._claims(name, versions, files, now))
        outside = tuple(file for file, sight in sights.items() if sight.is_outside)
        is_wrong = misplaced or wrong or claims
        return _Prompt(NEVER, seen, read, known.versions if is_wrong else versions, misplaced, wrong, outside, claims)

    def _claims(
        self, name: str, versions: Sequence[VersionRecord], files: Mapping[int, str], now: float
    ) -> Iterator[str]:
        self._identities.take(name)
        for identity, version in {version.prompt_id: version for version in reversed(versions)}.items():
            rival = self._identities.rival(name, identity)
            if rival is not None and len(self._in_question) < MOST_IN_QUESTION and rival not in self._in_question:
                self._in_question.add(name)  # its files may have been renamed, or have got another ID
                self._finds_a_flaw(rival, now, at_once=True)
                self._in_question.discard(name)
                rival = self._identities.rival(name, identity)
            if rival is not None:
                yield prompt_id_twice(files[version.number], identity, next(iter(self._prompts[rival].seen), rival))


def _of_one_prompt(name: str, versions: Sequence[VersionRecord]) -> tuple[VersionRecord, ...]:
    """All with the ID of the prompt that some of their files give."""
    given = {version.prompt_id for version in versions} - {prompt_id(name)} if versions else set()
    if len(given) != 1:
        return tuple(versions)
    (identity,) = given
    return tuple(version._replace(prompt_id=identity) for version in versions)


_NOTHING = _Prompt()


def _refuse(flaws: str) -> None:
    raise ConfigurationError(flaws)


def _version(path: str, name: str, number: int, default: str, file_time: FileTime | None) -> VersionRecord | str:
    try:
        return read_version(path, name, number, default, file_time)
    except ConfigurationError as error:
        return error.message


def _number(file: str) -> int:
    return number_in(file.rpartition("/")[2]) or 1 if "/" in file else 1
