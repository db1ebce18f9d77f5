"""What is said, once a process, to a synchronous read that holds an event loop up."""

from __future__ import annotations

import sys

from ._log import Log

_log = Log("scope_client.reads")
_has_warned = False
_ways = [
    "`await client.aget_prompt_version(name)`",
    "`await client.arender_prompt(name, values)`",
    "`await client.aprefetch(names)`",
]


def advise_on_a_loop(way: str) -> None:
    """Adds a framework's own way of reading there to what is said, such as "`await render(...)` for a page"."""
    if way not in _ways:
        _ways.append(way)


def warn_on_a_loop() -> None:
    """To be called before the platform is asked, in the thread that asks, if `asyncio` has been imported."""
    global _has_warned
    if not _has_warned and _is_running():
        _has_warned = True
        _log.warning(
            "a synchronous read asks the platform on a running event loop, which stands still meanwhile; write "
            f"{', '.join(_ways[:-1])} or {_ways[-1]} there"
        )


def _is_running() -> bool:
    try:
        return sys.modules["asyncio"].get_running_loop() is not None
    except (RuntimeError, AttributeError):  # none runs; another thread is at the import
        return False
