"""prefetch reads several prompts at once, and reports what came and what did not."""

from __future__ import annotations

import pickle
import threading
from typing import Any, Callable

import pytest
from faults.clock import ends_within, eventually
from faults.crowd import Crowd
from faults.replies import PROMPT, Gate, error, hangs
from faults.server import FaultServer

from scope_client import (
    AuthorizationError,
    Clock,
    NoProductionVersionError,
    NotFoundError,
    ScopeClient,
    ServerError,
    Telemetry,
    TimeoutError,
    ValidationError,
)

Make = Callable[..., ScopeClient]
LONG = 10.0


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "scope-prefetch"]


def fails_for(*names: str, reply: bytes = error(404, "Prompt not found")) -> Callable[[Any], None]:
    return lambda peer: peer.send(reply if any(f"/{name}/" in peer.request.target for name in names) else PROMPT)


def test_what_was_fetched_is_cached_and_reported_in_its_order(client: ScopeClient, server: FaultServer) -> None:
    wanted = ["b", ("a", "latest"), ("a", None, "v_1"), "a"]
    report = client.prefetch(wanted)
    assert list(report.versions) == wanted
    assert report.is_complete
    assert dict(report.errors) == {}
    assert len(server.reads) == 4
    assert client.get_prompt_version("b") is report.versions["b"]
    assert client.get_prompt_version("a", label="latest") is report.versions["a", "latest"]
    assert client.get_prompt_version("a", version="v_1") is report.versions["a", None, "v_1"]
    assert len(server.reads) == 4
    assert len(server.logins) == 1


def test_a_ref_is_asked_for_once_however_it_is_written(client: ScopeClient, server: FaultServer) -> None:
    wanted = ["a", "a", ("a",), ("a", None), ("a", "production"), ("a", "production", None), ["a", "production"]]
    report = client.prefetch(wanted)
    assert len(server.reads) == 1
    assert len(set(map(id, report.versions.values()))) == 1


def test_what_is_fresh_takes_no_request(client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version("a")
    client.prefetch(["a", "b"])
    assert len(server.reads) == 2


@pytest.mark.parametrize("wanted", [[], (), set(), iter([]), {}])
def test_nothing_is_complete(wanted: Any, client: ScopeClient, server: FaultServer) -> None:
    report = client.prefetch(wanted, strict=True)
    assert report.is_complete
    assert dict(report.versions) == {}
    assert server.requests == []


def test_any_iterable_will_do(client: ScopeClient) -> None:
    assert list(client.prefetch(name for name in ("a", "b")).versions) == ["a", "b"]
    assert set(client.prefetch({"a", ("b", "latest")}).versions) == {"a", ("b", "latest")}


@pytest.mark.parametrize("wanted", ["greeting", b"greeting", 5, None, object()])
def test_what_is_no_list_is_a_validation_error(wanted: Any, client: ScopeClient) -> None:
    with pytest.raises(ValidationError, match="prefetch takes a list"):
        client.prefetch(wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        *("", ".", None, 5, b"a", (), ("a", "staging"), ("a", "latest", "v_1"), ("a", None, ""), ("a", "b", "c", "d")),
        *({}, ("a", []), ("a", {}), (["a"],), ["a", ["latest"]], "\ud800", {"a"}, (None,), ("a", None, ["v"])),
    ],
)
def test_nothing_is_sent_where_one_of_them_is_no_ref(wanted: Any, client: ScopeClient, server: FaultServer) -> None:
    with pytest.raises(ValidationError):
        client.prefetch(["fine", wanted, "fine too"])
    assert server.requests == []


def test_what_cannot_be_had_is_in_the_report(client: ScopeClient, server: FaultServer) -> None:
    server.answers(fails_for("missing", "other"))
    report = client.prefetch(["missing", "a", "other", "b"])
    assert not report.is_complete
    assert list(report.versions) == ["a", "b"]
    assert [(name, type(each)) for name, each in report.errors.items()] == [
        ("missing", NotFoundError),
        ("other", NotFoundError),
    ]
    with pytest.raises(NotFoundError, match=r"2 of 4 .*missing: .*; other: "):
        report.raise_first()


def test_strict_raises_the_first_error_under_a_message_that_names_all(client: ScopeClient, server: FaultServer) -> None:
    server.answers(fails_for("x", "y", reply=error(403, "not yours")))
    with pytest.raises(AuthorizationError, match=r"2 of 3 .*x latest: not yours.*; y: not yours") as caught:
        client.prefetch([("x", "latest"), "fine", "y"], strict=True)
    assert caught.value.http_status == 403
    assert caught.value.request_id
    assert "2 of 3" in caught.value.message
    assert isinstance(caught.value.__cause__, AuthorizationError)
    assert "2 of 3" not in str(caught.value.__cause__)
    assert client.get_prompt_version("fine").content == "Hello, {{name}}!"
    assert len(server.reads) == 3


def test_the_errors_facts_survive(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(404, "no production version"))
    with pytest.raises(NoProductionVersionError) as caught:
        client.prefetch(["greeting"], strict=True)
    assert caught.value.prompt_id == "greeting"


def test_the_report_is_frozen_and_pickles(client: ScopeClient, server: FaultServer) -> None:
    server.answers(fails_for("missing"))
    report = client.prefetch(["a", "missing"])
    for mapping in (report.versions, report.errors):
        with pytest.raises(TypeError):
            mapping["x"] = 1
    with pytest.raises(AttributeError):
        report.errors = {}
    twin = pickle.loads(pickle.dumps(report))
    assert twin.versions == report.versions
    assert str(twin.errors["missing"]) == str(report.errors["missing"])
    with pytest.raises(TypeError, match="unhashable"):
        hash(report)


def test_at_most_eight_at_a_time_and_no_thread_is_left(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    server.answers(gate.holds(PROMPT))
    caller = Crowd(1, lambda: client.prefetch([f"prompt-{number}" for number in range(30)]))
    server.wait_for_reads(8)
    assert len(threads()) == 7  # the caller is the eighth
    assert len(server.reads) == 8
    assert all(thread.daemon for thread in threads())
    gate.open()
    (report,) = caller.outcomes()
    assert report.is_complete
    assert len(server.reads) == 30
    assert threads() == []


def test_where_no_thread_is_to_be_had_the_caller_reads_them_all(
    client: ScopeClient, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refuses(thread: threading.Thread) -> None:
        if thread.name == "scope-prefetch":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuses)
    assert list(client.prefetch(["a", "b", "c"]).versions) == ["a", "b", "c"]
    assert server.accepted == 1


@pytest.mark.parametrize("retries", [0, 3])
def test_the_deadline_is_for_all_of_them_together(retries: int, make_client: Make, server: FaultServer) -> None:
    client = make_client(clock=Clock(), max_retries=retries)
    client.get_prompt_version("fresh")
    server.answers(hangs())
    with ends_within(LONG):
        report = client.prefetch([*(f"prompt-{number}" for number in range(40)), "fresh"], deadline=0.4)
    assert list(report.versions) == ["fresh"]
    assert {(type(each), each.is_deadline) for each in report.errors.values()} == {(TimeoutError, True)}
    assert threads() == []


def test_a_deadline_of_the_configuration_holds_too(make_client: Make, server: FaultServer) -> None:
    server.answers(hangs())
    with ends_within(LONG), pytest.raises(TimeoutError) as caught:
        make_client(clock=Clock(), deadline=0.3).prefetch(["a", "b"], strict=True)
    assert caught.value.is_deadline


def test_stand_ins_of_the_folder_are_versions(make_client: Make, server: FaultServer, tmp_path: Any) -> None:
    (tmp_path / "a.md").write_text("from the folder\n")
    server.answers(error(503))
    report = make_client(prompt_dir=tmp_path, max_retries=0).prefetch(["a", "b"])
    assert report.versions["a"].is_fallback
    assert isinstance(report.errors["b"], ServerError)


def test_an_interrupt_leaves_no_work_to_the_threads(client: ScopeClient, server: FaultServer) -> None:
    caller, gate = threading.get_ident(), Gate()
    client.get_prompt_version("warm")
    server.answers(gate.holds(PROMPT))

    def interrupts(_: object) -> None:
        if threading.get_ident() == caller:
            server.wait_for_reads(8)
            raise KeyboardInterrupt

    unregister = Telemetry.on_request(interrupts)
    try:
        with pytest.raises(KeyboardInterrupt):
            client.prefetch([f"prompt-{number}" for number in range(30)])
    finally:
        unregister()
    gate.open()
    eventually(lambda: not threads())
    assert len(server.reads) == 8


def test_a_mapping_of_labels_is_refused_and_nothing_is_sent(client: ScopeClient, server: FaultServer) -> None:
    with pytest.raises(ValidationError, match="prefetch takes a list"):
        client.prefetch({"greeting": "latest"})  # type: ignore[arg-type]
    assert server.reads == []
