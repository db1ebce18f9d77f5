"""A Configuration is checked when it is made, and then it is frozen."""

from __future__ import annotations

import copy
import pickle

import pytest
import requests

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    ConfigurationError,
    MissingApiKeyError,
    ScopeClient,
)

DEFAULTS = {
    "credentials": None,
    "base_url": "https://api.scope.io",
    "auth_api_url": "https://auth.scope.io",
    "api_version": "v1",
    "timeout": 30,
    "open_timeout": 10,
    "cache_enabled": True,
    "cache_ttl": 300,
    "max_retries": 3,
    "retry_base_delay": 0.5,
    "retry_max_delay": 30.0,
    "telemetry_enabled": True,
    "environment": "production",
    "token_refresh_buffer": 60,
    "cache_max_size": 1000,
    "stale_if_error": 86_400,
    "stale_while_revalidate": 0,
    "deadline": None,
    "cache_store": None,
    "cache_local_ttl": 5,
    "prompt_dir": None,
    "lock": None,
    "allow_insecure": False,
    "session": None,
    "extra_values": "error",
    "when_unfit": "error",
}
ENVIRONMENT = {
    "base_url": ("SCOPE_API_URL", "https://api.example.com", "https://api.example.com"),
    "auth_api_url": ("SCOPE_AUTH_API_URL", "https://auth.example.com", "https://auth.example.com"),
    "environment": ("SCOPE_ENVIRONMENT", "staging", "staging"),
    "token_refresh_buffer": ("SCOPE_TOKEN_REFRESH_BUFFER", "12.5", 12.5),
    "timeout": ("SCOPE_TIMEOUT", "7.5", 7.5),
    "cache_ttl": ("SCOPE_CACHE_TTL", "12.5", 12.5),
    "allow_insecure": ("SCOPE_ALLOW_INSECURE", "1", True),
    "extra_values": ("SCOPE_EXTRA_VALUES", "warn", "warn"),
    "when_unfit": ("SCOPE_WHEN_UNFIT", "last_fitting", "last_fitting"),
}
URLS = ("base_url", "auth_api_url")
SECONDS = (
    "cache_ttl",
    "retry_base_delay",
    "retry_max_delay",
    "token_refresh_buffer",
    "stale_if_error",
    "stale_while_revalidate",
    "cache_local_ttl",
)
POSITIVE_SECONDS = ("timeout", "open_timeout")
COUNTS = ("max_retries", "cache_max_size")
FLAGS = ("cache_enabled", "telemetry_enabled", "allow_insecure")
NOT_A_NUMBER = (True, False, None, "5", float("nan"), float("inf"), float("-inf"), -1, -0.001, [], 5j)


def refused(option: str, value: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError, match=rf"{option}\b.* must be") as caught:
        Configuration(**{option: value})
    return caught.value


@pytest.mark.parametrize(("option", "value"), DEFAULTS.items())
def test_the_defaults_are_those_of_the_documentation(option: str, value: object) -> None:
    assert getattr(Configuration(), option) == value


@pytest.mark.parametrize("option", [*SECONDS, *POSITIVE_SECONDS, *COUNTS])
@pytest.mark.parametrize("value", NOT_A_NUMBER)
def test_a_number_that_is_none_is_refused(option: str, value: object) -> None:
    refused(option, value)


@pytest.mark.parametrize("option", [*SECONDS, *POSITIVE_SECONDS])
def test_seconds_beyond_what_a_float_can_hold_are_refused(option: str) -> None:
    refused(option, 10**5000)


@pytest.mark.parametrize("option", COUNTS)
def test_a_count_that_cannot_be_printed_is_refused(option: str) -> None:
    refused(option, 10**5000)


@pytest.mark.parametrize("option", COUNTS)
def test_a_count_is_whole(option: str) -> None:
    refused(option, 1.0)


@pytest.mark.parametrize("option", [*POSITIVE_SECONDS, "cache_max_size"])
def test_zero_is_refused_where_it_makes_no_sense(option: str) -> None:
    refused(option, 0)


@pytest.mark.parametrize("option", [*SECONDS, "max_retries"])
def test_zero_is_accepted_where_it_does(option: str) -> None:
    assert getattr(Configuration(**{option: 0}), option) == 0


@pytest.mark.parametrize("option", FLAGS)
@pytest.mark.parametrize("value", [0, 1, "true", "", None])
def test_a_flag_is_true_or_false(option: str, value: object) -> None:
    refused(option, value)


@pytest.mark.parametrize("option", ["api_version", "environment", *URLS])
@pytest.mark.parametrize("value", ["", " ", "a\r\nX-Evil: 1", "a\n", "\x00", "é", None, 5, b"v1"])
def test_text_that_would_break_a_request_is_refused(option: str, value: object) -> None:
    refused(option, value)


@pytest.mark.parametrize("value", [".", "..", "v1/x", "v1?x", "v1#x", "v%31", "v 1"])
def test_an_api_version_is_one_plain_segment(value: str) -> None:
    refused("api_version", value)


@pytest.mark.parametrize("value", ["secret", object(), ApiKeyCredentials, ("org", "key", "secret"), {"org_id": "x"}])
def test_credentials_are_credentials(value: object) -> None:
    assert "secret" not in str(refused("credentials", value))


@pytest.mark.parametrize("value", ["session", object(), requests, {}])
def test_a_session_is_a_session(value: object) -> None:
    refused("session", value)


@pytest.mark.parametrize("option", ENVIRONMENT)
def test_the_environment_is_read_when_the_configuration_is_made(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable, text, value = ENVIRONMENT[option]
    monkeypatch.setenv(variable, text)
    made = Configuration()
    monkeypatch.setenv(variable, "https://later.example.com")
    assert getattr(made, option) == value


@pytest.mark.parametrize("option", ENVIRONMENT)
def test_an_argument_wins_over_the_environment_even_where_it_equals_the_default(
    option: str, monkeypatch: pytest.MonkeyPatch, keys: ApiKeyCredentials
) -> None:
    monkeypatch.setenv(ENVIRONMENT[option][0], ENVIRONMENT[option][1])
    assert getattr(Configuration(**{option: DEFAULTS[option]}), option) == DEFAULTS[option]
    assert getattr(ScopeClient(credentials=keys, **{option: DEFAULTS[option]}).config, option) == DEFAULTS[option]


@pytest.mark.parametrize("option", ENVIRONMENT)
def test_an_empty_variable_is_as_good_as_none(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT[option][0], "")
    assert getattr(Configuration(), option) == DEFAULTS[option]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        *(("SCOPE_TOKEN_REFRESH_BUFFER", text) for text in ("abc", "-1", "nan", "inf", "1e999", "60s", "True")),
        *(("SCOPE_API_URL", text) for text in ("api.example.com", "ftp://x", "http://example.com", "https://")),
        *(("SCOPE_ENVIRONMENT", text) for text in ("a\nb", "é", " ")),
    ],
)
def test_a_bad_variable_is_an_error_that_names_it(variable: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, text)
    option = next(option for option, (name, *_) in ENVIRONMENT.items() if name == variable)
    with pytest.raises(ConfigurationError, match=option):
        Configuration()


@pytest.mark.parametrize("option", ENVIRONMENT)
def test_a_bad_variable_does_no_harm_where_an_argument_is_given(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT[option][0], "\n")
    assert getattr(Configuration(**{option: DEFAULTS[option]}), option) == DEFAULTS[option]


@pytest.mark.parametrize("given", ["cache_tll", "credential", "Timeout", "max_retry", "x"])
def test_an_unknown_option_is_a_type_error_that_names_the_nearest(given: str, keys: ApiKeyCredentials) -> None:
    nearest = {"cache_tll": "cache_ttl", "credential": "credentials", "Timeout": "timeout", "max_retry": "max_retries"}
    for make in (Configuration, Configuration().merge, lambda **options: ScopeClient(credentials=keys, **options)):
        with pytest.raises(TypeError, match=rf"'{given}'.*'{nearest.get(given, '')}"):
            make(**{given: 5})


def test_merge_returns_a_changed_copy_and_does_not_read_the_environment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Configuration(cache_ttl=1, environment="test")
    monkeypatch.setenv("SCOPE_API_URL", "https://later.example.com")
    monkeypatch.setenv("SCOPE_ENVIRONMENT", "later")
    second = first.merge(cache_ttl=2)
    assert (first.cache_ttl, second.cache_ttl) == (1, 2)
    assert (second.environment, second.base_url) == ("test", DEFAULTS["base_url"])
    assert second.merge(cache_ttl=1) == first


def test_merge_checks_what_it_is_given() -> None:
    with pytest.raises(ConfigurationError, match="timeout must be"):
        Configuration().merge(timeout=-1)
    with pytest.raises(ConfigurationError, match="http://"):
        Configuration(base_url="http://example.com", allow_insecure=True).merge(allow_insecure=False)


def test_a_configuration_cannot_be_changed() -> None:
    config = Configuration()
    for option in (*DEFAULTS, "other"):
        with pytest.raises(AttributeError):
            setattr(config, option, 5)
        with pytest.raises(AttributeError):
            delattr(config, option)
    assert config == Configuration()
    assert hash(config) == hash(Configuration())


@pytest.mark.parametrize("kind", [Configuration, ScopeClient])
def test_credentials_alone_may_be_given_by_position(kind: type) -> None:
    keys = ApiKeyCredentials("o", "k", "s")
    made = kind(keys, cache_ttl=7)
    config = made if isinstance(made, Configuration) else made.config
    assert (config.credentials, config.cache_ttl) == (keys, 7)
    with pytest.raises(TypeError):
        kind(keys, "https://api.example.com")
    with pytest.raises(TypeError, match="credentials were given twice"):
        kind(keys, credentials=keys)
    with pytest.raises(ConfigurationError, match="credentials must be"):
        kind("secret")


def test_a_configuration_shows_the_url_that_its_reads_begin_with() -> None:
    assert Configuration(base_url="https://api.example.com/").api_url == "https://api.example.com/api/v1"
    assert Configuration(base_url="https://x.example/api/v2", api_version="v2").api_url == "https://x.example/api/v2"


def test_to_validate_a_configuration_is_to_ask_for_its_credentials() -> None:
    Configuration(ApiKeyCredentials("o", "k", "s")).validate()
    with pytest.raises(MissingApiKeyError, match="credentials="):
        Configuration().validate()


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_a_copy_is_equal_whatever_the_environment_says_by_then(copier: object, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Configuration(cache_ttl=5, base_url="https://example.com/api/v1")
    monkeypatch.setenv("SCOPE_API_URL", "https://later.example.com")
    assert copier(config) == config


@pytest.mark.parametrize(
    "credentials",
    [ApiKeyCredentials("org-1", "key-1", "hush-hush"), ClientCredentials("org-1", "client-1", "hush-hush")],
)
def test_what_shows_a_configuration_shows_no_secret(credentials: object) -> None:
    config = Configuration(credentials=credentials)
    assert config.to_dict()["credentials"]["org_id"] == "org-1"
    for shown in (repr(config), str(config), f"{config}", str(config.to_dict()), repr(ScopeClient(config=config))):
        assert "hush-hush" not in shown


def test_to_dict_has_every_option() -> None:
    assert Configuration().to_dict() == DEFAULTS
