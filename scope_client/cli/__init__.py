"""The `scope` command."""

from __future__ import annotations

from . import _terminal as terminal


def main() -> int:
    """The exit code: 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C."""
    try:
        # Click, which the program stands on, comes with an extra.
        from ._program import run

        return run()
    except ImportError as error:
        terminal.complain(f'{error}: pip install "scope-prompts[local]"')
        return 1
    except KeyboardInterrupt:
        return 130
