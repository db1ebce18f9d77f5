"""The bodies of the local platform's answers: JSON, in the words of either generation of servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._folder.record import VersionRecord

GENERATIONS = ("newer", "older")
_WORDS_OF_THE_NEWER = {"id": "version_id", "version_number": "version"}


def version_body(version: VersionRecord, generation: str) -> dict[str, Any]:
    """The body of an answer with a version."""
    body = version.to_body()
    if version.status == "published":
        made_up = {"promoted_at": version.updated_at, "promoted_by": "local"}
        body.update({field: text for field, text in made_up.items() if getattr(version, field) is None})
        body.update({field: version.served[field] for field in made_up if field in version.served})
    words = _WORDS_OF_THE_NEWER if generation == "newer" else {}
    return {words.get(field, field): value for field, value in body.items()}


def error_body(code: str, message: str, generation: str) -> dict[str, Any]:
    """The body of an error answer."""
    error: dict[str, Any] = {"code": code, "message": message}
    return error if generation == "older" else {"error": error}


def as_json(body: Mapping[str, Any]) -> str:
    """The JSON text of a body; it may hold read-only mappings, which versions do."""
    return json.dumps(body, default=dict)
