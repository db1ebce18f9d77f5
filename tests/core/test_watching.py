"""What the slow paths tell a watcher, and that no watcher can break a read."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ManualClock
from faults.reading import wait_until_idle
from faults.replies import PROMPT, error, token
from faults.server import FaultServer

from scope_client import NotFoundError, ScopeClient, ServerError, Telemetry
from scope_client import _watching as watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client._prompt.prompt_read import PromptRead
    from scope_client._prompt.ref import PromptRef

Make = Callable[..., ScopeClient]
whose: ContextVar[str] = ContextVar("whose", default="nobody's")


class Note:
    """Writes down that something began, and how it ended."""

    def __init__(self, told: list[str], what: str) -> None:
        self._told = told
        self._what = what

    def begin(self) -> None:
        self._told.append(f"{self._what} begins")

    def end(self, came: Any, error: BaseException | None) -> None:
        how = type(error).__name__ if error else getattr(came, "content", getattr(came, "status", "well"))
        self._told.append(f"{self._what} ends: {how}")


class Recorder:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.jobs = 0

    def read(self, ref: PromptRef, found: PromptRead) -> None:
        self.told.append(f"{ref.name} from {found.source}, {whose.get()}")

    def fetch(self, ref: PromptRef) -> Note:
        return Note(self.told, f"fetch {ref.name}")

    def token(self) -> Note:
        return Note(self.told, "token")

    def attempt(self, attempt: watching.Attempt) -> Note:
        return Note(self.told, f"{attempt.method} {attempt.resend_count} by a {type(attempt.session).__name__}")

    def carried(self) -> object:
        self.jobs += 1
        return self.jobs

    def behind(self, carried: Any) -> Note:
        return Note(self.told, f"job {carried}")


class Breaks(Recorder):
    """Raises in everything that it is asked."""

    def _raises(self, *_: object) -> Any:
        raise ZeroDivisionError

    read = fetch = token = attempt = carried = behind = _raises  # type: ignore[assignment]


class BreaksLater(Recorder):
    """Gives watches that raise."""

    def fetch(self, ref: PromptRef) -> Note:
        return Note(None, "fetch")  # type: ignore[arg-type]

    token = attempt = behind = fetch  # type: ignore[assignment]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    watching.watch_with(made)
    yield made
    watching.watch_with(None)


@pytest.fixture(autouse=True)
def nothing_was_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_has_failed", False)


def test_a_cold_read_is_told_from_the_outside_in(recorder: Recorder, client: ScopeClient) -> None:
    client.read_prompt("greeting")
    assert recorder.told == [
        "fetch greeting begins",
        "token begins",
        "POST 0 by a Session begins",
        "POST 0 by a Session ends: 200",
        "token ends: well",
        "GET 0 by a Session begins",
        "GET 0 by a Session ends: 200",
        "fetch greeting ends: Hello, {{name}}!",
        "greeting from platform, nobody's",
    ]


def test_each_attempt_has_its_number_after_a_new_token_too(
    recorder: Recorder, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(503), error(401), PROMPT)
    client.read_prompt("greeting")
    sent = [line for line in recorder.told if line.endswith("begins") and "Session" in line]
    assert [" ".join(line.split()[:2]) for line in sent] == ["POST 0", "GET 0", "GET 1", "POST 0", "GET 2"]


def test_an_error_is_told_to_what_it_ended(recorder: Recorder, client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(404))
    with pytest.raises(NotFoundError):
        client.get_prompt_version("nobody", label="latest")
    assert recorder.told[-2:] == ["GET 0 by a Session ends: 404", "fetch nobody ends: NotFoundError"]


def test_what_is_fresh_in_memory_is_told_by_a_read_that_says_how_it_was_answered(
    recorder: Recorder, client: ScopeClient
) -> None:
    for _ in range(2):  # the second one finds out until when no look is needed
        client.get_prompt_version("greeting")
    recorder.told.clear()
    client.get_prompt_version("greeting")
    assert recorder.told == []
    client.read_prompt("greeting")
    assert recorder.told == ["greeting from memory, nobody's"]


def test_a_renewal_in_the_background_is_a_job(recorder: Recorder, make_client: Make, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100)
    client.get_prompt_version("greeting")
    clock.passes(95)
    recorder.told.clear()
    client.get_prompt_version("greeting")
    wait_until_idle(client)
    told = [line for line in recorder.told if not line.startswith("greeting from")]
    assert [told[0], told[1], told[-2], told[-1]] == [
        "job 1 begins",
        "fetch greeting begins",
        "fetch greeting ends: Hello, {{name}}!",
        "job 1 ends: well",
    ]


def test_an_early_renewal_of_the_token_is_a_job(
    recorder: Recorder, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(token(expires_in=100))
    client.get_prompt_version("greeting", cache=False)
    clock.passes(85)
    client.get_prompt_version("greeting", cache=False)
    wait_until_idle(client)
    job = [line for line in recorder.told if line.startswith(("job", "token"))]
    assert job == [
        "token begins",
        "token ends: well",
        "job 1 begins",
        "token begins",
        "token ends: well",
        "job 1 ends: well",
    ]


def test_a_prefetch_tells_of_each_read_in_the_context_of_its_caller(recorder: Recorder, client: ScopeClient) -> None:
    names = [f"prompt-{number}" for number in range(12)]
    mark = whose.set("mine")
    client.prefetch(names)
    whose.reset(mark)
    told = [line for line in recorder.told if "from platform" in line]
    assert sorted(told) == sorted(f"{name} from platform, mine" for name in names)


def test_asynchronous_reads_tell_of_themselves_in_the_task_that_reads(recorder: Recorder, client: ScopeClient) -> None:
    async def read(name: str) -> None:
        whose.set(f"of {name}")
        await client.aget_prompt_version("greeting")
        await client.aget_prompt_version("greeting", cache=False)
        await client.aprefetch(["greeting"])

    async def both() -> None:
        await asyncio.gather(read("one"), read("two"))

    asyncio.run(both())
    told = sorted(line for line in recorder.told if line.startswith("greeting from"))
    assert told == sorted(
        f"greeting from {source}, of {name}" for name in ("one", "two") for source in ("platform", "platform", "memory")
    )


@pytest.mark.parametrize("kind", [Breaks, BreaksLater])
def test_a_watcher_that_raises_is_logged_once_and_breaks_nothing(
    kind: type[Recorder], make_client: Make, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    watching.watch_with(kind())
    try:
        assert client.prefetch(["a", "b"]).is_complete
        assert client.read_prompt("a").source == "memory"
        clock.passes(95)
        client.get_prompt_version("a")
        wait_until_idle(client)
        assert client.status().counters["refreshes"] == 1
        server.answers(error(503))
        with pytest.raises(ServerError):
            client.get_prompt_version("c")
    finally:
        watching.watch_with(None)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "OpenTelemetry raised an error; the call goes on; this is logged once"
    ]


def test_an_interrupt_inside_a_watcher_ends_what_it_began_and_reaches_the_caller(
    recorder: Recorder, client: ScopeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = Note.begin

    def interrupted(note: Note) -> None:
        began(note)
        raise KeyboardInterrupt

    monkeypatch.setattr(Note, "begin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.get_prompt_version("greeting")
    assert recorder.told == ["fetch greeting begins", "fetch greeting ends: KeyboardInterrupt"]


def test_a_callback_of_telemetry_runs_outside_of_the_attempt(recorder: Recorder, client: ScopeClient) -> None:
    Telemetry.on_request(lambda info: recorder.told.append(f"callback for {info.method}"))
    client.get_prompt_version("greeting")
    assert recorder.told[2:4] == ["callback for POST", "POST 0 by a Session begins"]


def test_the_clients_that_live_are_known_and_none_is_kept_alive(make_client: Make, keys: object) -> None:
    gc.collect()
    before = len(watching.live_clients())
    client = ScopeClient(credentials=keys)  # type: ignore[arg-type]
    assert len(watching.live_clients()) == before + 1
    del client
    gc.collect()
    assert len(watching.live_clients()) == before


def test_clients_are_listed_while_others_are_made(make_client: Make, keys: object) -> None:
    clients: list[ScopeClient] = []

    def make() -> None:
        for _ in range(300):
            clients.append(ScopeClient(credentials=keys))  # type: ignore[arg-type]  # noqa: PERF401

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        maker = threading.Thread(target=make)
        maker.start()
        while maker.is_alive():
            watching.live_clients()
    finally:
        maker.join()
        sys.setswitchinterval(interval)
    assert {id(client._rooms) for client in clients} <= {id(rooms) for rooms in watching.live_clients()}
