"""Flaws: what is wrong with the files of a prompt, in the words that people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .._foreign_text import printable
from .record import VersionRecord, prompt_id


def unreadable_folder(error: OSError) -> str:
    return f"cannot be read ({error.strerror}); make it a readable folder"


def flaw(file: str, what: str) -> str:
    return f"{printable(file)}: {printable(what)}"


def published_twice(versions: Iterable[VersionRecord], files: Mapping[int, str]) -> Iterator[str]:
    first, *others = [files[version.number] for version in versions if version.status == "published"] or [""]
    for file in others:
        yield flaw(file, f"{first} is published too; make one of them archived or draft")


def ids_twice(versions: Iterable[VersionRecord], files: Mapping[int, str]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for version in versions:
        file = files[version.number]
        owner = owners.setdefault(version.id, file)
        if owner != file:
            yield flaw(file, f"its id {version.id!r} is also that of {owner}; change one")


def prompt_ids_differ(prompt: str, versions: Iterable[VersionRecord], files: Mapping[int, str]) -> Iterator[str]:
    """A version whose file gives no ID of the prompt has that of the others."""
    given = [version for version in versions if version.prompt_id != prompt_id(prompt)]
    for version in given[1:]:
        if version.prompt_id != given[0].prompt_id:
            first = f"{files[given[0].number]} has {given[0].prompt_id!r}"
            yield flaw(files[version.number], f"its prompt_id is {version.prompt_id!r}, and {first}; change one")


def prompt_id_twice(file: str, identity: str, other_file: str) -> str:
    return flaw(file, f"its prompt_id {identity!r} is also that of {other_file}; change one")
