"""A live prompt inside a pin follows no promotion, on an event loop either."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from scope_client.local import LocalPlatform
from scope_langchain import scope_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello, {{name}}!"}) as started:
        yield started


@pytest.mark.parametrize("is_awaited", [False, True])
def test_it_is_of_one_version(is_awaited: bool, platform: LocalPlatform) -> None:
    def said(found: Any) -> str:
        return str(found.to_string())

    with platform.client(cache_ttl=0) as client:
        live = scope_prompt("greeting", client=client)

        async def ask() -> str:
            return said(await live.ainvoke({"name": "Ada"}))

        def invoked() -> str:
            return asyncio.run(ask()) if is_awaited else said(live.invoke({"name": "Ada"}))

        with client.pin():
            assert invoked() == "Hello, Ada!"
            platform.publish("greeting", "Welcome, {{name}}!")
            assert invoked() == "Hello, Ada!"
        assert invoked() == "Welcome, Ada!"
