"""Attached: a context that is the current one for a while, whatever strikes in between."""

from __future__ import annotations

from typing import Optional

from opentelemetry import context


class Attached:
    """Puts back the context itself, not what a token stands for: an interrupt may strike before there is a token."""

    def __init__(self) -> None:
        self._outside: Optional[context.Context] = None

    def begin(self, inside: context.Context) -> None:
        """Makes it the current one."""
        self._outside = context.get_current()
        context.attach(inside)

    def end(self) -> bool:
        """Puts back what was the current one before; False if nothing was begun."""
        outside = self._outside
        if outside is None:
            return False
        context.attach(outside)
        self._outside = None
        return True
