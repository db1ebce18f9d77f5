"""What only the demo of run.py has: a user to sign in as, and a switch for the local platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scope_client.local import LocalPlatform

USER = "ada"
PASSWORD = "ada"


class Switch:
    """Stops the platform and starts it again."""

    def __init__(self, platform: LocalPlatform) -> None:
        self._platform = platform
        self.is_on = True

    def turn(self, on: bool) -> None:
        if on:
            self._platform.start()
        else:
            self._platform.stop()
        self.is_on = on


switch: Switch | None = None  # a deployed site has none, and its pages do not show one
