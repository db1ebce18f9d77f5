"""The hash of a version counts what a program is served, and nothing that a promotion changes."""

from __future__ import annotations

from typing import Any

import pytest

from scope_client._lock.digest import digest_of
from scope_client._prompt.prompt_version import PromptVersion

BODY: dict[str, Any] = {
    "id": "v_1",
    "prompt_id": "prompt_1",
    "name": "greeting",
    "version_number": 1,
    "type": "text",
    "content": '[{"role": "user", "content": "{{name}}"}]',  # fits both types
    "variables": ["name"],
    "metadata": {"model": "gpt-4"},
    "tags": ["a"],
    "description": "a greeting",
    "status": "published",
    "is_production": True,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "promoted_at": "2026-01-01T00:00:00Z",
    "promoted_by": "a@example.com",
}
COUNTED = {
    "id": "v_2",
    "prompt_id": "prompt_2",
    "name": "other",
    "version_number": 2,
    "type": "chat",
    "content": "Hi {{name}}!",
    "variables": ["name", "tone"],
    "metadata": {"model": "gpt-5"},
    "tags": ["b"],
    "description": "another",
}
NOT_COUNTED = {
    "status": "archived",
    "is_production": False,
    "created_at": "2026-02-02T00:00:00Z",
    "updated_at": "2026-02-02T00:00:00Z",
    "promoted_at": "2026-02-02T00:00:00Z",
    "promoted_by": "b@example.com",
    "unknown_yet": "x",
}


def digest(**changes: Any) -> str:
    return digest_of(PromptVersion({**BODY, **changes}))


@pytest.mark.parametrize("field", sorted(COUNTED))
def test_a_field_that_counts_changes_it(field: str) -> None:
    assert digest(**{field: COUNTED[field]}) != digest()


@pytest.mark.parametrize("field", sorted(NOT_COUNTED))
def test_a_field_that_does_not_count_leaves_it(field: str) -> None:
    assert digest(**{field: NOT_COUNTED[field]}) == digest()
