"""`flask scope doctor` looks at the set-up of the app: its config, its platform, and the cache it shares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

from flask import Flask

if TYPE_CHECKING:
    from faults.redisserver import RedisServer

    from scope_client.local import LocalPlatform

Make = Callable[..., Flask]


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["scope", "doctor", *arguments])


def checks(app: Flask, *arguments: str) -> dict[str, Any]:
    found = json.JSONDecoder().raw_decode(run(app, *arguments, "--json").stdout)[0]["checks"]
    return {check["name"]: check for check in found}


def test_an_app_that_works(make_app: Make, redis_server: RedisServer) -> None:
    app = make_app(SCOPE_TIMEOUT=7, SCOPE_CACHE=redis_server.url)
    done = run(app)
    assert done.exit_code == 0, done.output
    assert "option timeout: 7.0 (settings)" in done.output
    found = checks(app, "greeting")
    assert found["prompt greeting"]["outcome"] == found["store"]["outcome"] == "ok"
    assert "holds a reader up for" in found["store patience"]["detail"]


def test_a_prompt_that_is_not_there(make_app: Make) -> None:
    done = run(make_app(), "greting")
    assert done.exit_code == 1
    assert "1 check has failed: prompt greting" in done.output


def test_a_store_that_is_down(make_app: Make, platform: LocalPlatform) -> None:
    found = checks(make_app(SCOPE_CACHE="redis://127.0.0.1:9/0"))
    assert found["store"]["outcome"] == "failed"
    assert "start the cache server" in found["store"]["remedy"]
    assert found["token"]["outcome"] == "ok"
