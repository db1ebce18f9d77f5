"""The libraries with which people intercept `requests` in their tests work with ours."""

from __future__ import annotations

import json
from typing import Callable

import pytest
import requests
import requests_mock
import responses
from faults.replies import prompt_body

from scope_client import ApiKeyCredentials, NotFoundError, ScopeClient

TOKEN_URL = "https://auth.scope.io/v1/auth/sdk-token"
PROMPT_URL = "https://api.scope.io/api/v1/prompts/greeting/production"


@pytest.fixture(params=["our session", "the caller's session"])
def client(
    request: pytest.FixtureRequest, keys: ApiKeyCredentials, make_session: Callable[[], requests.Session]
) -> ScopeClient:
    session = None if request.param == "our session" else make_session()
    return ScopeClient(credentials=keys, session=session, max_retries=0)


def test_responses(client: ScopeClient) -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1", "expires_in": 60})
        mock.get(PROMPT_URL, json=prompt_body())
        assert client.render_prompt("greeting", {"name": "A"}) == "Hello, A!"
        login, read = (call.request for call in mock.calls)
    assert json.loads(login.body)["key_secret"] == "secret-1"
    assert read.headers["Authorization"] == "Bearer token-1"


def test_an_error_of_responses(client: ScopeClient) -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1"})
        mock.get(PROMPT_URL, json={"code": "prompt_not_found", "message": "nope"}, status=404)
        with pytest.raises(NotFoundError, match="nope"):
            client.get_prompt_version("greeting")


def test_requests_mock(client: ScopeClient) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1", "expires_in": 60})
        mock.get(PROMPT_URL, json=prompt_body())
        assert client.render_prompt("greeting", {"name": "A"}) == "Hello, A!"
        login, read = mock.request_history
    assert login.json()["key_secret"] == "secret-1"
    assert read.headers["Authorization"] == "Bearer token-1"


def test_an_error_of_requests_mock(client: ScopeClient) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1"})
        mock.get(PROMPT_URL, json={"error": {"code": "prompt_not_found", "message": "nope"}}, status_code=404)
        with pytest.raises(NotFoundError, match="nope"):
            client.get_prompt_version("greeting")
