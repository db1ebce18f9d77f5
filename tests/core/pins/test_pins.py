"""`with client.pin():` shows all reads inside it one version of each prompt."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import itertools
import os
import pickle
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.crowd import crowd, in_a_thread
from faults.inside import closes_the_slow_path, looked_into
from faults.reading import warnings

from scope_client import (
    MissingVariableError,
    NotFoundError,
    Pins,
    PromptVersion,
    ResponseInfo,
    ScopeClient,
    Telemetry,
    ValidationError,
)
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

New = Callable[..., ScopeClient]
Promote = Callable[[str], str]


def of_task(read: Callable[[ScopeClient], Any]) -> Callable[[ScopeClient], Any]:
    return lambda client: asyncio.run(read(client))


async def aprefetched(client: ScopeClient) -> PromptVersion:
    return (await client.aprefetch(["chat"])).versions["chat"]


READS: dict[str, Callable[[ScopeClient], Any]] = {
    "get": lambda client: client.get_prompt_version("chat"),
    "get_by_id": lambda client: client.get_prompt_version(client.get_prompt_version("chat").prompt_id),
    "get_past_the_cache": lambda client: client.get_prompt_version("chat", cache=False),
    "get_of_an_age": lambda client: client.get_prompt_version("chat", cache_ttl=0),
    "get_with_a_fallback": lambda client: client.get_prompt_version("chat", fallback=lambda: "?"),
    "get_with_requires": lambda client: client.get_prompt_version("chat", requires=["name"]),
    "get_with_a_deadline": lambda client: client.get_prompt_version("chat", deadline=5),
    "read": lambda client: client.read_prompt("chat").version,
    "cached": lambda client: client.get_cached_version("chat"),
    "render": lambda client: client.render_prompt("chat", {"name": "x"}),
    "prefetch": lambda client: client.prefetch(["chat"]).versions["chat"],
    "with_a_key": lambda client: client.get_prompt_version("chat", key=5),
    "aget": of_task(lambda client: client.aget_prompt_version("chat")),
    "aget_past_the_cache": of_task(lambda client: client.aget_prompt_version("chat", cache=False)),
    "arender": of_task(lambda client: client.arender_prompt("chat", {"name": "x"})),
    "aprefetch": of_task(aprefetched),
}


def shown(found: Any) -> str:
    return str(found if isinstance(found, str) else found.content).split()[0]


@pytest.mark.parametrize("later", READS)
@pytest.mark.parametrize("first", [name for name in READS if name != "cached"])
def test_whatever_reads_first_decides_for_whatever_reads_later(
    first: str, later: str, client: ScopeClient, promote: Promote
) -> None:
    with client.pin():
        assert shown(READS[first](client)) == "v1"
        promote("v2 {{name}}")
        assert shown(READS[later](client)) == "v1"
    assert shown(client.get_prompt_version("chat")) == "v2"


def test_what_another_thread_pins_outside_during_a_read_is_pinned_inside_too(
    client: ScopeClient, promote: Promote
) -> None:
    answered: list[str] = []

    def elsewhere() -> None:
        with outer:
            client.get_prompt_version("chat", cache=False)

    def after_the_answer(info: ResponseInfo) -> None:
        answered.append(info.request_id)
        if len(answered) > 1:
            return
        promote("v2 {{name}}")
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join()

    client.get_prompt_version("chat")  # buys the token
    with client.pin() as outer, client.pin() as inner:
        unregister = Telemetry.on_response(after_the_answer)
        try:
            found = client.get_prompt_version("chat")
        finally:
            unregister()
        assert len(answered) == 2  # of both reads
        assert shown(found) == shown(client.get_prompt_version("chat")) == "v2"
        assert outer.versions == inner.versions


def test_each_label_is_pinned_for_itself_and_a_version_is_what_was_asked_for(
    client: ScopeClient, promote: Promote, platform: LocalPlatform
) -> None:
    with client.pin() as pins:
        assert shown(client.get_prompt_version("chat")) == "v1"
        newer = promote("v2")
        assert shown(client.get_prompt_version("chat", label="latest")) == "v2"
        promote("v3")
        assert shown(client.get_prompt_version("chat", label="latest")) == "v2"
        assert shown(client.get_prompt_version("chat", label="production")) == "v1"
        assert shown(client.get_prompt_version("chat", version=newer)) == "v2"
        assert list(pins.versions) == ["chat", ("chat", "latest")]


def test_reads_are_answered_at_once_while_pins_are_in_force_and_when_they_are_not(
    new_client: New, promote: Promote
) -> None:
    client = new_client(cache_ttl=600)
    first = client.get_prompt_version("chat").id
    of_labels: list[dict[str, Any]] = [{}, {"label": "latest"}]
    reads = [*of_labels, {"version": first}]

    def shown_of(reads: list[dict[str, Any]]) -> list[str]:
        return [shown(client.get_prompt_version("chat", **options)) for options in reads]

    with client.pin():
        assert shown_of(reads) == ["v1", "v1", "v1"]
        promote("v2")
        client.clear_cache()
        for _ in range(2):  # the second read is the first from memory, which says when the version is due
            assert in_a_thread(lambda: shown_of(reads)) == ["v2", "v2", "v1"]  # which has no pins
        closes_the_slow_path(client)
        assert shown_of(of_labels) == ["v1", "v1"]
        assert in_a_thread(lambda: shown_of(reads)) == ["v2", "v2", "v1"]
    assert shown_of(reads) == ["v2", "v2", "v1"]


def test_a_read_says_that_it_is_from_memory_and_how_old(make_client: New, clock: Any) -> None:
    client = make_client(cache_ttl=10)
    with client.pin():
        client.get_prompt_version("greeting")
        clock.passes(100)
        read = client.read_prompt("greeting")
        assert (read.source, read.age) == ("memory", 100.0)


def test_a_pin_asks_nobody_and_outlasts_an_outage(platform: LocalPlatform, new_client: New) -> None:
    client = new_client(stale_if_error=0)
    with client.pin("chat"):
        asked = len(platform.requests)
        platform.stop()
        for read in READS.values():
            assert shown(read(client)) == "v1"
        assert len(platform.requests) == asked


def test_a_clear_of_the_cache_leaves_what_is_pinned(client: ScopeClient, promote: Promote) -> None:
    with client.pin("chat"):
        promote("v2")
        client.clear_cache()
        assert shown(client.get_prompt_version("chat")) == "v1"


def test_other_threads_read_as_ever_and_their_fast_path_is_right(new_client: New, promote: Promote) -> None:
    client = new_client(cache_ttl=300)
    client.get_prompt_version("chat")
    with client.pin("chat"):
        promote("v2")
        client.clear_cache()
        assert [shown(each) for each in crowd(2, lambda: client.get_prompt_version("chat"))] == ["v2", "v2"]
        assert shown(client.get_prompt_version("chat")) == "v1"
    assert shown(client.get_prompt_version("chat")) == "v2"


def test_pins_of_another_thread_may_come_into_force_at_any_line_of_a_read(client: ScopeClient) -> None:
    first = client.get_prompt_version("chat").id
    reads: list[dict[str, Any]] = [{"label": "latest"}, {"version": first}]
    for options in reads:
        client.get_prompt_version("chat", **options)

    def begins(pins: Pins, at: int) -> Callable[..., object]:
        lines = itertools.count(1)

        def trace(frame: FrameType, event: str, _: object) -> object:
            if event == "line" and next(lines) == at:
                in_a_thread(pins.__enter__)
            return trace

        return lambda frame, *_: trace if frame.f_code is ScopeClient.get_prompt_version.__code__ else None

    for options, at in itertools.product(reads, range(1, 20)):
        pins, before = client.pin(), sys.gettrace()
        sys.settrace(begins(pins, at))
        try:
            found = client.get_prompt_version("chat", **options)
        finally:
            sys.settrace(before)
        assert shown(found) == "v1"
        pins.__exit__(None, None, None)


def test_the_fast_path_is_put_back_after_the_last_pin(client: ScopeClient) -> None:
    plain, others = looked_into(client)
    assert others is not None
    with client.pin():
        with client.pin():
            assert looked_into(client)[0] is not plain
        assert looked_into(client)[0] is not plain
    assert looked_into(client) == (plain, others)


def test_requests_in_many_threads_each_see_one_version(new_client: New, promote: Promote) -> None:
    client = new_client(cache_ttl=0.0)
    stop = threading.Event()
    mixed: list[set[str]] = []

    def request() -> None:
        while not stop.is_set():
            with client.pin():
                seen = {client.get_prompt_version("chat").content for _ in range(20)}
            if len(seen) > 1:
                mixed.append(seen)

    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        promote(f"text {number}")
        time.sleep(0.005)
    stop.set()
    for thread in threads:
        thread.join()
    assert mixed == []
    assert shown(client.get_prompt_version("chat", cache=False)) == "text"


def test_threads_that_share_pins_read_one_version_though_they_read_it_first_together(
    new_client: New, promote: Promote
) -> None:
    client = new_client(cache_enabled=False)
    for number in range(10):
        pins = client.pin()

        def read(pins: Any = pins, number: int = number) -> str:
            with pins:
                promote(f"text {number} {threading.get_ident()}")
                return client.get_prompt_version("chat").content

        assert len(set(crowd(4, read))) == 1
        assert len(pins.versions) == 1


def test_tasks_made_inside_see_the_pin_and_a_task_made_before_does_not(client: ScopeClient, promote: Promote) -> None:
    async def main() -> list[str]:
        gate = asyncio.Event()

        async def before() -> str:
            await gate.wait()
            return shown(await client.aget_prompt_version("chat"))

        outside = asyncio.create_task(before())
        await asyncio.sleep(0)
        with await client.apin("chat"):
            promote("v2")
            gate.set()
            inside = await asyncio.gather(*(client.aget_prompt_version("chat") for _ in range(3)))
            return [*map(shown, inside), await outside]

    assert asyncio.run(main()) == ["v1", "v1", "v1", "v2"]


def test_two_requests_on_one_loop_do_not_see_each_others_pins(client: ScopeClient, promote: Promote) -> None:
    async def request(begin: asyncio.Event, end: asyncio.Event) -> tuple[str, str]:
        await begin.wait()
        with client.pin():
            first = shown(await client.aget_prompt_version("chat"))
            await end.wait()
            return first, shown(await client.aget_prompt_version("chat"))

    async def main() -> list[tuple[str, str]]:
        now, later, end = asyncio.Event(), asyncio.Event(), asyncio.Event()
        now.set()
        requests = [asyncio.create_task(request(now, end))]
        await asyncio.sleep(0.2)
        promote("v2")
        requests.append(asyncio.create_task(request(later, end)))
        later.set()
        await asyncio.sleep(0.2)
        end.set()
        return await asyncio.gather(*requests)

    assert asyncio.run(main()) == [("v1", "v1"), ("v2", "v2")]


def test_a_pin_within_a_pin_sees_what_the_outer_one_has_and_the_outer_one_sees_what_it_reads(
    client: ScopeClient, promote: Promote, platform: LocalPlatform
) -> None:
    platform.publish("other", "o1")
    with client.pin():
        client.get_prompt_version("chat")
        promote("v2")
        with client.pin() as inner:
            assert shown(client.get_prompt_version("chat")) == "v1"
            assert shown(client.get_prompt_version("other")) == "o1"
            platform.publish("other", "o2")
        assert shown(client.get_prompt_version("other")) == "o1"
    assert list(inner.versions) == ["other"]


def test_the_token_of_an_inner_pin_wins_inside_it(client: ScopeClient, promote: Promote) -> None:
    token = client.pin("chat").token
    promote("v2")
    with client.pin("chat"):
        with client.pin(token=token):
            assert shown(client.get_prompt_version("chat")) == "v1"
            assert shown(client.get_prompt_version("chat")) == "v1"
        assert shown(client.get_prompt_version("chat")) == "v2"


def test_pins_of_one_client_leave_another_client_alone(new_client: New, promote: Promote) -> None:
    client, other = new_client(), new_client()
    with client.pin("chat"), other.pin():
        promote("v2")
        assert [shown(each.get_prompt_version("chat")) for each in (client, other)] == ["v1", "v2"]
        assert [shown(each.get_prompt_version("chat")) for each in (client, other)] == ["v1", "v2"]


def test_pins_are_entered_again_and_go_on(client: ScopeClient, promote: Promote) -> None:
    pins = client.pin("chat")
    promote("v2")
    assert shown(client.get_prompt_version("chat")) == "v2"
    with pins, pins:
        with pins:
            assert shown(client.get_prompt_version("chat")) == "v1"
        assert shown(client.get_prompt_version("chat")) == "v1"
    assert shown(client.get_prompt_version("chat")) == "v2"
    with pins:
        assert shown(client.get_prompt_version("chat")) == "v1"
    assert crowd(2, lambda: in_block(pins, client)) == ["v1", "v1"]


def in_block(pins: Any, client: ScopeClient) -> str:
    with pins:
        return shown(client.get_prompt_version("chat"))


def test_blocks_may_end_in_another_order(client: ScopeClient, promote: Promote) -> None:
    plain = client._entries
    first, second = client.pin("chat"), client.pin()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    promote("v2")
    assert shown(client.get_prompt_version("chat")) == "v2"
    promote("v3")
    assert shown(client.get_prompt_version("chat")) == "v2"
    second.__exit__(None, None, None)
    assert shown(client.get_prompt_version("chat")) == "v3"
    second.__exit__(None, None, None)
    assert client._entries is plain


def test_a_block_that_ends_in_another_thread_or_context_ends(client: ScopeClient, promote: Promote) -> None:
    pins = client.pin("chat")
    promote("v2")
    pins.__enter__()
    crowd(1, lambda: pins.__exit__(None, None, None))
    assert shown(client.get_prompt_version("chat")) == "v2"
    contextvars.copy_context().run(pins.__enter__)
    assert shown(client.get_prompt_version("chat")) == "v2"
    pins.__exit__(None, None, None)
    assert shown(client.get_prompt_version("chat")) == "v2"


def test_generators_that_are_left_in_the_middle_break_nothing(client: ScopeClient, promote: Promote) -> None:
    plain = client._entries

    def answers() -> Iterator[str]:
        with client.pin():
            while True:
                yield shown(client.get_prompt_version("chat"))

    first, second = answers(), answers()
    assert next(first) == "v1"
    assert next(second) == "v1"
    first.close()
    promote("v2")
    assert next(second) == "v1"
    second.close()
    assert shown(client.get_prompt_version("chat")) == "v2"
    assert client._entries is plain


def test_an_async_generator_that_the_loop_closes_ends_its_pin(client: ScopeClient) -> None:
    plain = client._entries

    async def answers() -> Any:
        with client.pin():
            while True:
                yield shown(await client.aget_prompt_version("chat"))

    async def main() -> str:
        return await answers().__anext__()

    assert asyncio.run(main()) == "v1"
    assert client._entries is plain


def test_a_task_that_outlives_the_block_reads_as_without_it(client: ScopeClient, promote: Promote) -> None:
    async def main() -> str:
        gate = asyncio.Event()

        async def later() -> str:
            await gate.wait()
            return shown(await client.aget_prompt_version("chat"))

        with await client.apin("chat"):
            task = asyncio.create_task(later())
            await asyncio.sleep(0)
        promote("v2")
        gate.set()
        return await task

    assert asyncio.run(main()) == "v2"


def test_a_forked_child_keeps_its_pins(client: ScopeClient, promote: Promote) -> None:
    with client.pin("chat"):
        promote("v2")
        child = os.fork()
        if child == 0:
            os._exit(0 if shown(client.get_prompt_version("chat")) == "v1" else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_a_stand_in_is_not_pinned(platform: LocalPlatform, client: ScopeClient) -> None:
    with client.pin() as pins:
        platform.fail(503)
        assert client.get_prompt_version("chat", fallback="?").is_fallback
        assert dict(pins.versions) == {}
        platform.recover()
        assert shown(client.get_prompt_version("chat")) == "v1"
        assert list(pins.versions) == ["chat"]


def test_an_error_of_a_read_pins_nothing_and_is_raised(client: ScopeClient) -> None:
    with pytest.raises(NotFoundError):
        client.pin("nobody has it")
    with pytest.raises(NotFoundError, match="1 of 2 prompts"):
        client.pin("chat", "nobody has it")
    with client.pin() as pins, pytest.raises(NotFoundError):
        client.get_prompt_version("nobody has it")
    assert dict(pins.versions) == {}


def test_the_version_that_fits_is_pinned(new_client: New, promote: Promote) -> None:
    client = new_client(when_unfit="last_fitting")
    client.get_prompt_version("chat")
    promote("v2 {{name}} {{tone}}")
    with client.pin():
        assert client.render_prompt("chat", {"name": "x"}) == "v1 x"
        promote("v3 {{name}}")
        assert client.render_prompt("chat", {"name": "x"}) == "v1 x"
        assert client.render_prompt("chat", {"name": "x", "tone": "y"}) == "v2 x y"


def test_a_pinned_version_that_the_caller_cannot_fill_in_is_an_error(client: ScopeClient, promote: Promote) -> None:
    with client.pin("chat"):
        promote("v2")
        with pytest.raises(MissingVariableError, match="does not give 'name'"):
            client.get_prompt_version("chat", requires=[])
        assert shown(client.get_prompt_version("chat", requires=["name"])) == "v1"


@pytest.mark.parametrize(
    "asked", [("chat", None, "v_01J9ZK3Q"), 5, None, b"chat", ("chat", "staging"), "", ["chat"], {"chat"}, ()]
)
def test_what_cannot_be_pinned_is_refused_before_anything_is_sent(
    asked: Any, client: ScopeClient, platform: LocalPlatform
) -> None:
    with pytest.raises(ValidationError):
        client.pin("chat", asked)
    assert platform.requests == ()


def test_a_name_is_pinned_by_its_label(client: ScopeClient, promote: Promote) -> None:
    with client.pin(("chat", "latest")) as pins:
        promote("v2")
        assert shown(client.get_prompt_version("chat", label="latest")) == "v1"
        assert shown(client.get_prompt_version("chat")) == "v2"
    assert set(pins.versions) == {"chat", ("chat", "latest")}


def test_pins_copy_as_themselves_and_do_not_pickle(client: ScopeClient) -> None:
    pins = client.pin("chat")
    assert copy.copy(pins) is pins
    assert copy.deepcopy({"pins": pins})["pins"] is pins
    with pytest.raises(TypeError, match=r"send pins\.token"):
        pickle.dumps(pins)
    assert repr(pins) == f"Pins({dict(pins.versions)!r})"
    with pytest.raises(TypeError):
        pins.versions["chat"] = "v_1"  # type: ignore[index]  # it is read-only


def test_an_id_in_small_letters_is_the_same_prompt(
    client: ScopeClient, promote: Promote, platform: LocalPlatform
) -> None:
    with client.pin():
        number = str(client.get_prompt_version("chat").prompt_id)[len("prompt_") :]
        promote("v2 {{name}}")
        asked = len(platform.requests)
        assert shown(client.get_prompt_version(f"prompt_{number.lower()}")) == "v1"
        assert len(platform.requests) == asked


def test_threads_that_share_pins_end_each_its_own_block(client: ScopeClient, promote: Promote) -> None:
    pins = client.pin("chat")
    promote("v2")
    is_inside, is_over = threading.Event(), threading.Event()
    found: list[str] = []

    def early() -> None:
        with pins:
            is_inside.set()
            is_over.wait(20)
            found.append(shown(client.get_prompt_version("chat")))

    thread = threading.Thread(target=early)
    with pins:
        thread.start()
        is_inside.wait(20)
    crowd(1, lambda: in_block(pins, client))
    is_over.set()
    thread.join()
    assert found == ["v1"]
    with pins:
        crowd(1, lambda: in_block(pins, client))
        assert shown(client.get_prompt_version("chat")) == "v1"


def test_nothing_is_logged_by_a_pin(client: ScopeClient, promote: Promote, caplog: pytest.LogCaptureFixture) -> None:
    with client.pin("chat"):
        client.get_prompt_version("chat")
    assert warnings(caplog) == []
