"""A program that reads in a loop with a wrong secret, or a wrong name, does not hammer a real platform."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from scope_client import ApiKeyCredentials, InvalidCredentialsError, NotFoundError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 3.5


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello, {{name}}!"}) as started:
        yield started


def posts(platform: LocalPlatform) -> int:
    return sum(request.method == "POST" for request in platform.requests)


def test_a_wrong_secret_is_posted_once_a_pause(platform: LocalPlatform) -> None:
    wrong = ApiKeyCredentials("local-org", "local-key", "a typing error")
    client, reads, ends_at = platform.client(credentials=wrong), 0, time.monotonic() + SECONDS
    with client:
        while time.monotonic() < ends_at:
            with pytest.raises(InvalidCredentialsError):
                client.get_prompt_version("greeting", cache=reads % 2 == 0)
            reads += 1
            time.sleep(0.005)
        assert reads > 50
        assert 2 <= posts(platform) <= 3  # at once, after one second, after two more
        with platform.client() as corrected:
            assert corrected.get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_a_wrong_name_is_asked_for_once_a_second_and_found_soon_after_it_is_published(platform: LocalPlatform) -> None:
    with platform.client() as client:
        ends_at = time.monotonic() + 2.2
        while time.monotonic() < ends_at:
            with pytest.raises(NotFoundError):
                client.get_prompt_version("farewell")
            time.sleep(0.005)
        assert 2 <= sum("farewell" in request.path for request in platform.requests) <= 3
        platform.publish("farewell", "Bye, {{name}}!")
        published_at = time.monotonic()
        while True:
            try:
                assert client.get_prompt_version("farewell").content == "Bye, {{name}}!"
                break
            except NotFoundError:
                assert time.monotonic() < published_at + 3
