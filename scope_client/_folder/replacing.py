"""Replacing a file as a whole: who reads it finds the former bytes or the new ones, also after a crash."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import ConfigurationError

HIDDEN_NAME_BYTES = 8
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_BINARY"))
_PERMISSIONS = stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO


class Identity(NamedTuple):
    """What tells a file from one that somebody put in its place, or wrote over it."""

    device: int
    inode: int
    size: int
    changed_at: int


def identity(path: str) -> Identity:
    found = os.lstat(path)
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def hidden_name() -> str:
    """A name that readers of a prompt folder leave out."""
    return f".scope-{secrets.token_hex(HIDDEN_NAME_BYTES)}.tmp"


@contextlib.contextmanager
def replaced(path: str, octets: bytes, *, was: Identity, keeps_time: bool = False) -> Iterator[None]:
    """Replaces a file, with its permissions; while the block runs, readers of a prompt folder take it as unfinished.

    Args:
        path: The file, without links.
        octets: Its new bytes.
        was: As it has to be until it is replaced; ConfigurationError if it is not.
        keeps_time: Whether the time of its last change stays the same.
    """
    like = os.lstat(path)
    with _hidden(os.path.dirname(path), octets, like) as new:
        if keeps_time:
            os.utime(new, ns=(like.st_atime_ns, like.st_mtime_ns))
        check_unchanged(path, was)
        os.replace(new, path)
        settle(os.path.dirname(path))
        yield


@contextlib.contextmanager
def created(path: str, octets: bytes, *, like: os.stat_result | None) -> Iterator[None]:
    """Makes a file that must not exist, with the permissions of another; the rest is as for `replaced`."""
    with _hidden(os.path.dirname(path), octets, like) as new:
        try:
            os.link(new, path)
            os.unlink(new)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):  # a file system without links
            if os.path.lexists(path):
                raise FileExistsError(path) from None
            os.rename(new, path)
        settle(os.path.dirname(path))
        yield


def write_whole(path: str, octets: bytes) -> None:
    """Makes a file, or replaces it with its permissions, whatever its former bytes are; through a link."""
    real = os.path.realpath(path)
    with _hidden(os.path.dirname(real), octets, os.stat(real) if os.path.isfile(real) else None) as new:
        os.replace(new, real)
    settle(os.path.dirname(real))


def check_unchanged(path: str, was: Identity) -> None:
    if identity(path) != was:
        raise ConfigurationError(f"{os.path.basename(path)} was changed meanwhile; look at it, and try again")


def settle(folder: str) -> None:
    """Has the names in a folder outlast a crash, where the system can do that."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def liken(path: str, like: os.stat_result) -> None:
    """Permissions, and the owner if this process may give files away."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(path, like.st_uid, like.st_gid)
    os.chmod(path, like.st_mode & _PERMISSIONS)


@contextlib.contextmanager
def _hidden(folder: str, octets: bytes, like: os.stat_result | None) -> Iterator[str]:
    """A file under a hidden name, which is open for writing while the block runs, and gone after it if still there."""
    path = os.path.join(folder, hidden_name())
    try:
        with open(os.open(path, _CREATE, 0o666), "wb") as file:
            if like is not None:
                liken(path, like)
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
            if os.name == "nt":  # an open file cannot be renamed there
                file.close()
            yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
