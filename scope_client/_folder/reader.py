"""The reader of a folder of prompts: one Markdown file for each version, with front matter in YAML."""

from __future__ import annotations

import difflib
import os
import re
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, Union

from .._extras import missing_extra
from .._fork import held_back
from ..errors import ConfigurationError
from .record import VersionRecord, new_version, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FRONT_MATTER_KEYS = ("status", "type", "metadata", "tags", "id")

StrPath = Union[str, "os.PathLike[str]"]
Signature = tuple[tuple[str, int, int, int], ...]

_NUMBERED = re.compile(r"v([1-9][0-9]*)\.md")
_FENCE = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
# A file system may give two writes the same time if they are closer than this.
SAME_TIME_NANOSECONDS = 50_000_000
# A file may also be from the future, if its clock is wrong; one that is further ahead is taken as it is.
CLOCK_ERROR_NANOSECONDS = 60_000_000_000


def read_prompt_dir(folder: StrPath) -> Mapping[str, tuple[VersionRecord, ...]]:
    """The versions of every prompt, in the order of their numbers; one ConfigurationError names every wrong file."""
    root = Path(folder)
    if not root.is_dir():
        wrong = "is not a folder" if root.exists() else "does not exist"
        raise ConfigurationError(f"the prompt folder {str(root)!r} {wrong}; name one that holds .md files")
    reading = _Reading(root)
    prompts = {name: reading.versions(name, files) for name, files in reading.layout().items()}
    reading.finish()
    return MappingProxyType({name: versions for name, versions in prompts.items() if versions})


def signature(folder: StrPath, *, clock: Callable[[], int] = time.time_ns) -> Signature:
    """Differs from the last one if the folder has changed; no file is read. Empty if there is no such folder.

    It also differs if a file is so young that the next write to it could carry the same time.
    """
    now = clock()
    try:
        seen = list(_stamps(Path(folder), nested=True))
    except FileNotFoundError:
        return ()
    except OSError:
        return ((str(folder), -1, now, 0),)
    if any(now - SAME_TIME_NANOSECONDS < mtime < now + CLOCK_ERROR_NANOSECONDS for _, _, mtime, _ in seen):
        seen.append(("", 0, now, 0))
    return tuple(seen)


def _stamps(folder: Path, *, nested: bool) -> Iterator[tuple[str, int, int, int]]:
    for entry in _visible(folder):
        if _is_folder(entry):
            yield f"{entry.path}/", 0, 0, 0
            yield from _stamps(Path(entry.path), nested=False) if nested else ()
        elif entry.name.endswith(".md"):
            yield _stamp(entry.path)


def _stamp(path: str) -> tuple[str, int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return path, -1, 0, 0
    return path, found.st_size, found.st_mtime_ns, found.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".") and entry.name != "README.md"]
    return sorted(shown, key=lambda entry: entry.name)


class _Reading:
    """One pass over a folder; it goes on after a broken file, so that all of them are reported."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []

    def layout(self) -> dict[str, dict[int, str]]:
        """The files of each prompt, relative to the folder, by version number."""
        prompts: dict[str, dict[int, str]] = {}
        for entry in self._entries(""):
            if _is_folder(entry):
                prompts[entry.name] = self._numbered(entry.name)
            elif entry.name.endswith(".md"):
                name = entry.name[: -len(".md")]
                if name in prompts:
                    self.problem(entry.name, f"there is a folder {name}/ too; keep one of the two")
                prompts[name] = {1: entry.name}
        return prompts

    def _entries(self, inside: str) -> list[os.DirEntry[str]]:
        try:
            return _visible(self.root / inside)
        except OSError as error:
            self.problem(inside or "./", f"cannot be read ({error.strerror}); make it a readable folder")
            return []

    def _numbered(self, name: str) -> dict[int, str]:
        files = {}
        for entry in self._entries(f"{name}/"):
            file = f"{name}/{entry.name}"
            found = _NUMBERED.fullmatch(entry.name)
            if _is_folder(entry):
                self.problem(f"{file}/", "too deep; move its files up, or elsewhere")
            elif found:
                files[int(found[1])] = file
            elif entry.name.endswith(".md"):
                self.problem(file, "a version's file is named v1.md, v2.md and so on; rename it")
        return files

    def versions(self, name: str, files: Mapping[int, str]) -> tuple[VersionRecord, ...]:
        default = "published" if len(files) == 1 else "draft"
        read = [self._version(name, number, files[number], default) for number in sorted(files)]
        found = [version for version in read if version is not None]
        published = [files[version.number] for version in found if version.status == "published"]
        for file in published[1:]:
            self.problem(file, f"{published[0]} is published too; make one of them archived or draft")
        self._check_ids(found, files)
        return tuple(found)

    def _check_ids(self, versions: Iterable[VersionRecord], files: Mapping[int, str]) -> None:
        owners: dict[str, str] = {}
        for version in versions:
            file = files[version.number]
            owner = owners.setdefault(version.id, file)
            if owner != file:
                self.problem(file, f"its id {version.id!r} is also that of {owner}; change one")

    def _version(self, name: str, number: int, file: str, default: str) -> VersionRecord | None:
        try:
            front, content = _parsed(_text(self.root / file))
            at = rfc3339(os.stat(self.root / file).st_mtime)
            return new_version(name, number, content, **{"status": default, **front}, at=at)
        except ConfigurationError as error:
            self.problem(file, error.message)
        except OSError as error:
            self.problem(file, f"cannot be read ({error.strerror}); make it a readable file, or remove it")
        except Exception as error:  # noqa: BLE001  # PyYAML builds the values of tags such as !!int almost unchecked
            self.problem(file, f"its front matter cannot be understood ({type(error).__name__}); make it plainer")
        return None

    def problem(self, file: str, what: str) -> None:
        self.problems.append(f"{file.encode('utf-8', 'backslashreplace').decode()}: {what}")

    def finish(self) -> None:
        """Raises one error with all the problems that were found."""
        if self.problems:
            listed = "\n  ".join(self.problems)
            raise ConfigurationError(f"the prompt folder {str(self.root)!r} cannot be used:\n  {listed}")


def _text(path: Path) -> str:
    if not path.is_file():
        raise ConfigurationError("is not a file; replace it, or remove it")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"is not UTF-8 (byte {error.start}); save it as UTF-8") from None


def _parsed(text: str) -> tuple[dict[str, Any], str]:
    """The front matter, and the content to the byte, except for one final newline."""
    first = text.partition("\n")[0]
    front, content = _split(text) if _FENCE.match(text) else ({}, text)
    if first.endswith("\r") and content.endswith("\r\n"):
        return front, content[:-2]
    return front, content[:-1] if content.endswith("\n") else content


def _split(text: str) -> tuple[dict[str, Any], str]:
    try:
        with held_back():
            import yaml
            from frontmatter.default_handlers import YAMLHandler
    except ImportError as error:
        needed = ("yaml", "frontmatter")
        raise ConfigurationError(missing_extra("reading front matter", needed, "local", error)) from None
    # The library's own pattern also takes the blank lines after the fence, which belong to the content.
    handler = YAMLHandler(fm_boundary=_FENCE)
    if len(_FENCE.findall(text)) < 2:
        raise ConfigurationError("its front matter never ends; close it with a line --- of its own")
    front, content = handler.split(text)
    try:
        return _checked_keys(handler.load(f"\n{front}")), content  # the line break makes YAML count as the file does
    except RecursionError:
        raise ConfigurationError("its front matter is nested too deeply; make it flatter") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"its front matter is not YAML: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).replace('in "<unicode string>", ', "in ").split())


def _checked_keys(front: object) -> dict[str, Any]:
    if front is None:
        return {}
    if not isinstance(front, dict):
        raise ConfigurationError("its front matter must be lines such as 'status: published'")
    for key in front:
        if key not in FRONT_MATTER_KEYS:
            near = difflib.get_close_matches(str(key), FRONT_MATTER_KEYS, n=1, cutoff=0.0)[0]
            raise ConfigurationError(f"unknown front matter key {key!r}; the nearest one is {near!r}")
    return {key: value for key, value in front.items() if value is not None}
