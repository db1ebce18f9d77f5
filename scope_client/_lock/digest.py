"""The hash of a version: over all that a program is served of it, and nothing that a promotion changes.

| counts | does not count |
|---|---|
| the IDs, the name and the number | the status, and whether it is in production |
| the type, the content and the variables | the times, and who promoted it |
| the metadata, the tags and the description | fields that this package does not know |
"""

from __future__ import annotations

import hashlib
import json

from .._prompt.prompt_version import PromptVersion

_FIELDS = (
    *("id", "prompt_id", "name", "version_number", "type", "content", "variables", "metadata", "tags"),
    "description",
)


def digest_of(version: PromptVersion) -> str:
    """The SHA-256 of a version as 64 hexadecimal digits; the same wherever the version is read."""
    fields = version.to_dict()
    counted = [[field, fields.get(field)] for field in _FIELDS]
    return hashlib.sha256(json.dumps(counted, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
