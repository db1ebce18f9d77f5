"""A forked child reads what its parent knew, and nothing that went on in the parent holds it up."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
import redis
import requests
from faults import inside
from faults.child import Child, held, in_a_child
from faults.clock import ManualClock, eventually
from faults.crowd import Crowd
from faults.reading import content, wait_until_idle, warnings
from faults.redisserver import RedisServer
from faults.replies import Gate, error, prompt, token
from faults.server import FaultServer

import scope_client
from scope_client import ApiKeyCredentials, Clock, RedisStore, ScopeClient, Telemetry
from scope_client._pins import active_pins

if TYPE_CHECKING:
    pass

Make = Callable[..., ScopeClient]
PATIENCE = 10.0
pytestmark = pytest.mark.usefixtures("numbered_answers")


@pytest.fixture(params=["own session", "session of the caller's"])
def client(request: pytest.FixtureRequest, make_client: Make, make_session: Callable[[], requests.Session]) -> Any:
    return make_client(**({} if request.param == "own session" else {"session": make_session()}))


def test_a_child_reads_what_its_parent_cached_without_a_request(client: ScopeClient, server: FaultServer) -> None:
    version = client.get_prompt_version("greeting")
    assert in_a_child(lambda: [client.get_prompt_version("greeting") for _ in range(3)]) == [version] * 3
    assert in_a_child(lambda: in_a_child(lambda: content(client))) == "answer 1"
    assert len(server.requests) == 2


def test_a_child_fetches_with_its_parents_token_over_a_connection_of_its_own(
    client: ScopeClient, server: FaultServer
) -> None:
    content(client)
    assert in_a_child(lambda: [content(client, "a"), content(client, "b")]) == ["answer 2", "answer 3"]
    assert content(client, "c") == "answer 4"
    assert in_a_child(lambda: in_a_child(lambda: content(client, "d"))) == "answer 5"
    assert content(client, "e") == "answer 6"
    assert len(server.logins) == 1
    assert server.accepted == 3  # the parent keeps its own all along


def test_a_child_renews_what_it_inherited_ahead_of_its_end_in_the_background(
    client: ScopeClient, clock: ManualClock, server: FaultServer
) -> None:
    content(client)
    server.answers(prompt("new"))

    def reads() -> str:
        clock.passes(280)
        assert content(client) == "answer 1"
        eventually(lambda: content(client) == "new")
        return content(client)

    assert in_a_child(reads) == "new"
    assert in_a_child(lambda: in_a_child(reads)) == "new"


def test_a_child_never_serves_as_fresh_what_is_not(client: ScopeClient, clock: ManualClock) -> None:
    content(client)

    def reads() -> str:
        clock.passes(300)
        return content(client)

    assert in_a_child(reads) == "answer 2"


def test_children_do_not_renew_in_step(make_client: Make) -> None:
    client = make_client(clock=Clock())
    content(client)
    ends = {in_a_child(lambda: inside.entry(client).expires_at) for _ in range(5)}
    assert len(ends) == 5


def test_a_child_of_a_parent_whose_background_is_busy_has_threads_of_its_own(
    client: ScopeClient, clock: ManualClock, server: FaultServer
) -> None:
    gate = Gate()
    for name in "abc":
        content(client, name)
    clock.passes(280)
    server.answers(gate.holds(prompt("held")), gate.holds(prompt("held")), prompt("new"))
    for name in "abc":
        content(client, name)
    server.wait_for_reads(5)

    def reads() -> list[str]:
        assert not content(client, "a").startswith("held")
        for name in "abc":
            content(client, name)
        eventually(lambda: all(content(client, name) == "new" for name in "abc"))
        return in_a_child(lambda: [content(client, name) for name in "abc"])

    assert in_a_child(reads) == ["new"] * 3
    gate.open()
    eventually(lambda: content(client, "a") != "answer 1")


def test_a_fork_while_others_fetch_and_wait(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    content(client, "known")
    server.answers(gate.holds(prompt("late")), prompt("soon"))
    readers = Crowd(8, lambda: content(client))
    readers.wait_until_waiting(7)
    server.wait_for_reads(2)
    assert in_a_child(lambda: [content(client, "known"), content(client)]) == ["answer 1", "soon"]
    gate.open()
    assert readers.outcomes() == ["late"] * 8


@pytest.mark.parametrize("is_in_use", [False, True])
def test_a_child_keeps_no_connection_of_its_parent_open(
    is_in_use: bool, client: ScopeClient, server: FaultServer
) -> None:
    gate, ends = Gate(), os.pipe()
    server.answers(gate.holds(prompt("late")))
    reader = Crowd(1, lambda: content(client))
    server.wait_for_reads(1)
    if not is_in_use:
        gate.open()
        assert reader.outcomes() == ["late"]
    else:
        eventually(lambda: inside.is_reading_an_answer())
    child = Child(lambda: os.read(ends[0], 1))
    gate.open()
    assert reader.outcomes() == ["late"]
    inside.session(client).close()
    try:
        server.wait_until_all_have_left()
    finally:
        os.write(ends[1], b".")
        assert child.outcome() == b"."
        for end in ends:
            os.close(end)


def test_a_fork_while_others_wait_for_a_token(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    server.gives_tokens(gate.holds(token("late")), token("soon"))
    readers = Crowd(8, lambda: content(client))
    server.wait_for_logins(1)
    readers.wait_until_waiting(7)
    assert in_a_child(lambda: content(client)) == "answer 1"
    gate.open()
    assert readers.outcomes() == ["answer 2"] * 8


def everything_of(client: ScopeClient) -> inside.Graph:
    """What the client holds, and what the process has one of."""
    return inside.Graph(client, inside.PROCESS, *inside.HOOKS)


@pytest.fixture
def busy_client(make_client: Make, redis_server: RedisServer, server: FaultServer, tmp_path: Path) -> ScopeClient:
    """One with a store and a prompt folder, and with a flight, a job and a connection under way."""
    (tmp_path / "bundled.md").write_text("bundled")
    options = {"prompt_dir": tmp_path, "max_retries": 0, "when_unfit": "last_fitting"}
    client = make_client(cache_store=RedisStore(redis_server.url), **options)
    content(client)
    return client


def test_a_child_makes_anew_every_lock_thread_socket_and_flight_that_a_client_reaches(
    busy_client: ScopeClient, clock: ManualClock, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(prompt("answer 2"), gate.holds(prompt("renewed")), gate.holds(prompt("late")))
    content(busy_client, "in an outage")
    clock.passes(280)
    content(busy_client)  # renewed in the background, where it hangs
    server.wait_for_reads(3)
    waiting = Crowd(2, lambda: content(busy_client, "late"))
    waiting.wait_until_waiting(1)
    server.wait_for_reads(4)
    parents = everything_of(busy_client)
    assert len(parents.locks) > 15
    assert parents.flights
    assert parents.sockets

    def left_over() -> list[str]:
        found = everything_of(busy_client)
        assert not found.flights
        return found.paths_of_what_is_also_in(parents, [*found.locks, *found.threads, *found.sockets])

    assert in_a_child(left_over) == []
    gate.open()
    assert waiting.outcomes() == ["late"] * 2


def test_a_child_of_a_block_has_its_pins_and_locks_of_its_own(client: ScopeClient) -> None:
    with client.pin("greeting") as pins:
        client.get_prompt_version("other", key=5)
        parents = everything_of(client)

        def left_over() -> list[str]:
            found = everything_of(client)
            with pins, client.pin():
                assert content(client) == content(client, cache=False) == "answer 1"
            return found.paths_of_what_is_also_in(parents, [*found.locks, *found.threads, *found.sockets])

        with held(active_pins._lock.held):
            assert in_a_child(left_over) == []


FIRST_CLIENT = """
import os, signal, sys, threading, time
import scope_client

assert "logging" not in sys.modules
begun = threading.Event()

class SlowDisk:
    def find_spec(self, name, path=None, target=None):
        if name == "scope_client._async_reads":
            begun.set()
            time.sleep(0.3)

sys.meta_path.insert(0, SlowDisk())
keys = scope_client.ApiKeyCredentials("org", "key", "secret")
thread = threading.Thread(target=lambda: scope_client.ScopeClient(credentials=keys))
thread.start()
assert begun.wait(20)
child = os.fork()
if child == 0:
    signal.alarm(10)  # if it hangs
    scope_client.ScopeClient(credentials=keys)
    os._exit(0)
thread.join()
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_fork_while_another_thread_makes_the_first_client_of_the_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", FIRST_CLIENT],  # a fork beside a thread
        env={**os.environ, "PYTHONPATH": str(Path(scope_client.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_fork_while_another_thread_holds_every_lock(
    client: ScopeClient, clock: ManualClock, server: FaultServer, keys: ApiKeyCredentials
) -> None:
    content(client)

    def work() -> list[str]:
        scope_client.configure(credentials=keys, base_url=server.url, auth_api_url=server.url)
        Telemetry.on_error(print)
        found = [content(client), content(client, "a"), content(scope_client.client(), "b")]
        clock.passes(280)
        content(client)
        eventually(lambda: content(client) == "answer 4")
        client.clear_cache()
        client.status()
        client.close()
        return [*found, content(client)]

    with contextlib.ExitStack() as all_held:
        for lock in everything_of(client).locks:
            all_held.enter_context(held(lock))
        child = Child(work)
        assert child.outcome() == ["answer 1", "answer 2", "answer 3", "answer 5"]


def test_a_fork_in_the_middle_of_an_outage(make_client: Make, clock: ManualClock, server: FaultServer) -> None:
    client = make_client(max_retries=0)
    content(client)
    server.answers(error(503))
    clock.passes(300)
    assert content(client) == "answer 1"

    def reads() -> str:
        assert client.status().is_down
        assert content(client) == "answer 1"
        server.answers(prompt("never told to the parent"))
        for _ in range(5):
            clock.passes(20)
            assert content(client) in ("answer 1", "back")
            wait_until_idle(client)
        return content(client)

    assert in_a_child(reads) == "answer 1"
    server.answers(prompt("back"))
    assert in_a_child(reads) == "back"


def test_the_client_of_the_process_and_telemetry_work_in_a_child(server: FaultServer, keys: ApiKeyCredentials) -> None:
    scope_client.configure(credentials=keys, base_url=server.url, auth_api_url=server.url)
    told: list[str] = []
    unregister = Telemetry.on_request(lambda info: told.append(info.url))
    try:
        assert content(scope_client.client()) == "answer 1"

        def reads() -> tuple[int, str]:
            more: list[object] = []
            Telemetry.on_response(more.append)
            assert content(scope_client.client()) == "answer 1"
            found = content(scope_client.client(), "other")
            assert len(more) == 1
            return len(told), found

        assert in_a_child(reads) == (3, "answer 2")
        assert len(told) == 2
    finally:
        unregister()
        scope_client.reset_configuration()


def test_50_forks_while_threads_read_and_renew(make_client: Make, server: FaultServer) -> None:
    server.answers(prompt("always"))
    client = make_client(clock=Clock(), cache_ttl=0.05, cache_max_size=3)
    ended = threading.Event()

    def work() -> None:
        for number in itertools.cycle(range(5)):
            if ended.is_set():
                return
            assert content(client, f"prompt-{number}") == "always"
            if number == 4:
                time.sleep(0.001)

    readers = Crowd(4, work)
    try:
        for _ in range(50):
            assert in_a_child(lambda: [content(client, f"prompt-{number}") for number in range(5)]) == ["always"] * 5
    finally:
        ended.set()
    assert readers.outcomes() == [None] * 4


def test_a_fork_with_a_redis_store_while_threads_use_it(
    make_client: Make, redis_server: RedisServer, server: FaultServer
) -> None:
    server.answers(prompt("always"))
    client = make_client(clock=Clock(), cache_store=RedisStore(redis_server.url), cache_local_ttl=0)
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            assert content(client) == "always"

    def reads() -> int:
        for name in ("greeting", "other", "greeting"):
            assert content(client, name) == "always"
        assert content(make_client(clock=Clock(), cache_store=client.config.cache_store), "other") == "always"
        return client.status().counters["store_failures"]

    readers = Crowd(4, work)
    try:
        assert [in_a_child(reads) for _ in range(20)] == [0] * 20
        assert in_a_child(lambda: in_a_child(reads)) == 0
    finally:
        ended.set()
    assert readers.outcomes() == [None] * 4
    assert client.status().counters["store_failures"] == 0
    assert len(server.reads) == 2


@pytest.mark.parametrize("lock", ["_lock", "_fork_lock"])
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_fork_while_another_thread_holds_a_lock_of_the_redis_pool(
    is_ours: bool, lock: str, make_client: Make, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = redis.Redis.from_url(redis_server.url, socket_timeout=0.5, socket_connect_timeout=0.5)
    store = RedisStore(redis_server.url if is_ours else theirs)
    client = make_client(cache_store=store)
    content(client)
    with held(getattr(inside.redis_of(store).connection_pool, lock)):
        child = Child(lambda: (content(client, "other"), warnings(caplog)))
        assert child.outcome() == ("answer 2", [])
    theirs.close()


_POOL = """
import multiprocessing, os, sys
from scope_client import ApiKeyCredentials, ScopeClient

client = ScopeClient(credentials=ApiKeyCredentials("o", "k", "s"), base_url=sys.argv[1], auth_api_url=sys.argv[1])
client.get_prompt_version("known")

def read(name):
    return client.get_prompt_version("known").content + client.get_prompt_version(name).content

with multiprocessing.get_context("fork").Pool(4) as pool:
    print(*pool.map(read, ["a", "b", "c", "d"] * 5))
print(read("last"))
"""


def test_multiprocessing_by_fork(server: FaultServer, tmp_path: Any) -> None:
    assert "fork" in multiprocessing.get_all_start_methods()
    server.answers(prompt("."))
    script = tmp_path / "script.py"
    script.write_text(_POOL)
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", str(script), server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == (" ".join([".."] * 20) + "\n..\n", "")
    assert len(server.logins) == 1
