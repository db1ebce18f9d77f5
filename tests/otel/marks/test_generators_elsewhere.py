"""A block in a generator holds for all of its steps, whichever threads and tasks take them."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.model_spans import ModelSpans

from scope_client import PromptVersion
from scope_client._prompt import in_use

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def in_a_copy() -> Iterator[Callable[..., object]]:
    """Runs a step in a thread and a copy of the caller's context, as servers do with a streamed body."""
    with ThreadPoolExecutor(2) as pool:

        def run(step: Any, *arguments: object) -> object:
            return pool.submit(contextvars.copy_context().run, step, *arguments).result()

        yield run


def body(version: PromptVersion, spans: ModelSpans, block: Any = None) -> Iterator[None]:
    with block or version.in_use():
        spans.call("first")
        yield
        spans.call("second")
        yield
    spans.call("behind")


def test_each_step_in_a_thread_and_context_of_its_own(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans, in_a_copy: Callable[..., object]
) -> None:
    summary.render(text="it")
    chunks = body(greeting, spans)
    in_a_copy(next, chunks)
    spans.call("between")
    in_a_copy(next, chunks)
    in_a_copy(next, chunks, None)
    spans.call("after")
    assert spans.prompts == [
        ("first", "greeting"),
        ("between", "summary"),
        ("second", "greeting"),
        ("behind", "summary"),
        ("after", "summary"),
    ]


def test_the_generator_s_block_is_nearer_than_that_of_whoever_takes_a_step(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans, in_a_copy: Callable[..., object]
) -> None:
    chunks = body(greeting, spans)
    with summary.in_use():
        in_a_copy(next, chunks)
        in_a_copy(next, chunks)
        spans.call("taker")
        in_a_copy(next, chunks, None)
    assert spans.prompts == [
        ("first", "greeting"),
        ("second", "greeting"),
        ("taker", "summary"),
        ("behind", "summary"),
    ]


def test_a_block_inside_a_block_of_an_earlier_step_counts(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans, in_a_copy: Callable[..., object]
) -> None:
    def chunks() -> Iterator[None]:
        with greeting.in_use():
            yield
            with summary.in_use():
                spans.call("inner")
                yield
                spans.call("inner")
            spans.call("outer")
            yield

    source = chunks()
    in_a_copy(next, source)
    next(source)
    in_a_copy(next, source)
    source.close()
    assert spans.prompts == [("inner", "summary"), ("inner", "summary"), ("outer", "greeting")]
    assert in_use.of_generators == {}


def test_what_begins_here_and_ends_elsewhere_is_not_kept_here(
    greeting: PromptVersion, spans: ModelSpans, in_a_copy: Callable[..., object]
) -> None:
    for _ in range(5):
        chunks = body(greeting, spans)
        next(chunks)
        in_a_copy(chunks.close)  # type: ignore[attr-defined]  # of a generator
        assert len(in_use.uses_here()) <= 1


def test_the_end_in_another_thread_ends_the_generator_s_own_of_two_with_one_object(
    greeting: PromptVersion, spans: ModelSpans, in_a_copy: Callable[..., object]
) -> None:
    block = greeting.in_use()
    first, second = body(greeting, spans, block), body(greeting, spans, block)
    in_a_copy(next, first)
    in_a_copy(next, second)
    in_a_copy(first.close)
    in_a_copy(next, second)
    in_a_copy(second.close)
    assert spans.prompts == [("first", "greeting"), ("first", "greeting"), ("second", "greeting")]
    assert in_use.of_generators == {}


def test_each_step_in_a_task_of_its_own(greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans) -> None:
    async def chunks() -> AsyncIterator[None]:
        with greeting.in_use():
            spans.call("first")
            yield
            await asyncio.sleep(0)
            spans.call("second")
            yield

    async def consume() -> None:
        summary.render(text="it")
        source = chunks()
        await asyncio.create_task(source.__anext__())  # as `wait_for` does before Python 3.12
        spans.call("between")
        await asyncio.create_task(source.__anext__())  # as `wait_for` does before Python 3.12
        await source.aclose()
        spans.call("after")

    asyncio.run(consume())
    assert spans.prompts == [
        ("first", "greeting"),
        ("between", "summary"),
        ("second", "greeting"),
        ("after", "summary"),
    ]
