"""Drift: whether the version in production is still the one of the lock."""

from __future__ import annotations

import shlex

from .._lock.digest import digest_of
from .._lock.lock_file import Lock
from .._prompt.prompt_version import PromptVersion
from .._wording import shown
from .use import Use


def drift_of(use: Use, version: PromptVersion, lock: Lock) -> str:
    """What follows the prompt's name in a sentence, or "".

    Args:
        use: What was asked for. One that names a version by its ID does not drift.
        version: What the platform answers.
        lock: The lock.
    """
    label = use.label or "production"
    if use.version is not None:
        return ""
    locked = lock.find(use.name or "", label)
    if locked is None:
        # Only the reads of production are bound to the lock.
        return (
            f"is not in the lock: `scope pull {shlex.quote(use.name or '')}` adds it" if label == "production" else ""
        )
    is_same = version.id == locked.version_id
    if is_same and digest_of(version) == locked.sha256:
        return ""
    was, now = locked.version_number, version.version_number
    has_numbers = None not in (was, now) and (is_same or was != now)
    before = f"v{was}" if has_numbers else shown(locked.version_id)
    after = f"v{now}" if has_numbers else shown(version.id)
    moved = (
        f"has been edited since it was locked, in {before}"
        if is_same
        else f"is {after} in {label}, and {before} in the lock"
    )
    return f"{moved}; `scope bump` brings the lock up to date"
