"""A client with only one of its two URLs set says where its secret goes."""

from __future__ import annotations

import sys
import warnings
from typing import Any, Callable

import pytest

import scope_client
from scope_client import ApiKeyCredentials, Configuration, ScopeClient
from scope_client.local import LocalPlatform
from scope_client.testing import PromptsClient

KEYS = ApiKeyCredentials("o", "k", "hush")
MINE = "https://scope.example.com"
WAYS: dict[str, Callable[[dict[str, Any]], object]] = {
    "ScopeClient": lambda options: ScopeClient(KEYS, **options),
    "ScopeClient with a config": lambda options: ScopeClient(config=Configuration(KEYS, **options)),
    "client": lambda options: scope_client.client(credentials=KEYS, **options),
    "configure and client": lambda options: (
        scope_client.configure(credentials=KEYS, **options),
        scope_client.client(),
    ),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(autouse=True)
def _a_process_that_was_not_configured() -> Any:
    scope_client.reset_configuration()
    yield
    scope_client.reset_configuration()


def told(make: Callable[[], object]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
    return list(caught)


@every_way
def test_base_url_alone_is_warned_of_once_because_the_secret_goes_to_the_hosted_platform(way: Any) -> None:
    (warning,) = told(lambda: way({"base_url": MINE}))
    said = str(warning.message)
    assert warning.category is UserWarning
    assert all(part in said for part in ("https://auth.scope.io", "secret", "base_url", "SCOPE_AUTH_API_URL"))
    assert MINE not in said
    assert "hush" not in said


@every_way
def test_auth_api_url_alone_is_warned_of_too(way: Any) -> None:
    (warning,) = told(lambda: way({"auth_api_url": MINE}))
    assert all(part in str(warning.message) for part in ("https://api.scope.io", "token", "SCOPE_API_URL"))
    assert MINE not in str(warning.message)


@pytest.mark.parametrize("variable", ["SCOPE_API_URL", "SCOPE_AUTH_API_URL"])
def test_a_url_of_the_environment_counts(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, MINE)
    assert len(told(lambda: ScopeClient(KEYS))) == 1


def test_the_warning_names_the_line_that_made_the_client() -> None:
    line = sys._getframe().f_lineno + 1
    (warning,) = told(lambda: ScopeClient(KEYS, base_url=MINE))
    assert (warning.filename, warning.lineno) == (__file__, line)


@every_way
@pytest.mark.parametrize(
    "options", [{}, {"base_url": MINE, "auth_api_url": MINE}, {"base_url": "https://api.scope.io/"}]
)
def test_both_or_none_are_no_reason_to_warn(way: Any, options: dict[str, Any]) -> None:
    assert told(lambda: way(options)) == []


def test_what_sends_no_secret_to_the_hosted_platform_does_not_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(lambda: PromptsClient({}, base_url=MINE)) == []
    monkeypatch.setenv("SCOPE_API_URL", MINE)
    assert told(lambda: PromptsClient({})) == []
    with LocalPlatform({}) as platform:
        assert told(lambda: platform.client().prefetch([])) == []
    assert told(lambda: Configuration(KEYS, base_url=MINE)) == []


def test_reads_do_not_warn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalPlatform({"greeting": "Hello"}) as platform:
        client = platform.client()
        assert told(lambda: client.get_prompt_version("greeting")) == []
