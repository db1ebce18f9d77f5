"""The configuration of the process and the one client that follows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable

import pytest
from faults.crowd import crowd
from faults.server import FaultServer

import scope_client
from scope_client import ApiKeyCredentials, Configuration, ConfigurationError, MissingApiKeyError, ScopeClient
from scope_client.testing import PromptsClient

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _a_process_that_was_not_configured() -> Iterator[None]:
    scope_client.reset_configuration()
    yield
    scope_client.reset_configuration()


@pytest.fixture
def configured(server: FaultServer, keys: ApiKeyCredentials) -> FaultServer:
    scope_client.configure(credentials=keys, base_url=server.url, auth_api_url=server.url)
    return server


def test_the_client_reads_by_the_configuration_of_the_process(configured: FaultServer) -> None:
    assert scope_client.client().render_prompt("greeting", {"name": "A"}) == "Hello, A!"
    assert len(configured.reads) == 1
    assert scope_client.client().config == scope_client.configuration()


def test_there_is_one_client(configured: FaultServer) -> None:
    assert scope_client.client() is scope_client.client()


def test_many_threads_get_one_client(configured: FaultServer) -> None:
    for _ in range(20):
        scope_client.configure(cache_ttl=time.monotonic())
        clients = crowd(16, scope_client.client)
        assert len(set(map(id, clients))) == 1


def test_configuring_again_adds_to_what_was_set_and_makes_a_new_client(configured: FaultServer) -> None:
    first = scope_client.client()
    scope_client.configure(cache_ttl=5)
    second = scope_client.client()
    assert second is not first
    assert (second.config.cache_ttl, second.config.base_url) == (5, configured.url)
    assert first.config.cache_ttl == 300


def test_configuring_again_closes_the_former_client_which_stays_usable(configured: FaultServer) -> None:
    first = scope_client.client()
    first.get_prompt_version("greeting")
    scope_client.configure(cache_ttl=5)
    configured.wait_until_all_have_left()
    assert first.get_prompt_version("other").content == "Hello, {{name}}!"
    first.close()


def test_a_bad_option_changes_nothing(configured: FaultServer) -> None:
    before, client = scope_client.configuration(), scope_client.client()
    with pytest.raises(ConfigurationError):
        scope_client.configure(cache_ttl=-1)
    with pytest.raises(TypeError, match="'cache_ttl'"):
        scope_client.configure(cache_tll=1)
    assert scope_client.configuration() == before
    assert scope_client.client() is client


def test_without_configure_the_configuration_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scope_client.configuration() == Configuration()
    monkeypatch.setenv("SCOPE_ENVIRONMENT", "staging")
    assert scope_client.configuration().environment == "staging"


def test_without_credentials_the_client_says_so_and_can_be_configured_then(keys: ApiKeyCredentials) -> None:
    with pytest.raises(MissingApiKeyError):
        scope_client.client()
    scope_client.configure(credentials=keys)
    assert scope_client.client().config.credentials is keys


def test_reset_configuration_forgets_what_was_set_and_closes_the_client(configured: FaultServer) -> None:
    scope_client.client().get_prompt_version("greeting")
    scope_client.reset_configuration()
    configured.wait_until_all_have_left()
    assert scope_client.configuration() == Configuration()
    with pytest.raises(MissingApiKeyError):
        scope_client.client()


def test_threads_that_configure_reset_and_read_at_once_come_to_no_harm(
    configured: FaultServer, keys: ApiKeyCredentials
) -> None:
    options = {"credentials": keys, "base_url": configured.url, "auth_api_url": configured.url}

    def work() -> None:
        for number in range(15):
            scope_client.configure(**options, cache_ttl=number)
            try:
                client = scope_client.client()
            except MissingApiKeyError:  # another thread has just reset it
                continue
            assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
            client.close()
            if number % 5 == 0:
                scope_client.reset_configuration()

    assert crowd(6, work) == [None] * 6


def test_configure_returns_what_is_in_force_now(keys: ApiKeyCredentials) -> None:
    first = scope_client.configure(credentials=keys)
    second = scope_client.configure(cache_ttl=7)
    assert second is scope_client.configuration()
    assert (first.cache_ttl, second.cache_ttl, second.credentials) == (300, 7, keys)


def test_a_client_without_arguments_follows_the_configuration_of_the_process(configured: FaultServer) -> None:
    with ScopeClient() as made:
        assert made is not scope_client.client()
        assert made.config == scope_client.configuration()
        assert made.render_prompt("greeting", {"name": "A"}) == "Hello, A!"


def test_arguments_of_a_client_change_the_configuration_of_the_process_for_it_alone(
    configured: FaultServer, keys: ApiKeyCredentials
) -> None:
    other = ApiKeyCredentials("org-2", "key-2", "secret-2")
    assert ScopeClient(cache_ttl=7).config == scope_client.configuration().merge(cache_ttl=7)
    assert ScopeClient(other).config == scope_client.configuration().merge(credentials=other)
    assert scope_client.configuration().cache_ttl == 300
    assert scope_client.configuration().credentials is keys


def test_a_client_of_a_given_configuration_takes_nothing_of_the_process(keys: ApiKeyCredentials) -> None:
    scope_client.configure(credentials=keys, cache_ttl=7)
    own = Configuration(ApiKeyCredentials("org-2", "key-2", "secret-2"))
    assert ScopeClient(config=own).config == own
    assert PromptsClient({}).config.cache_ttl == 300


def test_with_options_each_call_of_client_makes_a_new_one_of_the_changed_configuration(
    configured: FaultServer, keys: ApiKeyCredentials
) -> None:
    shared = scope_client.client()
    first, second = scope_client.client(cache_ttl=7), scope_client.client(cache_ttl=7)
    assert len({id(shared), id(first), id(second)}) == 3
    assert first.config == second.config == scope_client.configuration().merge(cache_ttl=7)
    assert scope_client.client(config=Configuration(keys), timeout=5).config == Configuration(keys, timeout=5)
    assert scope_client.client() is shared


@pytest.mark.parametrize("make", [ScopeClient, scope_client.client, lambda: ScopeClient(cache_ttl=7)])
@pytest.mark.parametrize("pair", ["API_KEY API_SECRET", "CLIENT_ID CLIENT_SECRET"])
def test_a_client_that_nobody_gave_credentials_takes_those_of_the_environment(
    make: Callable[[], ScopeClient], pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ORG_ID", *pair.split()):
        monkeypatch.setenv(f"SCOPE_{name}", name)
    assert make().config.credentials == ApiKeyCredentials.from_env()


def test_the_credentials_of_configure_win_over_those_of_the_environment(
    keys: ApiKeyCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ORG_ID", "API_KEY", "API_SECRET"):
        monkeypatch.setenv(f"SCOPE_{name}", "other")
    scope_client.configure(credentials=keys)
    assert ScopeClient().config.credentials is keys


def test_credentials_that_were_given_as_none_are_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ORG_ID", "API_KEY", "API_SECRET"):
        monkeypatch.setenv(f"SCOPE_{name}", "other")
    given = (
        lambda: ScopeClient(None),
        lambda: ScopeClient(credentials=None),
        lambda: scope_client.client(credentials=None),
    )
    for make in given:
        with pytest.raises(MissingApiKeyError, match="a client needs credentials"):
            make()
