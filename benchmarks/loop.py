"""For how long an event loop stands still while 200 tasks read 30 prompts that are not cached.

As a program, it is the platform of these tasks: a local one, in a process of its own, half a second away. The loop has
a core of its own: what it waits for while others have it says nothing about the reads.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scope_client import ScopeClient

from .measure import CLIENT, SERVER, Row, alone, costs, on_core

TASKS, NAMES, REPETITIONS = 200, 30, 5
LATENCY_SECONDS, STANDSTILL_SECONDS = 0.5, 0.020
TICK_SECONDS, ARRIVAL_SECONDS, SETTLE_SECONDS = 0.001, 0.002, 1.0
SITE = Path(__file__).resolve().parents[1] / "example_projects" / "fastapi_site"
CHAT = [{"role": "system", "content": "You answer customers of {{shop}}."}, {"role": "user", "content": "{{question}}"}]
VALUES = {"shop": "Lamps", "question": "Why?"}
WARM_UP = "warm-up"
Environ = dict[str, str]


def rows() -> list[Row]:
    with platform() as environ:
        return [
            row("longest standstill of a loop, arender_prompt", rendering, environ),
            row("longest standstill of a loop, LangChain ainvoke", langchain, environ),
            row("longest standstill of a loop, FastAPI", fastapi, environ),
        ]


@contextmanager
def platform() -> Iterator[Environ]:
    """Runs it; what a client's environment has to say of it."""
    with on_core(SERVER):
        process = subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def row(what: str, measure: Callable[[Environ], float], environ: Environ) -> Row:
    """Each time in a new process, in which the first read imports what sends requests."""
    longest = [alone(partial(measure, environ)) for _ in range(REPETITIONS)]
    return costs(what, "the limit of", statistics.median(longest), STANDSTILL_SECONDS)


def rendering(environ: Environ) -> float:
    os.environ.update(environ)
    client = ScopeClient()
    with on_core(CLIENT):
        return asyncio.run(longest_pause(tasks(lambda number: client.arender_prompt(name(number), VALUES))))


def langchain(environ: Environ) -> float:
    from langchain_core.prompts import ChatPromptTemplate

    from scope_langchain import scope_prompt

    asyncio.run(ChatPromptTemplate.from_messages([("user", "{question}")]).ainvoke(VALUES))  # its own first time

    os.environ.update(environ)
    client = ScopeClient()
    live = [scope_prompt(name(number), client=client) for number in range(NAMES)]
    with on_core(CLIENT):
        return asyncio.run(longest_pause(tasks(lambda number: live[number % NAMES].ainvoke(VALUES))))


def fastapi(environ: Environ) -> float:
    """The example site under uvicorn, in this process; its visitors come from another one, one after another."""
    import uvicorn

    os.environ.update(environ)
    sys.path.insert(0, str(SITE))
    site = uvicorn.Server(uvicorn.Config("app:app", port=0, log_level="error"))

    async def served() -> float:
        serving = asyncio.ensure_future(site.serve())
        while not site.started:
            await asyncio.sleep(TICK_SECONDS)
        url = f"http://127.0.0.1:{site.servers[0].sockets[0].getsockname()[1]}"
        await visit(url, WARM_UP)  # FastAPI's own first time
        context = multiprocessing.get_context("spawn")
        may_come = context.Event()
        visitors = context.Process(target=visit_all, args=(url, may_come))
        with on_core(SERVER):
            visitors.start()
        pause = await longest_pause(end_of(visitors, may_come))
        site.should_exit = True
        await serving
        return pause

    with on_core(CLIENT):
        return asyncio.run(served())


async def end_of(process: Any, may_come: Any) -> None:
    may_come.set()
    while process.is_alive():
        await asyncio.sleep(TICK_SECONDS)
    assert process.exitcode == 0


def visit_all(url: str, may_come: Any) -> None:
    may_come.wait()

    async def arrive(number: int) -> None:
        await asyncio.sleep(number * ARRIVAL_SECONDS)
        await visit(url, name(number))

    asyncio.run(tasks(arrive))


async def visit(url: str, prompt: str) -> None:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    body = json.dumps({"question": VALUES["question"]})
    head = f"POST /answer/{prompt} HTTP/1.1\r\nHost: site\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200"), answer


def name(number: int) -> str:
    return f"cold-{number % NAMES}"


async def tasks(read: Callable[[int], Awaitable[object]]) -> None:
    await asyncio.gather(*(read(number) for number in range(TASKS)))


async def longest_pause(work: Coroutine[Any, Any, None]) -> float:
    """Seconds between two turns of a task that asks for one every millisecond while the work is done, at the most."""
    gc.collect()
    gc.freeze()  # a full collection of what FastAPI alone brings in takes longer than all that is measured
    await asyncio.sleep(SETTLE_SECONDS)
    longest = 0.0
    working = asyncio.ensure_future(work)
    last = time.perf_counter()
    while not working.done():
        await asyncio.sleep(TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await working
    return longest


def serve() -> None:
    from scope_client.local import LocalPlatform

    with LocalPlatform(dict.fromkeys((WARM_UP, *map(name, range(NAMES))), CHAT)) as started:
        started.latency = LATENCY_SECONDS
        print(json.dumps(dict(started.environ)), flush=True)
        while True:
            time.sleep(1)


if __name__ == "__main__":
    serve()
