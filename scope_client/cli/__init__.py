"""The `scope` command."""

from __future__ import annotations

from .._extras import missing_extra
from . import _terminal as terminal
from ._ending import end_on_sigterm


def main() -> int:
    """The exit code: 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C; SIGTERM ends the process with 143."""
    end_on_sigterm()
    try:
        # The program stands on Click, which comes with an extra.
        from ._program import run

        return run()
    except ModuleNotFoundError as error:
        terminal.complain(missing_extra("the command scope", ("click",), "local", error))
        return 1
    except KeyboardInterrupt:
        return 130
