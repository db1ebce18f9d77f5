"""PromptRead: a version, and how a read came by it."""

from typing import Literal, Optional

from .._frozen import Frozen, set_slot
from .prompt_version import PromptVersion

ReadFrom = Literal["memory", "store", "platform", "stale", "fallback", "folder"]


class PromptRead(Frozen):
    """How one read was answered."""

    __slots__ = ("version", "source", "age", "is_locked", "variant")
    version: PromptVersion
    """What was read."""
    source: ReadFrom
    """Where it came from.

    "memory": it was fresh in memory. "store": the shared cache had it. "platform": it was fetched. "stale": it is the
    last known good version, or the last one that fits. "fallback": it is the caller's. "folder": the prompt folder's,
    or that of the lock.
    """
    age: Optional[float]
    """Seconds since the platform gave it; None for a fallback, for one of a folder, and for the last one that fits."""
    is_locked: bool
    """Whether it is the version that the lock names."""
    variant: Optional[str]
    """The ID of the version that a rollout has picked for the call's `key`, the production version's too; else None."""

    def __init__(
        self,
        version: PromptVersion,
        source: ReadFrom,
        age: Optional[float],
        is_locked: bool = False,
        variant: Optional[str] = None,
    ) -> None:
        set_slot(self, "version", version)
        set_slot(self, "source", source)
        set_slot(self, "age", age)
        set_slot(self, "is_locked", is_locked)
        set_slot(self, "variant", variant)
