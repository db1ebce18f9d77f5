"""The metrics of the clients of a process."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from typing import Any, Callable

import pytest
from faults.clock import ManualClock
from faults.reading import wait_until_idle
from faults.replies import PROMPT, error, resets, token
from faults.server import FaultServer
from faults.traced import Traced
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from scope_client import ApiKeyCredentials, ScopeClient, ServerError
from scope_client.otel import instrument, uninstrument

Make = Callable[..., ScopeClient]
READS = "scope.prompt.reads"
GAUGES = ("scope.prompt.cached", "scope.prompt.stale", "scope.platform.is_down", "scope.token.expires_in")


def reads(traced: Traced) -> dict[str, float]:
    return {source: count for (source,), count in traced.values(READS).items() if count}


def read(client: ScopeClient, times: int) -> None:
    for _ in range(times):
        client.get_prompt_version("greeting")


def one(traced: Traced, name: str, server: FaultServer) -> float | None:
    """The number of the clients of this server; the process may have others. None if there is none."""
    host, _, port = server.url.partition("//")[2].partition(":")
    return traced.values(name).get((host, int(port)))


def test_each_read_is_counted_once_by_where_it_was_answered_from(
    traced: Traced, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    for _ in range(5):
        client.get_prompt_version("greeting")
    client.read_prompt("greeting")
    assert reads(traced) == {"platform": 1, "memory": 5}
    client.render_prompt("greeting", {"name": "Ada"})
    client.prefetch(["greeting", "other"])
    assert client.get_cached_version("greeting") is not None
    assert client.get_cached_version("not-in-memory") is None
    assert reads(traced) == {"platform": 2, "memory": 8}
    server.answers(error(503))
    clock.passes(200)
    client.get_prompt_version("greeting")
    client.get_prompt_version("nobody-knows", fallback="Hi")
    assert reads(traced) == {"platform": 2, "memory": 8, "stale": 1, "fallback": 1}


def test_asynchronous_reads_are_counted_alike(traced: Traced, client: ScopeClient) -> None:
    async def read() -> None:
        await client.aget_prompt_version("greeting")
        await client.aget_prompt_version("greeting")
        await client.arender_prompt("greeting", {"name": "Ada"})
        await client.aprefetch(["greeting", "other"])

    asyncio.run(read())
    assert reads(traced) == {"platform": 2, "memory": 3}


def test_a_read_that_fails_is_no_read_that_was_answered(traced: Traced, make_client: Make, server: FaultServer) -> None:
    server.answers(error(503))
    with pytest.raises(ServerError):
        make_client(max_retries=0).get_prompt_version("greeting")
    assert reads(traced) == {}


def test_the_age_of_what_was_read_is_told_in_seconds_where_it_is_known(
    traced: Traced, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    client.get_prompt_version("greeting")
    server.answers(error(503))
    clock.passes(200)
    client.get_prompt_version("greeting")
    client.get_prompt_version("nobody-knows", fallback="Hi")
    ages = {attributes["scope.prompt.source"]: point.sum for attributes, point in traced.points("scope.prompt.age")}
    assert ages == {"platform": 0, "stale": 200}


def test_each_attempt_has_its_duration_with_method_status_and_server(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(503), PROMPT)
    client.get_prompt_version("greeting")
    host, _, port = server.url.partition("//")[2].partition(":")
    where = {"server.address": host, "server.port": int(port)}
    found = traced.points("scope.platform.request.duration")
    assert sorted((str(attributes), point.count) for attributes, point in found) == sorted(
        (str({"http.request.method": method, **where, **outcome}), 1)
        for method, outcome in [
            ("POST", {"http.response.status_code": 200}),
            ("GET", {"http.response.status_code": 503, "error.type": "503"}),
            ("GET", {"http.response.status_code": 200}),
        ]
    )
    assert {point.explicit_bounds[0] for _, point in found} == {0.005}
    assert all(point.sum < 60 for _, point in found)  # seconds, and no milliseconds


def test_an_attempt_without_an_answer_names_its_error(traced: Traced, make_client: Make, server: FaultServer) -> None:
    server.answers(resets())
    make_client(max_retries=0).get_prompt_version("greeting", fallback="Hi")
    errors = [attributes.get("error.type") for attributes, _ in traced.points("scope.platform.request.duration")]
    assert sorted(filter(None, errors)) == ["scope_client.ConnectionError"]


def test_the_gauges_say_how_the_client_is_doing(
    traced: Traced, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(token(expires_in=1000))
    client = make_client(cache_ttl=100, max_retries=0)
    client.prefetch(["a", "b"])
    assert {name: one(traced, name, server) for name in GAUGES} == {
        "scope.prompt.cached": 2,
        "scope.prompt.stale": 0,
        "scope.platform.is_down": 0,
        "scope.token.expires_in": 1000,
    }
    server.answers(error(503))
    clock.passes(200)
    client.get_prompt_version("a")
    wait_until_idle(client)
    assert {name: one(traced, name, server) for name in GAUGES} == {
        "scope.prompt.cached": 2,
        "scope.prompt.stale": 2,
        "scope.platform.is_down": 1,
        "scope.token.expires_in": 800,
    }


def test_a_client_without_a_token_tells_of_no_end(traced: Traced, client: ScopeClient, server: FaultServer) -> None:
    assert one(traced, "scope.token.expires_in", server) is None
    assert one(traced, "scope.prompt.cached", server) == 0


def test_clients_are_told_apart_by_their_server_and_put_together_at_one(
    traced: Traced, make_client: Make, server: FaultServer, other_server: FaultServer
) -> None:
    first, second = make_client(), make_client()
    third = make_client(base_url=other_server.url, auth_api_url=other_server.url)
    for client, names in ((first, ["a", "b"]), (second, ["a"]), (third, ["a", "b", "c"])):
        client.prefetch(names)
    assert one(traced, "scope.prompt.cached", server) == 3
    assert one(traced, "scope.prompt.cached", other_server) == 3


def test_of_clients_of_one_server_the_worst_counts(
    traced: Traced, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(token(expires_in=1000), token(expires_in=500))
    make_client().prefetch(["a"])
    client = make_client(max_retries=0)
    client.prefetch(["a"])
    assert one(traced, "scope.token.expires_in", server) == 500
    server.answers(error(503))
    client.get_prompt_version("b", fallback="Hi")
    assert one(traced, "scope.platform.is_down", server) == 1


def test_no_client_is_kept_alive(traced: Traced, server: FaultServer) -> None:
    client = ScopeClient(
        credentials=ApiKeyCredentials("org", "key", "secret"), base_url=server.url, auth_api_url=server.url
    )
    client.get_prompt_version("greeting")
    assert one(traced, "scope.prompt.cached", server) == 1
    del client
    gc.collect()
    assert one(traced, "scope.prompt.cached", server) is None


def test_after_uninstrument_nothing_is_told_and_after_instrument_it_goes_on(
    client: ScopeClient, server: FaultServer
) -> None:
    traced = Traced()
    instrument(traced.tracer_provider, traced.meter_provider)
    read(client, 5)
    assert reads(traced) == {"platform": 1, "memory": 4}
    uninstrument()
    read(client, 5)
    assert all(traced.values(name) == {} for name in (READS, *GAUGES))
    instrument(traced.tracer_provider, traced.meter_provider)
    read(client, 3)
    assert reads(traced) == {"platform": 1, "memory": 7}
    assert one(traced, "scope.prompt.cached", server) == 1
    uninstrument()


def test_a_provider_that_is_no_longer_used_gets_nothing_of_what_another_one_counts(client: ScopeClient) -> None:
    first, second = Traced(), Traced()
    instrument(first.tracer_provider, first.meter_provider)
    read(client, 5)
    uninstrument()
    instrument(second.tracer_provider, second.meter_provider)
    read(client, 5)
    assert reads(first) == {}
    assert reads(second) == {"memory": 5}
    uninstrument()
    instrument(first.tracer_provider, first.meter_provider)
    read(client, 5)
    assert reads(first) == {"platform": 1, "memory": 9}
    uninstrument()


def test_no_instrument_is_made_twice(client: ScopeClient, caplog: pytest.LogCaptureFixture) -> None:
    traced = Traced()
    for _ in range(3):
        instrument(traced.tracer_provider, traced.meter_provider)
        uninstrument()
    assert caplog.messages == []


def test_a_forked_child_counts_its_own_reads_alone(traced: Traced, client: ScopeClient) -> None:
    for _ in range(3):
        client.get_prompt_version("greeting")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            client.get_prompt_version("greeting")
            os.write(writing, repr(reads(traced)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert told.read() == "{'memory': 1}"
    os.waitpid(child, 0)
    assert reads(traced) == {"platform": 1, "memory": 2}


def test_with_a_provider_that_is_set_later_all_is_told(tmp_path: Any) -> None:
    """In a process of its own: the provider of a process is set once."""
    import subprocess
    import sys

    program = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from scope_client import ApiKeyCredentials, ScopeClient
from scope_client.local import LocalPlatform
from scope_client.otel import instrument, uninstrument

def told(reader):
    data = reader.get_metrics_data()
    found = {}
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found[metric.name] = [getattr(point, "value", None) for point in metric.data.data_points]
    return found

instrument()
with LocalPlatform({"greeting": "Hi"}) as platform, platform.client() as client:
    client.get_prompt_version("greeting")
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
    client.get_prompt_version("greeting", cache=False)
    print(sorted(told(reader)))
    uninstrument()
    print(sorted(told(reader)))
    instrument()
    client.get_prompt_version("greeting")
    print(told(reader)["scope.prompt.reads"], told(reader)["scope.prompt.cached"])
    uninstrument()
    instrument(meter_provider=metrics.get_meter_provider())
    print(told(reader)["scope.prompt.reads"], told(reader)["scope.prompt.cached"])
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.stderr == ""
    first, second, *rest = run.stdout.splitlines()
    assert first == str(sorted([*GAUGES, READS, "scope.prompt.age", "scope.platform.request.duration"]))
    assert "scope.prompt.reads" not in second
    assert rest == ["[2, 1] [1]", "[2, 1] [1]"]


def test_a_meter_that_raises_breaks_no_read(client: ScopeClient, may_break: None) -> None:
    class Broken(MeterProvider):
        def get_meter(self, *args: Any, **options: Any) -> Any:
            meter = super().get_meter(*args, **options)

            def breaks(*_: Any, **__: Any) -> None:
                raise ZeroDivisionError

            plain = meter.create_histogram

            def create(*args: Any, **options: Any) -> Any:
                made = plain(*args, **options)
                made.record = breaks
                return made

            meter.create_histogram = create  # type: ignore[method-assign]
            return meter

    instrument(Traced().tracer_provider, Broken(metric_readers=[InMemoryMetricReader()]))
    try:
        assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    finally:
        uninstrument()


def test_units_are_those_of_ucum_and_names_those_of_the_code(traced: Traced, client: ScopeClient) -> None:
    client.get_prompt_version("greeting")
    for metric in traced.metrics():
        assert re.fullmatch(r"1|s|\{[a-z]+\}", metric.unit)
        assert re.fullmatch(r"scope\.[a-z]+(\.[a-z_]+)+", metric.name)
