"""Where nothing is known and the platform cannot answer: the fallback, then the prompt folder, then the error."""

from __future__ import annotations

import logging
import pickle
import shutil
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable

import pytest
from django.utils.functional import SimpleLazyObject
from faults.clock import ManualClock, ends_within, eventually
from faults.crowd import Crowd
from faults.reading import content, has_looked, wait_until_idle
from faults.replies import PROMPT, Gate, closes, error, hangs, prompt
from faults.server import FaultServer
from werkzeug.local import LocalProxy

from scope_client import (
    AuthenticationError,
    AuthorizationError,
    Clock,
    Configuration,
    ConfigurationError,
    InvalidCredentialsError,
    NoProductionVersionError,
    NotFoundError,
    ScopeClient,
    ServerError,
    ValidationError,
)

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., ScopeClient]
FALLBACK = "Hi, {{name}}."


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(cache_ttl=100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "prompts"
    (root / "greeting").mkdir(parents=True)
    (root / "greeting" / "v1.md").write_text("---\nstatus: published\nid: v_one\n---\nfolder one {{name}}\n")
    (root / "greeting" / "v2.md").write_text("folder two\n")
    (root / "chat.md").write_text('---\ntype: chat\n---\n[{"role": "system", "content": "Be {{mood}}."}]\n')
    return root


@pytest.mark.parametrize("fallback", [FALLBACK, lambda: FALLBACK])
@pytest.mark.parametrize("reply", [error(503), error(429), closes(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_a_fallback_is_served(reply: Any, fallback: Any, client: ScopeClient, server: FaultServer) -> None:
    server.answers(reply)
    version = client.get_prompt_version("greeting", fallback=fallback)
    assert (version.content, version.is_fallback, version.name) == (FALLBACK, True, "greeting")
    assert (version.id, version.variables, version.type) == (None, ("name",), "text")
    assert version.render(name="Ann") == "Hi, Ann."
    assert pickle.loads(pickle.dumps(version)) == version
    assert client.render_prompt("greeting", {"name": "Bob"}, fallback=fallback) == "Hi, Bob."


def test_the_empty_text_is_a_fallback_too(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(503))
    assert content(client, fallback="") == client.render_prompt("greeting", fallback=lambda: "") == ""


def test_what_the_platform_gives_is_no_fallback_and_no_fallback_is_made_then(client: ScopeClient) -> None:
    def never() -> str:
        raise AssertionError

    assert not client.get_prompt_version("greeting", fallback=never).is_fallback
    assert not client.get_prompt_version("greeting", fallback=never).is_fallback


@pytest.mark.parametrize("raised", [KeyError("oh"), TimeoutError("mine"), NotFoundError("mine"), ServerError("mine")])
def test_what_a_callable_raises_reaches_the_caller_unchanged(
    raised: Exception, client: ScopeClient, server: FaultServer
) -> None:
    def raises() -> str:
        raise raised

    server.answers(error(503))
    for _ in range(2):
        with pytest.raises(type(raised)) as caught:
            content(client, fallback=raises)
        assert caught.value is raised


@pytest.mark.parametrize("fallback", [lambda: None, lambda: b"bytes", lambda: 5])
def test_a_callable_that_gives_no_text_is_a_validation_error(
    fallback: Callable, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(503))
    for _ in range(2):
        with pytest.raises(ValidationError, match="fallback for the prompt 'greeting'"):
            content(client, fallback=fallback)


@pytest.mark.parametrize("fallback", [b"bytes", 5, False, ["x"], {"content": "x"}])
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_fallback_that_is_none_is_a_validation_error_before_anything_is_sent(
    fallback: Any, is_cached: bool, client: ScopeClient, server: FaultServer
) -> None:
    if is_cached:
        content(client)
    with pytest.raises(ValidationError, match="fallback must be text"):
        content(client, fallback=fallback)
    assert len(server.reads) == is_cached


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(401), AuthenticationError),
        (error(403), AuthorizationError),
        (error(404, "Prompt not found"), NotFoundError),
        (error(404, "no production version"), NoProductionVersionError),
        (error(410), NotFoundError),
    ],
)
def test_a_fallback_hides_no_refusal(
    reply: bytes, kind: type, make_client: Make, server: FaultServer, folder: Path
) -> None:
    client = make_client(prompt_dir=folder)
    server.answers(reply)
    for options in ({"fallback": FALLBACK}, {}):
        with pytest.raises(kind):
            content(client, **options)


def test_a_fallback_hides_no_invalid_call_and_no_bad_credentials(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(503))
    for options in ({"label": "staging"}, {"name": ""}, {"deadline": 0}, {"cache_ttl": -1}):
        with pytest.raises(ValidationError):
            content(client, **{"name": "greeting", "fallback": FALLBACK, **options})
    with pytest.raises(TypeError):
        content(client, label="latest", version="v_1", fallback=FALLBACK)
    server.gives_tokens(error(403))
    with pytest.raises(InvalidCredentialsError):
        content(client, fallback=FALLBACK)


def test_last_known_good_comes_first_then_the_fallback_then_the_folder_then_the_error(
    make_client: Make, server: FaultServer, clock: ManualClock, folder: Path
) -> None:
    client = make_client(prompt_dir=folder, cache_ttl=100, stale_if_error=1000, max_retries=0)
    content(client)
    clock.passes(101)
    server.answers(error(503))
    assert content(client, fallback=FALLBACK) == "Hello, {{name}}!"
    assert not client.get_prompt_version("greeting", fallback=FALLBACK).is_fallback
    clock.passes(2000)
    assert content(client, fallback=FALLBACK) == FALLBACK
    assert content(client) == "folder one {{name}}"
    assert client.get_prompt_version("greeting").is_fallback
    with pytest.raises(ServerError):
        content(client, "not in the folder")


def test_where_the_platform_is_known_to_be_down_nobody_asks_before_the_pause_is_over(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(503))
    content(client, fallback=FALLBACK)
    asked, slept = len(server.requests), len(clock.sleeps)
    for name in ("greeting", "one", "two") * 5:
        assert content(client, name, fallback=FALLBACK) == FALLBACK
    assert (len(server.requests), len(clock.sleeps)) == (asked, slept)


def test_where_the_platform_is_known_to_be_down_nobody_waits(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(503), hangs())
    content(client, fallback=FALLBACK, deadline=0.5)
    clock.passes(20)
    with ends_within(5):
        assert {content(client, f"prompt-{number}", fallback=FALLBACK) for number in range(99)} == {FALLBACK}
    server.wait_for_reads(2)


def test_after_the_recovery_the_real_one_comes(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    server.answers(error(503))
    content(client, fallback=FALLBACK)
    server.answers(PROMPT)
    clock.passes(1.1)
    content(client, fallback=FALLBACK)
    eventually(lambda: content(client, fallback=FALLBACK) == "Hello, {{name}}!")
    assert not client.status().is_down


def test_a_caller_in_haste_gets_the_fallback_and_later_the_real_one(make_client: Make, server: FaultServer) -> None:
    client, gate = make_client(clock=Clock()), Gate()
    server.answers(gate.holds(PROMPT))
    assert content(client, fallback=FALLBACK, deadline=0.2) == FALLBACK
    gate.open()
    eventually(lambda: content(client, fallback=FALLBACK, deadline=0.2) == "Hello, {{name}}!")


def test_a_renewal_under_way_is_waited_for_rather_than_a_fallback_served_while_the_platform_answers(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client, gate = make_client(cache_ttl=100, stale_if_error=0), Gate()
    server.answers(prompt("old"), gate.holds(prompt("new")))
    content(client)
    clock.passes(90)
    content(client)
    server.wait_for_reads(2)
    clock.passes(11)
    reader = Crowd(1, lambda: content(client, fallback=FALLBACK))
    reader.wait_until_waiting(1)
    gate.open()
    assert reader.outcomes() == ["new"]


def test_past_the_cache_the_folder_does_not_answer(make_client: Make, server: FaultServer, folder: Path) -> None:
    client = make_client(prompt_dir=folder, max_retries=0)
    server.answers(error(503))
    assert client.read_prompt("greeting").source == "folder"
    with pytest.raises(ServerError):
        content(client, cache=False)


@pytest.mark.parametrize("options", [{"cache": False}, {"cache_ttl": 0}])
def test_a_fallback_needs_no_cache(options: dict, client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(503))
    assert content(client, fallback=FALLBACK, **options) == FALLBACK
    server.answers(PROMPT)
    assert content(client, fallback=FALLBACK, cache=False) == "Hello, {{name}}!"


def test_the_folder_knows_labels_versions_and_ids(make_client: Make, server: FaultServer, folder: Path) -> None:
    client = make_client(prompt_dir=str(folder), max_retries=0)
    server.answers(error(503))
    version = client.get_prompt_version("greeting")
    assert (version.content, version.id, version.version_number) == ("folder one {{name}}", "v_one", 1)
    assert content(client, label="production") == content(client, version="v_one") == "folder one {{name}}"
    assert content(client, label="latest") == "folder two"
    assert content(client, version.prompt_id, label="latest") == "folder two"
    assert content(client, f"prompt_{version.prompt_id[7:].lower()}") == "folder one {{name}}"
    assert client.render_prompt("greeting", {"name": "Ann"}) == "folder one Ann"
    chat = client.get_prompt_version("chat")
    assert chat.messages(mood='"kind"') == [{"role": "system", "content": 'Be "kind".'}]
    with pytest.raises(ServerError):
        content(client, version="v_unknown")


def test_a_changed_folder_is_read_again(
    make_client: Make, server: FaultServer, clock: ManualClock, folder: Path
) -> None:
    client = make_client(prompt_dir=folder, max_retries=0)
    server.answers(error(503))
    content(client)
    (folder / "greeting" / "v1.md").write_text("---\nstatus: published\n---\nedited, and longer\n")
    (folder / "added.md").write_text("added\n")
    has_looked(client, clock, "greeting", "added")
    assert content(client) == "edited, and longer"
    assert content(client, "added") == "added"
    shutil.rmtree(folder / "greeting")
    has_looked(client, clock, "greeting")
    with pytest.raises(ServerError):
        content(client)


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_folder_that_breaks_is_named_in_a_warning_and_what_was_read_stays(
    is_removed: bool, make_client: Make, server: FaultServer, clock: ManualClock, folder: Path, caplog: Any
) -> None:
    client = make_client(prompt_dir=folder, max_retries=0)
    server.answers(error(503))
    if is_removed:
        shutil.rmtree(folder)
    else:
        (folder / "greeting" / "v1.md").write_text("---\nstate: published\n---\nbroken\n")
    has_looked(client, clock, "greeting")
    assert content(client) == "folder one {{name}}"
    (record,) = [record for record in caplog.records if record.name == "scope_client.folder"]
    assert record.levelno == logging.WARNING
    assert str(folder) in record.getMessage()
    assert is_removed or "greeting/v1.md" in record.getMessage()


@pytest.mark.parametrize("fails", ["by option", "by environment"])
def test_a_missing_folder_is_a_configuration_error(fails: str, tmp_path: Path, monkeypatch: Any) -> None:
    missing = str(tmp_path / "missing")
    monkeypatch.setenv("SCOPE_PROMPT_DIR", missing if fails == "by environment" else "")
    options = {"prompt_dir": missing} if fails == "by option" else {}
    with pytest.raises(ConfigurationError, match=r"prompt_dir.*must be a folder that exists.*missing"):
        Configuration(**options)


def test_a_broken_folder_is_a_configuration_error_when_the_client_is_made(make_client: Make, folder: Path) -> None:
    (folder / "broken.md").write_text("---\nstatus: unheard of\n---\nx\n")
    with pytest.raises(ConfigurationError, match=r"broken\.md"):
        make_client(prompt_dir=folder)


def test_the_environment_may_name_the_folder(
    make_client: Make, server: FaultServer, folder: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SCOPE_PROMPT_DIR", str(folder))
    server.answers(error(503))
    assert content(make_client(max_retries=0)) == "folder one {{name}}"
    assert content(make_client(max_retries=0), fallback=FALLBACK) == FALLBACK
    with pytest.raises(ServerError):
        content(make_client(max_retries=0, prompt_dir=None))
    server.answers(prompt("real"))
    assert content(make_client()) == "real"


def test_a_caller_in_haste_gets_the_fallback_and_the_version_comes_in_behind_it(
    client: ScopeClient, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(gate.holds(prompt("late")), prompt("the real one"))
    assert content(client, fallback="a stand-in", deadline=0.3) == "a stand-in"
    wait_until_idle(client)
    gate.open()
    version = client.get_cached_version("greeting")
    assert version is not None
    assert version.content == "the real one"


MESSAGES = [{"role": "system", "content": "Be {{mood}}."}, {"role": "placeholder", "content": "{{history}}"}]


@pytest.mark.parametrize(
    "fallback",
    [
        MESSAGES,
        tuple(MESSAGES),
        lambda: MESSAGES,
        LocalProxy(lambda: MESSAGES),
        [MappingProxyType(each) for each in MESSAGES],
    ],
    ids=["list", "tuple", "callable", "proxy", "mappings"],
)
def test_a_list_of_messages_stands_in_for_a_chat_prompt(
    fallback: Any, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(503))
    version = client.get_prompt_version("greeting", fallback=fallback)
    assert (version.type, version.is_fallback, version.variables) == ("chat", True, ("mood", "history"))
    said = [{"role": "user", "content": "x"}]
    assert version.messages(mood="kind", history=said, extra=1) == [{"role": "system", "content": "Be kind."}, *said]


@pytest.mark.parametrize("fallback", [5, {"role": "user"}, ["text"], [5], {1}, b"x", LocalProxy(lambda: 5.5)])
def test_a_fallback_of_another_kind_is_refused_before_anything_is_asked(
    fallback: Any, client: ScopeClient, server: FaultServer
) -> None:
    if callable(fallback):  # as every LocalProxy is, also one of a number
        server.answers(error(503))
    with pytest.raises(ValidationError, match="fallback"):
        client.get_prompt_version("greeting", fallback=fallback)
    assert callable(fallback) or server.reads == []


@pytest.mark.parametrize("messages", [[{"content": "x"}], [{"role": "user"}], [{"role": "user", "content": {1}}]])
def test_messages_that_are_none_are_an_error_that_names_the_prompt(
    messages: Any, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(503))
    with pytest.raises(ValidationError, match="fallback for the prompt 'greeting' is not a list of messages"):
        client.get_prompt_version("greeting", fallback=messages)


def test_a_proxy_for_a_text_and_for_none_count_as_these(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(503))
    assert content(client, fallback=LocalProxy(lambda: FALLBACK)) == FALLBACK
    assert content(client, fallback=SimpleLazyObject(lambda: FALLBACK)) == FALLBACK
    for proxy in (LocalProxy(lambda: None), SimpleLazyObject(lambda: None)):
        with pytest.raises(ServerError):
            content(client, "other", fallback=proxy)
