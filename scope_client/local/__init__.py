"""A Scope Platform on this machine: real HTTP over loopback, for development and tests."""

from __future__ import annotations

from .platform import LocalPlatform

__all__ = ["LocalPlatform"]
