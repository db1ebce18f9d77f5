"""The prompts that tests should render: those of a folder, of a lock, or of the platforms that the tests had.

| of | a prompt's versions are |
|---|---|
| a folder | its production version; the newest one, if none is in production |
| a lock | the locked ones |
| a platform of a test | all that were published on it, or drafted |
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Optional

from .._folder.reader import PromptFolder
from .._folder.record import VersionRecord
from .._prompt.prompt_version import PromptVersion
from .._types.sources import locked_versions
from .._wording import shown
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..local import LocalPlatform


class Known(NamedTuple):
    """A version that there is."""

    name: str
    """The prompt's name."""
    number: Optional[int]
    """Of the version."""
    id: Optional[str]
    """Of the version."""
    variables: tuple[str, ...]
    """Those of its content."""


def known_in(path: str) -> list[Known]:
    """What a folder or a lock has; raises ConfigurationError for what is neither, and for one without prompts."""
    if os.path.isdir(path):
        folder = PromptFolder(path)
        found = [_known(_served(folder.versions(name))) for name in sorted(folder.names)]
    elif os.path.exists(path):
        found = [_of(version) for version, _ in locked_versions(path)]
    else:
        raise ConfigurationError(f"{shown(path)} does not exist; name a folder of prompts or a scope.lock")
    if not found:
        raise ConfigurationError(f"{shown(path)} has no prompt; name a folder of prompts or a scope.lock that has some")
    return found


def known_on(platform: LocalPlatform) -> list[Known]:
    """What a platform has."""
    return [_known(version) for listed in platform._library.listing() for version in listed.versions]


def merged(known: Iterable[Known]) -> list[Known]:
    """Each version once, with the variables of all its texts: platforms of two tests may have two first versions."""
    variables: dict[tuple[str, Optional[int], Optional[str]], dict[str, None]] = {}
    for each in known:
        variables.setdefault(each[:3], {}).update(dict.fromkeys(each.variables))
    return [Known(*version, tuple(names)) for version, names in variables.items()]


def _served(versions: tuple[VersionRecord, ...]) -> VersionRecord:
    return next((version for version in versions if version.status == "published"), versions[-1])


def _known(record: VersionRecord) -> Known:
    return _of(PromptVersion(record.to_body()))


def _of(version: PromptVersion) -> Known:
    return Known(version.name, version.version_number, version.id, version.variables)
