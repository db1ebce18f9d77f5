"""Store: whether the cache that a fleet shares takes a value, gives it back, and does not keep readers waiting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from .._foreign_text import printable
from .._interrupts import pass_on
from .._stores.failure import reason
from .._stores.patience import patience_of
from .check import Check, Said, at_once, failed, ok, skipped, timed, warning

STORE_PROBE_SECONDS = 10.0


def store_checks(store: Any) -> Iterator[Check]:
    """The round trip of a store, and the patience of its client; one that is skipped if there is no store."""
    if store is None:
        yield at_once("store", skipped("no cache is shared (cache_store)"))
        return
    yield timed("store", lambda: _round_trip(store))
    yield at_once("store patience", _patience(store))


def _round_trip(store: Any) -> Said:
    key, value = f"scope:doctor:{os.getpid()}", "works"
    kind = type(store).__name__
    try:
        store.set(key, value, STORE_PROBE_SECONDS)
        found = store.get_many([key])
        store.delete(key)
    except Exception as error:  # noqa: BLE001  # of anybody's store
        pass_on(error)
        return failed(
            f"{kind} does not work: {printable(reason(error))}",
            "start the cache server, or correct its address in the settings; reads go on without it",
        )
    if found.get(key) != value:
        return failed(
            f"{kind} takes a value and does not give it back",
            "start the cache server, or look at its memory and rights",
        )
    return ok(f"{kind}: set, get and delete")


def _patience(store: Any) -> Said:
    client = getattr(store, "_client", None) or getattr(store, "_redis", None)
    try:
        found = None if client is None else patience_of(client)
    except Exception as error:  # noqa: BLE001  # of anybody's client
        pass_on(error)
        found = None
    if found is None:
        may_hang = getattr(store, "may_hang", False) is True
        return warning("its client may wait for any time", "give it time limits") if may_hang else ok("not known")
    said = f"a server that hangs holds a reader up for {found.lost}"
    if found.lost.is_long:
        missing = ", ".join(f"{name}={value}" for name, value in found.missing.items())
        return warning(said, f"give the client of the cache {missing}")
    return ok(said)
