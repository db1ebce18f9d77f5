"""Lock: the file `scope.lock`, read and written. It is TOML, and the same prompts always make the same bytes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Union

from .._foreign_text import printable
from .._interrupts import pass_on
from .._toml import toml_in
from .._wording import shown
from ..errors import ConfigurationError

StrPath = Union[str, "os.PathLike[str]"]

LOCK_FILE_NAME = "scope.lock"
LOCK_FORMAT = 1
PULL_AS_LOCKED = "`scope pull --locked --force`"
LOCKED_LABELS = ("production", "latest")
MAX_LOCK_BYTES = 10 * 1024 * 1024

_HEAD = "# The versions that are served. `scope pull` and `scope bump` write this file.\n"
_ANEW = "restore it from version control; or remove it, and pull its prompts by name"
_SHA256 = re.compile("[0-9a-f]{64}")


class LockedVersion(NamedTuple):
    """One prompt of a lock: what is asked for, and the version that answers it."""

    name: str
    """The prompt's name."""
    label: str
    """"production" or "latest": which reads it answers."""
    version_id: str
    """The ID of the version."""
    sha256: str
    """`digest_of` the version."""
    version_number: int | None = None
    """The number of the version, if the platform gave one."""
    prompt_id: str | None = None
    """The ID of the prompt, if the platform gave one."""


class Lock(NamedTuple):
    """A lock as it was read."""

    path: str
    """Where it is, as it was given."""
    organisation: str
    """The ID of the organisation whose prompts these are."""
    folder: str
    """The folder that holds the same versions as files; relative to the folder of the lock, with forward slashes."""
    versions: tuple[LockedVersion, ...]
    """Sorted by name and label."""

    @property
    def folder_path(self) -> str:
        """Where the folder is."""
        return os.path.join(os.path.dirname(os.path.abspath(self.path)), *self.folder.split("/"))

    def find(self, prompt: str, label: str = "production") -> LockedVersion | None:
        """What a read of a prompt, by its name or ID, is answered with; None if the lock does not say."""
        for version in self.versions:
            if version.label == label and prompt in (version.name, version.prompt_id):
                return version
        return None


def read_lock(path: StrPath) -> Lock:
    """Raises ConfigurationError: there is no such file, or it is not a lock that this version of the package reads."""
    where = os.fspath(path)
    try:
        with open(where, "rb") as file:
            octets = file.read(MAX_LOCK_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(
            f"the lock {shown(where)} does not exist; `scope pull NAME -o prompts` writes one"
        ) from None
    except OSError as error:
        pass_on(error)
        raise ConfigurationError(
            f"the lock {shown(where)} cannot be read ({error.strerror}); make it a readable file"
        ) from None
    try:
        return _lock_in(where, octets)
    except ConfigurationError as error:
        raise ConfigurationError(f"the lock {shown(where)} {error.message}") from None


def text_of(organisation: str, folder: str, versions: Iterable[LockedVersion]) -> str:
    """The text of a lock. Raises ConfigurationError for two entries of one name and label."""
    parts = [
        f"{_HEAD}format = {LOCK_FORMAT}\norganisation = {_quoted(organisation)}\nfolder = {_quoted(folder)}\n",
        *(_entry(version) for version in _sorted(versions)),
    ]
    return "\n".join(parts)


def _entry(version: LockedVersion) -> str:
    number = [] if version.version_number is None else [f"version = {version.version_number}"]
    prompt = [] if version.prompt_id is None else [f"prompt_id = {_quoted(version.prompt_id)}"]
    lines = [
        "[[prompts]]",
        f"name = {_quoted(version.name)}",
        f"label = {_quoted(version.label)}",
        *number,
        f"version_id = {_quoted(version.version_id)}",
        *prompt,
        f"sha256 = {_quoted(version.sha256)}",
    ]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """A basic string of TOML: as JSON writes it, and without the one control character that JSON lets through."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _sorted(versions: Iterable[LockedVersion]) -> tuple[LockedVersion, ...]:
    ordered = sorted(versions, key=lambda each: (each.name, LOCKED_LABELS.index(each.label)))
    for one, other in zip(ordered, ordered[1:]):
        if (one.name, one.label) == (other.name, other.label):
            raise ConfigurationError(f"has two entries for the {one.label} of {shown(one.name)}; keep one of them")
    return tuple(ordered)


def _lock_in(path: str, octets: bytes) -> Lock:
    if len(octets) > MAX_LOCK_BYTES:
        raise ConfigurationError(f"is larger than {MAX_LOCK_BYTES:,} bytes; {_ANEW}")
    data = _parsed(octets)
    version = data.get("format")
    if type(version) is not int:
        raise ConfigurationError(f"does not begin with its format; {_ANEW}")
    if version > LOCK_FORMAT:
        raise ConfigurationError(
            f"has the format {version}, and this version of scope-prompts reads {LOCK_FORMAT}; update it"
        )
    if version < LOCK_FORMAT:
        raise ConfigurationError(f"has the format {version}, which is older than {LOCK_FORMAT}; {_ANEW}")
    entries = data.get("prompts", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(f"has prompts that are not entries [[prompts]]; {_ANEW}")
    versions = _sorted(_version_in(number, entry) for number, entry in enumerate(entries, 1))
    return Lock(path, _text_in("the file", data, "organisation"), _folder_in(data), versions)


def _parsed(octets: bytes) -> dict[str, Any]:
    try:
        return toml_in(octets, "cannot be read: TOML before Python 3.11")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"is not UTF-8 (byte {error.start}); {_ANEW}") from None
    except (RecursionError, ValueError) as error:
        pass_on(error)
        text = octets.decode("utf-8", "replace")
        advice = "settle the merge first" if re.search("^(<{7}|>{7})", text, re.MULTILINE) else _ANEW
        raise ConfigurationError(f"is not TOML ({printable(str(error))}); {advice}") from None


def _version_in(number: int, entry: Mapping[str, Any]) -> LockedVersion:
    where = f"entry {number}"
    name = _text_in(where, entry, "name")
    where = f"the entry of {shown(name)}"
    label = _text_in(where, entry, "label")
    if label not in LOCKED_LABELS:
        raise ConfigurationError(f"has the label {shown(label)}, not one of {', '.join(LOCKED_LABELS)}; {_ANEW}")
    sha256 = _text_in(where, entry, "sha256")
    if not _SHA256.fullmatch(sha256):
        raise ConfigurationError(f"has a sha256 in {where} that is not 64 hexadecimal digits; {_ANEW}")
    version_number = entry.get("version")
    if version_number is not None and type(version_number) is not int:
        raise ConfigurationError(f"has a version in {where} that is not a number; {_ANEW}")
    prompt = None if "prompt_id" not in entry else _text_in(where, entry, "prompt_id")
    return LockedVersion(name, label, _text_in(where, entry, "version_id"), sha256, version_number, prompt)


def _folder_in(data: Mapping[str, Any]) -> str:
    """Relative and below the lock, so that a lock of somebody else's leads nowhere."""
    folder = _text_in("the file", data, "folder")
    parts = folder.split("/")
    if ".." in parts or any(sign in folder for sign in "\\\0") or os.path.isabs(folder):
        raise ConfigurationError(f"names the folder {shown(folder)}, which is not beside or below it; {_ANEW}")
    return folder


def _text_in(where: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"has no {key} in {where}; {_ANEW}")
    return value
