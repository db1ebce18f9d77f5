"""Programs of this machine are let in; what a browser sends for a page of another site is refused."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from typing import TYPE_CHECKING

import pytest
import requests

from scope_client import ApiKeyCredentials, ClientCredentials
from scope_client.errors import ConfigurationError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import Caller

LATEST = "/api/v1/prompts/greeting/latest"
CONTENT = "Hello, {{name}}!"
OURS = ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "[::1]:{port}", "[0:0:0:0:0:0:0:1]:{port}"]
FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "rebind.localhost:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "localhost.:{port}",
    "localhost",
    "127.0.0.1",
    "localhost:1",
    "0.0.0.0:{port}",
    "192.168.0.7:{port}",
    "[::ffff:192.168.0.7]:{port}",
    "2130706433:{port}",
]
NOT_A_HOST = [
    "",
    ":{port}",
    "localhost:",
    "localhost:port",
    "evil.example@127.0.0.1:{port}",
    "localhost:{port}/evil.example",
    "localhost:{port},evil.example",
    "localhost:{port} evil.example",
    "l\xf6calhost:{port}",
    "[::1:{port}",
]


class Visitor:
    """Asks for a token with the right keys, and for a prompt with a good token; says what it wants in the headers."""

    def __init__(self, platform: LocalPlatform, token: str) -> None:
        self.platform = platform
        self._token = token

    def ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"") -> tuple[int, str]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.platform.port, timeout=10)) as connection:
            connection.putrequest(method, path, skip_host=True)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def outcomes(self, *headers: tuple[str, str]) -> list[tuple[int, str]]:
        """Of the token's POST, of the prompt's GET, and of what a browser asks before it sends a prompt's GET."""
        keys = self.platform.credentials
        told = [(name, value.replace("{port}", str(self.platform.port))) for name, value in headers]
        with_token = [*told, ("Authorization", f"Bearer {self._token}")]
        return [
            self.ask("POST", keys.token_path, told, json.dumps(keys.token_body()).encode()),
            self.ask("GET", LATEST, with_token),
            self.ask("OPTIONS", LATEST, [*told, ("Access-Control-Request-Method", "GET")]),
        ]

    def is_let_in(self, *headers: tuple[str, str]) -> bool:
        (bought, token), (read, prompt), _ = self.outcomes(*headers)
        return (bought, read) == (200, 200) and "access_token" in token and CONTENT in prompt

    def refusals(self, *headers: tuple[str, str]) -> set[tuple[int, str]]:
        outcomes = self.outcomes(*headers)
        assert not [text for _, text in outcomes if "access_token" in text or CONTENT in text]
        return {(status, json.loads(text)["error"]["code"]) for status, text in outcomes}


@pytest.fixture
def visitor(platform: LocalPlatform, call: Caller) -> Visitor:
    return Visitor(platform, call.token())


@pytest.fixture
def visit() -> Iterator[object]:
    with contextlib.ExitStack() as opened:

        def visit(**options: object) -> Visitor:
            platform = opened.enter_context(LocalPlatform({"greeting": CONTENT}, **{"allowed_hosts": (), **options}))
            keys = platform.credentials
            visitor = Visitor(platform, "")
            body = json.dumps(keys.token_body()).encode()
            host = [("Host", f"localhost:{platform.port}")]
            _, answer = visitor.ask("POST", keys.token_path, host, body)
            return Visitor(platform, json.loads(answer)["access_token"])

        yield visit


@pytest.mark.parametrize("host", OURS)
def test_the_names_of_the_loopback_with_the_port_are_let_in(host: str, visitor: Visitor) -> None:
    assert visitor.is_let_in(("Host", host))


@pytest.mark.parametrize("host", FOREIGN)
def test_another_host_is_refused(host: str, visitor: Visitor) -> None:
    assert visitor.refusals(("Host", host)) == {(421, "foreign_host")}


@pytest.mark.parametrize("host", NOT_A_HOST)
def test_what_is_not_a_host_is_refused(host: str, visitor: Visitor) -> None:
    assert visitor.refusals(("Host", host)) == {(400, "bad_host")}


def test_a_request_without_a_host_or_with_two_is_refused(visitor: Visitor) -> None:
    assert visitor.refusals() == {(400, "bad_host")}
    twice = ("Host", "localhost:{port}"), ("Host", "evil.example")
    assert visitor.refusals(*twice) == visitor.refusals(*reversed(twice)) == {(400, "bad_host")}


def test_a_whole_url_in_the_request_line_does_not_hide_its_host(platform: LocalPlatform, visitor: Visitor) -> None:
    status, text = visitor.ask("GET", f"http://evil.example{LATEST}", [("Host", f"localhost:{platform.port}")])
    assert (status, json.loads(text)["error"]["code"]) == (421, "foreign_host")


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_a_whole_url_of_this_platform_is_answered_as_its_path_is(
    scheme: str, platform: LocalPlatform, call: Caller, visitor: Visitor
) -> None:
    host = f"localhost:{platform.port}"
    headers = [("Host", "another.example"), ("Authorization", f"Bearer {call.token()}")]
    status, text = visitor.ask("GET", f"{scheme}://{host}{LATEST}", headers)
    assert (status, json.loads(text)["content"]) == (200, CONTENT)
    assert visitor.ask("GET", f"{scheme}://{host}?a=/b", headers)[0] == 404
    assert platform.requests[-1].path == "/?a=/b"


def test_the_refusal_says_which_names_are_good_and_how_to_allow_another(visitor: Visitor) -> None:
    (_, text), *_ = visitor.outcomes(("Host", "scope.internal"))
    message = json.loads(text)["error"]["message"]
    for part in ("'scope.internal'", f"localhost:{visitor.platform.port}", "--allow-host", "allowed_hosts"):
        assert part in message


@pytest.mark.parametrize("page", [(), ("http://localhost:{port}", "same-origin"), ("http://127.0.0.1:{port}", "none")])
def test_the_platforms_own_pages_are_let_in(page: tuple[str, ...], visitor: Visitor) -> None:
    said = tuple(zip(("Origin", "Sec-Fetch-Site"), page))
    assert visitor.is_let_in(("Host", "localhost:{port}"), *said)


@pytest.mark.parametrize(
    "said",
    [
        *(
            ("Origin", origin)
            for origin in [
                "http://evil.example",
                "http://evil.example:{port}",
                "https://evil.example",
                "http://rebind.localhost:{port}",
                "http://localhost:1",
                "http://localhost",
                "https://localhost",
                "chrome-extension://abcdef",
                "null",
                "",
                "localhost:{port}",
                "http://localhost:{port}, http://evil.example",
            ]
        ),
        *(("Sec-Fetch-Site", site) for site in ["cross-site", "same-site", "Cross-Site", "what comes next"]),
    ],
    ids=str,
)
def test_a_page_of_another_site_is_refused(said: tuple[str, str], visitor: Visitor) -> None:
    assert visitor.refusals(("Host", "localhost:{port}"), said) == {(403, "foreign_origin")}


def test_what_is_refused_uses_up_no_fault_and_waits_for_nothing(platform: LocalPlatform, visitor: Visitor) -> None:
    platform.fail(503, times=1)
    platform.latency = 30
    assert visitor.refusals(("Host", "evil.example")) == {(421, "foreign_host")}
    platform.latency = 0
    status, _ = visitor.ask("GET", LATEST, [("Host", f"localhost:{platform.port}")])
    assert status == 503


def test_a_refused_request_is_on_record(platform: LocalPlatform, visitor: Visitor) -> None:
    visitor.refusals(("Host", "evil.example"))
    assert [request.status for request in platform.requests[-3:]] == [421, 421, 421]


class TestOtherHosts:
    @pytest.mark.parametrize("host", ["scope:{port}", "SCOPE:9000", "scope", "other:7", "10.0.0.7", "10.0.0.7:80"])
    def test_that_are_allowed_are_let_in_with_their_pages(self, host: str, visit: object) -> None:
        visitor = visit(allowed_hosts=["Scope", "other:7", "10.0.0.7"])
        assert visitor.is_let_in(("Host", host), ("Origin", f"http://{host}"))
        assert visitor.is_let_in(("Host", "localhost:{port}"))

    @pytest.mark.parametrize("host", ["a.scope:{port}", "other:8", "other", "evil.example"])
    def test_that_are_not_quite_those_are_refused(self, host: str, visit: object) -> None:
        visitor = visit(allowed_hosts=["scope", "other:7"])
        assert visitor.refusals(("Host", host)) == {(421, "foreign_host")}

    def test_to_listen_on_is_to_be_asked_by(self, visit: object) -> None:
        visitor = visit(host="127.0.0.1")
        assert visitor.platform.url == f"http://127.0.0.1:{visitor.platform.port}"
        assert visitor.is_let_in(("Host", "127.0.0.1:{port}"))
        assert visitor.refusals(("Host", "192.168.0.7:{port}")) == {(421, "foreign_host")}

    def test_are_any_address_if_all_are_listened_on_but_no_name(self, visit: object) -> None:
        visitor = visit(host="0.0.0.0")
        assert visitor.platform.url == f"http://127.0.0.1:{visitor.platform.port}"
        assert visitor.is_let_in(("Host", "192.168.0.7:{port}"))
        assert visitor.refusals(("Host", "evil.example:{port}")) == {(421, "foreign_host")}

    @pytest.mark.parametrize("allowed", ["scope", [""], ["http://scope"], ["a b"], ["*:port"], [None], [7]])
    def test_that_cannot_be_are_refused_at_once(self, allowed: object) -> None:
        with pytest.raises(ConfigurationError, match="allowed"):
            LocalPlatform(allowed_hosts=allowed)

    @pytest.mark.parametrize(
        "host", ["", "localhost:8750", "http://localhost", "a b", "a\x1bb", "\u017fcope", 7, b"localhost"]
    )
    def test_that_cannot_be_listened_on_are_refused_at_once(self, host: object) -> None:
        with pytest.raises(ConfigurationError, match="host must be a name or an address"):
            LocalPlatform(host=host)

    def test_that_are_not_of_this_machine_cannot_be_listened_on(self) -> None:
        with pytest.raises(ConfigurationError, match=r"host 192\.0\.2\.1 cannot be listened on \(Cannot assign"):
            LocalPlatform(host="192.0.2.1").start()
        with pytest.raises(ConfigurationError, match=r"host nowhere\.invalid cannot be listened on"):
            LocalPlatform(host="nowhere.invalid").start()


class TestKeys:
    def test_are_well_known_on_the_loopback(self) -> None:
        keys = LocalPlatform().credentials
        assert (keys.org_id, keys.api_key, str(keys.api_secret)) == ("local-org", "local-key", "local-secret")

    def test_cannot_be_guessed_if_a_host_is_given(self) -> None:
        made = [LocalPlatform(host="127.0.0.1") for _ in range(2)]
        secrets = {str(each.credentials.api_secret) for each in made}
        secrets |= {str(each.client_credentials.client_secret) for each in made}
        assert len(secrets) == 4
        assert min(map(len, secrets)) >= 32
        assert len({each.credentials.api_key for each in made}) == 2

    def test_that_are_given_are_the_only_ones_that_are_known_beforehand(self, visit: object) -> None:
        mine = ApiKeyCredentials("my-org", "my-key", "my-secret")
        platform = visit(credentials=mine).platform
        assert platform.credentials is mine
        with platform.client() as client:
            assert client.get_prompt_version("greeting").content == CONTENT
        well_known = LocalPlatform().client_credentials
        assert platform.client_credentials.org_id == "my-org"
        assert platform.client_credentials.client_id != well_known.client_id
        assert str(platform.client_credentials.client_secret) != str(well_known.client_secret)

    def test_of_the_newer_scheme_can_be_given_too(self, call_to: object) -> None:
        mine = ClientCredentials("my-org", "my-app", "my-secret")
        with LocalPlatform(client_credentials=mine) as platform:
            assert platform.client_credentials is mine
            assert (platform.credentials.org_id, platform.credentials.api_key != "local-key") == ("my-org", True)
            assert [call_to(platform).buy(keys).status_code for keys in (mine, platform.credentials)] == [200, 200]
            assert call_to(platform).buy(LocalPlatform().client_credentials).status_code == 401

    def test_of_two_organisations_are_refused(self) -> None:
        keys = ApiKeyCredentials("one", "k", "s"), ClientCredentials("two", "i", "s")
        with pytest.raises(ConfigurationError, match="of the same organisation as credentials, 'one', got 'two'"):
            LocalPlatform(credentials=keys[0], client_credentials=keys[1])

    def test_of_the_wrong_scheme_are_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="client_credentials must be ClientCredentials, got ApiKeyCred"):
            LocalPlatform(client_credentials=LocalPlatform().credentials)

    @pytest.mark.parametrize("keys", ["key", ("a", "b", "c"), LocalPlatform().client_credentials])
    def test_of_another_type_are_refused(self, keys: object) -> None:
        with pytest.raises(ConfigurationError, match=re.escape("credentials must be ApiKeyCredentials, got ")):
            LocalPlatform(credentials=keys)


def test_a_client_of_a_platform_on_a_given_host_needs_no_more_said() -> None:
    with LocalPlatform({"greeting": CONTENT}, host="0.0.0.0") as platform, platform.client() as client:
        assert client.get_prompt_version("greeting").content == CONTENT


def test_it_listens_on_ipv6_if_it_is_told_to() -> None:
    with LocalPlatform({"greeting": CONTENT}, host="::1") as platform, platform.client() as client:
        assert platform.url == f"http://[::1]:{platform.port}"
        assert client.get_prompt_version("greeting").content == CONTENT


def test_a_platform_of_a_program_answers_to_any_name() -> None:
    """A test may have names of its own lead to it."""
    with LocalPlatform({"greeting": CONTENT}) as platform:
        answer = requests.get(f"{platform.url}/api/v1/prompts/greeting/production", headers={"Host": "two.example"})
        assert answer.status_code == 401
