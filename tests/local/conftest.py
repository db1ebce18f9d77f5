"""A platform on a real socket, and a plain HTTP caller: nothing of the SDK's own client is in the way."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import quote

import pytest
import requests

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client import ApiKeyCredentials, ClientCredentials


class Caller:
    """Sends what it is told to, with a token unless it is told otherwise."""

    def __init__(self, platform: LocalPlatform) -> None:
        self.platform = platform
        self.session = requests.Session()
        self.session.trust_env = False

    def buy(self, credentials: ApiKeyCredentials | ClientCredentials | None = None) -> requests.Response:
        keys = self.platform.credentials if credentials is None else credentials
        return self.session.post(self.platform.url + keys.token_path, json=keys.token_body(), timeout=10)

    def token(self) -> str:
        return str(self.buy().json()["access_token"])

    def get(self, path: str, token: str | None = None, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token() if token is None else token}", **headers}
        return self.session.get(self.platform.url + path, headers=sent, timeout=10)

    def read(self, name: str, which: str = "production") -> requests.Response:
        return self.get(f"/api/v1/prompts/{quote(name, safe='')}/{which}")

    def content(self, name: str, which: str = "production") -> Any:
        answer = self.read(name, which)
        assert answer.status_code == 200, answer.text
        return answer.json()["content"]

    def code(self, name: str, which: str = "production") -> Any:
        return self.read(name, which).json()["error"]["code"]


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello, {{name}}!"}, allowed_hosts=()) as started:
        yield started


@pytest.fixture
def call_to() -> Iterator[Callable[[LocalPlatform], Caller]]:
    with contextlib.ExitStack() as opened:

        def call_to(platform: LocalPlatform) -> Caller:
            caller = Caller(platform)
            opened.enter_context(caller.session)
            return caller

        yield call_to


@pytest.fixture
def call(platform: LocalPlatform, call_to: Callable[[LocalPlatform], Caller]) -> Caller:
    return call_to(platform)
