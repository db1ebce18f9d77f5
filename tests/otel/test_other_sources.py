"""Spans and metrics of reads that a lock, a shared cache or a folder answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest
from faults.locking import answer_of, body, write_lock
from faults.reading import wait_until_idle
from faults.replies import error

from scope_client import ApiError, RedisStore, ScopeClient

if TYPE_CHECKING:
    from pathlib import Path

    from faults.redisserver import RedisServer
    from faults.server import FaultServer
    from faults.traced import Traced

Make = Callable[..., ScopeClient]


def reads(traced: Traced) -> dict[str, float]:
    return {source: count for (source,), count in traced.values("scope.prompt.reads").items() if count}


def test_a_locked_read_is_a_fetch_of_the_version_that_the_lock_names(
    traced: Traced, make_client: Make, server: FaultServer, tmp_path: Path
) -> None:
    sent = body()
    server.answers(answer_of(sent))
    client = make_client(lock=write_lock(tmp_path, [sent], has_copies=False))
    assert client.read_prompt("greeting").is_locked
    span = traced.span("scope.prompt.fetch")
    assert span.attributes["scope.prompt.version_id"] == sent["id"]
    assert span.attributes["scope.prompt.label"] == "production"
    assert traced.span("GET").attributes["url.full"].endswith(f"/prompts/greeting/versions/{sent['id']}")
    assert reads(traced) == {"platform": 1}


def test_a_locked_read_that_is_answered_from_the_folder_is_a_read_of_the_folder(
    traced: Traced, make_client: Make, server: FaultServer, tmp_path: Path
) -> None:
    server.answers(error(503))
    client = make_client(lock=write_lock(tmp_path, [body()]), max_retries=0)
    assert client.read_prompt("greeting").source == "folder"
    wait_until_idle(client)
    assert reads(traced) == {"folder": 1}
    assert {span.attributes["error.type"] for span in traced.spans("scope.prompt.fetch")} <= {
        "scope_client.ServerError"
    }


def test_a_version_that_differs_from_the_lock_fails_its_fetch(
    traced: Traced, make_client: Make, server: FaultServer, tmp_path: Path
) -> None:
    server.answers(answer_of(body("another text {{name}}")))
    client = make_client(lock=write_lock(tmp_path, [body()], has_copies=False))
    with pytest.raises(ApiError):
        client.get_prompt_version("greeting")
    assert traced.span("scope.prompt.fetch").attributes["error.type"].startswith("scope_client.")


def test_what_another_process_has_put_into_a_shared_cache_takes_no_fetch(
    traced: Traced, make_client: Make, redis_server: RedisServer
) -> None:
    for _ in range(2):  # as two processes
        make_client(cache_store=RedisStore(redis_server.url)).get_prompt_version("greeting")
    assert reads(traced) == {"platform": 1, "store": 1}
    assert len(traced.spans("scope.prompt.fetch")) == 1


def test_a_client_of_a_folder_alone_has_reads_and_ages_of_it(
    traced: Traced, make_client: Make, tmp_path: Path, closed_port: int
) -> None:
    (tmp_path / "greeting.md").write_text("Hi {{name}}!")
    url = f"http://127.0.0.1:{closed_port}"
    client = make_client(prompt_dir=tmp_path, base_url=url, auth_api_url=url, max_retries=0)
    for _ in range(3):
        assert client.render_prompt("greeting", {"name": "Ada"}) == "Hi Ada!"
    wait_until_idle(client)
    assert reads(traced) == {"folder": 3}
    assert traced.points("scope.prompt.age") == []
