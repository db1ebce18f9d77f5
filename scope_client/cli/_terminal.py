"""Standard output and standard error, as the commands write to them."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from .._config.credentials import SECRET_VARIABLES
from .._foreign_text import printable
from .._redaction import Redaction

LONGEST_NOTE_CHARACTERS = 10_000


def prepare() -> None:
    """Lets standard output take any text, in any encoding of the terminal, and keep its line ends."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace", newline="\n")


def is_one() -> bool:
    """Whether what is printed is shown by a terminal, and not read by a program."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(text: str) -> None:
    """Prints the text as it is and a newline, unless it ends in one; in one write, because threads print too."""
    try:
        print(text if text.endswith("\n") else f"{text}\n", end="", flush=True)
    except OSError:
        _close_off()
        raise


def note(text: str) -> None:
    """Prints one line without secrets on standard error, also if the text has several."""
    if sys.stderr is not None:
        print(_one_line(_without_secrets(text)), file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """Prints one line that says why the command failed."""
    note(f"scope: {text}")


def _close_off() -> None:
    """Otherwise Python writes what is left in the buffer once more when it ends, and fails again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(text: str) -> str:
    parts = [part.strip() for part in text.splitlines()]
    return printable("; ".join(part for part in parts if part).replace(":; ", ": "), LONGEST_NOTE_CHARACTERS)


def _without_secrets(text: str) -> str:
    return Redaction(filter(None, map(os.environ.get, SECRET_VARIABLES))).text(text)
