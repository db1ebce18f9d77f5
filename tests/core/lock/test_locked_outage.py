"""Where the platform cannot answer, a locked version comes from the lock's folder at once, and is the very one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ends_within, eventually
from faults.crowd import crowd
from faults.locking import GREETING, NEWS, REVIEW, answer_of, version_of
from faults.reading import content, counted
from faults.replies import closes, error, hangs

from scope_client import Clock, InvalidCredentialsError, ScopeClient, ServerError

if TYPE_CHECKING:
    from pathlib import Path

    from faults.clock import ManualClock
    from faults.server import FaultServer

Make = Callable[..., ScopeClient]


@pytest.mark.parametrize("reply", [error(503), error(500), error(429), error(408), closes(), b"garbage\r\n\r\n"])
def test_an_outage_from_the_first_moment_is_answered_from_the_folder(
    make_locked: Make, server: FaultServer, clock: ManualClock, reply: Any
) -> None:
    server.answers(reply)
    client = make_locked(max_retries=3)
    for _ in range(3):
        read = client.read_prompt("greeting")
        assert (read.version.content, read.source, read.is_locked, read.age) == (
            "locked {{name}}",
            "folder",
            True,
            None,
        )
        assert not read.version.is_fallback
    assert not clock.sleeps, "a reader who has the locked version in hand waits for no retry"
    assert client.status().is_down
    assert counted(client, "fallbacks") == 3


def test_a_platform_that_hangs_costs_one_reader_a_second(make_locked: Make, server: FaultServer) -> None:
    server.answers(hangs())
    client = make_locked(clock=Clock())
    with ends_within(5):
        assert client.read_prompt("greeting").source == "folder"
    with ends_within(1):
        for name in ("greeting", "review", "news") * 10:
            assert client.read_prompt(name).source == "folder"


def test_a_port_where_nobody_listens_costs_nothing(make_locked: Make, closed_port: int, clock: ManualClock) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    client = make_locked(base_url=url, auth_api_url=url, max_retries=3)
    for name in ("greeting", "review", "news"):
        assert client.read_prompt(name).source == "folder"
    assert not clock.sleeps


def test_no_token_is_an_outage_too_and_refused_credentials_are_not(make_locked: Make, server: FaultServer) -> None:
    server.gives_tokens(error(503))
    client = make_locked()
    assert client.read_prompt("greeting").source == "folder"
    server.gives_tokens(error(401))
    with pytest.raises(InvalidCredentialsError):
        content(make_locked())


def test_the_folder_comes_before_the_fallback(make_locked: Make, server: FaultServer) -> None:
    server.answers(error(503))

    def never() -> str:
        raise AssertionError

    client = make_locked()
    for fallback in ("Hi", never):
        assert client.read_prompt("greeting", fallback=fallback).source == "folder"


def test_without_a_copy_the_fallback_comes_before_the_error(
    make_client: Make, bare_lock: Path, server: FaultServer
) -> None:
    client = make_client(lock=bare_lock, max_retries=0)
    server.answers(error(503))
    read = client.read_prompt("greeting", fallback="Hi")
    assert (read.source, read.is_locked, read.version.is_fallback) == ("fallback", False, True)
    with pytest.raises(ServerError):
        content(client)


def test_what_is_in_memory_comes_before_the_folder(make_locked: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_locked(stale_if_error=1000)
    server.answers(answer_of({**GREETING, "promoted_by": "ann"}))
    content(client)
    server.answers(error(503))
    clock.passes(200)
    read = client.read_prompt("greeting")
    assert (read.source, read.version.promoted_by) == ("stale", "ann")
    clock.passes(2000)
    assert client.read_prompt("greeting").source == "folder"


def test_with_nothing_kept_for_an_outage_the_folder_answers_too(
    make_locked: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_locked(stale_if_error=0)
    server.answers(answer_of(GREETING))
    content(client)
    server.answers(error(503))
    clock.passes(200)
    assert client.read_prompt("greeting").source == "folder"


def test_after_the_outage_the_platform_answers_again(
    make_locked: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_locked()
    server.answers(error(503))
    content(client)
    server.answers(answer_of(GREETING))
    clock.passes(2)
    content(client)
    eventually(lambda: client.read_prompt("greeting").source == "memory")
    assert not client.status().is_down


def test_a_client_without_a_cache_has_the_folder_too(make_locked: Make, server: FaultServer) -> None:
    server.answers(error(503))
    client = make_locked(cache_enabled=False, max_retries=3)
    for _ in range(2):
        assert client.read_prompt("greeting").source == "folder"
    server.answers(error(404))
    assert client.read_prompt("greeting").source == "folder"
    server.answers(answer_of(GREETING))
    assert client.read_prompt("greeting").source == "platform"


@pytest.mark.parametrize("fallback", [None, "Not this one"])
def test_a_read_past_the_cache_has_the_copy_too(make_locked: Make, server: FaultServer, fallback: str | None) -> None:
    client = make_locked()
    server.answers(answer_of(GREETING))
    assert client.read_prompt("greeting", cache=False, fallback=fallback).source == "platform"
    server.answers(error(503))
    read = client.read_prompt("greeting", cache=False, fallback=fallback)
    assert (read.source, read.is_locked, read.version.is_fallback) == ("folder", True, False)


def test_past_the_cache_what_is_not_locked_is_answered_by_the_platform_alone(
    make_locked: Make, server: FaultServer
) -> None:
    server.answers(error(503))
    with pytest.raises(ServerError):
        make_locked().get_prompt_version("greeting", label="latest", cache=False)


def test_a_deadline_that_ends_before_the_answer_is_answered_from_the_folder(
    make_locked: Make, server: FaultServer
) -> None:
    client = make_locked(clock=Clock())
    server.answers(hangs())
    with ends_within(5):
        assert client.read_prompt("greeting", deadline=0.1).source == "folder"
    with ends_within(5):
        assert make_locked(clock=Clock(), deadline=0.1).read_prompt("greeting").source == "folder"


def test_prefetch_takes_what_the_folder_has(make_locked: Make, server: FaultServer) -> None:
    server.answers(error(503))
    report = make_locked().prefetch(["greeting", "review", ("news", "latest"), "news"])
    assert report.is_complete
    assert not any(version.is_fallback for version in report.versions.values())


def test_a_crowd_gets_the_folder_in_one_go(make_locked: Make, server: FaultServer) -> None:
    server.answers(hangs())
    client = make_locked(clock=Clock())
    with ends_within(10):
        outcomes = crowd(16, lambda: client.read_prompt("greeting").source)
    assert set(outcomes) == {"folder"}


def test_asynchronous_reads_are_locked_in_the_same_way(make_locked: Make, server: FaultServer) -> None:
    client = make_locked()

    async def reads() -> list[Any]:
        server.answers(error(503))
        found = [(await client.aget_prompt_version(name)).content for name in ("greeting", "review", "news")]
        found.append(await client.arender_prompt("greeting", {"name": "Ada"}, fallback="Hi"))
        report = await client.aprefetch(["greeting", ("news", "latest")])
        found.append(report.versions["news", "latest"].content)
        for call in (
            lambda: client.aget_prompt_version("greetin"),
            lambda: client.aget_prompt_version("greetin", fallback="Hi"),
            lambda: client.arender_prompt("greetin", {}),
            lambda: client.aprefetch(["greeting", "greetin"]),
        ):
            with pytest.raises(Exception, match="has no prompt 'greetin'"):
                await call()
        return found

    expected = [each["content"] for each in (GREETING, REVIEW, NEWS)]
    assert asyncio.run(reads()) == [*expected, "locked Ada", "newest {{topic}}"]


def test_an_asynchronous_read_of_what_is_cached_stays_on_the_loop(make_locked: Make, server: FaultServer) -> None:
    server.answers(answer_of(GREETING))
    client = make_locked()

    async def reads() -> list[str]:
        return [(await client.aget_prompt_version("greeting")).content for _ in range(3)]

    assert asyncio.run(reads()) == ["locked {{name}}"] * 3
    assert len(server.reads) == 1


def test_the_copies_are_the_versions_that_were_pulled(make_locked: Make, server: FaultServer) -> None:
    server.answers(error(503))
    found = make_locked().get_prompt_version("review")
    sent = version_of(REVIEW)
    assert (found.id, found.version_number, found.type, found.prompt_id) == (
        sent.id,
        sent.version_number,
        sent.type,
        sent.prompt_id,
    )
