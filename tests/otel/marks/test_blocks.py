"""`with version.in_use():` says exactly which calls of a model a version is for."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import contextvars
import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from faults.model_spans import PROMPT_NAME

from scope_client import PromptVersion
from scope_client._prompt import in_use

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from faults.model_spans import ModelSpans


def test_a_block_wins_over_what_is_rendered_in_it(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    with greeting.in_use() as version:
        assert version is greeting
        summary.render(text="it")
        spans.call("in")
    assert spans.prompts == [("in", "greeting")]


def test_what_is_rendered_in_a_block_is_for_the_block_alone(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    def steps() -> Iterator[None]:
        with greeting.in_use():
            greeting.render(name="Ada")
            yield
            greeting.messages(name="Ada")

    greeting.render(name="Ada")
    summary.render(text="it")
    for _ in steps():
        spans.call("between")
        greeting.render(name="Bob")  # by the consumer, who is in no block
        spans.call("consumer")
        summary.render(text="it")
    spans.call("after")
    assert spans.prompts == [("between", "summary"), ("consumer", "greeting"), ("after", "summary")]


def test_of_blocks_inside_one_another_the_inner_one_counts(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    with greeting.in_use():
        with summary.in_use():
            spans.call("inner")
        spans.call("outer")
    spans.call("after")
    assert spans.prompts == [("inner", "summary"), ("outer", "greeting"), ("after", None)]


def test_a_block_marks_the_run_of_an_agent_too(greeting: PromptVersion, spans: ModelSpans) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent"}
    with greeting.in_use():
        spans.call("agent", attributes=agent)
        spans.late_call("late agent", attributes=agent)
        spans.call("tool", attributes={"gen_ai.operation.name": "execute_tool"})
    assert spans.prompts == [("agent", "greeting"), ("late agent", "greeting"), ("tool", None)]


def test_a_block_marks_no_text_and_no_value(greeting: PromptVersion, spans: ModelSpans) -> None:
    with greeting.in_use():
        greeting.render(name="a secret")
        spans.call()
    assert "secret" not in repr(spans.attributes())


def test_a_block_ends_with_an_exception(greeting: PromptVersion, spans: ModelSpans) -> None:
    with pytest.raises(RuntimeError), greeting.in_use():
        raise RuntimeError
    spans.call()
    assert PROMPT_NAME not in spans.attributes()


def test_one_object_may_be_entered_again_and_inside_itself(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    use = greeting.in_use()
    with use:
        with summary.in_use(), use:
            spans.call("inside")
        spans.call("outside")
    with use:
        spans.call("again")
    spans.call("after")
    assert spans.prompts == [
        ("inside", "greeting"),
        ("outside", "greeting"),
        ("again", "greeting"),
        ("after", None),
    ]


def test_an_exit_stack_holds_a_block_open_and_ends_in_any_order(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    first, second = contextlib.ExitStack(), contextlib.ExitStack()
    first.enter_context(greeting.in_use())
    second.enter_context(summary.in_use())
    spans.call("both")
    first.close()
    spans.call("second")
    second.close()
    spans.call("none")
    assert spans.prompts == [("both", "summary"), ("second", "summary"), ("none", None)]


def test_a_block_on_the_stack_is_nearer_than_an_earlier_one_of_an_object_s(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    with contextlib.ExitStack() as held:

        def enter() -> None:
            held.enter_context(greeting.in_use())

        enter()
        with summary.in_use():
            spans.call("in")
        spans.call("held")
    assert spans.prompts == [("in", "summary"), ("held", "greeting")]


def test_of_two_generators_with_one_object_the_end_of_one_ends_its_own(
    greeting: PromptVersion, spans: ModelSpans
) -> None:
    use = greeting.in_use()

    def steps(name: str, count: int) -> Iterator[None]:
        with use:
            for _ in range(count):
                yield
                spans.call(name)

    first, second = steps("first", 1), steps("second", 2)
    for each in (first, second, second, first, second):
        next(each, None)
    assert spans.prompts == [("second", "greeting"), ("first", "greeting"), ("second", "greeting")]


def test_a_generator_that_another_task_closes_leaves_no_frame_behind_that_could_be_taken_for_another(
    greeting: PromptVersion, spans: ModelSpans
) -> None:
    async def steps() -> AsyncIterator[None]:
        with greeting.in_use():
            yield

    async def main() -> None:
        made: Any = steps()
        await made.__anext__()
        await asyncio.gather(made.aclose())  # in a task, and so in a copy of the context
        assert [each.frame for each in in_use.uses_here()] == [in_use.NO_FRAME]
        spans.call("after")

    asyncio.run(main())
    assert spans.prompts == [("after", None)]


def test_what_an_object_enters_and_leaves_in_its_methods_counts_in_between(
    greeting: PromptVersion, spans: ModelSpans
) -> None:
    class Conversation:
        def begin(self) -> None:
            self.use = greeting.in_use()
            self.use.__enter__()

        def end(self) -> None:
            self.use.__exit__(None, None, None)

    conversation = Conversation()
    conversation.begin()
    spans.call("between")
    conversation.end()
    spans.call("after")
    conversation.end()  # once more does no harm
    assert spans.prompts == [("between", "greeting"), ("after", None)]


def test_a_block_inside_a_context_manager_of_the_user_s_holds_for_its_block(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    @contextlib.contextmanager
    def within(version: PromptVersion) -> Iterator[None]:
        with version.in_use():
            yield

    @contextlib.asynccontextmanager
    async def awithin(version: PromptVersion) -> AsyncIterator[None]:
        with version.in_use():
            yield

    async def task() -> None:
        async with awithin(greeting):
            await asyncio.sleep(0)
            spans.call("async")
        spans.call("after async")

    with within(greeting):
        spans.call("in")
        with within(summary):
            spans.call("inner")
    spans.call("after")
    with contextlib.ExitStack() as stack:
        stack.enter_context(within(greeting))
        spans.call("stack")
    asyncio.run(task())
    assert spans.prompts == [
        ("in", "greeting"),
        ("inner", "summary"),
        ("after", None),
        ("stack", "greeting"),
        ("async", "greeting"),
        ("after async", None),
    ]


def test_generators_whose_steps_alternate_keep_their_own(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    def answers(version: PromptVersion, name: str) -> Iterator[None]:
        with version.in_use():
            for _ in range(3):
                spans.call(name)
                yield

    for _ in zip(answers(greeting, "a"), answers(summary, "b")):
        spans.call("consumer")
    assert spans.prompts == [("a", "greeting"), ("b", "summary"), ("consumer", None)] * 3 + [("a", "greeting")] * 0


def test_a_generator_that_is_suspended_leaves_its_consumer_the_consumer_s_own(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    def inner() -> Iterator[None]:
        with summary.in_use():
            spans.call("inner")
            yield
            spans.call("inner")

    def outer() -> Iterator[None]:
        with greeting.in_use():
            for _ in inner():
                spans.call("outer")
                yield

    steps = outer()
    next(steps)
    with summary.in_use():  # later than the generator's, and further away from it
        spans.call("consumer")
        assert list(steps) == []
    assert spans.prompts == [
        ("inner", "summary"),
        ("outer", "greeting"),
        ("consumer", "summary"),
        ("inner", "summary"),
    ]


def test_a_generator_s_own_block_is_nearer_than_one_of_its_consumer_s(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    def steps() -> Iterator[None]:
        with greeting.in_use():
            yield
            spans.call("generator")

    made = steps()
    next(made)
    with summary.in_use(), contextlib.suppress(StopIteration):
        next(made)
    assert spans.prompts == [("generator", "greeting")]


def test_asynchronous_generators_keep_their_own_also_in_what_they_wait_for(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    async def call(name: str) -> None:
        await asyncio.sleep(0)
        spans.call(name)

    async def answers(version: PromptVersion, name: str) -> AsyncIterator[None]:
        with version.in_use():
            for _ in range(2):
                await call(name)
                await asyncio.create_task(call(f"task of {name}"))  # as asyncio.wait_for makes one before 3.12
                await asyncio.to_thread(spans.call, f"thread of {name}")
                yield

    async def consumer() -> None:
        first, second = answers(greeting, "a"), answers(summary, "b")
        for _ in range(2):
            await first.__anext__()
            await second.__anext__()
            spans.call("consumer")
            await asyncio.create_task(call("task of the consumer"))
            await asyncio.to_thread(spans.call, "thread of the consumer")
        await first.aclose()  # type: ignore[attr-defined]  # of a generator
        await second.aclose()  # type: ignore[attr-defined]  # as above
        spans.call("after")

    asyncio.run(consumer())
    assert dict(spans.prompts) == {
        "a": "greeting",
        "task of a": "greeting",
        "thread of a": "greeting",
        "b": "summary",
        "task of b": "summary",
        "thread of b": "summary",
        "consumer": None,
        "task of the consumer": None,
        "thread of the consumer": None,
        "after": None,
    }
    assert len({*spans.prompts}) == 10


def test_a_step_that_a_task_of_its_own_takes_carries_the_block_of_its_generator(
    greeting: PromptVersion, spans: ModelSpans
) -> None:
    async def inner() -> AsyncIterator[str]:
        with greeting.in_use():
            await asyncio.to_thread(spans.call, "thread")
            yield "piece"

    async def outer(pieces: Any) -> AsyncIterator[Any]:
        step = builtins.anext(pieces, None) if sys.version_info >= (3, 10) else pieces.__anext__()
        yield await step

    async def main() -> None:
        steps: Any = outer(inner())
        await asyncio.create_task(steps.__anext__() if sys.version_info >= (3, 12) else _step(steps))

    asyncio.run(main())
    assert spans.prompts == [("thread", "greeting")]


async def _step(steps: Any) -> Any:
    return await steps.__anext__()


def test_a_generator_s_thread_belongs_to_it_while_it_waits_for_the_thread(
    greeting: PromptVersion, spans: ModelSpans
) -> None:
    def in_a_thread(name: str) -> None:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(spans.call, name))
        thread.start()
        thread.join()

    def steps() -> Iterator[None]:
        with greeting.in_use():
            in_a_thread("of the generator")
            yield

    for _ in steps():
        in_a_thread("of the consumer")
    assert spans.prompts == [("of the generator", "greeting"), ("of the consumer", None)]


def test_a_task_that_was_started_in_a_block_carries_it_to_its_end(greeting: PromptVersion, spans: ModelSpans) -> None:
    async def call() -> None:
        await asyncio.sleep(0)
        spans.call("task")

    async def main() -> None:
        with greeting.in_use():
            task = asyncio.create_task(call())
        spans.call("after")
        await task

    asyncio.run(main())
    assert spans.prompts == [("after", None), ("task", "greeting")]


def test_tasks_side_by_side_keep_their_own(greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans) -> None:
    async def answer(version: PromptVersion) -> None:
        with version.in_use():
            for _ in range(3):
                await asyncio.sleep(0)
                spans.call(version.name)

    async def main() -> None:
        await asyncio.gather(*(answer(version) for version in (greeting, summary) * 3))

    asyncio.run(main())
    assert set(spans.prompts) == {("greeting", "greeting"), ("summary", "summary")}


def test_threads_side_by_side_keep_their_own_with_one_object(greeting: PromptVersion, spans: ModelSpans) -> None:
    use, gate = greeting.in_use(), threading.Barrier(2)

    def work(name: str) -> None:
        with use:
            gate.wait(10)
            spans.call(name)
            gate.wait(10)
        spans.call(f"after {name}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["a", "b"]))
    assert set(spans.prompts) == {("a", "greeting"), ("b", "greeting"), ("after a", None), ("after b", None)}
    assert use._open == []


def test_a_generator_that_the_loop_closes_ends_its_block_without_an_error(
    greeting: PromptVersion, spans: ModelSpans, caplog: pytest.LogCaptureFixture
) -> None:
    async def steps() -> AsyncIterator[None]:
        with greeting.in_use():
            while True:
                yield

    made: list[Any] = []

    async def main() -> None:
        made.append(steps())
        await made[0].__anext__()

    asyncio.run(main())
    spans.call("after")
    assert spans.prompts == [("after", None)]
    assert "Error" not in caplog.text


def test_a_generator_that_is_dropped_ends_its_block(greeting: PromptVersion, spans: ModelSpans) -> None:
    use = greeting.in_use()

    def steps() -> Iterator[None]:
        with use:
            yield

    made = steps()
    next(made)
    del made
    gc.collect()
    spans.call()
    assert PROMPT_NAME not in spans.attributes()
    assert use._open == []


def test_a_block_that_ends_in_another_context_is_over_where_it_began(
    greeting: PromptVersion, spans: ModelSpans
) -> None:
    before = contextvars.copy_context()
    use = greeting.in_use()
    use.__enter__()
    before.run(use.__exit__, None, None, None)
    spans.call()
    assert PROMPT_NAME not in spans.attributes()


def test_a_block_marks_a_fallback_without_a_version(platform: Any, client: Any, spans: ModelSpans) -> None:
    platform.fail(503)
    with client.get_prompt_version("unknown", fallback="Hi").in_use():
        spans.call()
    found = spans.attributes()
    assert found["scope.prompt.is_fallback"] is True
    assert not [name for name in found if "version" in name]


def test_without_instrumentation_a_block_does_nothing(greeting: PromptVersion) -> None:
    with greeting.in_use() as version:
        assert version is greeting
    assert "greeting" in repr(greeting.in_use())
