"""The whole comparison, as Markdown."""

from __future__ import annotations

import platform
import sys
import time

from ..measure import CORES
from ..report import markdown_table
from . import keeping, protocols, reading, starting, venvs
from .roster import ALL
from .server import running
from .turns import REPETITIONS, Row
from .worker import SIZE

INTRODUCTION = """\
## Peers

What `make bench-peers` measured in one run: {versions},
each in a venv of its own, on Python {python}, {cores} cores; medians of {repetitions} repetitions by turns.
In brackets: times what the row's name says. Each reads from a server on this machine that speaks its protocol."""

NOTES = """\
- All read the same text of {size:,} characters in the notation of their platform, and must fill it in to the same text.
  Tracing is off. Caches have a time to live of an hour and room for {room:,} prompts, where that is an option.
- The client is on one core and the server on the other, but for the row of the threads, which has all cores.
- LangSmith: a read is `pull_prompt_commit`. Filled in is `pull_prompt(...).format(...)`, which makes a LangChain prompt
  of the cached commit each time; by hand is `str.format` on the commit's template. `langsmith` imports nothing until
  `Client` is asked of it, so that is what is imported.
- PromptLayer: a read is `templates.get`, whose cache is off by default and copies the prompt on each read. It holds
  {held:,} prompts and has no option for more.
- Cold: `cache=False`, `cache_ttl_seconds=0`, `skip_cache=True`, and a PromptLayer without `cache_ttl_seconds`.
- Gone: the connection is refused. scope-client asks the platform once before it falls back; Langfuse and LangSmith give
  what has expired and ask behind it (LangSmith was told to do so every second; by default, 60); PromptLayer asks, with
  its pauses, on every read."""


def compared() -> str:
    for peer in ALL:
        venvs.prepare(peer)
    lines = [("what", *(peer.title for peer in ALL)), *((row.what, *row.cells) for row in _rows())]
    return "\n\n".join([_introduction(), markdown_table(lines), _notes()])


def _rows() -> list[Row]:
    rows: list[Row] = []
    with running() as server:
        for part in (starting, reading, keeping):
            started = time.monotonic()
            rows += part.rows(server)
            print(f"{part.__name__} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows


def _introduction() -> str:
    return INTRODUCTION.format(
        versions=", ".join(f"{peer.title} {venvs.version(peer)}" for peer in ALL),
        python=platform.python_version(),
        cores=len(CORES) or "unknown",
        repetitions=REPETITIONS,
    )


def _notes() -> str:
    (held,) = keeping.HELD.values()
    return NOTES.format(size=len(protocols.content("greeting", "{{", "}}")), room=SIZE, held=held)
