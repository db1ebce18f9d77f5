"""scope-client beside other clients for prompts, each in a venv of its own and reading from a loopback server."""

from __future__ import annotations


def table() -> str:
    """All rows measured now, as Markdown."""
    from .comparison import compared

    return compared()
