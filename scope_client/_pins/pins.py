"""Pins: what `ScopeClient.pin` returns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Any, NoReturn, Optional, Protocol

from .._frozen import CopiedAsItself
from .._prefetch import Wanted


class State(Protocol):
    """What is pinned."""

    def versions(self) -> Mapping[Wanted, str]:
        """By prompt."""

    def token(self) -> str:
        """Signed."""

    def begin(self) -> None:
        """A block begins."""

    def end(self) -> None:
        """A block ends."""


class Pins(CopiedAsItself):
    """One version of each prompt, for all reads of a client in a `with` block.

    `ScopeClient.pin` makes it. It may be entered again, also by several threads and tasks at the same time, which share
    what is pinned. `copy.copy` and `copy.deepcopy` give the object itself; `token` is what goes into another process.
    """

    __slots__ = ("_state",)

    def __init__(self, state: Any) -> None:
        self._state: State = state

    @property
    def versions(self) -> Mapping[Wanted, str]:
        """The IDs of the pinned versions by the prompts' names; by (name, "latest") for what was read by that label."""
        return MappingProxyType(dict(self._state.versions()))

    @property
    def token(self) -> str:
        """What is pinned now as text, for `client.pin(token=...)`.

        It is signed, names versions and no texts or values, and has no character that a cookie, header or URL refuses.

        Raises:
            ValidationError: More is pinned than a token holds.
            ConfigurationError: There is no secret to sign with.
        """
        return self._state.token()

    def __enter__(self) -> Pins:
        self._state.begin()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._state.end()

    def __repr__(self) -> str:
        return f"Pins({dict(self.versions)!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "Pins do not pickle, as they belong to a client: send pins.token, and call client.pin(token=...) there"
        )
