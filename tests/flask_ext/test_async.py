"""Views that are `async def`."""

from __future__ import annotations

import asyncio
from typing import Any, Callable

import pytest
from faults.crowd import crowd
from faults.greeting import SAID, VALUES
from faults.reading import reads
from flask import Flask, jsonify, render_template_string

from scope_client import ScopeError
from scope_client.local import LocalPlatform
from scope_flask import Scope, current_scope

Make = Callable[..., Flask]
SOURCE = "{{ scope_prompt('greeting', time_of_day='morning', name=name) }}"


@pytest.fixture
def app(make_app: Make) -> Flask:
    scope = Scope()
    app = make_app(scope)

    @app.get("/client")
    async def client() -> str:
        await asyncio.sleep(0)
        return scope.client.render_prompt("greeting", VALUES)

    @app.get("/proxy")
    async def proxy() -> str:
        await asyncio.sleep(0)
        return current_scope.render_prompt("greeting", VALUES)

    @app.get("/template")
    async def template() -> str:
        await asyncio.sleep(0)
        return render_template_string(SOURCE, name="Ada")

    @app.get("/threads")
    async def threads() -> Any:
        reads = (asyncio.to_thread(current_scope.render_prompt, "greeting", VALUES) for _ in range(8))
        return jsonify(await asyncio.gather(*reads))

    @app.get("/tasks")
    async def tasks() -> Any:
        async def read() -> str:
            await asyncio.sleep(0)
            return current_scope.render_prompt("greeting", VALUES)

        return jsonify(await asyncio.gather(*(read() for _ in range(8))))

    @app.get("/awaited")
    async def awaited() -> Any:
        reads = (current_scope.arender_prompt("greeting", VALUES) for _ in range(8))
        return jsonify(await asyncio.gather(*reads))

    @app.get("/cached")
    async def cached() -> Any:
        version = current_scope.get_cached_version("greeting")
        return jsonify(version and version.content)

    @app.get("/nothing")
    async def nothing() -> str:
        return current_scope.render_prompt("nothing")

    return app


@pytest.mark.parametrize("path", ["/client", "/proxy", "/template"])
def test_a_cold_and_a_cached_read_in_an_async_view(path: str, app: Flask, platform: LocalPlatform) -> None:
    client = app.test_client()
    assert client.get(path).text == client.get(path).text == SAID
    assert reads(platform) == 1


@pytest.mark.parametrize("path", ["/client", "/proxy", "/template"])
@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "cached"])
def test_many_async_views_at_once_make_one_fetch(is_warm: bool, path: str, app: Flask, platform: LocalPlatform) -> None:
    platform.latency = 0.05
    if is_warm:
        app.test_client().get(path)
    assert set(crowd(16, lambda: app.test_client().get(path).text)) == {SAID}
    assert reads(platform) == 1


@pytest.mark.parametrize("path", ["/threads", "/tasks", "/awaited"])
def test_threads_and_tasks_of_a_view_see_its_app(path: str, app: Flask, platform: LocalPlatform) -> None:
    assert app.test_client().get(path).get_json() == [SAID] * 8
    assert reads(platform) == 1


def test_what_is_cached_can_be_had_without_waiting(app: Flask, platform: LocalPlatform) -> None:
    client = app.test_client()
    assert client.get("/cached").get_json() is None
    assert reads(platform) == 0
    client.get("/proxy")
    assert client.get("/cached").get_json() == "Good {{time_of_day}}, {{name}}!"


def test_an_error_comes_out_of_an_async_view_as_out_of_any(app: Flask) -> None:
    app.register_error_handler(ScopeError, lambda error: (type(error).__name__, 502))
    answer = app.test_client().get("/nothing")
    assert (answer.status_code, answer.text) == (502, "NotFoundError")


def test_async_views_of_two_apps_keep_to_their_own(app: Flask, make_app: Make) -> None:
    with LocalPlatform({"greeting": "Other {{time_of_day}} {{name}}"}) as platform:
        other = make_app(
            name="other",
            SCOPE_BASE_URL=platform.url,
            SCOPE_AUTH_API_URL=platform.url,
            SCOPE_CREDENTIALS=platform.credentials,
        )

        @other.get("/proxy")
        async def proxy() -> str:
            await asyncio.sleep(0)
            return current_scope.render_prompt("greeting", VALUES)

        apps = [app, other] * 8
        said = crowd(16, lambda: apps.pop().test_client().get("/proxy").text)
    assert sorted(said) == sorted([SAID, "Other morning Ada"] * 8)


def test_an_async_view_reads_on_while_the_platform_is_down(make_app: Make, app: Flask, platform: LocalPlatform) -> None:
    client = app.test_client()
    client.get("/proxy")
    platform.stop()
    assert client.get("/proxy").text == client.get("/template").text == SAID
