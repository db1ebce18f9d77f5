"""What programs do with models, for each of the libraries."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from otel.libraries import TOOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Tracer
    from otel.libraries import Library
    from recipes.fakes.server import ModelServer

    from scope_client import PromptVersion, ScopeClient

SUPPORT, SUMMARY, UNKNOWN = "support", "summary", "not-there"
FALLBACK = [{"role": "system", "content": "You help with the {{product}}."}, {"role": "user", "content": "Help!"}]
PROMPTS = {
    SUPPORT: [
        {"role": "system", "content": "You answer questions about the {{product}}."},
        {"role": "user", "content": "Is it dimmable?"},
    ],
    SUMMARY: [
        {"role": "system", "content": "You sum up what is said about the {{product}}."},
        {"role": "user", "content": "It shines."},
    ],
}


class Stage(NamedTuple):
    """What a scene is played with."""

    library: Library
    prompts: ScopeClient
    models: ModelServer
    tracer: Tracer
    in_blocks: bool
    """Whether each call of a model is in a block that says which version is in use."""

    def using(self, version: PromptVersion) -> AbstractContextManager[object]:
        return version.in_use() if self.in_blocks else contextlib.nullcontext()

    def call(self, version: PromptVersion) -> str:
        with self.using(version):
            return self.library.call(version)

    def version(self, name: str) -> PromptVersion:
        return self.prompts.get_prompt_version(name)

    def both(self) -> tuple[PromptVersion, PromptVersion]:
        return self.version(SUPPORT), self.version(SUMMARY)


def chat(stage: Stage) -> None:
    stage.call(stage.version(SUPPORT))


def streaming(stage: Stage) -> None:
    version = stage.version(SUPPORT)
    with stage.using(version):
        assert "".join(stage.library.stream(version))


def tools(stage: Stage) -> None:
    stage.models.will_call(TOOL, product="x")
    version = stage.version(SUPPORT)
    with stage.using(version):
        assert stage.library.call_with_tool(version)


def two_prompts_in_one_trace(stage: Stage) -> None:
    """Blocks within one another, and calls after them."""
    support, summary = stage.both()
    with stage.tracer.start_as_current_span("a job"):
        stage.call(support)
        with stage.using(support):
            stage.call(summary)
            stage.call(support)
        stage.call(summary)


def a_fallback(stage: Stage) -> None:
    stage.call(stage.prompts.get_prompt_version(UNKNOWN, fallback=FALLBACK))


def a_thread_pool(stage: Stage) -> None:
    """The threads are used again, by the jobs of the other prompt."""
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(stage.call, stage.both() * 3))


def generators(stage: Stage) -> None:
    """Two streams whose words are taken in turn."""

    def words(version: PromptVersion) -> Iterator[str]:
        with stage.using(version):
            yield "first"
            yield from stage.library.stream(version)

    streams = [words(version) for version in stage.both()]
    for _ in range(2):
        for stream in streams:
            next(stream)
    for stream in streams:
        list(stream)


def tasks(stage: Stage) -> None:
    async def answered(version: PromptVersion) -> str:
        with stage.using(version):
            return await stage.library.acall(version)

    async def main() -> None:
        support, summary = stage.both()
        await asyncio.gather(*(answered(version) for version in (support, summary, support)))

    asyncio.run(main())


def asynchronous_streams(stage: Stage) -> None:
    """Two in one task, one after the other, and two in tasks of their own."""

    async def words(version: PromptVersion) -> str:
        with stage.using(version):
            return "".join([word async for word in stage.library.astream(version)])

    async def main() -> None:
        support, summary = stage.both()
        assert await words(support)
        assert await words(summary)
        assert all(await asyncio.gather(words(support), words(summary)))

    asyncio.run(main())


def asynchronous_generators(stage: Stage) -> None:
    """Two streams whose words are taken in turn."""

    async def words(version: PromptVersion) -> AsyncIterator[str]:
        with stage.using(version):
            yield "first"
            async for word in stage.library.astream(version):
                yield word

    async def main() -> None:
        streams = [words(version) for version in stage.both()]
        for stream in streams:
            assert await stream.__anext__() == "first"
        for stream in streams:
            await stream.__anext__()
        for stream in streams:
            _ = [word async for word in stream]

    asyncio.run(main())


SCENES: dict[str, Callable[[Stage], None]] = {
    scene.__name__.replace("_", " "): scene
    for scene in (
        chat,
        streaming,
        tools,
        two_prompts_in_one_trace,
        a_fallback,
        a_thread_pool,
        generators,
        tasks,
        asynchronous_streams,
        asynchronous_generators,
    )
}
