"""An option under another library's word is answered with the name that it has here."""

from __future__ import annotations

from typing import Any, Callable

import pytest

import scope_client
from scope_client import ApiKeyCredentials, Configuration, ScopeClient
from scope_client.frameworks import Settings
from scope_client.testing import PromptsClient

KEYS = ApiKeyCredentials("o", "k", "s")
MEANT = {
    "api_url": "base_url",
    "url": "base_url",
    "host": "base_url",
    "endpoint": "base_url",
    "SCOPE_API_URL": "base_url",
    "auth_url": "auth_api_url",
    "ttl": "cache_ttl",
    "cache_timeout": "cache_ttl",
    "max_age": "cache_ttl",
    "retries": "max_retries",
    "retry": "max_retries",
    "max_attempts": "max_retries",
    "num_retries": "max_retries",
    "request_timeout": "timeout",
    "connect_timeout": "open_timeout",
    "backoff": "retry_base_delay",
    "max_backoff": "retry_max_delay",
    "cache": "cache_enabled",
    "use_cache": "cache_enabled",
    "cache_size": "cache_max_size",
    "env": "environment",
    "telemetry": "telemetry_enabled",
    "redis_url": "cache_store",
    "folder": "prompt_dir",
    "swr": "stale_while_revalidate",
    "max_time": "deadline",
    "insecure": "allow_insecure",
    "verify": "session",
    "proxies": "session",
    "creds": "credentials",
    "Cache-TTL": "cache_ttl",
    "cache_tll": "cache_ttl",
    "max_retires": "max_retries",
    "base_ulr": "base_url",
}
WAYS: dict[str, Callable[[dict[str, Any]], object]] = {
    "Configuration": lambda options: Configuration(**options),
    "merge": lambda options: Configuration().merge(**options),
    "ScopeClient": lambda options: ScopeClient(KEYS, **options),
    "ScopeClient with a config": lambda options: ScopeClient(config=Configuration(KEYS), **options),
    "configure": lambda options: scope_client.configure(**options),
    "client": lambda options: scope_client.client(credentials=KEYS, **options),
    "PromptsClient": lambda options: PromptsClient({}, **options),
}


def refusal(name: str, way: Callable[[dict[str, Any]], object] = WAYS["Configuration"]) -> str:
    with pytest.raises(TypeError) as caught:
        way({name: "hush"})
    assert repr(name) in str(caught.value)
    assert "hush" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("name", "option"), MEANT.items())
def test_another_word_for_an_option_is_answered_with_the_option(name: str, option: str) -> None:
    assert refusal(name).endswith((f"the option is called {option!r}", f"the nearest one is {option!r}"))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_takes_options_gives_the_advice(way: Callable[[dict[str, Any]], object]) -> None:
    assert "'base_url'" in refusal("api_url", way)


@pytest.mark.parametrize("name", ["org_id", "organization", "api_key", "api_secret", "secret"])
def test_a_part_of_an_api_key_is_answered_with_how_to_make_credentials(name: str) -> None:
    assert "credentials=ApiKeyCredentials(org_id=..., api_key=..., api_secret=...)" in refusal(name)


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_a_part_of_a_client_is_answered_with_the_other_kind(name: str) -> None:
    assert "credentials=ClientCredentials(org_id=..., client_id=..., client_secret=...)" in refusal(name)


@pytest.mark.parametrize("name", ["label", "version", "fallback"])
def test_what_belongs_to_a_read_is_sent_there(name: str) -> None:
    assert f"give {name}= to the method that reads" in refusal(name)


def test_a_configuration_under_another_name_is_sent_to_config() -> None:
    assert "config= to ScopeClient" in refusal("configuration", WAYS["ScopeClient"])


@pytest.mark.parametrize(("name", "option"), MEANT.items())
@pytest.mark.parametrize("spelled", ["SCOPE_{}", "SCOPE['{}']"])
def test_settings_of_a_framework_give_the_same_advice_in_their_spelling(name: str, option: str, spelled: str) -> None:
    key = name.upper()
    (problem,) = Settings({"CREDENTIALS": KEYS, key: "x"}, spelled=spelled).problems
    assert problem.hint == f"the nearest one is {spelled.format(option.upper())}"


def test_settings_name_the_parts_of_credentials_and_what_a_framework_has_of_its_own() -> None:
    for key, also, near in [("KEY", (), "API_KEY"), ("ORG", (), "ORG_ID"), ("ALIAS", ("CACHE_ALIAS",), "CACHE_ALIAS")]:
        (problem,) = Settings({"CREDENTIALS": KEYS, key: "x"}, spelled="SCOPE_{}", also=also).problems
        assert problem.hint == f"the nearest one is SCOPE_{near}"
