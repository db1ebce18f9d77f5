"""The prompts that functions are made for: those of a folder, or the locked ones of a lock's folder."""

from __future__ import annotations

from typing import NamedTuple

from .._folder.reader import PromptFolder, StrPath
from .._folder.record import VersionRecord
from .._lock.copies import copies_of
from .._lock.lock_file import PULL_AS_LOCKED, LockedVersion, read_lock
from .._prompt.chat_template import ChatTemplate, Placeholder
from .._prompt.prompt_version import PromptVersion
from .._wording import listed, shown
from ..errors import ConfigurationError


class TypedPrompt(NamedTuple):
    """What a function has to know of a prompt."""

    name: str
    """Its name."""
    label: str
    """Which version the function reads: "production" or "latest"."""
    is_chat: bool
    """Whether it returns messages."""
    variables: tuple[str, ...]
    """Those of the content, which the caller has to give."""
    declared: tuple[str, ...]
    """Those that the content does not have."""
    placeholders: frozenset[str]
    """Those of the variables that take a list of messages."""
    description: str
    """In the words of the prompt's authors; or empty."""


class Prompts(NamedTuple):
    """What was found."""

    typed: tuple[TypedPrompt, ...]
    """Sorted by name."""
    left_out: tuple[str, ...]
    """The names of those that have no production version."""


def prompts_of_folder(folder: StrPath, label: str) -> Prompts:
    """The version of each prompt that has the label. Raises ConfigurationError: there is none, or a file has a flaw."""
    read = PromptFolder(folder)
    chosen = {name: _labelled(read.versions(name), label) for name in sorted(read.names)}
    left_out = tuple(name for name, record in chosen.items() if record is None)
    if not chosen:
        raise ConfigurationError(f"the prompt folder {shown(str(folder))} has no prompt; name one that holds .md files")
    if len(left_out) == len(chosen):
        raise ConfigurationError(
            f"no prompt of the folder {shown(str(folder))} has a production version ({listed(left_out)}); "
            "publish one, or give --label latest"
        )
    return Prompts(tuple(_typed(_version(record), label) for record in chosen.values() if record), left_out)


def prompts_of_lock(path: StrPath) -> Prompts:
    """The locked versions, from the lock's folder. Raises what `locked_versions` raises."""
    return Prompts(tuple(_typed(version, label) for version, label in locked_versions(path)), ())


def locked_versions(path: StrPath) -> list[tuple[PromptVersion, str]]:
    """The versions of a lock with their labels, one a prompt, sorted by name; from the lock's folder.

    Raises ConfigurationError: the lock is empty or cannot be read, or a file is not what it names.
    """
    lock = read_lock(path)
    wanted: dict[str, LockedVersion] = {}
    for locked in lock.versions:
        if locked.label == "production" or locked.name not in wanted:
            wanted[locked.name] = locked
    if not wanted:
        raise ConfigurationError(f"the lock {shown(lock.path)} has no prompt; `scope pull NAME` puts one into it")
    copies = copies_of(lock)
    if copies.flaws:
        flaws = listed(copies.flaws, written=str, joint="; ")
        raise ConfigurationError(
            f"the folder {shown(lock.folder)} is not what the lock {shown(lock.path)} names: {flaws}. "
            f"Put the files and the lock back with git, or the files with {PULL_AS_LOCKED}"
        )
    return [(copies.versions[wanted[name]], wanted[name].label) for name in sorted(wanted)]


def _labelled(records: tuple[VersionRecord, ...], label: str) -> VersionRecord | None:
    fitting = [record for record in records if label == "latest" or record.status == "published"]
    return fitting[-1] if fitting else None


def _version(record: VersionRecord) -> PromptVersion:
    return PromptVersion(record.to_body())


def _typed(version: PromptVersion, label: str) -> TypedPrompt:
    fields = version.to_dict()
    description = fields.get("description")
    return TypedPrompt(
        name=version.name,
        label=label,
        is_chat=version.type == "chat",
        variables=version.variables,
        declared=tuple(name for name in fields["variables"] if name not in version.variables),
        placeholders=_placeholders(version),
        description=description if isinstance(description, str) else "",
    )


def _placeholders(version: PromptVersion) -> frozenset[str]:
    template = version.template
    if not isinstance(template, ChatTemplate):
        return frozenset()
    if template.flaw:
        raise ConfigurationError(f"prompt {shown(version.name)}: {template.flaw}")
    parts = (part for part in template.parts if isinstance(part, Placeholder))
    return frozenset(variable for part in parts for variable in part.variables)
