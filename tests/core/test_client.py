"""ScopeClient: how it is made, what it reads, and what closing it means."""

from __future__ import annotations

import contextlib
import gc
import threading
from typing import Callable

import pytest
from faults.clock import ManualClock
from faults.crowd import Crowd, crowd
from faults.replies import PROMPT, Gate, json_answer, prompt, token
from faults.server import FaultServer

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    ConfigurationError,
    MissingApiKeyError,
    MissingVariableError,
    ScopeClient,
    ScopeError,
    ValidationError,
)


def test_it_takes_keywords_a_configuration_or_both_and_the_keywords_win(keys: ApiKeyCredentials) -> None:
    config = Configuration(credentials=keys, cache_ttl=1, timeout=2)
    assert ScopeClient(credentials=keys, timeout=2, cache_ttl=1).config == config
    assert ScopeClient(config=config).config == config
    other = ClientCredentials("o", "c", "s")
    both = ScopeClient(config=config, cache_ttl=300, credentials=other).config
    assert (both.cache_ttl, both.timeout, both.credentials) == (300, 2, other)


def test_without_credentials_it_says_how_to_give_them(keys: ApiKeyCredentials, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"):
        monkeypatch.setenv(name, "x")
    for options in (
        {"credentials": None},
        {"config": Configuration()},
        {"config": Configuration(credentials=keys), "credentials": None},
    ):
        with pytest.raises(MissingApiKeyError, match=r"ApiKeyCredentials\.from_env"):
            ScopeClient(**options)


@pytest.mark.parametrize("config", [{}, "config", Configuration, 5])
def test_a_config_is_a_configuration(config: object, keys: ApiKeyCredentials) -> None:
    with pytest.raises(ConfigurationError, match="config must be a Configuration"):
        ScopeClient(config=config, credentials=keys)


def test_nothing_is_sent_before_the_first_read(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    make_client()
    assert server.accepted == 0


def test_a_read_reuses_its_connection(client: ScopeClient, server: FaultServer) -> None:
    for number in range(5):
        client.get_prompt_version(f"prompt-{number}")
    assert server.accepted == 1


def test_an_argument_that_does_not_exist_is_a_type_error(client: ScopeClient, server: FaultServer) -> None:
    with pytest.raises(TypeError, match="lable"):
        client.get_prompt_version("greeting", lable="latest")
    with pytest.raises(TypeError, match="lable"):
        client.render_prompt("greeting", {}, lable="latest")
    with pytest.raises(TypeError):
        client.get_prompt_version("greeting", "latest")  # type: ignore[misc]
    assert server.accepted == 0


def test_render_prompt_reads_and_renders(client: ScopeClient) -> None:
    assert client.render_prompt("greeting", {"name": "Bob"}) == "Hello, Bob!"
    assert client.render_prompt("greeting", {"name": "Bob"}, label="latest") == "Hello, Bob!"


@pytest.mark.parametrize(
    ("options", "ending"),
    [({}, "production"), ({"label": "latest"}, "latest"), ({"version": "v_1"}, "versions/v_1")],
)
def test_render_prompt_asks_for_what_get_prompt_version_asks_for(
    options: dict, ending: str, client: ScopeClient, server: FaultServer
) -> None:
    client.render_prompt("greeting", {"name": "Bob"}, **options)
    client.get_prompt_version("greeting", **options)
    client.render_prompt("greeting", {"name": "Bob"}, cache=False, **options)
    assert [read.target for read in server.reads] == [f"/api/v1/prompts/greeting/{ending}"] * 2


@pytest.mark.parametrize("name", ["name", "self", "label", "version", "variables", "cache"])
def test_render_prompt_takes_any_name_of_a_variable(name: str, client: ScopeClient, server: FaultServer) -> None:
    server.answers(prompt(f"<{{{{{name}}}}}>"))
    assert client.render_prompt("greeting", {name: "x"}) == "<x>"


@pytest.mark.parametrize("nothing", [None, {}])
def test_render_prompt_without_variables(nothing: object, client: ScopeClient, server: FaultServer) -> None:
    server.answers(prompt("Hello"))
    assert client.render_prompt("greeting", nothing) == client.render_prompt("greeting") == "Hello"


@pytest.mark.parametrize("variables", ["name", ["name"], 5, [("name", "x")], True])
def test_render_prompt_takes_a_mapping_and_nothing_else(
    variables: object, client: ScopeClient, server: FaultServer
) -> None:
    with pytest.raises(ValidationError, match="variables must be a mapping"):
        client.render_prompt("greeting", variables)
    assert server.accepted == 0


def test_render_prompt_raises_what_render_raises(client: ScopeClient) -> None:
    with pytest.raises(MissingVariableError):
        client.render_prompt("greeting")
    with pytest.raises(ValidationError, match="'nmae'"):
        client.render_prompt("greeting", {"name": "x", "nmae": "y"})
    with pytest.raises(ValidationError, match="5"):
        client.render_prompt("greeting", {"name": "x", 5: "y"})
    with pytest.raises(MissingVariableError):
        client.render_prompt("greeting", {5: "y"})


def test_a_version_has_the_name_that_was_asked_for_where_the_platform_tells_none(
    client: ScopeClient, server: FaultServer
) -> None:
    server.answers(json_answer({"content": "x"}))
    assert client.get_prompt_version("greeting").name == "greeting"


def test_closing_closes_the_connections_and_the_client_stays_usable(client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version("greeting")
    client.close()
    client.close()
    server.wait_until_all_have_left()
    client.get_prompt_version("greeting")
    assert server.accepted == 1
    client.get_prompt_version("other")
    assert server.accepted == 2
    assert len(server.logins) == 1


def test_closing_what_was_never_used_is_fine(client: ScopeClient, server: FaultServer) -> None:
    client.close()
    assert server.accepted == 0


def test_leaving_the_with_block_closes_it_whatever_happened(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    def block() -> None:
        with make_client() as client:
            client.get_prompt_version("greeting")
            raise RuntimeError("of the block")

    with pytest.raises(RuntimeError, match="of the block"):
        block()
    server.wait_until_all_have_left()


def test_closing_during_a_call_neither_breaks_it_nor_leaves_a_connection(
    client: ScopeClient, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(gate.holds(PROMPT))
    reader = Crowd(1, lambda: client.get_prompt_version("greeting").content)
    server.wait_for_reads(1)
    client.close()
    gate.open()
    assert reader.outcomes() == ["Hello, {{name}}!"]
    server.wait_until_all_have_left()


def test_closing_between_the_token_and_the_read_leaves_no_connection(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    server.gives_tokens(gate.holds(json_answer({"access_token": "token-1"})))
    reader = Crowd(1, lambda: client.get_prompt_version("greeting").content)
    server.wait_for_logins(1)
    client.close()
    gate.open()
    assert reader.outcomes() == ["Hello, {{name}}!"]
    client.close()
    server.wait_until_all_have_left()


def test_closing_during_an_early_renewal_of_the_token_leaves_no_connection(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    gate = Gate()
    server.gives_tokens(token("token-1"), gate.holds(token("token-2")))
    client.get_prompt_version("one")
    clock.passes(3590)
    client.get_prompt_version("two")
    server.wait_for_logins(2)
    client.close()
    gate.open()
    server.wait_until_all_have_left()


def test_many_threads_may_read_and_close(client: ScopeClient) -> None:
    def work() -> None:
        for number in range(20):
            assert client.get_prompt_version(f"prompt-{number}", cache=False).content == "Hello, {{name}}!"
            if number % 7 == 0:
                client.close()

    assert crowd(8, work) == [None] * 8


def test_a_client_that_is_forgotten_leaves_no_connection(keys: ApiKeyCredentials, server: FaultServer) -> None:
    ScopeClient(credentials=keys, base_url=server.url, auth_api_url=server.url).get_prompt_version("greeting")
    gc.collect()
    server.wait_until_all_have_left()


def test_the_name_of_the_host_is_sent_as_it_was_given(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    url = server.url.replace("127.0.0.1", "localhost")
    assert make_client(base_url=url, auth_api_url=url).get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert server.reads[0].header("Host") == f"localhost:{server.port}"


def test_repr_tells_where_it_reads_and_for_whom(client: ScopeClient, server: FaultServer) -> None:
    assert server.url in repr(client)
    assert "org-1" in repr(client)


def test_render_prompt_with_a_mapping_that_another_thread_changes_gives_a_text_or_an_error_of_ours(
    client: ScopeClient, server: FaultServer
) -> None:
    server.answers(prompt("".join("{{v%d}}" % number for number in range(20))))  # noqa: UP031  # braces
    values: dict[str, str] = {f"v{number}": "x" for number in range(20)}
    client.render_prompt("greeting", values)
    is_over = threading.Event()

    def changes() -> None:
        while not is_over.is_set():
            values["more"] = values.pop("v7")
            values["v7"] = values.pop("more")
            values["w"] = values.pop("v8")
            values["v8"] = values.pop("w")

    changing = threading.Thread(target=changes)
    changing.start()
    try:
        for _ in range(20_000):
            with contextlib.suppress(ScopeError):
                assert client.render_prompt("greeting", values) == "x" * 20
    finally:
        is_over.set()
        changing.join()
