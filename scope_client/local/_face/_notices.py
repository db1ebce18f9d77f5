"""The notice on the page of a prompt, after something was written: what was done, and what it means for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._shelf import Shelf

_STATUS_AFTER = {"draft": "draft", "publish": "published", "archive": "archived"}
_IN_PRODUCTION = (
    "Version {number} is in production. Running programs have it when their cache_ttl is over: within five minutes, "
    "unless they set another one."
)
_ARCHIVED_LAST = (
    "Version {number} is archived. No version is in production now: programs that ask for it get an error, "
    "NoProductionVersionError."
)


class Notice(NamedTuple):
    """What was done; `new` and `gone` are variables, by which it differs from the version that was in production."""

    said: str
    before: Optional[int] = None
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def notice_of(shelf: Shelf, arguments: Mapping[str, str]) -> Optional[Notice]:
    """By the address to which the browser was sent; None if it says nothing, or what is not so any more."""
    what, number = arguments.get("said", ""), _number(arguments, "number")
    version = None if number is None else shelf.version(number)
    if version is None or version.status != _STATUS_AFTER.get(what):
        return None
    if what == "draft":
        return Notice(f"Version {number} is saved as a draft. Programs get it when it is published.")
    if what == "archive":
        said = f"Version {number} is archived." if shelf.production else _ARCHIVED_LAST.format(number=number)
        return Notice(said)
    said, former = _IN_PRODUCTION.format(number=number), _number(arguments, "before")
    before = None if former is None else shelf.version(former)
    if before is None:
        return Notice(said)
    were, are = before.variables, version.variables
    new = tuple(name for name in are if name not in were)
    gone = tuple(name for name in were if name not in are)
    return Notice(said, former, new, gone)


def _number(arguments: Mapping[str, str], name: str) -> Optional[int]:
    said = arguments.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None
