"""The URLs of a Configuration: which forms are understood, and which would send secrets astray."""

from __future__ import annotations

from typing import Callable

import pytest
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, Configuration, ConfigurationError, ScopeClient, ScopeError

OPTIONS = ("base_url", "auth_api_url")
LOOPBACK = ("localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]", "localhost:8080", "127.0.0.1:1", "[::1]:8080")
ELSEWHERE = (
    *("example.com", "127.0.0.1.evil.com", "localhost.evil.com", "127.evil.com", "1270.0.0.1", "evil-localhost"),
    *("0.0.0.0", "10.0.0.1", "[::2]", "[2001:db8::1]", "127.0.0.1.", "2130706433", "0x7f000001", "example.com:80"),
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com///", "https://example.com"),
        ("https://example.com/api/v1", "https://example.com"),
        ("https://example.com/api/v1/", "https://example.com"),
        ("https://example.com:8443/api/v1", "https://example.com:8443"),
        ("https://example.com/scope", "https://example.com/scope"),
        ("https://example.com/scope/api/v1/", "https://example.com/scope"),
        ("https://example.com/myapi/v1", "https://example.com/myapi/v1"),
        ("https://example.com/api/v1x", "https://example.com/api/v1x"),
        ("HTTPS://example.com", "https://example.com"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"),
    ],
)
def test_a_trailing_slash_and_an_ending_api_v1_are_understood(given: str, kept: str) -> None:
    assert Configuration(base_url=given).base_url == kept


def test_an_ending_of_the_own_api_version_is_understood() -> None:
    assert Configuration(base_url="https://example.com/api/beta/", api_version="beta").base_url == "https://example.com"


def test_merging_nothing_changes_no_url() -> None:
    config = Configuration(base_url="https://example.com/api/v1/api/v1")
    assert config.merge() == config


@pytest.mark.parametrize("ending", ["", "/", "/api/v1", "/api/v1/"])
def test_every_form_leads_to_the_same_path(
    ending: str, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    make_client(base_url=server.url + ending, auth_api_url=f"{server.url}/").get_prompt_version("greeting")
    assert [request.target for request in server.requests] == [
        "/v1/auth/sdk-token",
        "/api/v1/prompts/greeting/production",
    ]


def test_a_path_in_front_and_the_api_version_are_kept(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make_client(base_url=f"{server.url}/a/b/", auth_api_url=f"{server.url}/auth/", api_version="v2")
    client.get_prompt_version("greeting")
    assert server.logins[0].target == "/auth/v1/auth/sdk-token"
    assert server.reads[0].target == "/a/b/api/v2/prompts/greeting/production"


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("host", LOOPBACK)
def test_plain_http_to_this_machine_is_fine(option: str, host: str) -> None:
    assert getattr(Configuration(**{option: f"http://{host}"}), option) == f"http://{host}"


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
@pytest.mark.parametrize("host", ELSEWHERE)
def test_plain_http_to_any_other_host_is_refused(option: str, scheme: str, host: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        Configuration(**{option: f"{scheme}://{host}"})


@pytest.mark.parametrize("option", OPTIONS)
def test_plain_http_can_be_permitted(option: str) -> None:
    config = Configuration(**{option: "http://example.com"}, allow_insecure=True)
    assert getattr(config, option) == "http://example.com"


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(
    "url",
    [
        *("example.com", "//example.com", "ftp://example.com", "file:///etc/passwd", "https:/example.com", "https://"),
        *("http://localhost@evil.com", "http://127.0.0.1@evil.com", "http://localhost:80@evil.com", "https:///x"),
        *("http://localhost#@evil.com", "http://localhost\\@evil.com", "http://localhost?@evil.com", " https://a.io"),
        *("https://user:pass@example.com", "https://example.com?x=1", "https://example.com#x", "https://exa mple.com"),
        *("https://example.com:99999", "https://example.com:port", "https://[::1", "https://example.com\n"),
        *("http://localhost\n.evil.com", "http://[::1].evil.com", "http://[::1]evil.com", "javascript:alert(1)"),
        *("http://localhost%2eevil.com", "https://bücher.example", "http://localhost/a b"),
    ],
)
def test_a_url_that_may_lead_elsewhere_is_refused(option: str, url: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        Configuration(**{option: url})


@pytest.mark.parametrize("option", OPTIONS)
def test_a_password_in_a_url_is_not_told(option: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Configuration(**{option: "https://user:hush@example.com"})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("own_session", [False, True])
@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", f"{'a.' * 200}example"])
def test_a_host_that_cannot_be_is_an_error_of_ours(
    host: str, own_session: bool, keys: ApiKeyCredentials, make_session: Callable[[], object]
) -> None:
    session = make_session() if own_session else None
    url = f"https://{host}"
    with (
        pytest.raises(ScopeError),
        ScopeClient(credentials=keys, base_url=url, auth_api_url=url, max_retries=0, session=session) as client,
    ):
        client.get_prompt_version("greeting")
