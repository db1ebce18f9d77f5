"""Measures the clients, prints the table and puts it into RESULTS.md."""

from __future__ import annotations

from .. import report
from ..measure import REPETITIONS
from ..server import content
from . import rows
from .roster import ALL
from .rows import HELD

INTRODUCTION = """\
## Peers

What `make bench-peers` measured in one run: {versions},
each in a venv of its own; medians of {repetitions} repetitions that take turns.
{how}.
In brackets: times what the row's name says. Each reads from a server on this machine that speaks its protocol."""

NOTES = """\
- All read the same text of {size:,} characters in the notation of their platform, and must fill it in to the same text.
  Tracing is off. Caches have a time to live of an hour and room for 20,000 prompts, if that is an option.
- The client is on one core and the server on the other, but for the row of the threads, which has all cores.
- LangSmith: a read is `pull_prompt_commit`. Filled in is `pull_prompt(...).format(...)`, which makes a LangChain prompt
  of the cached commit each time; by hand is `str.format` on the commit's template. `langsmith` imports nothing until
  `Client` is asked of it, so that is what is imported.
- PromptLayer: a read is `templates.get`, whose cache is off by default and copies the prompt on each read. It holds
  {held:,} prompts and has no option for more.
- Cold: `cache=False`, `cache_ttl_seconds=0`, `skip_cache=True`, and a PromptLayer without `cache_ttl_seconds`.
- Gone: the connection is refused. scope-prompts asks the platform once before it falls back. Langfuse and LangSmith
  give what has expired and ask behind it (LangSmith was told to do so every second; by default, every 60). PromptLayer
  asks on every read, with its pauses."""


def main() -> None:
    for peer in ALL:
        peer.prepare()
    versions = ", ".join(f"{peer.title} {peer.version()}" for peer in ALL)
    introduction = INTRODUCTION.format(versions=versions, how=report.how_taken(), repetitions=REPETITIONS)
    table = report.markdown([("what", *(peer.title for peer in ALL)), *rows.measured()])
    notes = NOTES.format(size=len(content("greeting")), held=max(HELD.values()))
    section = "\n\n".join([introduction, table, notes])
    print(section)
    report.write_peers(section)


if __name__ == "__main__":
    main()
