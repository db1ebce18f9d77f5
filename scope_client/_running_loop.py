"""What is said, once a process, to a synchronous read that holds an event loop up."""

from __future__ import annotations

import sys

from ._log import Log

_log = Log("scope_client.reads")
_has_warned = False


def warn_on_a_loop() -> None:
    """To be called before the platform is asked, in the thread that asks."""
    global _has_warned
    if not _has_warned and _is_running():
        _has_warned = True
        _log.warning(
            "a synchronous read asks the platform on a running event loop, which stands still meanwhile; write "
            "`await client.aget_prompt_version(name)`, "
            "`await client.arender_prompt(name, values)` or `await client.aprefetch(names)` there"
        )


def _is_running() -> bool:
    asyncio = sys.modules.get("asyncio")  # a program that has not imported it runs no loop
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None
    except (RuntimeError, AttributeError):  # none runs; another thread is at the import
        return False
