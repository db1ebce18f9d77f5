"""Reads on an event loop: what is fresh stays on it, and nothing else holds it up."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import anyio
import pytest
import trio
import uvloop
from faults.child import in_a_child
from faults.clock import ManualClock, ends_within, eventually
from faults.crowd import crowd
from faults.inside import forgets_the_warning, rooms, starts_no_thread
from faults.reading import wait_until_idle, warnings
from faults.replies import Gate, closes, error, hangs, prompt
from faults.server import FaultServer
from faults.watched_store import WatchedStore

from scope_client import (
    Clock,
    ConfigurationError,
    ConnectionError,
    InvalidCredentialsError,
    MemoryStore,
    MissingVariableError,
    NotFoundError,
    ScopeClient,
    ServerError,
    Telemetry,
    TimeoutError,
    ValidationError,
)
from scope_client.testing import PromptsClient

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path


Make = Callable[..., ScopeClient]
PATIENCE = 20.0
CONTENT = "Hello, {{name}}!"


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def limited() -> Any:
        return await asyncio.wait_for(main(), PATIENCE)

    return asyncio.run(limited())


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():
        await asyncio.sleep(0.002)


async def outcomes(waiting: Any) -> list[Any]:
    return await asyncio.gather(*waiting, return_exceptions=True)


def outcome_of(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as raised:
        return type(raised), str(raised)


def without_the_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of what never waits, which needs no loop for that."""
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("scope")]


@pytest.fixture(autouse=True)
def threads_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scope_client._background.IDLE_THREAD_SECONDS", 0.2)


@pytest.fixture
def quick(make_client: Make) -> ScopeClient:
    """A client by the real clock, that tries once."""
    return make_client(clock=Clock(), max_retries=0)


class TestWhatIsFresh:
    @pytest.fixture(autouse=True)
    def warm(self, client: ScopeClient) -> None:
        client.get_prompt_version("greeting")
        client.get_prompt_version("greeting", label="latest")

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"label": "production"},
            {"label": "latest"},
            {"fallback": "Hi"},
            {"fallback": lambda: "Hi"},
            {"fallback": [{"role": "user", "content": "Hi"}]},
            {"deadline": 5},
            {"cache_ttl": 60},
            {"requires": {"name"}},
        ],
        ids=lambda options: "-".join(options) or "none",
    )
    def test_stays_on_the_loop(self, options: dict, client: ScopeClient, server: FaultServer) -> None:
        before = threads()
        assert without_the_loop(client.aget_prompt_version("greeting", **options)).content == CONTENT
        assert without_the_loop(client.arender_prompt("greeting", {"name": "Ada"}, **options)) == "Hello, Ada!"
        assert threads() == before
        assert len(server.reads) == 2

    def test_is_the_version_that_a_plain_read_gives(self, client: ScopeClient) -> None:
        assert without_the_loop(client.aget_prompt_version("greeting")) is client.get_prompt_version("greeting")

    def test_is_what_it_was_asked_to_be(self, client: ScopeClient, clock: ManualClock, server: FaultServer) -> None:
        clock.passes(30)
        server.answers(prompt("new"))
        assert run(lambda: client.aget_prompt_version("greeting", cache_ttl=20)).content == "new"

    def test_stays_on_the_loop_while_it_is_renewed_ahead(
        self, client: ScopeClient, clock: ManualClock, server: FaultServer
    ) -> None:
        clock.passes(260)
        server.answers(prompt("new"))
        assert without_the_loop(client.aget_prompt_version("greeting")).content == CONTENT
        wait_until_idle(client)
        assert without_the_loop(client.aget_prompt_version("greeting")).content == "new"

    def test_needs_no_thread_in_a_prefetch(self, client: ScopeClient, server: FaultServer) -> None:
        before = threads()
        report = run(lambda: client.aprefetch(["greeting", ("greeting", "latest")]))
        assert report.is_complete
        assert threads() == before
        assert len(server.reads) == 2


class TestWhatHasToBeFetched:
    def test_is_fetched_once_for_all_tasks(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("new")))

        async def main() -> list[Any]:
            waiting = [asyncio.ensure_future(client.aget_prompt_version("greeting")) for _ in range(200)]
            await until(lambda: server.reads)
            gate.open()
            return await asyncio.gather(*waiting)

        found = run(main)
        assert {each.content for each in found} == {"new"}
        assert len(set(map(id, found))) == 1
        assert len(server.reads) == 1

    def test_takes_one_thread_for_all_tasks(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("new")))
        eventually(lambda: not threads())

        async def main() -> None:
            waiting = [
                asyncio.ensure_future(client.aget_prompt_version("greeting", fallback=lambda: "each its own"))
                for _ in range(50)
            ]
            await until(lambda: server.reads)
            assert threads() == ["scope-async-read"]
            gate.open()
            assert {each.content for each in await asyncio.gather(*waiting)} == {"new"}

        run(main)

    def test_is_not_shared_with_a_task_that_takes_another_age(self, client: ScopeClient, server: FaultServer) -> None:
        """What a read that takes an old answer finds in memory may be too old for the other."""
        gate = Gate()
        server.answers(gate.holds(prompt("new")))
        eventually(lambda: not threads())

        async def main() -> None:
            asked = [client.aget_prompt_version("greeting", cache_ttl=age) for age in (60, 60, 0, None)]
            waiting = [asyncio.ensure_future(each) for each in asked]
            await until(lambda: server.reads and len(threads()) == 3)
            gate.open()
            assert {each.content for each in await asyncio.gather(*waiting)} == {"new"}

        run(main)
        assert len(server.reads) == 1

    def test_leaves_the_loop_its_own_threads(self, quick: ScopeClient, server: FaultServer) -> None:
        server.answers(hangs())

        async def main() -> Any:
            waiting = [asyncio.ensure_future(quick.aget_prompt_version(f"cold-{n}", deadline=5)) for n in range(30)]
            await until(lambda: len(server.reads) == 30)
            started = time.monotonic()
            await asyncio.get_running_loop().getaddrinfo("localhost", 80)
            took = time.monotonic() - started
            for task in waiting:
                task.cancel()
            await outcomes(waiting)
            return took

        assert run(main) < 2

    def test_ends_for_many_names_about_as_soon_as_for_one(self, make_client: Make, server: FaultServer) -> None:
        client = make_client(clock=Clock(), max_retries=0, timeout=1)
        run(lambda: client.aget_prompt_version("warm"))
        server.answers(hangs())

        async def main() -> list[Any]:
            return await outcomes(client.aget_prompt_version(f"cold-{number}") for number in range(48))

        with ends_within(4):
            found = run(main)
        assert {type(each) for each in found} == {TimeoutError}

    def test_is_the_same_for_loops_of_several_threads(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("new")))
        opener = threading.Timer(0.1, gate.open)
        opener.start()
        assert {each.content for each in crowd(6, lambda: run(lambda: client.aget_prompt_version("greeting")))} == {
            "new"
        }
        opener.join()
        assert len(server.reads) == 1

    def test_is_asked_for_anew_once_the_cache_was_cleared(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("old")), prompt("new"))

        async def main() -> tuple[str, str]:
            before = asyncio.ensure_future(client.aget_prompt_version("greeting"))
            await until(lambda: server.reads)
            client.clear_cache()
            after = await client.aget_prompt_version("greeting")
            gate.open()
            return (await before).content, after.content

        assert run(main) == ("old", "new")

    @pytest.mark.parametrize("options", [{"cache": False}, {"cache_enabled": False}], ids=repr)
    def test_is_shared_with_nobody_past_the_cache(self, options: dict, make_client: Make, server: FaultServer) -> None:
        client = make_client(**{name: value for name, value in options.items() if name == "cache_enabled"})
        asked = {name: value for name, value in options.items() if name == "cache"}

        async def main() -> None:
            await asyncio.gather(*(client.aget_prompt_version("greeting", **asked) for _ in range(5)))

        run(main)
        assert len(server.reads) == 5

    def test_is_there_for_the_others_if_one_is_cancelled(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("new")))

        async def main() -> list[Any]:
            waiting = [asyncio.ensure_future(client.arender_prompt("greeting")) for _ in range(3)]
            await until(lambda: server.reads)
            waiting[0].cancel()
            gate.open()
            return await outcomes(waiting)

        assert [str(each) for each in run(main)] == ["", "new", "new"]
        assert len(server.reads) == 1

    def test_is_cached_even_if_all_are_cancelled(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("new")))

        async def main() -> None:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.aget_prompt_version("greeting"), 0.05)
            gate.open()
            await until(lambda: client.get_cached_version("greeting"))

        run(main)
        assert len(server.reads) <= 1

    def test_goes_on_in_a_forked_child(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("parent's")), prompt("child's"))

        def of_child() -> str:
            return run(lambda: client.aget_prompt_version("greeting")).content

        async def main() -> tuple[str, str]:
            waiting = asyncio.ensure_future(client.aget_prompt_version("greeting"))
            await until(lambda: server.reads)
            found = await asyncio.get_running_loop().run_in_executor(None, in_a_child, of_child)
            gate.open()
            return found, (await waiting).content

        assert run(main) == ("child's", "parent's")

    def test_is_sent_in_the_context_of_the_first_task(self, client: ScopeClient, server: FaultServer) -> None:
        request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="none")
        heard: list[str] = []
        Telemetry.on_request(lambda info: heard.append(request.get()))

        async def main() -> None:
            request.set("of Ada")
            await client.aget_prompt_version("greeting")

        run(main)
        assert set(heard) == {"of Ada"}


class TestErrors:
    def test_are_each_tasks_own(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(error(404, "Prompt not found")))

        async def main() -> list[Any]:
            waiting = [asyncio.ensure_future(client.aget_prompt_version("greeting")) for _ in range(20)]
            await until(lambda: server.reads)
            gate.open()
            return await outcomes(waiting)

        found = run(main)
        assert {(type(each), each.http_status) for each in found} == {(NotFoundError, 404)}
        assert len(set(map(id, found))) == 20
        assert len(server.reads) == 1

    @pytest.mark.parametrize(
        "arguments",
        [
            {"name": ".."},
            {"name": None},
            {"name": "greeting", "label": "staging"},
            {"name": "greeting", "label": ["latest"]},
            {"name": "greeting", "label": "latest", "version": "v_1"},
            {"name": "greeting", "version": ""},
            {"name": "greeting", "cache_ttl": -1},
            {"name": "greeting", "deadline": 0},
            {"name": "greeting", "deadline": "soon"},
            {"name": "greeting", "fallback": 5},
            {"name": "greeting", "requires": "name"},
            {"name": "greeting", "requires": {"other"}},
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("is_cached", [True, False])
    def test_are_those_of_a_plain_read(self, is_cached: bool, arguments: dict, client: ScopeClient) -> None:
        if is_cached:
            client.get_prompt_version("greeting")
        ended = outcome_of(lambda: run(lambda: client.aget_prompt_version(**arguments)))
        assert ended == outcome_of(lambda: client.get_prompt_version(**arguments))
        assert isinstance(ended, tuple)

    @pytest.mark.parametrize("is_cached", [True, False])
    def test_name_a_keyword_that_no_read_knows(self, is_cached: bool, client: ScopeClient) -> None:
        if is_cached:
            client.get_prompt_version("greeting")
        for read in (client.aget_prompt_version, client.arender_prompt):
            with pytest.raises(TypeError, match="lable"):
                run(lambda read=read: read("greeting", lable="latest"))

    @pytest.mark.parametrize("values", [None, {}, {"name": "Ada"}, {"x": 1}, {1: 2}, [("name", "Ada")], 5], ids=repr)
    def test_of_rendering_are_those_of_a_plain_render(self, values: Any, client: ScopeClient) -> None:
        ended = outcome_of(lambda: run(lambda: client.arender_prompt("greeting", values)))
        assert ended == outcome_of(lambda: client.render_prompt("greeting", values))

    def test_of_the_network_come_through(self, quick: ScopeClient, server: FaultServer) -> None:
        server.answers(closes())
        with pytest.raises(ConnectionError):
            run(lambda: quick.aget_prompt_version("greeting"))

    @pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
    def test_that_end_the_program_do_end_it(
        self, interrupt: type[BaseException], client: ScopeClient, server: FaultServer
    ) -> None:
        server.answers(error(503))

        def ends() -> str:
            raise interrupt

        with pytest.raises(interrupt):
            asyncio.run(client.aget_prompt_version("greeting", fallback=ends))

    def test_outside_asyncio_say_what_to_write(self, client: ScopeClient) -> None:
        async def main() -> None:
            with pytest.raises(ConfigurationError, match=r"anyio\.to_thread\.run_sync\(client\.get_prompt_version"):
                await client.aget_prompt_version("greeting")
            with pytest.raises(ConfigurationError, match="asyncio"):
                await client.aprefetch(["greeting"])

        trio.run(main)


class TestAStandIn:
    @pytest.fixture(autouse=True)
    def down(self, server: FaultServer) -> None:
        server.answers(error(503))

    @pytest.mark.parametrize(
        "fallback",
        [
            "Hi {{name}}",
            "",
            lambda: "Hi {{name}}",
            [{"role": "user", "content": "Hi"}],
            lambda: [{"role": "user", "content": "Hi"}],
        ],
        ids=["text", "no text", "callable", "messages", "callable of messages"],
    )
    def test_is_the_one_of_a_plain_read(self, fallback: Any, quick: ScopeClient) -> None:
        found = run(lambda: quick.aget_prompt_version("greeting", fallback=fallback))
        assert found == quick.get_prompt_version("greeting", fallback=fallback)
        assert found.is_fallback

    def test_is_each_tasks_own_though_they_share_the_read(self, quick: ScopeClient, server: FaultServer) -> None:
        async def main() -> list[Any]:
            return await asyncio.gather(
                *(quick.aget_prompt_version("greeting", fallback=f"mine {number}") for number in range(9)),
                *(quick.aget_prompt_version("greeting", fallback=lambda n=number: f"made {n}") for number in range(9)),
            )

        assert [each.content for each in run(main)] == [
            *(f"mine {number}" for number in range(9)),
            *(f"made {number}" for number in range(9)),
        ]
        assert len(server.reads) == 1

    def test_of_text_is_made_on_the_loop(self, quick: ScopeClient) -> None:
        eventually(lambda: not threads())
        assert run(lambda: quick.aget_prompt_version("greeting", fallback="Hi")).content == "Hi"
        assert threads() == ["scope-async-read"]

    def test_does_not_reach_a_task_that_has_none(self, quick: ScopeClient) -> None:
        async def main() -> list[Any]:
            fallbacks = ["mine", None, "mine", None]
            return await outcomes(quick.aget_prompt_version("greeting", fallback=each) for each in fallbacks)

        first, second, third, fourth = run(main)
        assert first.content == third.content == "mine"
        assert type(second) is type(fourth) is ServerError

    def test_that_is_called_is_called_off_the_loop_in_its_tasks_context(self, quick: ScopeClient) -> None:
        who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")

        def made() -> str:
            assert threading.current_thread().name.startswith("scope-async")
            return who.get()

        async def read(name: str) -> str:
            who.set(name)
            return (await quick.aget_prompt_version("greeting", fallback=made)).content

        async def main() -> list[str]:
            return await asyncio.gather(*(asyncio.ensure_future(read(name)) for name in ("Ada", "Bob")))

        assert run(main) == ["Ada", "Bob"]

    def test_that_takes_long_holds_up_no_read(self, quick: ScopeClient, server: FaultServer) -> None:
        may_end = threading.Event()

        async def main() -> str:
            waiting = [
                asyncio.ensure_future(
                    quick.aget_prompt_version("greeting", fallback=lambda: str(may_end.wait(PATIENCE)))
                )
                for _ in range(20)
            ]
            await until(lambda: threads().count("scope-async-fallback") == 20)
            server.answers(prompt("here"))
            found = await quick.aget_prompt_version("other", cache=False)
            may_end.set()
            assert [each.content for each in await asyncio.gather(*waiting)] == ["True"] * 20
            return found.content

        assert run(main) == "here"

    def test_that_raises_does_so_unchanged(self, quick: ScopeClient) -> None:
        def fails() -> str:
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            run(lambda: quick.aget_prompt_version("greeting", fallback=fails))

    def test_does_not_wait_for_those_who_have_none(self, make_client: Make, server: FaultServer) -> None:
        client = make_client(clock=Clock(), max_retries=0, timeout=15)
        run(lambda: client.aget_prompt_version("greeting", fallback="so that it is known to be down"))
        server.answers(hangs())

        async def main() -> str:
            waiting = [asyncio.ensure_future(client.aget_prompt_version(f"cold-{number}")) for number in range(60)]
            await until(lambda: len(server.reads) >= 40)
            found = await client.aget_prompt_version("other", fallback="here")
            for task in waiting:
                task.cancel()
            await outcomes(waiting)
            return found.content

        with ends_within(5):
            assert run(main) == "here"

    def test_from_the_prompt_folder_is_read_off_the_loop(
        self, make_client: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "greeting.md").write_text("from a file")
        client = make_client(prompt_dir=tmp_path, max_retries=0)
        readers: list[str] = []
        find = type(rooms(client).bundle).find

        def watched(*arguments: Any) -> Any:
            readers.append(threading.current_thread().name)
            return find(*arguments)

        monkeypatch.setattr(type(rooms(client).bundle), "find", watched)
        assert run(lambda: client.aget_prompt_version("greeting")).content == "from a file"
        assert readers
        assert all(name.startswith("scope-async") for name in readers)


def test_the_last_known_good_version_does_not_wait_for_names_that_nobody_knows(
    make_client: Make, server: FaultServer
) -> None:
    client = make_client(clock=Clock(), max_retries=0, timeout=15, cache_ttl=0)
    run(lambda: client.aget_prompt_version("known"))
    server.answers(hangs())

    async def main() -> list[str]:
        waiting = [asyncio.ensure_future(client.aget_prompt_version(f"cold-{number}")) for number in range(60)]
        await until(lambda: len(server.reads) >= 40)
        found = [(await client.aget_prompt_version("known")).content for _ in range(3)]
        for task in waiting:
            task.cancel()
        await outcomes(waiting)
        return found

    with ends_within(5):
        assert run(main) == [CONTENT] * 3


class TestADeadline:
    def test_is_each_callers_own(self, quick: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt("new")))

        async def main() -> list[Any]:
            patient = asyncio.ensure_future(quick.aget_prompt_version("greeting"))
            await until(lambda: server.reads)
            hasty = [
                quick.aget_prompt_version("greeting", deadline=0.1),
                quick.aget_prompt_version("greeting", deadline=0.1, fallback="in haste"),
                quick.aget_prompt_version("greeting", deadline=0.1, fallback=lambda: "called in haste"),
            ]
            with ends_within(2):
                found = await outcomes(hasty)
            gate.open()
            return [*found, await patient]

        failure, *found = run(main)
        assert isinstance(failure, TimeoutError)
        assert "within the 0.1 s" in str(failure)
        assert [each.content for each in found] == ["in haste", "called in haste", "new"]

    def test_that_is_over_has_a_fallback_called_once(self, quick: ScopeClient, server: FaultServer) -> None:
        server.answers(hangs())
        called: list[str] = []

        def made() -> str:
            called.append(threading.current_thread().name)
            return "called in haste"

        found = run(lambda: quick.aget_prompt_version("greeting", deadline=0.1, fallback=made))
        assert found.content == "called in haste"
        assert called == ["scope-async-fallback"]

    def test_of_one_caller_gives_no_other_a_stand_in(self, quick: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(hangs(), gate.holds(prompt("new")))

        async def main() -> list[str]:
            hasty = asyncio.ensure_future(quick.aget_prompt_version("greeting", deadline=0.2, fallback="in haste"))
            await until(lambda: server.reads)
            patient = asyncio.ensure_future(quick.aget_prompt_version("greeting", fallback="down"))
            await hasty
            await until(lambda: len(server.reads) == 2)
            gate.open()
            return [(await hasty).content, (await patient).content]

        assert run(main) == ["in haste", "new"]

    def test_of_one_caller_does_not_end_the_others(self, quick: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(hangs(), gate.holds(prompt("new")))

        async def main() -> list[Any]:
            hasty = asyncio.ensure_future(quick.aget_prompt_version("greeting", deadline=0.3))
            await until(lambda: server.reads)
            patient = [asyncio.ensure_future(quick.aget_prompt_version("greeting", deadline=d)) for d in (None, 10)]
            await until(lambda: len(server.reads) == 2)
            gate.open()
            return await outcomes([hasty, *patient])

        failure, *found = run(main)
        assert isinstance(failure, TimeoutError)
        assert [each.content for each in found] == ["new", "new"]
        assert len(server.reads) == 2

    def test_of_the_configuration_holds_too(self, make_client: Make, server: FaultServer) -> None:
        client = make_client(clock=Clock(), deadline=0.1)
        server.answers(hangs())
        with ends_within(3), pytest.raises(TimeoutError):
            run(lambda: client.aget_prompt_version("greeting"))

    def test_is_one_for_a_whole_prefetch(self, quick: ScopeClient, server: FaultServer) -> None:
        server.answers(hangs())
        with ends_within(3):
            report = run(lambda: quick.aprefetch([f"name-{number}" for number in range(20)], deadline=0.2))
        assert {type(each) for each in report.errors.values()} == {TimeoutError}
        assert len(report.errors) == 20


class TestAPrefetch:
    def test_reports_as_a_plain_one_does(self, make_client: Make, server: FaultServer) -> None:
        def answers(peer: Any) -> None:
            peer.send(error(404, "Prompt not found") if "/missing" in peer.request.target else prompt())

        server.answers(answers)
        wanted = ["b", ("a", "latest"), ("a", None, "v_1"), "missing", ["b"], "a"]
        report = run(lambda: make_client().aprefetch(wanted))
        plain = make_client().prefetch(wanted)
        assert dict(report.versions) == dict(plain.versions)
        assert list(report.versions) == list(plain.versions)
        assert [(each, type(failure)) for each, failure in report.errors.items()] == [("missing", NotFoundError)]

    @pytest.mark.parametrize("wanted", ["greeting", 5, None, ["fine", ""], [("a", "staging")], [object()]])
    def test_raises_what_a_plain_one_raises(self, wanted: Any, client: ScopeClient, server: FaultServer) -> None:
        ended = outcome_of(lambda: run(lambda: client.aprefetch(wanted)))
        assert ended == outcome_of(lambda: client.prefetch(wanted))
        assert ended[0] is ValidationError
        assert server.requests == []

    def test_that_is_strict_raises_the_first_error_under_the_names_of_all(
        self, quick: ScopeClient, server: FaultServer
    ) -> None:
        server.answers(error(503))
        with pytest.raises(ServerError, match=r"2 of 2 .*a: .*; b: "):
            run(lambda: quick.aprefetch(["a", "b"], strict=True))

    def test_asks_for_eight_at_a_time(self, client: ScopeClient, server: FaultServer) -> None:
        gate = Gate()
        server.answers(gate.holds(prompt()))

        async def main() -> None:
            waiting = asyncio.ensure_future(client.aprefetch([f"name-{number}" for number in range(20)]))
            await until(lambda: len(server.reads) >= 8)
            await asyncio.sleep(0.1)
            assert len(server.reads) == 8
            gate.open()
            assert (await waiting).is_complete

        run(main)

    def test_of_nothing_is_complete(self, client: ScopeClient) -> None:
        assert run(lambda: client.aprefetch([], strict=True)).is_complete


class TestASynchronousReadOnALoop:
    @pytest.fixture(autouse=True)
    def unsaid(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forgets_the_warning(monkeypatch)

    def test_that_asks_the_platform_is_warned_of_once(
        self, client: ScopeClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def main() -> None:
            client.get_prompt_version("greeting")
            client.render_prompt("other", {"name": "Ada"})

        run(main)
        (said,) = warnings(caplog)
        assert "aget_prompt_version" in said
        assert "arender_prompt" in said

    def test_that_is_answered_from_memory_is_not(self, client: ScopeClient, caplog: pytest.LogCaptureFixture) -> None:
        client.get_prompt_version("greeting")

        async def main() -> None:
            client.get_prompt_version("greeting")

        run(main)
        assert not warnings(caplog)

    def test_that_is_refused_without_asking_is_not(
        self, client: ScopeClient, server: FaultServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.gives_tokens(error(401))
        with pytest.raises(InvalidCredentialsError):
            client.get_prompt_version("greeting")
        asked = len(server.requests)
        caplog.clear()

        async def main() -> None:
            with pytest.raises(InvalidCredentialsError):
                client.get_prompt_version("other")

        run(main)
        assert len(server.requests) == asked
        assert not warnings(caplog, "scope_client.reads")

    def test_is_warned_of_under_uvloop_too(self, client: ScopeClient, caplog: pytest.LogCaptureFixture) -> None:
        async def main() -> None:
            client.get_prompt_version("greeting")

        loop = uvloop.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
        assert len(warnings(caplog)) == 1

    def test_is_none_if_it_runs_in_a_thread(
        self, client: ScopeClient, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def main() -> None:
            await client.aget_prompt_version("one")
            await client.aprefetch(["two", "three"])
            await asyncio.get_running_loop().run_in_executor(None, client.get_prompt_version, "four")
            clock.passes(260)
            client.get_prompt_version("one")  # renewed behind

        run(main)
        client.get_prompt_version("five")
        wait_until_idle(client)
        assert not warnings(caplog)


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_each_kind_of_asyncio_loop_will_do(make_loop: Any, client: ScopeClient, server: FaultServer) -> None:
    async def main() -> list[str]:
        return await asyncio.gather(*(client.arender_prompt("greeting", {"name": "Ada"}) for _ in range(20)))

    loop = make_loop()
    try:
        assert loop.run_until_complete(main()) == ["Hello, Ada!"] * 20
    finally:
        loop.close()
    assert len(server.reads) == 1


@pytest.mark.parametrize("kind", [{}, {"use_uvloop": True}], ids=repr)
def test_anyio_on_asyncio_reads_as_asyncio_does(kind: dict, client: ScopeClient, server: FaultServer) -> None:
    found: list[str] = []

    async def read() -> None:
        found.append(await client.arender_prompt("greeting", {"name": "Ada"}))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(read)
        with anyio.move_on_after(0) as scope:
            await client.aget_prompt_version("other")
        assert scope.cancelled_caught

    anyio.run(main, backend="asyncio", backend_options=kind)
    assert found == ["Hello, Ada!"] * 5


def test_under_trio_a_plain_read_goes_to_a_thread_by_anyio(client: ScopeClient) -> None:
    async def main() -> str:
        return (await anyio.to_thread.run_sync(client.get_prompt_version, "greeting")).content

    assert anyio.run(main, backend="trio") == CONTENT


def test_a_client_over_a_mapping_reads_on_a_loop_too() -> None:
    client = PromptsClient({"greeting": CONTENT, "gone": NotFoundError("gone")})
    assert run(lambda: client.arender_prompt("greeting", {"name": "Ada"})) == "Hello, Ada!"
    with pytest.raises(NotFoundError):
        run(lambda: client.aget_prompt_version("gone"))


def test_a_version_that_does_not_fit_is_no_obstacle_with_the_last_that_does(
    make_client: Make, server: FaultServer
) -> None:
    client = make_client(when_unfit="last_fitting")
    assert run(lambda: client.arender_prompt("greeting", {"name": "Ada"})) == "Hello, Ada!"
    client.clear_cache()
    server.answers(prompt("Hello, {{name}} of {{town}}!", id="v_2"))
    assert run(lambda: client.arender_prompt("greeting", {"name": "Ada"})) == "Hello, Ada!"
    assert without_the_loop(client.arender_prompt("greeting", {"name": "Bob"})) == "Hello, Bob!"
    with pytest.raises(MissingVariableError):
        run(lambda: client.arender_prompt("greeting", {"other": "Ada"}))


def test_a_store_is_asked_off_the_loop_for_a_version_that_fits(make_client: Make, server: FaultServer) -> None:
    store = WatchedStore(MemoryStore())
    first = make_client(when_unfit="last_fitting", cache_store=store)
    first.get_prompt_version("greeting")
    wait_until_idle(first)
    first.clear_cache()
    server.answers(prompt("Hello, {{name}} of {{town}}!", id="v_2"))
    second = make_client(when_unfit="last_fitting", cache_store=store)
    starts_no_thread(rooms(second))  # or it would have looked behind
    second.get_prompt_version("greeting")
    store.readers.clear()
    assert run(lambda: second.arender_prompt("greeting", {"name": "Ada"})) == "Hello, Ada!"
    assert set(store.readers) == {"scope-async-short"}


def test_a_loop_is_held_up_for_far_less_than_the_platform_takes(make_client: Make, server: FaultServer) -> None:
    client = make_client(clock=Clock())
    run(lambda: client.aget_prompt_version("warm"))
    gate = Gate()
    server.answers(gate.holds(prompt()))
    gaps: list[float] = []

    async def watch() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    async def main() -> None:
        watching = asyncio.ensure_future(watch())
        reading = [asyncio.ensure_future(client.arender_prompt(f"cold-{n % 30}", {"name": str(n)})) for n in range(200)]
        await until(lambda: len(server.reads) == 31 and len(gaps) > 100)
        gate.open()
        await asyncio.gather(*reading)
        watching.cancel()

    run(main)
    assert sorted(gaps)[-3] < 0.3  # the machine may stop at times
    assert len(server.reads) == 31


def test_a_program_ends_though_a_read_of_its_hangs(server: FaultServer) -> None:
    server.answers(hangs())
    code = f"""
import asyncio
from scope_client import ApiKeyCredentials, ScopeClient
client = ScopeClient(credentials=ApiKeyCredentials("a", "b", "c"), base_url={server.url!r}, auth_api_url={server.url!r})
try:
    asyncio.run(asyncio.wait_for(client.aget_prompt_version("greeting"), 0.5))
except asyncio.TimeoutError:
    print("given up")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=15)
    assert (done.stdout, done.stderr) == ("given up\n", "")


def test_importing_the_package_brings_in_no_event_loop() -> None:
    unwanted = ("asyncio", "concurrent", "contextvars")
    code = f"import sys, scope_client; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
