"""What docs/operations/rotating-credentials.md says of keys that are replaced, or revoked too early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.clock import ManualClock
from faults.reading import reads, wait_until_idle, warnings

import scope_client
from scope_client import ApiKeyCredentials, InvalidCredentialsError, MemoryStore
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client import ScopeClient

TTL_SECONDS = 100
TOKEN_SECONDS = 1000
BUFFER_SECONDS = 60


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    """It accepts two kinds of credentials at the same time: the old and the new ones of these tests."""
    with LocalPlatform({"greeting": "Hello!", "other": "Bye!"}, token_ttl=TOKEN_SECONDS) as started:
        yield started


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(platform: LocalPlatform, clock: ManualClock) -> ScopeClient:
    made = platform.client(clock=clock.clock, cache_ttl=TTL_SECONDS)
    made.get_prompt_version("greeting")
    return made


def logins(platform: LocalPlatform) -> int:
    return sum(request.method == "POST" for request in platform.requests)


def test_two_keys_are_valid_at_once_and_a_new_client_reads_with_the_new_one(platform, client):
    with platform.client(credentials=platform.client_credentials) as renewed:
        assert renewed.get_prompt_version("greeting").content == "Hello!"
        assert client.get_prompt_version("other").content == "Bye!"


def test_entries_of_a_shared_store_belong_to_the_organisation_so_that_the_new_client_starts_warm(platform):
    store = MemoryStore()
    with platform.client(cache_store=store) as old:
        old.get_prompt_version("greeting")
    asked = reads(platform)
    with platform.client(cache_store=store, credentials=platform.client_credentials) as renewed:
        assert renewed.read_prompt("greeting").source == "store"
    assert reads(platform) == asked
    assert platform.credentials.api_secret not in repr(store.get_many)


def test_a_revoked_key_is_noticed_early_and_nobody_suffers_until_the_token_ends(platform, client, clock, caplog):
    platform.fail(401, on="auth")
    clock.passes(TOKEN_SECONDS - BUFFER_SECONDS / 2)
    assert client.get_prompt_version("greeting").content == "Hello!"
    wait_until_idle(client)
    (warning,) = warnings(caplog, "scope_client.tokens")
    assert "could not be renewed ahead of its end" in warning
    assert "refused these credentials" in warning
    assert not client.status().is_refused
    clock.passes(BUFFER_SECONDS / 2)
    assert client.status().is_refused
    assert client.get_prompt_version("greeting").content == "Hello!"


def test_a_fresh_version_is_served_and_an_expired_one_is_an_error_that_no_fallback_hides(platform, client, clock):
    clock.passes(TOKEN_SECONDS - 10)
    client.get_prompt_version("greeting")
    wait_until_idle(client)
    platform.expire_tokens()  # whatever the client has bought meanwhile
    platform.fail(401, on="auth")
    assert client.read_prompt("greeting").source == "memory"
    clock.passes(TTL_SECONDS + 1)
    for options in ({}, {"fallback": "Hi!"}):
        with pytest.raises(InvalidCredentialsError):
            client.get_prompt_version("greeting", **options)
    status = client.status()
    assert (status.is_refused, status.is_down) == (True, False)
    assert [prompt.state for prompt in status.prompts] == ["stale"]


def test_refused_credentials_are_tried_after_growing_pauses_and_by_a_new_client_at_once(platform, client, clock):
    platform.fail(401, on="auth")
    clock.passes(TOKEN_SECONDS + TTL_SECONDS)
    before = logins(platform)
    for pause in (1, 2, 4, 8):
        for _ in range(3):
            with pytest.raises(InvalidCredentialsError):
                client.get_prompt_version("greeting")
        clock.passes(pause)
    assert logins(platform) - before == 4
    platform.recover()
    with platform.client() as renewed:
        assert renewed.get_prompt_version("greeting").content == "Hello!"


def test_a_key_that_is_valid_again_helps_a_minute_later_at_the_most(platform, client, clock):
    platform.fail(401, on="auth")
    clock.passes(TOKEN_SECONDS + TTL_SECONDS)
    for _ in range(20):
        with pytest.raises(InvalidCredentialsError):
            client.get_prompt_version("greeting")
        clock.passes(60)
    platform.recover()
    assert client.get_prompt_version("greeting").content == "Hello!"
    assert not client.status().is_refused


def test_the_process_wide_client_is_another_one_after_configure_and_its_memory_is_empty(platform, monkeypatch):
    for name, value in platform.environ.items():
        monkeypatch.setenv(name, value)
    try:
        scope_client.configure(credentials=ApiKeyCredentials.from_env())
        old = scope_client.client()
        old.get_prompt_version("greeting")
        scope_client.configure(credentials=platform.client_credentials)
        renewed = scope_client.client()
        assert renewed is not old
        assert renewed.status().prompts == ()
        assert renewed.get_prompt_version("greeting") == old.get_prompt_version("greeting", cache=False)
    finally:
        scope_client.reset_configuration()


def test_the_environment_is_read_once(platform, monkeypatch):
    for name, value in platform.environ.items():
        monkeypatch.setenv(name, value)
    credentials = ApiKeyCredentials.from_env()
    monkeypatch.setenv("SCOPE_API_KEY", "another")
    assert credentials.api_key == platform.credentials.api_key
