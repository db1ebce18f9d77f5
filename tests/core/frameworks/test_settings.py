"""Settings: the upper-case keys of a framework, checked all at once."""

from __future__ import annotations

import os
from typing import Any

import pytest

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    ConfigurationError,
    MemoryStore,
    MissingApiKeyError,
)
from scope_client.frameworks import Settings

KEYS = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": "the-secret"}
CLIENT = {"ORG_ID": "org", "CLIENT_ID": "app", "CLIENT_SECRET": "the-secret"}
OTHER = ApiKeyCredentials("other", "key", "other-secret")


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SCOPE_"):
            monkeypatch.delenv(name)


def settings(*, spelled: str = "SCOPE_{}", also: tuple[str, ...] = (), **given: Any) -> Settings:
    return Settings(given, spelled=spelled, also=also)


def kinds(found: Settings) -> list[tuple[str, Any]]:
    return [(problem.kind, problem.key) for problem in found.problems]


def test_good_settings_have_no_problem_and_make_one_configuration() -> None:
    found = settings(**KEYS, CACHE_TTL=600, BASE_URL="https://api.example.com/")
    assert found.problems == ()
    expected = Configuration(
        credentials=ApiKeyCredentials("org", "key", "the-secret"), cache_ttl=600, base_url="https://api.example.com"
    )
    assert found.configuration() == found.configuration() == expected


def test_every_option_is_a_key_in_upper_case() -> None:
    default = settings(CREDENTIALS=OTHER).configuration()
    values = {name.upper(): getattr(default, name) for name in Configuration.__slots__}
    again = settings(**values)
    assert again.problems == ()
    assert again.configuration() == default


def test_what_was_read_stays_though_what_was_given_changes(monkeypatch: Any) -> None:
    given: dict[str, Any] = dict(KEYS)
    found = Settings(given, spelled="{}")
    given["TIMEOUT"] = "x"
    monkeypatch.setenv("SCOPE_ENVIRONMENT", "staging")
    assert found.configuration().environment == "production"
    assert found.problems == ()


@pytest.mark.parametrize("keys", [KEYS, CLIENT])
def test_parts_of_the_credentials_may_come_from_the_environment(keys: dict, monkeypatch: Any) -> None:
    whole = settings(**keys).configuration().credentials
    assert type(whole) is (ApiKeyCredentials if keys is KEYS else ClientCredentials)
    for key, value in keys.items():
        monkeypatch.setenv(f"SCOPE_{key}", value)
    for left_out in keys:
        for nothing in (None, ""):
            assert settings(**{**keys, left_out: nothing}).configuration().credentials == whole
    assert settings().configuration().credentials == whole


def test_of_both_kinds_in_the_environment_the_api_key_is_taken(monkeypatch: Any) -> None:
    for key in {**KEYS, **CLIENT}:
        monkeypatch.setenv(f"SCOPE_{key}", "e")
    assert settings().configuration().credentials == ApiKeyCredentials("e", "e", "e")
    assert settings(CLIENT_ID="app").configuration().credentials == ClientCredentials("e", "app", "e")


@pytest.mark.parametrize("keys", [KEYS, CLIENT])
def test_credentials_that_lack_a_part_are_a_missing_api_key_error_that_names_key_and_variable(keys: dict) -> None:
    for left_out in keys:
        found = settings(**{key: value for key, value in keys.items() if key != left_out}, spelled="app['{}']")
        if left_out == "ORG_ID":
            assert kinds(found) == [("missing", "ORG_ID")]
        with pytest.raises(MissingApiKeyError, match=rf"app\['{left_out}'\].*SCOPE_{left_out}"):
            found.configuration()


def test_whole_credentials_stand_alone() -> None:
    assert settings(CREDENTIALS=OTHER).configuration().credentials is OTHER
    assert settings(CREDENTIALS=OTHER, ORG_ID="", API_KEY=None).configuration().credentials is OTHER
    for key in {**KEYS, **CLIENT}:
        found = settings(CREDENTIALS=OTHER, **{key: "x"})
        assert kinds(found) == [("credentials", "CREDENTIALS")]
        assert "exclude each other" in found.problems[0].message


def test_two_kinds_of_credentials_exclude_each_other() -> None:
    found = settings(**KEYS, CLIENT_ID="app")
    assert [problem.kind for problem in found.problems] == ["credentials"]
    for key in ("SCOPE_API_KEY", "SCOPE_CLIENT_SECRET", "exclude each other"):
        assert key in found.problems[0].message


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [("SCOPE_{}", "SCOPE_CACHE_TTL"), ("SCOPE['{}']", "SCOPE['CACHE_TTL']"), ("{}", "CACHE_TTL")],
)
def test_an_unknown_key_is_told_with_the_nearest_one_as_the_user_spells_it(spelled: str, expected: str) -> None:
    (problem,) = settings(**KEYS, CACHE_TLL=5, spelled=spelled).problems
    assert (problem.kind, problem.key) == ("unknown", "CACHE_TLL")
    assert problem.message == f"{spelled.format('CACHE_TLL')} is not a setting"
    assert problem.hint == f"the nearest one is {expected}"


def test_a_key_of_the_frameworks_own_is_known_and_may_be_the_nearest() -> None:
    assert settings(**KEYS, CACHE_ALIAS="x", also=("CACHE_ALIAS",)).problems == ()
    (problem,) = settings(**KEYS, CACHE_ALIS="x", also=("CACHE_ALIAS",)).problems
    assert problem.hint == "the nearest one is SCOPE_CACHE_ALIAS"
    assert kinds(settings(**KEYS, CACHE_ALIAS="x")) == [("unknown", "CACHE_ALIAS")]


@pytest.mark.parametrize("key", [5, None, ("a", "b"), "", "{}", "{0.x}", "%s", "é" * 500])
def test_a_key_may_be_anything_hashable(key: Any) -> None:
    (problem,) = Settings({**KEYS, key: 1}, spelled="SCOPE_{}").problems
    assert (problem.kind, problem.key) == ("unknown", str(key))
    assert f"SCOPE_{key} is not a setting" in problem.message


def test_every_problem_is_told_in_one_error() -> None:
    found = settings(ORG_ID="org", TIMEOUT="x", CACHE_TLL=1, MAX_RETRIES=-1)
    assert [kind for kind, _ in kinds(found)] == ["value", "unknown", "value", "missing"]
    with pytest.raises(ConfigurationError) as caught:
        found.configuration()
    assert not isinstance(caught.value, MissingApiKeyError)
    for problem in found.problems:
        assert problem.message in str(caught.value)
        assert problem.hint in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("CACHE_TTL", "10 minutes", "'10 minutes'"),
        ("CACHE_TTL", -5, "-5"),
        ("TIMEOUT", "x" * 20, repr("x" * 20)),
        ("DEADLINE", "soon", "'soon'"),
        ("MAX_RETRIES", "3 times", "'3 times'"),
        ("CACHE_MAX_SIZE", "many", "'many'"),
        ("CACHE_ENABLED", "perhaps", "'perhaps'"),
    ],
)
def test_a_bad_number_or_flag_is_shown(key: str, value: Any, shown: str) -> None:
    (problem,) = settings(**KEYS, **{key: value}).problems
    assert problem.message.endswith(f", got {shown}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CACHE_TTL", "sk_live_0123456789abc"),  # 21 characters
        ("CACHE_ENABLED", "sk_live_0123456789abc"),
        ("TIMEOUT", "me:pw@host"),
        *((key, "pa ss") for key in ("BASE_URL", "AUTH_API_URL", "API_VERSION", "PROMPT_DIR")),
        ("ENVIRONMENT", " pa ss"),
        *((key, "pa ss") for key in ("CREDENTIALS", "CACHE_STORE", "SESSION")),
    ],
)
def test_text_that_may_be_a_secret_under_the_wrong_key_is_not_shown(key: str, value: str) -> None:
    problems = settings(**KEYS, **{key: value}).problems
    assert problems[0].key == key
    assert value not in str(problems)


def test_values_that_are_good_alone_and_not_together_are_one_problem() -> None:
    found = settings(**KEYS, BASE_URL="http://scope.example.com")
    assert kinds(found) == [("together", None)]
    assert settings(**KEYS, BASE_URL="http://scope.example.com", ALLOW_INSECURE=True).problems == ()


def test_a_bad_variable_in_the_environment_is_a_problem_that_names_it(monkeypatch: Any) -> None:
    monkeypatch.setenv("SCOPE_TOKEN_REFRESH_BUFFER", "soon")
    (problem,) = settings(**KEYS).problems
    assert (problem.kind, "SCOPE_TOKEN_REFRESH_BUFFER" in problem.message) == ("together", True)
    assert settings(**KEYS, TOKEN_REFRESH_BUFFER=5).problems == ()


def test_a_store_and_a_session_are_passed_on_as_they_are() -> None:
    store = MemoryStore()
    assert settings(**KEYS, CACHE_STORE=store).configuration().cache_store is store
    assert kinds(settings(**KEYS, CACHE_STORE="redis://", SESSION="x")) == [
        ("value", "CACHE_STORE"),
        ("value", "SESSION"),
    ]


@pytest.mark.parametrize("key", ["BASE_URL", "TIMEOUT", "CACHE_ENABLED", "PROMPT_DIR", "UNKNOWN", "the-secret"])
def test_no_problem_shows_a_secret_that_is_known(key: str) -> None:
    found = settings(**KEYS, **{key: "the-secret"})
    with pytest.raises(ConfigurationError) as caught:
        found.configuration()
    assert "the-secret" not in str(caught.value)
    assert "the-secret" not in str(found.problems)
