"""The configuration of the process and the one client that follows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from faults.crowd import crowd
from faults.server import FaultServer

import scope_client
from scope_client import ApiKeyCredentials, Configuration, ConfigurationError, MissingApiKeyError

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
