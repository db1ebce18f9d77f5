"""Verified: the version that a file of the lock's folder holds, if it is the one that the lock names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._folder.record import VersionRecord
from .._prompt.prompt_version import PromptVersion
from .digest import digest_of
from .lock_file import LockedVersion


def verified(
    record: VersionRecord | None, locked: LockedVersion, *, extra_values: str = "error"
) -> PromptVersion | None:
    """The version whose `digest_of` is the lock's.

    Git may have changed the line ends of a file: the content is tried as it is, with every CRLF as LF, and with every
    LF as CRLF. What comes of it is the locked version to the byte, or nothing.

    Args:
        record: What a folder has, such as what `record_for` finds.
        locked: What the lock says.
        extra_values: As the option of a Configuration.

    Returns:
        The version, as if the platform had sent it; None if the record is another one.
    """
    if record is None:
        return None
    body = record.to_body()
    for content in _with_other_line_ends(record.content):
        version = PromptVersion({**body, "content": content}, extra_values=extra_values)
        if digest_of(version) == locked.sha256:
            return version
    return None


def record_for(records: Iterable[VersionRecord], locked: LockedVersion) -> VersionRecord | None:
    """Of the versions of a prompt, the one with the ID that the lock names."""
    return next((record for record in records if record.id == locked.version_id), None)


def _with_other_line_ends(content: str) -> Iterator[str]:
    yield content
    in_lines = content.replace("\r\n", "\n")
    if in_lines != content:
        yield in_lines
    if "\n" in in_lines:
        yield in_lines.replace("\n", "\r\n")
