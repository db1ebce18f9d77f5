"""The library of the local platform: the prompts of a folder, and on top of them what was published since."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple, Union

from .._folder.reader import PromptFolder, StrPath
from .._folder.record import VersionRecord, is_prompt_id, new_version, prompt_id, rfc3339
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


class Library:
    """All prompts of one local platform. Each call looks for changes of its prompt in the folder, never written to."""

    def __init__(
        self,
        folder: StrPath | None = None,
        *,
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._warn = warn
        self._clock = clock
        self._lock = threading.RLock()
        self._overlays: dict[str, _Overlay] = {}
        self._names_by_id: dict[str, str] = {}  # of the prompts with an overlay; IDs in upper case
        self._folder = None if folder is None else PromptFolder(folder, self._warn_of, note=warn)

    def find(self, prompt: str) -> tuple[VersionRecord, ...]:
        """The versions of a prompt, in the order of their numbers, by its name or ID; empty if there is none."""
        with self._lock:
            self._look(prompt)
            return self._versions(self._name(prompt) if is_prompt_id(prompt) else prompt)

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
    ) -> VersionRecord:
        """Adds a version; with `promote` it becomes the production version."""
        text, kind = _text_and_type(content, type)
        status = "published" if promote else "draft"
        with self._lock:
            self._look(name)
            at = rfc3339(self._clock())
            number = max((version.number for version in self._versions(name)), default=0) + 1
            more: dict[str, Any] = {"metadata": metadata, "tags": tags, "variables": variables}
            new = new_version(name, number, text, status=status, type=kind, **more, at=at)
            overlay = self._overlay(name).without_production(at) if promote else self._overlay(name)
            self._lay_over(name, overlay._replace(added=(*overlay.added, new)))
        return new

    def names(self) -> list[str]:
        """Of all prompts that have a version, in the order of the alphabet."""
        with self._lock:
            return self._names()

    def flaws(self, prompt: str) -> tuple[str, ...]:
        """What is wrong with the files of a prompt that was looked for, by its name or ID."""
        return () if self._folder is None else self._folder.flaws(prompt)

    def archive(self, name: str) -> None:
        """Leaves the prompt without a production version."""
        with self._lock:
            self._look(name)
            self._check_known(name)
            self._lay_over(name, self._overlay(name).without_production(rfc3339(self._clock())))

    def remove(self, name: str) -> None:
        with self._lock:
            self._look(name)
            self._check_known(name)
            self._lay_over(name, _Overlay(hides_folder=True))

    def _look(self, prompt: str) -> None:
        if self._folder is not None and isinstance(prompt, str):
            self._folder.look(prompt)

    def _warn_of(self, flaws: str) -> None:
        self._warn(f"{flaws}; serving what was there before")

    def _lay_over(self, name: str, overlay: _Overlay) -> None:
        self._overlays[name] = overlay
        self._names_by_id[prompt_id(name).upper()] = name

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

    def _name(self, identity: str) -> str:
        return self._names_by_id.get(identity.upper(), identity)

    def _check_known(self, name: str) -> None:
        if not self._versions(name):
            there = listed(self._names())
            raise ConfigurationError(f"there is no prompt {shown(name)}; the prompts are: {there}")


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
