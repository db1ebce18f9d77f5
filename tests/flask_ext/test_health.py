"""The health page: what a probe sees, whatever goes on, without a question to anybody."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Callable

import pytest
from flask import Flask

from scope_client import ApiKeyCredentials, ScopeError
from scope_client.local import LocalPlatform
from scope_flask import Scope, health

Make = Callable[..., Flask]
SECRET = "s3cret-Hush-0123456789"


def page(app: Flask, url: str = "/health") -> tuple[int, Any]:
    answer = app.test_client().get(url)
    return answer.status_code, answer.get_json()


@pytest.fixture
def app(make_app: Make) -> Flask:
    made = make_app(SCOPE_MAX_RETRIES=0)
    made.register_blueprint(health)
    return made


def read(app: Flask) -> None:
    app.extensions["scope"].client().get_prompt_version("greeting")


def test_it_is_the_status_of_the_client(app: Flask) -> None:
    status, said = page(app)
    assert (status, said["ok"], said["is_down"], said["prompts"]) == (200, True, False, [])
    read(app)
    status, said = page(app)
    assert status == 200
    assert [(prompt["name"], prompt["state"]) for prompt in said["prompts"]] == [("greeting", "fresh")]
    assert said["counters"]["fetches"] == 1
    assert set(said) == {"ok", *app.extensions["scope"].client().status().to_dict()}


def test_it_asks_nobody_and_starts_nothing(app: Flask, platform: LocalPlatform) -> None:
    before = set(threading.enumerate())
    assert page(app)[0] == 200
    assert platform.requests == ()
    assert set(threading.enumerate()) <= before


def test_it_is_good_while_the_platform_is_down(app: Flask, platform: LocalPlatform) -> None:
    platform.stop()
    with pytest.raises(ScopeError):
        read(app)
    status, said = page(app)
    assert (status, said["ok"], said["is_down"]) == (200, True, True)
    assert "could not be reached" in said["last_error"]


def test_nobody_keeps_it(app: Flask, make_app: Make) -> None:
    bare = Flask("bare")
    Scope(bare)
    bare.register_blueprint(health)
    for each in (app, bare):
        answer = each.test_client().get("/health")
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.mimetype == "application/json"
        assert "Set-Cookie" not in answer.headers


def test_it_takes_get_and_head_alone(app: Flask) -> None:
    client = app.test_client()
    assert client.head("/health").status_code == 200
    assert client.head("/health").data == b""
    assert client.post("/health").status_code == client.delete("/health").status_code == 405


def test_without_credentials_it_is_unavailable_and_says_what_lacks() -> None:
    app = Flask("bare")
    Scope(app)
    app.register_blueprint(health)
    status, said = page(app)
    assert (status, said["ok"]) == (503, False)
    assert "SCOPE_API_KEY" in said["error"]


def test_where_the_extension_was_never_set_up_it_says_so() -> None:
    app = Flask("bare")
    app.register_blueprint(health)
    app.testing = True
    with pytest.raises(RuntimeError, match="init_app"):
        app.test_client().get("/health")


def test_it_may_be_registered_before_the_extension(platform: LocalPlatform) -> None:
    app = Flask("late")
    app.register_blueprint(health)
    url = platform.url
    app.config.from_mapping(SCOPE_CREDENTIALS=platform.credentials, SCOPE_BASE_URL=url, SCOPE_AUTH_API_URL=url)
    Scope(app)
    assert page(app)[0] == 200


def test_each_of_two_apps_shows_its_own(make_app: Make) -> None:
    scope = Scope()
    one, two = make_app(scope), make_app(scope, name="two")
    one.register_blueprint(health)
    two.register_blueprint(health, url_prefix="/internal/scope")
    read(two)
    assert page(one)[1]["counters"]["fetches"] == 0
    assert page(two, "/internal/scope/health")[1]["counters"]["fetches"] == 1
    assert two.test_client().get("/health").status_code == 404


def test_one_app_may_have_it_twice_under_different_names(app: Flask) -> None:
    app.register_blueprint(health, url_prefix="/again", name="again")
    assert page(app, "/again/health")[0] == 200
    with app.test_request_context():
        assert {app.url_for("scope_health.show"), app.url_for("again.show")} == {"/health", "/again/health"}


def test_nothing_secret_is_on_it(platform: LocalPlatform) -> None:
    for keys in (
        {"SCOPE_ORG_ID": "local-org", "SCOPE_API_KEY": "local-key", "SCOPE_API_SECRET": SECRET},
        {"SCOPE_CREDENTIALS": ApiKeyCredentials("local-org", "local-key", SECRET)},
        {"SCOPE_API_SECRET": SECRET},
        {"SCOPE_CREDENTIALS": platform.credentials, "SCOPE_CACHE": f"redis://:{SECRET}@127.0.0.1:1/0"},
    ):
        app = Flask("site")
        app.config.from_mapping(keys, SCOPE_BASE_URL=platform.url, SCOPE_AUTH_API_URL=platform.url)
        Scope(app)
        app.register_blueprint(health)
        for _ in range(2):
            text = app.test_client().get("/health").text
            assert not any(secret in text for secret in (SECRET, platform.credentials.api_secret, "Bearer", "eyJ"))
            with contextlib.suppress(ScopeError):
                read(app)


def test_it_can_leave_the_texts_of_errors_out(app: Flask, platform: LocalPlatform) -> None:
    app.register_blueprint(health, name="quiet", url_prefix="/quiet", url_defaults={"last_error": False})
    platform.fail(503)
    with pytest.raises(ScopeError):
        read(app)
    shown, quiet = page(app)[1], page(app, "/quiet/health")[1]
    assert "503" in shown.pop("last_error")
    assert shown.keys() == quiet.keys()
    assert quiet["last_error_age"] >= 0


def test_it_can_leave_out_what_is_wrong_with_the_settings() -> None:
    app = Flask(__name__)
    Scope(app)
    app.register_blueprint(health, url_defaults={"last_error": False})
    assert page(app) == (503, {"ok": False, "error": "MissingApiKeyError"})
