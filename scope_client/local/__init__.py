"""A Scope Platform on this machine: real HTTP over loopback, for development and tests."""

from __future__ import annotations

try:
    from ._platform import LocalPlatform
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"the local platform needs {error.name}: pip install 'scope-prompts[local]'", name=error.name
    ) from error

__all__ = ["LocalPlatform"]
