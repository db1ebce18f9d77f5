"""The file of the module: what is there, what it differs in, and how it is replaced as a whole."""

from __future__ import annotations

import difflib
import os
import stat
from typing import NamedTuple

from .._folder.reader import StrPath
from .._folder.replacing import Identity, created, identity, replaced
from .._interrupts import pass_on
from .._wording import shown
from ..errors import ConfigurationError
from .source_text import MARK

MAX_MODULE_BYTES = 50 * 1024 * 1024
_MOST_SHOWN_LINES = 100


class ModuleFile(NamedTuple):
    """A file as it was found."""

    path: str
    """Where it is, as it was given."""
    real_path: str
    """The same without links."""
    text: str | None
    """What it holds, with line feeds for line ends; None if there is no file."""
    identity: Identity | None
    """What tells it from another one."""

    def holds(self, text: str) -> bool:
        """Whether it is this text, whatever its line ends."""
        return self.text == text

    def differences(self, text: str) -> str:
        """What would change, as a unified diff; the beginning of a long one."""
        names = self.path, f"{self.path} made anew"
        lines = list(difflib.unified_diff((self.text or "").splitlines(), text.splitlines(), *names, lineterm=""))
        more = len(lines) - _MOST_SHOWN_LINES
        return "\n".join([*lines[:_MOST_SHOWN_LINES], *([f"... and {more:,} more lines"] if more > 0 else [])])

    def write(self, text: str, *, is_forced: bool) -> None:
        """Replaces the file, or leaves it as it is.

        Raises ConfigurationError: somebody else wrote it, and `is_forced` is False; or it cannot be written.
        """
        if self.text and not self.text.startswith(MARK) and not is_forced:
            raise ConfigurationError(
                f"{shown(self.path)} was not made by `scope types`; name another file, or replace it with --force"
            )
        octets = text.encode()
        try:
            if self.identity is None:
                with created(self.real_path, octets, like=None):
                    pass
            else:
                with replaced(self.real_path, octets, was=self.identity):
                    pass
        except FileExistsError:
            raise ConfigurationError(f"{shown(self.path)} was written meanwhile; look at it, and try again") from None
        except OSError as error:
            pass_on(error)
            raise _unusable(self.path, f"cannot be written ({error.strerror})") from None


def found_at(path: StrPath) -> ModuleFile:
    """Raises ConfigurationError for what is not a file that can be read, and where none can be made."""
    where = os.fspath(path)
    real_path = os.path.realpath(where)
    try:
        mode = os.stat(real_path).st_mode
        if not stat.S_ISREG(mode):
            raise _unusable(where, f"is not a file, but {'a folder' if stat.S_ISDIR(mode) else 'something else'}")
        was = identity(real_path)
        with open(real_path, "rb") as file:
            octets = file.read(MAX_MODULE_BYTES + 1)
    except FileNotFoundError:
        if not os.path.isdir(os.path.dirname(real_path)):
            raise _unusable(where, "is in a folder that does not exist") from None
        return ModuleFile(where, real_path, None, None)
    except (OSError, ValueError) as error:  # a path with a null character
        pass_on(error)
        raise _unusable(where, f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(octets) > MAX_MODULE_BYTES:
        raise _unusable(where, "is too large to have been made by `scope types`")
    text = octets.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return ModuleFile(where, real_path, text, was)


def _unusable(path: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{shown(path)} {why}; give -o the path of a file such as prompts.py, or -o - to print")
