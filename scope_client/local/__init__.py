"""A Scope Platform on this machine: real HTTP over loopback, for development and tests."""

from __future__ import annotations

from .._extras import missing_extra

try:
    from ._platform import LocalPlatform
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        missing_extra("the local platform", ("flask", "jwt"), "local", error), name=error.name
    ) from error

__all__ = ["LocalPlatform"]
