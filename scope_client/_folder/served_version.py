"""A version as the platform served it, as the record of a folder: what is made of the record again is the same."""

from __future__ import annotations

from typing import Any

from .._prompt.prompt_version import PromptVersion
from .held import held_json
from .record import STATUSES, VersionRecord, is_variable, new_version

MAX_FILE_NUMBER = 10**15
_OF_A_PROMOTION = ("promoted_at", "promoted_by")


def record_of(version: PromptVersion, *, number: int | None = None, status: str | None = None) -> VersionRecord:
    """The record of a version, which serves all of its fields as they are.

    Args:
        version: What the platform served.
        number: The number of its file, if that is not to be the version's own; needed for the second version of a
            prompt that has no number.
        status: What it is in the folder, "published" for what a read of production gives; by default what it says.

    Raises:
        ConfigurationError: Its name is one that nobody can ask for, and it has no prompt ID.
    """
    fields = version.to_dict()
    own = version.version_number
    file_number = number or (own if own is not None and 0 < own < MAX_FILE_NUMBER else 1)
    texts: dict[str, Any] = {
        field: fields.get(field)
        for field in ("description", "created_at", "updated_at", *_OF_A_PROMOTION)
        if isinstance(fields.get(field), str)
    }
    ids: dict[str, Any] = {key: fields[key] for key in ("id", "prompt_id") if fields[key] not in (None, "", ".", "..")}
    kept_status = status or _status_of(version)
    record = new_version(
        version.name,
        file_number,
        version.content,
        status=kept_status,
        type=version.type,
        tags=version.tags,
        at="",
        **ids,
        **texts,
    )
    declared = tuple(dict.fromkeys(version._declared))
    record = record._replace(
        metadata=held_json(fields["metadata"]), declared=() if declared == record.content_variables else declared
    )
    return record._replace(served=held_json(_more_served(record, fields)))


def _status_of(version: PromptVersion) -> str:
    if version.is_production:
        return "published"
    return version.status if version.status in STATUSES and version.status != "published" else "draft"


def _more_served(record: VersionRecord, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that the record would serve in another way, or not at all."""
    made = PromptVersion(record.to_body()).to_dict()
    more = {field: value for field, value in fields.items() if field not in made or made[field] != value}
    if record.status == "published":  # a local platform would make them up
        more.update({field: None for field in _OF_A_PROMOTION if fields[field] is None})
    if not all(map(is_variable, record.declared)):
        more["variables"] = list(record.declared)
    return more
