"""The extension: one object for any number of apps, and what an app has of it, from its settings to its end."""

from __future__ import annotations

import copy
import gc
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import threading
import types
import weakref
from pathlib import Path
from typing import Any, Callable

import flask
import pytest
import requests
from cachelib import FileSystemCache, RedisCache, SimpleCache
from fastapi import FastAPI
from faults.child import in_a_child
from faults.clock import eventually
from faults.crowd import crowd
from faults.greeting import SAID, VALUES
from faults.reading import reads
from faults.redisserver import RedisServer
from flask import Blueprint, Flask, render_template_string
from flask_caching import Cache
from flask_ext.pages import greeting

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    ConfigurationError,
    MemoryStore,
    MissingApiKeyError,
    RedisStore,
    ScopeClient,
)
from scope_client.local import LocalPlatform
from scope_flask import Scope, current_scope

Make = Callable[..., Flask]
PATIENCE = 30.0
SECRET = "s3cret-Hush-0123456789"
KEYS = ApiKeyCredentials("org", "key", "secret")


@pytest.fixture
def bare() -> Flask:
    return Flask("bare")


def config_of(app: Flask) -> Configuration:
    with app.app_context():
        return current_scope.config


def refusal(**keys: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Scope().init_app(configured(**keys))
    return str(caught.value)


def configured(**keys: Any) -> Flask:
    app = Flask("configured")
    app.config.update(keys)
    return app


def test_an_app_given_to_scope_is_set_up(platform: LocalPlatform, bare: Flask) -> None:
    bare.config.from_mapping(
        SCOPE_CREDENTIALS=platform.credentials, SCOPE_BASE_URL=platform.url, SCOPE_AUTH_API_URL=platform.url
    )
    scope = Scope(bare)
    with bare.app_context():
        assert scope.client.render_prompt("greeting", VALUES) == SAID
        assert current_scope.render_prompt("greeting", VALUES) == SAID
    assert "scope" in bare.extensions


def test_a_factory_sets_up_each_of_its_apps_with_one_object(make_app: Make) -> None:
    scope = Scope()
    one = make_app(scope, name="one", SCOPE_ENVIRONMENT="staging")
    two = make_app(scope, name="two", SCOPE_CACHE_TTL=7)
    with one.app_context():
        first = scope.client
        assert (first.config.environment, first.config.cache_ttl) == ("staging", 300)
        with two.app_context():
            assert (scope.client.config.environment, scope.client.config.cache_ttl) == ("production", 7)
            assert scope.client is not first
        assert scope.client is first
    assert greeting(one) == greeting(two) == SAID


def test_each_of_many_objects_gives_the_client_of_the_current_app(make_app: Make) -> None:
    scopes = [Scope(), Scope()]
    apps = [make_app(scope, name=name) for scope, name in zip(scopes, "ab")]
    for app in apps:
        with app.app_context():
            assert scopes[0].client is scopes[1].client is current_scope._get_current_object()


def test_apps_of_one_object_do_not_share_what_they_read(make_app: Make, platform: LocalPlatform) -> None:
    scope = Scope()
    for app in (make_app(scope, name="one"), make_app(scope, name="two")):
        greeting(app)
        greeting(app)
    assert reads(platform) == 2


@pytest.mark.parametrize("again", ["the same object", "another object"])
def test_a_second_init_app_raises_with_advice_and_changes_nothing(again: str, make_app: Make) -> None:
    scope = Scope()
    app = make_app(scope)
    state = app.extensions["scope"]
    with pytest.raises(RuntimeError, match=r"once.*current_scope"):
        (scope if again == "the same object" else Scope()).init_app(app)
    assert app.extensions["scope"] is state
    assert greeting(app) == SAID


class TestWhatIsNotAFlaskApp:
    # Only by their names, because the Quart of today does not go with the oldest Flask.
    Quart = type("Quart", (), {"__module__": "quart.app"})
    Subclass = type("Site", (Quart,), {})

    @pytest.mark.parametrize("kind", [Quart, Subclass], ids=["Quart", "its subclass"])
    @pytest.mark.parametrize("set_up", [Scope, Scope().init_app], ids=["Scope(app)", "init_app(app)"])
    def test_quart_is_refused_in_one_sentence_that_says_what_to_do(self, kind: type, set_up: Any) -> None:
        with pytest.raises(
            TypeError, match=r"^Quart is not Flask, .* await scope_client\.client\(\)\.arender_prompt\("
        ):
            set_up(kind())
        with pytest.raises(TypeError, match=r"^Quart is not Flask"):
            set_up(kind)

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (FastAPI(), "FastAPI"),
            (Blueprint("pages", __name__), "Blueprint"),
            (Flask, "the class Flask"),
            ("app", "str"),
            (5, "int"),
            (types.ModuleType("app"), "module"),
        ],
        ids=["FastAPI", "a blueprint", "a class", "text", "a number", "a module"],
    )
    def test_anything_else_is_named(self, given: Any, told: str) -> None:
        message = rf"^Scope needs a Flask app, such as Flask\(__name__\), got {told}; without Flask use scope_client\."
        with pytest.raises(TypeError, match=message):
            Scope(given)

    def test_a_subclass_of_flask_and_the_proxy_of_an_app_are_flask(self) -> None:
        app = type("Site", (Flask,), {})("site")
        with app.app_context():
            Scope(flask.current_app)  # type: ignore[arg-type]  # a proxy, which mypy knows by its own class
        assert "scope" in app.extensions


def test_outside_of_an_app_context_the_error_says_how_to_have_one(make_app: Make) -> None:
    scope = Scope()
    make_app(scope)
    for use in (lambda: scope.client, lambda: current_scope.config, lambda: current_scope.get_prompt_version("x")):
        with pytest.raises(RuntimeError, match=r"app context.*with app\.app_context\(\):"):
            use()


def test_without_init_app_the_error_says_to_call_it(bare: Flask) -> None:
    scope = Scope()
    with bare.app_context():
        for use in (lambda: scope.client, lambda: current_scope.config):
            with pytest.raises(RuntimeError, match=r"scope\.init_app\(app\)"):
                use()


def test_the_proxy_can_be_looked_at_where_there_is_no_app() -> None:
    assert "unbound" in repr(current_scope)
    assert not current_scope


def test_the_proxy_is_the_client_in_every_way(make_app: Make) -> None:
    with make_app().app_context():
        assert isinstance(current_scope, ScopeClient)
        assert current_scope == current_scope._get_current_object()
        assert repr(current_scope).startswith("ScopeClient(")


def test_views_commands_and_templates_use_one_client(make_app: Make) -> None:
    app = make_app()
    seen = []

    @app.get("/")
    def page() -> str:
        seen.append(current_scope._get_current_object())
        return render_template_string("{{ scope_prompt('greeting', time_of_day='morning', name='Ada') }}")

    @app.cli.command("look")
    def look() -> None:
        seen.append(current_scope._get_current_object())

    assert app.test_client().get("/").text == SAID
    assert app.test_cli_runner().invoke(args=["look"]).exit_code == 0
    assert seen[0] is seen[1] is app.extensions["scope"].client()


GIVEN: dict[str, Any] = {
    "base_url": "http://127.0.0.1:9",
    "auth_api_url": "http://127.0.0.1:8",
    "api_version": "v2",
    "timeout": 3,
    "open_timeout": 2.5,
    "cache_enabled": False,
    "cache_ttl": 60,
    "cache_max_size": 10,
    "max_retries": 0,
    "retry_base_delay": 0.25,
    "retry_max_delay": 4,
    "telemetry_enabled": False,
    "environment": "staging",
    "token_refresh_buffer": 5,
    "stale_if_error": 0,
    "stale_while_revalidate": 7,
    "deadline": 1.5,
    "cache_local_ttl": 0,
    "prompt_dir": str(Path(__file__).parent),
    "allow_insecure": True,
    "extra_values": "warn",
    "when_unfit": "last_fitting",
    "lock": str(Path(__file__).with_name("of_options.lock")),
}
OBJECTS: dict[str, Any] = {"credentials": KEYS, "cache_store": MemoryStore(), "session": requests.Session()}


def test_these_are_all_the_options() -> None:
    assert {*GIVEN, *OBJECTS} == set(Configuration().to_dict())


@pytest.mark.filterwarnings("ignore:.*_url leads away:UserWarning")
@pytest.mark.parametrize("option", [*GIVEN, *OBJECTS])
def test_every_option_is_a_key_of_the_config(option: str) -> None:
    value = {**GIVEN, **OBJECTS}[option]
    app = configured(**{"SCOPE_CREDENTIALS": KEYS, f"SCOPE_{option.upper()}": value})
    Scope(app)
    assert getattr(config_of(app), option) == value


@pytest.mark.filterwarnings("ignore:.*_url leads away:UserWarning")
@pytest.mark.parametrize("option", GIVEN)
def test_every_option_is_a_variable_of_the_environment_for_flask(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = GIVEN[option]
    text = value if isinstance(value, str) else json.dumps(value)
    monkeypatch.setenv(f"FLASK_SCOPE_{option.upper()}", text)
    app = configured(SCOPE_CREDENTIALS=KEYS)
    app.config.from_prefixed_env()
    Scope(app)
    assert getattr(config_of(app), option) == value


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"SCOPE_ORG_ID": "o", "SCOPE_API_KEY": "k", "SCOPE_API_SECRET": "s"}, ApiKeyCredentials),
        ({"SCOPE_ORG_ID": "o", "SCOPE_CLIENT_ID": "c", "SCOPE_CLIENT_SECRET": "s"}, ClientCredentials),
    ],
)
@pytest.mark.parametrize("where", ["the config", "FLASK_ variables", "the environment"])
def test_credentials_come_from_single_keys(
    keys: dict[str, str], kind: type, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = configured(**(keys if where == "the config" else {}))
    for key, value in {} if where == "the config" else keys.items():
        monkeypatch.setenv(f"FLASK_{key}" if where == "FLASK_ variables" else key, value)
    app.config.from_prefixed_env()
    Scope(app)
    assert type(config_of(app).credentials) is kind
    assert config_of(app).credentials.org_id == "o"


def test_a_key_wins_over_the_environment_and_what_is_absent_comes_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SCOPE_ORG_ID": "env-org",
        "SCOPE_API_KEY": "env-key",
        "SCOPE_API_SECRET": "env-secret",
        "SCOPE_API_URL": "http://127.0.0.1:1",
        "SCOPE_AUTH_API_URL": "http://127.0.0.1:2",
        "SCOPE_ENVIRONMENT": "env-environment",
        "SCOPE_TOKEN_REFRESH_BUFFER": "11",
        "SCOPE_PROMPT_DIR": str(Path(__file__).parent),
    }.items():
        monkeypatch.setenv(name, value)
    app = configured(SCOPE_ORG_ID="own-org", SCOPE_ENVIRONMENT="own-environment")
    Scope(app)
    config = config_of(app)
    assert (config.credentials.org_id, config.environment) == ("own-org", "own-environment")
    assert config.credentials.token_body()["key_id"] == "env-key"
    assert (config.base_url, config.auth_api_url) == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert (config.token_refresh_buffer, config.prompt_dir) == (11, str(Path(__file__).parent))


def test_the_environment_and_the_config_are_read_by_init_app_and_not_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_ENVIRONMENT", "then")
    app = configured(SCOPE_CREDENTIALS=KEYS, SCOPE_CACHE_TTL=5)
    Scope(app)
    monkeypatch.setenv("SCOPE_ENVIRONMENT", "later")
    app.config["SCOPE_CACHE_TTL"] = 50
    assert (config_of(app).environment, config_of(app).cache_ttl) == ("then", 5)


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_part_of_the_credentials_is_an_absent_one(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"):
        monkeypatch.setenv(name, "from-environment")
    app = configured(SCOPE_ORG_ID=empty, SCOPE_API_KEY=empty, SCOPE_API_SECRET=empty, SCOPE_CREDENTIALS=None)
    Scope(app)
    assert config_of(app).credentials.org_id == "from-environment"


def test_keys_of_others_are_left_alone() -> None:
    app = configured(SCOPED_THING=1, scope_cache_ttl=2, MY_SCOPE_TTL=3, SCOPE=4, SCOPE_CREDENTIALS=KEYS)
    Scope(app)
    assert config_of(app).cache_ttl == 300


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("SCOPE_CACHE_TLL", "SCOPE_CACHE_TTL"),
        ("SCOPE_ORGID", "SCOPE_ORG_ID"),
        ("SCOPE_API_SECRT", "SCOPE_API_SECRET"),
        ("SCOPE_CASHE", "SCOPE_CACHE"),
        ("SCOPE_API_URL", "SCOPE_BASE_URL"),
        ("SCOPE_TTL", "SCOPE_CACHE_TTL"),
        ("SCOPE_RETRIES", "SCOPE_MAX_RETRIES"),
        ("SCOPE_URL", "SCOPE_"),
        ("SCOPE_cache_ttl", "SCOPE_CACHE_TTL"),
        ("SCOPE_", "SCOPE_"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(key: str, nearest: str) -> None:
    said = refusal(**{key: SECRET})
    assert f"{key} is not a setting" in said
    assert f"nearest one is {nearest}" in said
    assert SECRET not in said


@pytest.mark.parametrize("value", ["", "..", "os", "os.path", "cachelib.SimpleCache", 5, object()])
def test_a_cache_that_is_none_is_named_with_what_it_must_be(value: Any) -> None:
    assert "SCOPE_CACHE must be a cachelib cache" in refusal(SCOPE_CACHE=value)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nope:x", "No module named 'nope'"),
        ("no.such.module", "No module named 'no'"),
        ("os:nothing", "module 'os' has no attribute 'nothing'"),
        ("broken_caches:cache", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_cache_that_cannot_be_imported_is_one_sentence_that_says_why(
    path: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_caches.py").write_text("cache = 1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert refusal(SCOPE_CACHE=path) == f"SCOPE_CACHE: {path!r} cannot be imported ({why})"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SCOPE_CACHE_TTL", "abc"),
        ("SCOPE_CACHE_TTL", -1),
        ("SCOPE_CACHE_TTL", float("nan")),
        ("SCOPE_TIMEOUT", 0),
        ("SCOPE_MAX_RETRIES", 1.5),
        ("SCOPE_CACHE_ENABLED", "perhaps"),
        ("SCOPE_BASE_URL", "example.com"),
        ("SCOPE_PROMPT_DIR", "/no/such/folder"),
        ("SCOPE_CACHE_STORE", object()),
        ("SCOPE_SESSION", object()),
        ("SCOPE_CREDENTIALS", "key"),
        ("SCOPE_ENVIRONMENT", "a\r\nb"),
    ],
)
def test_a_bad_value_is_named_by_its_key_with_what_it_must_be(key: str, value: Any) -> None:
    assert re.search(rf"{key} must be ", refusal(**{key: value}))


def test_every_problem_is_in_the_one_error() -> None:
    said = refusal(SCOPE_CACHE_TLL=1, SCOPE_TIMEOUT=-1, SCOPE_MAX_RETRIES="many")
    assert all(key in said for key in ("SCOPE_CACHE_TLL", "SCOPE_TIMEOUT", "SCOPE_MAX_RETRIES"))


def test_http_to_another_host_is_refused_by_init_app() -> None:
    assert "https://" in refusal(SCOPE_CREDENTIALS=KEYS, SCOPE_BASE_URL="http://scope.example.com")


def test_a_bad_variable_of_the_environment_is_refused_by_init_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_TOKEN_REFRESH_BUFFER", "abc")
    assert "SCOPE_TOKEN_REFRESH_BUFFER" in refusal(SCOPE_CREDENTIALS=KEYS)


@pytest.mark.parametrize(
    "keys",
    [
        {"SCOPE_API_KEY": "k", "SCOPE_CLIENT_ID": "c"},
        {"SCOPE_CREDENTIALS": KEYS, "SCOPE_API_KEY": "k"},
        {"SCOPE_CACHE": SimpleCache(), "SCOPE_CACHE_STORE": MemoryStore()},
    ],
)
def test_what_excludes_each_other_is_said(keys: dict[str, Any]) -> None:
    assert "exclude each other" in refusal(**keys)


def test_after_a_failed_init_app_the_app_is_as_it_was_and_may_try_again(platform: LocalPlatform) -> None:
    app = configured(SCOPE_CREDENTIALS=platform.credentials, SCOPE_BASE_URL=platform.url, SCOPE_CACHE_TLL=1)
    with pytest.raises(ConfigurationError):
        Scope(app)
    assert "scope" not in app.extensions
    assert "scope" not in app.cli.commands
    assert "scope_prompt" not in app.jinja_env.globals
    del app.config["SCOPE_CACHE_TLL"]
    app.config["SCOPE_AUTH_API_URL"] = platform.url
    Scope(app)
    assert greeting(app) == SAID


def test_absent_credentials_are_an_error_at_the_first_use_and_at_each(bare: Flask) -> None:
    scope = Scope(bare)
    with bare.app_context():
        for use in (lambda: scope.client, lambda: current_scope.config, lambda: scope.client):
            with pytest.raises(MissingApiKeyError, match=r"SCOPE_ORG_ID.*SCOPE_API_KEY.*SCOPE_API_SECRET"):
                use()
        with pytest.raises(MissingApiKeyError):
            render_template_string("{{ scope_prompt('greeting') }}")


def test_without_credentials_the_error_says_once_what_to_add_and_where(bare: Flask) -> None:
    scope = Scope(bare)
    with bare.app_context(), pytest.raises(MissingApiKeyError) as caught:
        _ = scope.client
    assert str(caught.value) == (
        "the credentials lack SCOPE_ORG_ID, SCOPE_API_KEY, SCOPE_API_SECRET "
        "(add what is missing to the settings or to the environment)"
    )


@pytest.mark.parametrize("words", [["--help"], ["routes"], ["shell"], ["scope", "--help"], ["scope", "list"]])
def test_without_credentials_commands_work(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from flask import Flask\nfrom scope_flask import Scope\napp = Flask(__name__)\nScope(app)\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SCOPE_", "FLASK_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "flask", *words],
        input="print(app.name)\n",
        capture_output=True,
        text=True,
        env={**environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stdout + done.stderr
    assert {"--help": "Look after the prompts that the app's templates use.", "shell": "\nApp: app\n"}.get(
        words[0], ""
    ) in done.stdout + done.stderr


def test_of_credentials_in_part_only_what_lacks_is_named() -> None:
    app = configured(SCOPE_ORG_ID="o", SCOPE_API_SECRET=SECRET)
    scope = Scope(app)
    with app.app_context(), pytest.raises(MissingApiKeyError, match="lack SCOPE_API_KEY") as caught:
        _ = scope.client
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"SCOPE_API_SECRET": SECRET, "SCOPE_CACHE_TTL": SECRET},
        {"SCOPE_API_SECRET": SECRET, "SCOPE_NOTHING": SECRET},
        {"SCOPE_API_SECRET": f"{SECRET}\n", "SCOPE_API_KEY": "k", "SCOPE_ORG_ID": "o"},
        {"SCOPE_CLIENT_SECRET": SECRET, "SCOPE_API_KEY": "k"},
        {"SCOPE_BASE_URL": f"https://user:{SECRET}@example.com"},
        {"SCOPE_CACHE": f"redis://:{SECRET}@localhost:6379/0?bogus=1"},
        {"SCOPE_CACHE": f"redis://:{SECRET}@localhost:port/0"},
        {"SCOPE_CACHE": f"valkey://:{SECRET}@localhost:6379/0"},
        {"SCOPE_CACHE": f"REDIS://user:{SECRET}@localhost:6379/0"},
        {"SCOPE_CACHE": f"redis:/:{SECRET}@localhost/0"},
    ],
)
def test_no_secret_is_in_a_message(keys: dict[str, Any]) -> None:
    assert SECRET not in refusal(**keys)


def test_no_secret_is_in_what_an_app_shows(caplog: pytest.LogCaptureFixture) -> None:
    app = configured(SCOPE_ORG_ID="o", SCOPE_API_KEY="k", SCOPE_API_SECRET=SECRET, SCOPE_CACHE="redis://:pw1234@h/0")
    with caplog.at_level(logging.DEBUG):
        scope = Scope(app)
        with app.app_context():
            shown = [repr(scope), repr(app.extensions["scope"]), repr(scope.client), repr(scope.client.config)]
    assert not any(secret in text for secret in (SECRET, "pw1234") for text in [*shown, caplog.text])


AUDITED = """
import sys, threading
import flask, cachelib, flask_caching, redis
import scope_client, scope_flask

assert "requests" not in sys.modules, "requests was imported"
seen = []
watched = ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.__new__", "_thread.start_new_thread",
           "subprocess.Popen", "os.fork", "os.posix_spawn")
sys.addaudithook(lambda event, arguments: seen.append(event) if event in watched else None)
caches = [None, "redis://127.0.0.1:1/0", cachelib.SimpleCache(), flask_caching.Cache()]
scope_client.ScopeClient.__init__ = None  # a client would be a TypeError
for cache in caches:
    app = flask.Flask("site")
    app.config.from_mapping(SCOPE_ORG_ID="o", SCOPE_API_KEY="k", SCOPE_API_SECRET="s", SCOPE_CACHE=cache)
    scope_flask.Scope(app)
    app.register_blueprint(scope_flask.health)
assert "requests" not in sys.modules, "requests was imported"
assert threading.active_count() == 1
assert not seen, seen
"""


def test_init_app_asks_nobody_and_starts_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AUDITED], capture_output=True, text=True, timeout=60, cwd=tmp_path, env=own_path()
    )
    assert (done.returncode, done.stderr) == (0, "")


def own_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_scope_flask_needs_neither_cachelib_nor_flask_caching_nor_redis(tmp_path: Path) -> None:
    source = (
        "import sys\n"
        "for name in ('cachelib', 'flask_caching', 'redis'): sys.modules[name] = None\n"
        "import flask, scope_flask\n"
        "scope_flask.Scope(flask.Flask('site'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, cwd=tmp_path, env=own_path()
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_that_race_for_the_first_use_get_one_client(make_app: Make, platform: LocalPlatform) -> None:
    app = make_app()

    def use() -> tuple[int, str]:
        with app.app_context():
            return id(current_scope._get_current_object()), current_scope.render_prompt("greeting", VALUES)

    outcomes = crowd(32, use)
    assert len(set(outcomes)) == 1
    assert outcomes[0][1] == SAID
    assert reads(platform) == 1


def connections(platform: LocalPlatform) -> int:
    """Of this process to the platform, open ones."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == "01" and int(row[2].rsplit(":", 1)[1], 16) == platform.port for row in rows)


def test_the_client_is_closed_with_its_app(make_app: Make, platform: LocalPlatform) -> None:
    app = make_app()
    assert greeting(app) == SAID
    assert connections(platform) == 1
    client = app.extensions["scope"].client()
    del app
    gc.collect()
    eventually(lambda: connections(platform) == 0)
    assert client.render_prompt("greeting", VALUES) == SAID


CACHES = [
    "none",
    "SimpleCache",
    "FileSystemCache",
    "RedisCache",
    "Flask-Caching",
    "Flask-Caching, initialised later",
    "a URL",
    "a store",
]


def cache_of(kind: str, folder: Path, server: RedisServer) -> Any:
    if kind == "none":
        return None
    if kind == "SimpleCache":
        return SimpleCache()
    if kind == "FileSystemCache":
        return FileSystemCache(str(folder))
    if kind == "RedisCache":
        return RedisCache(host="127.0.0.1", port=server.port)
    if kind == "a URL":
        return server.url
    return MemoryStore() if kind == "a store" else Cache()


@pytest.mark.parametrize("kind", CACHES)
@pytest.mark.parametrize("is_used", [False, True], ids=["unused", "used"])
def test_a_dropped_app_is_collected(
    is_used: bool, kind: str, platform: LocalPlatform, tmp_path: Path, redis_server: RedisServer
) -> None:
    cache = cache_of(kind, tmp_path, redis_server)
    app = Flask("site")
    app.config.from_mapping(
        SCOPE_CREDENTIALS=platform.credentials,
        SCOPE_BASE_URL=platform.url,
        SCOPE_AUTH_API_URL=platform.url,
        SCOPE_CACHE=cache,
        CACHE_TYPE="SimpleCache",
    )
    if kind == "Flask-Caching":
        cache.init_app(app)
    Scope(app)
    if kind == "Flask-Caching, initialised later":
        cache.init_app(app)
    if is_used:
        assert app.test_client().get("/nothing").status_code == 404
        assert greeting(app) == SAID
    found = weakref.ref(app)
    del app, cache
    gc.collect()
    assert found() is None


def test_a_dropped_app_is_collected_where_the_cache_outlives_it(make_app: Make) -> None:
    cache = SimpleCache()
    app = make_app(SCOPE_CACHE=cache)
    assert greeting(app) == SAID
    found = weakref.ref(app)
    del app
    gc.collect()
    assert found() is None


def test_a_dropped_app_is_collected_where_its_client_and_the_scope_object_outlive_it(make_app: Make) -> None:
    scope = Scope()
    app = make_app(scope)
    with app.app_context():
        client = scope.client
    found = weakref.ref(app)
    del app
    gc.collect()
    assert found() is None
    assert client.render_prompt("greeting", VALUES) == SAID


@pytest.mark.parametrize("is_warm", [False, True])
def test_a_forked_child_reads_and_keeps_what_its_parent_knew(
    is_warm: bool, make_app: Make, platform: LocalPlatform
) -> None:
    app = make_app()
    if is_warm:
        greeting(app)
    assert in_a_child(lambda: [greeting(app), greeting(app)]) == [SAID, SAID]
    assert reads(platform) == 1
    assert greeting(app) == SAID


def test_a_child_forked_while_the_client_was_being_made_makes_its_own(make_app: Make, platform: LocalPlatform) -> None:
    class Keys:
        def __init__(self) -> None:
            self.home = os.getpid()
            self.held, self.let_go = threading.Event(), threading.Event()

        @property
        def org_id(self) -> str:
            if os.getpid() == self.home and threading.current_thread() is not threading.main_thread():
                self.held.set()
                assert self.let_go.wait(PATIENCE)
            return platform.credentials.org_id

        token_path = platform.credentials.token_path

        def token_body(self) -> Any:
            return platform.credentials.token_body()

    keys = Keys()
    app = make_app(SCOPE_CREDENTIALS=keys, SCOPE_CACHE=MemoryStore())
    first = threading.Thread(target=greeting, args=[app])
    first.start()
    assert keys.held.wait(PATIENCE)
    try:
        assert in_a_child(lambda: greeting(app)) == SAID
    finally:
        keys.let_go.set()
        first.join(PATIENCE)
    assert greeting(app) == SAID


def test_nothing_is_stored_on_the_scope_object(make_app: Make) -> None:
    scope = Scope()
    assert vars(scope) == {}
    app = make_app(scope)
    with app.app_context():
        assert scope.client is not None
    assert vars(scope) == {}


def test_a_copied_or_pickled_scope_object_is_as_good_as_the_first(make_app: Make) -> None:
    scope = Scope()
    app = make_app(scope)
    for other in (copy.copy(scope), copy.deepcopy(scope), pickle.loads(pickle.dumps(scope))):
        with app.app_context():
            assert other.client is scope.client
        with pytest.raises(RuntimeError, match="already"):
            other.init_app(app)


def test_a_copy_of_what_an_app_holds_reads_through_the_same_client(make_app: Make) -> None:
    app = make_app()
    with app.app_context():
        client = app.extensions["scope"].client()
        assert copy.deepcopy(current_scope) is copy.deepcopy(dict(app.extensions))["scope"].client() is client
        render = copy.deepcopy(app.jinja_env.globals["scope_prompt"])
        assert render("greeting", time_of_day="day", name="Ada") == "Good day, Ada!"


def test_a_redis_url_becomes_the_store_of_the_client(make_app: Make, redis_server: RedisServer) -> None:
    assert isinstance(config_of(make_app(SCOPE_CACHE=redis_server.url)).cache_store, RedisStore)
