"""LockedReads: what the lock of a client says of its reads, for the floors that carry them out."""

from __future__ import annotations

from typing import Protocol

from ..errors import ApiError, ScopeError
from .prompt_version import PromptVersion
from .ref import PromptRef


class LockedReads(Protocol):
    """A lock in use. A ref that it says nothing of, such as one by version ID, is read as without it."""

    def check(self, ref: PromptRef) -> None:
        """Raises ValidationError for a prompt that the lock should have and does not."""

    def has(self, ref: PromptRef) -> bool:
        """Whether it says which version answers this ref."""

    def asked_for(self, ref: PromptRef) -> PromptRef:
        """What to ask the platform for: the locked version by its ID."""

    def identity(self, ref: PromptRef) -> tuple[str, ...]:
        """The ID and the hash of the locked version; empty for a ref that it says nothing of."""

    def is_met_by(self, ref: PromptRef, version: PromptVersion) -> bool:
        """Whether this version may answer the ref."""

    def copy(self, ref: PromptRef) -> PromptVersion | None:
        """The locked version as the lock's folder has it."""

    def differs(self, ref: PromptRef, version: PromptVersion) -> ApiError:
        """The error of an answer that does not meet the ref; a warning is logged once."""

    def explained(self, ref: PromptRef, error: ScopeError) -> ScopeError:
        """The error of a fetch. That the platform no longer has a locked version is logged once."""
