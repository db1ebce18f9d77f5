"""A production read of a locked client is answered with exactly the version that the lock names, or not at all."""

from __future__ import annotations

import logging
import pickle
import re
import shutil
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import eventually
from faults.locking import GREETING, NEWEST, NEWS, REVIEW, answer_of, body, version_of, write_lock
from faults.reading import content, counted, wait_until_idle, warnings
from faults.replies import error, json_answer, prompt

from scope_client import (
    ApiError,
    ConfigurationError,
    MissingVariableError,
    NotFoundError,
    PromptVersion,
    ScopeClient,
    ValidationError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from faults.clock import ManualClock
    from faults.server import FaultServer, Peer

Make = Callable[..., ScopeClient]


def platform_with(server: FaultServer, bodies: dict[str, Any]) -> None:
    """What is not there by its version ID is there as an unlocked version."""

    def reply(peer: Peer) -> None:
        found = bodies.get(peer.request.target)
        peer.send(prompt("unlocked") if found is None else answer_of(found))

    server.answers(reply)


@pytest.fixture
def client(make_locked: Make, server: FaultServer, bodies: dict[str, Any]) -> ScopeClient:
    platform_with(server, bodies)
    return make_locked()


@pytest.mark.parametrize("options", [{}, {"label": "production"}, {"label": None}, {"cache": False}])
def test_a_production_read_asks_for_the_locked_version_by_its_id(
    client: ScopeClient, server: FaultServer, options: dict[str, Any]
) -> None:
    read = client.read_prompt("greeting", **options)
    assert (read.version, read.source, read.is_locked) == (version_of(GREETING), "platform", True)
    assert [each.target for each in server.reads] == ["/api/v1/prompts/greeting/versions/v_greeting_7"]


def test_a_prompt_is_read_by_its_id_too_in_upper_and_lower_case(client: ScopeClient, server: FaultServer) -> None:
    upper = GREETING["prompt_id"]
    lower = f"prompt_{upper[len('prompt_') :].lower()}"
    assert content(client, upper) == content(client, lower) == "locked {{name}}"
    assert {each.target for each in server.reads} == {"/api/v1/prompts/greeting/versions/v_greeting_7"}


def test_a_chat_prompt_is_locked_as_well(client: ScopeClient) -> None:
    assert client.get_prompt_version("review").messages(tone="kind") == [{"role": "system", "content": "Be kind."}]
    assert client.get_prompt_version("review") == version_of(REVIEW)


def test_the_latest_version_is_the_one_of_the_lock_if_it_has_one(client: ScopeClient) -> None:
    read = client.read_prompt("news", label="latest")
    assert (read.version, read.is_locked) == (version_of(NEWEST), True)
    assert client.get_prompt_version("news") == version_of(NEWS)


def test_the_latest_version_is_read_as_ever_if_the_lock_has_none(client: ScopeClient, server: FaultServer) -> None:
    for name in ("greeting", "nobody locked it"):
        read = client.read_prompt(name, label="latest")
        assert (read.version.content, read.is_locked) == ("unlocked", False)
    assert server.reads[0].target == "/api/v1/prompts/greeting/latest"


def test_a_version_is_read_as_ever_by_its_id(client: ScopeClient, server: FaultServer) -> None:
    for version in ("v_other", "v_greeting_6"):
        read = client.read_prompt("greeting", version=version)
        assert (read.version.content, read.is_locked) == ("unlocked", False)
    assert not client.read_prompt("nobody locked it", version="v_1").is_locked
    assert client.read_prompt("greeting", version="v_greeting_7").version == version_of(GREETING)
    assert not client.read_prompt("greeting", version="v_greeting_7").is_locked


UNKNOWN = "the lock '.*scope.lock' has no prompt 'greetin'; the nearest one is 'greeting'. `scope pull greetin` adds"


@pytest.mark.parametrize(
    "options", [{}, {"label": "production"}, {"fallback": "Hi"}, {"cache": False}, {"cache_ttl": 0}, {"requires": []}]
)
def test_a_name_that_the_lock_does_not_have_is_a_validation_error_and_nothing_is_sent(
    client: ScopeClient, server: FaultServer, options: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match=UNKNOWN):
        client.get_prompt_version("greetin", **options)
    with pytest.raises(ValidationError, match=UNKNOWN):
        client.read_prompt("greetin", **options)
    with pytest.raises(ValidationError, match=UNKNOWN):
        client.render_prompt("greetin", {"name": "Ada"}, **options)
    assert not server.requests


def test_the_other_methods_say_so_too(client: ScopeClient, server: FaultServer) -> None:
    with pytest.raises(ValidationError, match=UNKNOWN):
        client.prefetch(["greeting", "greetin"])
    with pytest.raises(ValidationError, match=UNKNOWN):
        client.get_cached_version("greetin")
    assert not server.requests
    assert client.prefetch(["greeting", ("greetin", "latest"), ("greetin", None, "v_1")]).is_complete


def test_an_unknown_prompt_id_is_named(client: ScopeClient) -> None:
    with pytest.raises(ValidationError, match=r"has no prompt 'prompt_0+'. `scope pull prompt_0+` adds"):
        client.get_prompt_version(f"prompt_{'0' * 26}")


def test_a_name_that_needs_quotes_in_a_shell_gets_them(client: ScopeClient) -> None:
    with pytest.raises(ValidationError, match=re.escape("`scope pull 'a b; rm -rf /'` adds")):
        client.get_prompt_version("a b; rm -rf /")


def test_a_prompt_that_is_locked_as_latest_alone_says_so(make_client: Make, tmp_path: Path) -> None:
    client = make_client(lock=write_lock(tmp_path / "p", [GREETING], latest=[NEWEST]))
    with pytest.raises(ValidationError, match="has 'news' for label='latest' alone"):
        client.get_prompt_version("news")


def test_the_arguments_are_checked_first(client: ScopeClient) -> None:
    with pytest.raises(ValidationError, match="label must be"):
        client.get_prompt_version("greetin", label="staging")
    with pytest.raises(ValidationError, match="fallback must be"):
        client.get_prompt_version("greetin", fallback=5)


def test_a_promotion_changes_nothing_until_the_lock_does(
    client: ScopeClient, make_locked: Make, server: FaultServer, bodies: dict[str, Any], clock: ManualClock, lock: Path
) -> None:
    assert content(client) == "locked {{name}}"
    promoted = body("promoted {{name}}", number=8)
    bodies[f"/api/v1/prompts/greeting/versions/{promoted['id']}"] = promoted
    for _ in range(3):
        clock.passes(150)
        assert content(client) == "locked {{name}}"
    before = lock.read_bytes()
    write_lock(lock.parent, [promoted])
    assert content(client) == content(make_locked(lock=lock), name="greeting").replace("promoted", "locked")
    assert make_locked().read_prompt("greeting").version == version_of(promoted)
    lock.write_bytes(before)
    assert make_locked().read_prompt("greeting").version == version_of(GREETING)


def test_the_lock_is_read_once_and_may_go_afterwards(
    client: ScopeClient, lock: Path, server: FaultServer, clock: ManualClock
) -> None:
    shutil.rmtree(lock.parent)
    assert content(client) == "locked {{name}}"
    server.answers(error(503))
    assert content(client, "review") == REVIEW["content"]


def test_the_working_directory_may_change(
    make_client: Make, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: FaultServer
) -> None:
    monkeypatch.chdir(lock.parent)
    client = make_client(lock="scope.lock")
    monkeypatch.chdir(tmp_path)
    server.answers(error(503))
    assert client.read_prompt("greeting").source == "folder"
    assert client.status().lock == str(lock)


def test_a_read_that_is_cached_asks_nobody_and_a_renewal_asks_for_the_same_version(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    first = client.get_prompt_version("greeting")
    assert client.get_prompt_version("greeting") is first
    assert client.read_prompt("greeting").source == "memory"
    assert client.read_prompt("greeting").is_locked
    assert len(server.reads) == 1
    clock.passes(90)
    content(client)
    wait_until_idle(client)
    assert len(server.reads) == 2
    assert server.reads[1].target.endswith("/versions/v_greeting_7")
    assert counted(client, "refreshes") == 1


def test_only_what_the_hash_counts_has_to_be_the_same(make_locked: Make, server: FaultServer) -> None:
    archived = {**GREETING, "status": "archived", "is_production": False, "promoted_at": "2027-01-01T00:00:00Z"}
    server.answers(answer_of({**archived, "updated_at": "2027-01-01T00:00:00Z", "new_field": [1]}))
    read = make_locked().read_prompt("greeting")
    assert (read.source, read.version.status) == ("platform", "archived")


CHANGES = [
    {"content": "locked {{name}}!"},
    {"metadata": {"model": "m-2"}},
    {"tags": []},
    {"variables": ["name", "tone"]},
    {"type": "chat", "content": "[]"},
    {"id": "v_another"},
    {"prompt_id": "prompt_another"},
    {"name": "another"},
    {"version_number": 8},
    {"description": "new"},
]


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_with_another_hash_is_not_served_but_the_copy_of_the_folder(
    make_locked: Make, server: FaultServer, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = make_locked()
    server.answers(answer_of({**GREETING, **change}))
    read = client.read_prompt("greeting")
    assert (read.version.content, read.source, read.is_locked) == ("locked {{name}}", "folder", True)
    assert not read.version.is_fallback
    assert not client.status().is_down
    (warning,) = warnings(caplog, "scope_client.lock")
    assert "'greeting'" in warning
    assert "v_greeting_7" in warning
    assert "has changed since then on the platform" in warning
    assert "`scope pull greeting`" in warning


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("cache", [True, False])
def test_without_a_copy_an_answer_with_another_hash_is_an_error(
    make_client: Make, bare_lock: Path, server: FaultServer, change: dict[str, Any], cache: bool
) -> None:
    client = make_client(lock=bare_lock)
    server.answers(answer_of({**GREETING, **change}))
    with pytest.raises(ApiError, match=r"is not the one that the lock .* names.*`scope pull greeting`") as caught:
        client.get_prompt_version("greeting", cache=cache)
    assert (type(caught.value), caught.value.http_status) == (ApiError, 200)
    assert caught.value.error_code == "locked_version_differs"
    assert caught.value.request_id
    assert not client.status().is_down
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message


def test_such_an_answer_is_remembered_for_a_second(
    make_client: Make, bare_lock: Path, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(lock=bare_lock)
    server.answers(answer_of({**GREETING, "content": "edited"}))
    for passing, asked in ((0.0, 1), (0.5, 1), (1.0, 2)):
        clock.passes(passing)
        with pytest.raises(ApiError, match="is not the one"):
            content(client)
        assert len(server.reads) == asked


@pytest.mark.parametrize("status", [404, 410])
def test_a_version_that_the_platform_no_longer_has_is_served_from_the_folder_and_warned_of_once(
    make_locked: Make, server: FaultServer, clock: ManualClock, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_locked()
    server.answers(error(status))
    for _ in range(5):
        read = client.read_prompt("greeting")
        assert (read.version.to_dict()["tags"], read.source, read.is_locked) == (["a"], "folder", True)
        clock.passes(40)
        wait_until_idle(client)
    (warning,) = warnings(caplog)
    assert "is gone on the platform; the copy in the folder" in warning
    assert not client.status().is_down


def test_one_that_is_gone_is_asked_for_now_and_then_and_not_by_each_reader(
    make_locked: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_locked()
    server.answers(error(404))
    for _ in range(100):
        content(client)
        wait_until_idle(client)
        clock.passes(0.5)
    assert len(server.reads) < 12


def test_what_is_gone_says_nothing_of_the_other_prompts(
    make_locked: Make, server: FaultServer, bodies: dict[str, Any]
) -> None:
    client = make_locked()
    server.answers(error(404))
    content(client)
    platform_with(server, bodies)
    assert client.read_prompt("review").source == "platform"


def test_the_platform_is_believed_again_once_it_gives_the_locked_version(
    make_locked: Make, server: FaultServer, bodies: dict[str, Any], clock: ManualClock
) -> None:
    client = make_locked()
    server.answers(error(404))
    assert client.read_prompt("greeting").source == "folder"
    platform_with(server, bodies)
    clock.passes(31)

    def is_fetched() -> bool:
        clock.passes(1)
        return client.read_prompt("greeting").source in ("memory", "platform")

    eventually(is_fetched)


@pytest.mark.parametrize("status", [404, 410])
def test_without_a_copy_a_version_that_is_gone_is_an_error_that_names_the_lock(
    make_client: Make, bare_lock: Path, server: FaultServer, clock: ManualClock, status: int
) -> None:
    client = make_client(lock=bare_lock)
    server.answers(error(status))
    for _ in range(3):
        with pytest.raises(NotFoundError, match=r"the lock .* names the version 'v_greeting_7'.*`scope pull") as caught:
            content(client)
        assert caught.value.http_status == status
        clock.passes(5)
    assert content(client, fallback="Hi") == "Hi"
    assert not client.read_prompt("greeting", fallback="Hi").is_locked


@pytest.mark.parametrize("reply", [error(404), error(410), answer_of({**GREETING, "content": "edited"})])
def test_what_was_fetched_before_goes_on_being_served(
    make_client: Make, bare_lock: Path, server: FaultServer, clock: ManualClock, reply: bytes
) -> None:
    client = make_client(lock=bare_lock, cache_ttl=100)
    server.answers(answer_of(GREETING))
    content(client)
    server.answers(reply)
    for _ in range(4):
        clock.passes(120)
        read = client.read_prompt("greeting")
        assert (read.version, read.source, read.is_locked) == (version_of(GREETING), "stale", True)
        wait_until_idle(client)
    assert counted(client, "evictions") == 0


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_hidden(make_locked: Make, server: FaultServer, status: int) -> None:
    server.answers(error(status))
    with pytest.raises(ApiError) as caught:
        content(make_locked())
    assert caught.value.http_status == status


def test_a_version_that_callers_cannot_fill_in_is_an_error_whatever_was_read_before(
    make_client: Make, tmp_path: Path, server: FaultServer
) -> None:
    needs_more = body("locked {{name}} {{tone}}", number=8)
    client = make_client(lock=write_lock(tmp_path / "p", [needs_more]), when_unfit="last_fitting")
    server.answers(answer_of(needs_more))
    for _ in range(2):
        with pytest.raises(MissingVariableError) as caught:
            client.render_prompt("greeting", {"name": "Ada"})
        assert caught.value.missing_variables == ("tone",)
        with pytest.raises(MissingVariableError):
            client.get_prompt_version("greeting", requires=["name"])
    assert client.status().prompts[0].missing_variables == ()


def test_what_is_not_locked_may_be_held_back_as_ever(
    make_locked: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_locked(when_unfit="last_fitting")
    server.answers(prompt("old {{name}}", id="v_1"))
    assert client.render_prompt("greeting", {"name": "Ada"}, label="latest") == "old Ada"
    server.answers(prompt("new {{name}} {{tone}}", id="v_2"))
    clock.passes(200)
    assert client.render_prompt("greeting", {"name": "Ada"}, label="latest") == "old Ada"


def test_a_caller_can_ask_for_what_it_gives(client: ScopeClient) -> None:
    assert client.read_prompt("greeting", requires=["name"]).is_locked
    with pytest.raises(MissingVariableError):
        client.get_prompt_version("greeting", requires=[])


@pytest.mark.parametrize("arguments", [("greeting",), ()])
def test_clear_cache_forgets_a_locked_prompt_too(
    client: ScopeClient, server: FaultServer, arguments: tuple[str, ...]
) -> None:
    content(client)
    client.clear_cache(*arguments)
    assert client.get_cached_version("greeting") is None
    content(client)
    assert len(server.reads) == 2
    client.clear_cache("a name that the lock does not have")


def test_extra_values_are_treated_as_configured(make_locked: Make, server: FaultServer) -> None:
    server.answers(error(503))
    with pytest.raises(ValidationError, match="tone"):
        make_locked().render_prompt("greeting", {"name": "Ada", "tone": "kind"})
    lenient = make_locked(extra_values="ignore")
    assert lenient.render_prompt("greeting", {"name": "Ada", "tone": "kind"}) == "locked Ada"


def test_status_says_what_is_locked(client: ScopeClient, make_client: Make, lock: Path) -> None:
    client.get_prompt_version("greeting")
    client.get_prompt_version("greeting", label="latest")
    status = client.status()
    assert (status.lock, status.locked_prompts) == (str(lock), 3)
    assert {(each.label, each.is_locked) for each in status.prompts} == {("production", True), ("latest", False)}
    assert pickle.loads(pickle.dumps(status)) == status
    shown = status.to_dict()
    assert (shown["lock"], shown["locked_prompts"]) == (str(lock), 3)
    assert shown["prompts"][0]["is_locked"] is True
    without = make_client().status()
    assert (without.lock, without.locked_prompts) == (None, 0)


def test_a_read_without_a_lock_is_not_locked(make_client: Make) -> None:
    read = make_client().read_prompt("greeting")
    assert not read.is_locked
    assert pickle.loads(pickle.dumps(read)) == read


def test_telemetry_and_status_hear_of_an_answer_that_is_refused(
    make_locked: Make, server: FaultServer, heard: Any
) -> None:
    client = make_locked()
    server.answers(json_answer({**GREETING, "content": "edited"}))
    content(client)
    assert "locked_version_differs" in [told.error.error_code for told in heard.errors]
    assert "is not the one that the lock" in (client.status().last_error or "")
    assert counted(client, "errors") == 1


def test_the_lock_is_told_of_in_one_line(make_locked: Make, caplog: pytest.LogCaptureFixture, lock: Path) -> None:
    caplog.set_level(logging.INFO)
    make_locked()
    assert [each.getMessage() for each in caplog.records] == [f"the lock {lock} is in use, with 3 prompts"]


def test_a_version_of_the_folder_is_a_plain_one(make_locked: Make, server: FaultServer) -> None:
    server.answers(error(503))
    version = make_locked().get_prompt_version("greeting")
    assert isinstance(version, PromptVersion)
    assert pickle.loads(pickle.dumps(version)) == version
    assert not version.is_fallback


def test_an_option_that_is_almost_right_is_advised(make_client: Make) -> None:
    with pytest.raises(TypeError, match="the option is called 'lock'"):
        make_client(lock_file="scope.lock")
    with pytest.raises(ConfigurationError, match="lock must be the path of a file"):
        make_client(lock=5)
