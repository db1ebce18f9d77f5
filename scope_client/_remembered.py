"""Remembered: an error that is told again for a while, so that a loop does not ask for it again and again."""

from __future__ import annotations

import copy
from typing import Any

from .errors import ScopeError


class Remembered:
    """An error that came at `at` and is told again until `until`, in seconds of the client's clock."""

    __slots__ = ("at", "error", "until")

    def __init__(self, error: ScopeError, at: float, seconds: float) -> None:
        self.error = copy.copy(error)  # without its frames and its cause, which would keep much alive
        self.at = at
        self.until = at + seconds

    def again(self, now: float) -> ScopeError:
        """The same error for one more reader; if it says how long to wait, then what is left of that."""
        twin: Any = copy.copy(self.error)
        wait = getattr(twin, "retry_after", None)
        if wait is not None:
            twin.retry_after = max(wait - (now - self.at), 0.0)
        return twin  # type: ignore[no-any-return]  # it is a ScopeError
