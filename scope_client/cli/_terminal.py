"""Standard output and standard error, as the commands write to them."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from .._redaction import Redaction

_SECRETS = ("SCOPE_API_SECRET", "SCOPE_CLIENT_SECRET")


def prepare() -> None:
    """Lets standard output take any text, whatever the terminal's encoding, and keep its line ends."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace", newline="\n")


def say(text: str) -> None:
    """The text exactly, ended by a newline; at once and in one write, since threads speak too."""
    try:
        print(text if text.endswith("\n") else f"{text}\n", end="", flush=True)
    except OSError:
        _close_off()
        raise


def note(text: str) -> None:
    """One line on standard error, whatever the text holds, with no secret in it."""
    if sys.stderr is not None:
        print(_one_line(_without_secrets(text)), file=sys.stderr, flush=True)


def complain(text: str) -> None:
    note(f"scope: {text}")


def _close_off() -> None:
    """Keeps Python from writing what is left in the buffer once more at its end, and failing again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(text: str) -> str:
    parts = [part.strip() for part in text.splitlines()]
    joined = "; ".join(part for part in parts if part).replace(":; ", ": ")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in joined)


def _without_secrets(text: str) -> str:
    return Redaction(filter(None, map(os.environ.get, _SECRETS))).text(text)
