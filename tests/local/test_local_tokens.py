"""Tokens are bought with the right keys only, and only good ones open the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

import jwt
import pytest

from scope_client import ApiKeyCredentials, ClientCredentials
from scope_client.local import LocalPlatform
from scope_client.local._token_issuer import TokenIssuer

if TYPE_CHECKING:
    from tests.local.conftest import Caller

LATEST = "/api/v1/prompts/greeting/latest"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.25

    def __call__(self) -> float:
        return self.now


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def code(call: Caller, token: str) -> tuple[int, str]:
    answer = call.get(LATEST, token)
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("scheme", ["credentials", "client_credentials"])
def test_either_kind_of_keys_buys_a_token_that_opens_the_api(
    scheme: str, platform: LocalPlatform, call: Caller
) -> None:
    answer = call.buy(getattr(platform, scheme)).json()
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")
    assert call.get(LATEST, answer["access_token"]).status_code == 200


def test_a_token_tells_whose_it_is_and_how_long_it_is_good(platform: LocalPlatform, call: Caller) -> None:
    claims = claims_of(call.token())
    assert (claims["sub"], claims["org"]) == (platform.credentials.api_key, platform.credentials.org_id)
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["jti"] != claims_of(call.token())["jti"]


@pytest.mark.parametrize(
    "keys",
    [
        ApiKeyCredentials("local-org", "local-key", "wrong"),
        ApiKeyCredentials("local-org", "wrong", "local-secret"),
        ApiKeyCredentials("wrong", "local-key", "local-secret"),
        ClientCredentials("local-org", "local-app", "geheim ü"),
        ClientCredentials("local-org", "local-key", "local-secret"),
    ],
)
def test_wrong_keys_are_refused(keys: ApiKeyCredentials | ClientCredentials, call: Caller) -> None:
    answer = call.buy(keys)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_credentials")


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"\xff", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b"account_id=local-org", 400, "invalid_json"),
        (b"[]", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"account_id": "local-org", "key_id": "local-key", "key_secret": 7}', 422, "invalid_request"),
        (b'{"account_id": "\\ud800", "key_id": "k", "key_secret": "s"}', 401, "invalid_credentials"),
        (b" " * (1024 * 1024 + 1), 413, "request_entity_too_large"),
    ],
    ids=range(11),
)
def test_a_body_that_is_not_the_right_one_is_refused(
    body: bytes, status: int, wrong: str, platform: LocalPlatform, call: Caller
) -> None:
    answer = call.session.post(f"{platform.url}/v1/auth/sdk-token", data=body, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, wrong)


def test_a_body_in_chunks_is_read_to_its_end(platform: LocalPlatform, call: Caller) -> None:
    text = json.dumps(platform.credentials.token_body()).encode()
    url = f"{platform.url}/v1/auth/sdk-token"
    for _ in range(2):
        assert call.session.post(url, data=iter([text[:9], text[9:]]), timeout=10).status_code == 200


def test_the_missing_fields_of_a_body_are_named(platform: LocalPlatform, call: Caller) -> None:
    answer = call.session.post(f"{platform.url}/v1/auth/sdk-token", json={"key_id": "x"}, timeout=10)
    assert answer.json()["error"]["message"] == "The body needs, as text: account_id, key_secret"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc"])
def test_a_request_without_a_token_is_refused(header: str | None, platform: LocalPlatform, call: Caller) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = call.session.get(platform.url + LATEST, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "missing_token")


def resigned(token: str) -> str:
    return jwt.encode(claims_of(token), b"another key, which is long enough for HS256", algorithm="HS256")


def unsigned(token: str) -> str:
    return jwt.encode(claims_of(token), None, algorithm="none")


def altered(token: str) -> str:
    other = resigned(token).split(".")[1]
    head, _, signature = token.split(".")
    return f"{head}.{other[:-2]}xx.{signature}"


@pytest.mark.parametrize("forged", [resigned, unsigned, altered, lambda _: "x", lambda token: token[:-1]])
def test_a_forged_token_is_refused(forged: Callable[[str], str], call: Caller) -> None:
    assert code(call, forged(call.token())) == (401, "invalid_token")


def test_the_token_of_another_platform_is_refused(call: Caller, call_to: Callable[[LocalPlatform], Caller]) -> None:
    with LocalPlatform() as other:
        foreign = call_to(other).token()
    assert code(call, foreign) == (401, "invalid_token")


def test_expired_on_demand_is_every_token_of_before_and_none_of_after(platform: LocalPlatform, call: Caller) -> None:
    before = call.token()
    platform.expire_tokens()
    assert code(call, before) == (401, "token_expired")
    assert call.get(LATEST, call.token()).status_code == 200


def test_a_token_is_good_until_the_very_end_of_its_life() -> None:
    clock = Clock()
    issuer = TokenIssuer(10, clock=clock)
    bearer = f"Bearer {issuer.issue('key', 'org')}"
    clock.now += 9.99
    assert issuer.objection(bearer) is None
    clock.now += 0.01
    assert issuer.objection(bearer) == "token_expired"


def test_a_client_whose_token_was_refused_gets_another(platform: LocalPlatform) -> None:
    with platform.client(cache_enabled=False) as client:
        client.get_prompt_version("greeting")
        platform.expire_tokens()
        assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert [request.status for request in platform.requests] == [200, 200, 401, 200, 200]
