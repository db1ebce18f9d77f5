"""The bodies of the local platform's answers: JSON, in the words of either generation of servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._folder.record import VersionRecord

GENERATIONS = ("newer", "older")


def version_body(version: VersionRecord, generation: str) -> dict[str, Any]:
    """The body of an answer with a version."""
    published = version.status == "published"
    return {
        **_identity(version, generation),
        **version.to_body(),
        "promoted_at": version.updated_at if published else None,
        "promoted_by": "local" if published else None,
    }


def error_body(code: str, message: str, generation: str) -> dict[str, Any]:
    """The body of an error answer."""
    error: dict[str, Any] = {"code": code, "message": message}
    return error if generation == "older" else {"error": error}


def as_json(body: Mapping[str, Any]) -> str:
    """The JSON text of a body; it may hold read-only mappings, which versions do."""
    return json.dumps(body, default=dict)


def _identity(version: VersionRecord, generation: str) -> dict[str, Any]:
    if generation == "older":
        return {"id": version.id, "version_number": version.number}
    return {"version_id": version.id, "version": version.number}
