"""The library of the local platform: the prompts of a folder, and on top of them what was published since.

There are two ways to change it. A program publishes, drafts and archives in memory: `add`, `archive`, `remove`. A page
changes what is kept, by `publish_version`, `archive_version` and `draft`: the files, or memory if there is no folder.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple, Union

from .._folder.reader import PromptFolder, StrPath
from .._folder.record import VersionRecord, is_prompt_id, new_version, prompt_id, rfc3339
from .._folder.writer import FolderWriter, state_of, version_of
from .._fork import renew_in_children
from .._wording import listed, shown
from ..errors import ConfigurationError

Content = Union[str, Sequence[Mapping[str, Any]]]


class _Overlay(NamedTuple):
    """What memory adds to one prompt; `decided_at` is when memory last chose its production version."""

    added: tuple[VersionRecord, ...] = ()
    hides_folder: bool = False
    decided_at: str | None = None

    def without_production(self, at: str) -> _Overlay:
        added = tuple(_archived(version, at) for version in self.added)
        return self._replace(added=added, decided_at=at)


class Listed(NamedTuple):
    """A prompt, its versions in the order of their numbers, and what is wrong with its files.

    `state` is what a change may expect it to be: the same text as long as nobody changed it.
    """

    name: str
    versions: tuple[VersionRecord, ...]
    flaws: tuple[str, ...]
    state: str


class Library:
    """All prompts of one local platform. Each call looks for changes of its prompt in the folder.

    Args:
        folder: Where the files are.
        warn: Is called with what is wrong with them.
        clock: Returns seconds since 1970.
        writes: Whether pages may change what is kept.
        changed: Is called after each change through this object.
    """

    def __init__(
        self,
        folder: StrPath | None = None,
        *,
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        writes: bool = True,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self.writes = writes
        self._changed = changed
        self._warn = warn
        self._clock = clock
        self._overlays: dict[str, _Overlay] = {}
        self._names_by_id: dict[str, str] = {}  # of the prompts with an overlay; IDs in upper case
        self._folder = None if folder is None else PromptFolder(folder, self._warn_of, note=warn)
        self._writer = None if self._folder is None else FolderWriter(self._folder, clock=clock)
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def find(self, prompt: str) -> tuple[VersionRecord, ...]:
        """The versions of a prompt, in the order of their numbers, by its name or ID; empty if there is none."""
        with self._lock:
            self._look(prompt)
            return self._versions(self._name(prompt))

    def add(
        self,
        name: str,
        content: Content,
        *,
        promote: bool,
        type: str | None = None,  # noqa: A002  # the API's own word
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        variables: Sequence[str] = (),
        description: str | None = None,
    ) -> VersionRecord:
        """Adds a version; with `promote` it becomes the production version."""
        more: dict[str, Any] = {"type": type, "metadata": metadata, "tags": tags, "variables": variables}
        more["description"] = description
        with self._lock:
            self._look(name)
            new = self._new(name, content, status="published" if promote else "draft", **more)
            overlay = self._overlay(name).without_production(new.created_at) if promote else self._overlay(name)
            self._lay_over(name, overlay._replace(added=(*overlay.added, new)))
        self._changed()
        return new

    def _new(self, name: str, content: Content, *, status: str, type: str | None, **more: Any) -> VersionRecord:  # noqa: A002  # the API's own word
        text, kind = _text_and_type(content, type)
        there = self._versions(name)
        number = max((version.number for version in there), default=0) + 1
        more["prompt_id"] = there[-1].prompt_id if there else None
        return new_version(name, number, text, status=status, type=kind, **more, at=rfc3339(self._clock()))

    @property
    def path(self) -> str:
        """Of the folder, as it was given; "" if there is none."""
        return "" if self._folder is None else self._folder.path

    def names(self) -> list[str]:
        """Of all prompts that have a version, in the order of the alphabet."""
        with self._lock:
            return self._names()

    def listing(self) -> tuple[Listed, ...]:
        """All prompts, also those of which no file can be used, in the order of the alphabet."""
        with self._lock:
            names = set(self._names())
            if self._folder is not None:
                names.update(name for name in self._folder.flawed if not self._overlay(name).hides_folder)
            return tuple(self._listed(name) for name in sorted(names))

    def listed(self, prompt: str) -> Listed:
        """One prompt, by its name or ID; one without versions and flaws if there is none."""
        with self._lock:
            versions = self.find(prompt)
            name = versions[0].prompt if versions else prompt
            return Listed(name, versions, self.flaws(prompt), state_of(versions))

    def publish_version(self, name: str, number: int, *, expected: str | None = None) -> VersionRecord:
        """Puts a version into production, and archives the one that was there.

        Args:
            name: The prompt's name.
            number: The number of one of its versions.
            expected: The `state` that it had when it was looked at.

        Returns:
            The version, as it is then.

        Raises:
            ConfigurationError: It is not possible; nothing was changed.
        """
        with self._lock:
            writer = self._writer_of(name)
            was = version_of(self._versions(name), number)
            if writer is not None:
                writer.publish(name, number, expected)
            else:
                self._change_in_memory(name, number, "published", expected)
            return self._after_writing(was._replace(status="published"))

    def archive_version(self, name: str, number: int, *, expected: str | None = None) -> VersionRecord:
        """Archives a version, be it a draft or in production; the rest is as for `publish_version`."""
        with self._lock:
            writer = self._writer_of(name)
            was = version_of(self._versions(name), number)
            if writer is not None:
                writer.archive(name, number, expected)
            else:
                self._change_in_memory(name, number, "archived", expected)
            return self._after_writing(was._replace(status="archived"))

    def draft(
        self,
        name: str,
        content: Content,
        *,
        type: str | None = None,  # noqa: A002  # the API's own word
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        variables: Sequence[str] = (),
        description: str | None = None,
        expected: str | None = None,
    ) -> VersionRecord:
        """Adds a version that is a draft; `expected` and the rest are as for `publish_version`."""
        more: dict[str, Any] = {"type": type, "metadata": metadata, "tags": tags, "variables": variables}
        more["description"] = description
        with self._lock:
            writer = self._writer_of(name)
            if writer is None:
                self._check_expected(name, expected)
                return self.add(name, content, promote=False, **more)
            new = self._new(name, content, status="draft", **more)
            writer.draft(new, expected)
            return self._after_writing(new)

    def _writer_of(self, name: str) -> FolderWriter | None:
        """What writes this prompt; None for memory, where a prompt stays that a program has changed."""
        if not self.writes:
            raise ConfigurationError("this platform is read-only; run it without --read-only, or read_only=True")
        self._look(name)
        return None if name in self._overlays else self._writer

    def _change_in_memory(self, name: str, number: int, status: str, expected: str | None) -> None:
        self._check_expected(name, expected)
        was = version_of(self._versions(name), number)
        at = rfc3339(self._clock())
        overlay = self._overlay(name)
        if status == "published":
            overlay = overlay.without_production(at)
        others = (each for each in overlay.added if each.number != number)
        self._lay_over(name, overlay._replace(added=(*others, was._replace(status=status, updated_at=at))))

    def _check_expected(self, name: str, expected: str | None) -> None:
        if expected not in (None, state_of(self._versions(name))):
            raise ConfigurationError(f"{shown(name)} was changed since you looked at it; look again")

    def _after_writing(self, written: VersionRecord) -> VersionRecord:
        """The version as it is then; it is written also if others have left a flaw meanwhile, and it is not seen."""
        self._look(written.prompt)
        self._changed()
        return next((each for each in self._versions(written.prompt) if each.number == written.number), written)

    def _listed(self, name: str) -> Listed:
        versions = self._versions(name)
        return Listed(name, versions, self.flaws(name), state_of(versions))

    def flaws(self, prompt: str) -> tuple[str, ...]:
        """What is wrong with the files of a prompt that was looked for, by its name or ID."""
        return () if self._folder is None else self._folder.flaws(prompt)

    def archive(self, name: str) -> None:
        """Leaves the prompt without a production version."""
        with self._lock:
            self._look(name)
            self._check_known(name)
            self._lay_over(name, self._overlay(name).without_production(rfc3339(self._clock())))
        self._changed()

    def remove(self, name: str) -> None:
        with self._lock:
            self._look(name)
            self._check_known(name)
            self._lay_over(name, _Overlay(hides_folder=True))
        self._changed()

    def _look(self, prompt: str) -> None:
        if self._folder is not None and isinstance(prompt, str):
            self._folder.look(prompt)

    def _warn_of(self, flaws: str) -> None:
        self._warn(f"{flaws}; serving what was there before")

    def _lay_over(self, name: str, overlay: _Overlay) -> None:
        ids = {prompt_id(name), *(version.prompt_id for version in self._versions(name))}
        self._overlays[name] = overlay
        self._names_by_id.update((_id_key(each), name) for each in ids)

    def _overlay(self, name: str) -> _Overlay:
        return self._overlays.get(name, _Overlay())

    def _versions(self, name: str) -> tuple[VersionRecord, ...]:
        overlay = self._overlay(name)
        below = () if overlay.hides_folder or self._folder is None else self._folder.versions(name)
        if overlay.decided_at is not None:
            below = tuple(_archived(version, overlay.decided_at) for version in below)
        merged = {version.number: version for version in (*below, *overlay.added)}
        return tuple(merged[number] for number in sorted(merged))

    def _names(self) -> list[str]:
        names = set(self._overlays)
        if self._folder is not None:
            self._folder.look_at_all()
            names.update(self._folder.names)
        return sorted(name for name in names if self._versions(name))

    def _name(self, prompt: str) -> str:
        """The name that a name or an ID stands for."""
        if not isinstance(prompt, str) or (not is_prompt_id(prompt) and prompt in self._overlays):
            return prompt
        there = "" if self._folder is None else self._folder.name(prompt)
        return there if there not in ("", prompt) else self._names_by_id.get(_id_key(prompt), prompt)

    def _check_known(self, name: str) -> None:
        if not self._versions(name):
            there = listed(self._names())
            raise ConfigurationError(f"there is no prompt {shown(name)}; the prompts are: {there}")


def _id_key(identity: str) -> str:
    return identity.upper() if is_prompt_id(identity) else identity


def _archived(version: VersionRecord, at: str) -> VersionRecord:
    return version._replace(status="archived", updated_at=at) if version.status == "published" else version


def _text_and_type(content: Content, kind: str | None) -> tuple[str, str]:
    if isinstance(content, str):
        return content, "text" if kind is None else kind
    if not isinstance(content, (list, tuple)) or kind == "text":
        wanted = "text" if kind == "text" else 'text, or a list of {"role": text, "content": text}'
        raise ConfigurationError(f"content must be {wanted}, got {type(content).__name__}")
    try:
        return json.dumps(content, ensure_ascii=False, default=dict), "chat" if kind is None else kind
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the messages of a chat prompt must be JSON: {error}") from None
