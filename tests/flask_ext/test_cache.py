"""SCOPE_CACHE: what processes share through cachelib, Flask-Caching or Redis, and what they go on without."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import types
from pathlib import Path
from typing import Any, Callable

import cachelib.file
import cachelib.simple
import pytest
from cachelib import BaseCache, FileSystemCache, RedisCache, SimpleCache
from faults.clock import ManualClock, ends_within, eventually
from faults.crowd import crowd
from faults.greeting import SAID, VALUES
from faults.reading import reads, wait_until_idle, warnings
from faults.redisserver import RedisServer
from faults.watched_store import WatchedStore
from flask import Flask
from flask_caching import Cache
from flask_ext.pages import greeting
from redis.backoff import NoBackoff
from redis.retry import Retry

from scope_client import MemoryStore, ScopeClient
from scope_client.local import LocalPlatform
from scope_flask import Scope, current_scope

Make = Callable[..., Flask]
STRICT = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3, "retry": Retry(NoBackoff(), 0)}
GENEROUS = 60.0


class Place:
    """Where caches of one kind keep their entries: each call of `app` makes an app with a cache of its own there."""

    def __init__(self, kind: str, folder: Path, server: RedisServer, platform: LocalPlatform) -> None:
        self.kind = kind
        self._folder = folder
        self._server = server
        self._platform = platform
        self._one: Any = SimpleCache() if kind == "SimpleCache" else WatchedStore(MemoryStore())

    def app(self, **config: Any) -> Flask:
        app = Flask("site")
        keys, url = self._platform.credentials, self._platform.url
        app.config.from_mapping(
            SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=url, SCOPE_AUTH_API_URL=url, SCOPE_CACHE_LOCAL_TTL=0
        )
        cache = self.cache(app)
        app.config.from_mapping(config, SCOPE_CACHE=cache)
        is_later = self.kind.endswith("later")
        if isinstance(cache, Cache) and not is_later:
            cache.init_app(app)
        Scope(app)
        if isinstance(cache, Cache) and is_later:
            cache.init_app(app)
        return app

    def cache(self, app: Flask) -> Any:
        if "FileSystemCache" in self.kind and "Flask-Caching" not in self.kind:
            return FileSystemCache(str(self._folder))
        if self.kind == "RedisCache":
            return RedisCache(host="127.0.0.1", port=self._server.port, **STRICT)
        if self.kind == "RedisCache with a prefix":
            return RedisCache(host="127.0.0.1", port=self._server.port, key_prefix="mine:", **STRICT)
        if self.kind == "a URL":
            return self._server.url
        if "Flask-Caching" not in self.kind:
            return self._one
        if "Redis" in self.kind:
            app.config.from_mapping(
                CACHE_TYPE="RedisCache", CACHE_REDIS_URL=self._server.url, CACHE_OPTIONS=dict(STRICT)
            )
        else:
            app.config.from_mapping(CACHE_TYPE="FileSystemCache", CACHE_DIR=str(self._folder))
        return Cache()

    def spoil(self, garbage: bytes) -> int:
        """Puts these bytes in the place of every entry; how many there are."""
        if "Redis" in self.kind or self.kind == "a URL":
            with self._server.connected() as connection:
                keys = list(connection.scan_iter("*scope:*"))
                for key in keys:
                    connection.set(key, garbage)
            return len(keys)
        if "FileSystem" in self.kind:
            names = self._files()
            for name in names:
                name.write_bytes(garbage)
            return len(names)
        if self.kind == "SimpleCache":
            values = self._one._cache
            values.update(dict.fromkeys(values, (0, garbage)))
            return len(values)
        kept = self._one.get_many(list(self._one.seen))
        for key in kept:
            self._one.set(key, garbage.decode("latin-1"), None)
        return len(kept)

    def _files(self) -> list[Path]:
        """The files of our entries, and not the one in which such a cache counts them."""
        app = self.app()
        config = app.extensions["scope"].configuration()
        watched = WatchedStore(config.cache_store)
        ScopeClient(config=config.merge(cache_store=watched)).render_prompt("greeting", VALUES)
        cache = app.config["SCOPE_CACHE"]
        backend = app.extensions["cache"][cache] if isinstance(cache, Cache) else cache
        names = [Path(backend._get_filename(key)) for key in watched.asked_for]
        return [name for name in names if name.exists()]


FILES = ["FileSystemCache", "Flask-Caching FileSystemCache", "Flask-Caching FileSystemCache, initialised later"]
REDIS = [
    "RedisCache",
    "RedisCache with a prefix",
    "Flask-Caching RedisCache",
    "Flask-Caching RedisCache, initialised later",
    "a URL",
]
KINDS = ["SimpleCache", "a store", *FILES, *REDIS]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer, platform: LocalPlatform) -> Place:
    return Place(request.param, tmp_path, redis_server, platform)


def test_two_apps_share_one_fetch(place: Place, platform: LocalPlatform) -> None:
    one, two = place.app(), place.app()
    assert greeting(one) == greeting(two) == greeting(one) == SAID
    assert reads(platform) == 1


@pytest.mark.parametrize("kind", ["SimpleCache", "a store", *REDIS])
def test_apps_that_start_at_once_fetch_once(
    kind: str, tmp_path: Path, redis_server: RedisServer, platform: LocalPlatform
) -> None:
    platform.latency = 0.05
    place = Place(kind, tmp_path, redis_server, platform)
    apps = [place.app() for _ in range(4)]
    assert set(crowd(4, lambda: greeting(apps.pop()))) == {SAID}
    assert reads(platform) == 1


def test_an_app_that_starts_while_the_platform_is_down_reads_what_another_fetched(
    place: Place, platform: LocalPlatform
) -> None:
    assert greeting(place.app()) == SAID
    platform.stop()
    assert greeting(place.app(SCOPE_MAX_RETRIES=0)) == SAID


def test_what_is_cleared_is_cleared_for_all(place: Place, platform: LocalPlatform) -> None:
    one, two = place.app(), place.app()
    greeting(one)
    greeting(two)
    platform.publish("greeting", "New: {{time_of_day}}, {{name}}")
    with one.app_context():
        current_scope.clear_cache()
    # Of a store that took long to answer before, as on a busy machine, it is heard behind the first reader.
    eventually(lambda: greeting(two) == "New: morning, Ada", 10)
    assert greeting(one) == greeting(place.app()) == "New: morning, Ada"
    assert reads(platform) == 2


def test_organisations_and_environments_do_not_meet(place: Place, platform: LocalPlatform) -> None:
    greeting(place.app())
    greeting(place.app(SCOPE_ENVIRONMENT="staging"))
    assert reads(platform) == 2


GARBAGE = [
    b"",
    b"\xff\xfe\x00garbage",
    b"!\xff\xfe\x00garbage",
    b"!\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"!\x80\x04cno_such_module\nThing\n.",
    b"!\x80\x04cos\nno_such_thing\n.",
    b"!}.",
    b"!(lp0\n.",
    b"!.",
    b"!V\\ud800\n.",
    b"!I12x\n.",
    b"!F1e\n.",
    b"1234",
    b"9" * 5000,
    b'{"schema": 1}',
    b"\x00\x00\x00\x00\x80\x04cno_such_module\nThing\n.",
    b"\x00\x00\x00\x00\x80\x04K\x05.",
    b"\x00\x00\x00\x00h\x05.",
    b"\x00\x00\x00\x00garbage",
    b"\x00\x00\x00\x00",
    b"\x00\x00",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: repr(garbage[:12]))
def test_garbage_is_a_miss_that_the_next_fetch_heals(
    garbage: bytes, place: Place, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    assert greeting(place.app()) == SAID
    assert place.spoil(garbage) >= 1
    before = reads(platform)
    caplog.clear()
    assert greeting(place.app()) == SAID
    assert reads(platform) == before + 1
    assert greeting(place.app()) == SAID
    assert reads(platform) == before + 1
    assert not [line for line in warnings(caplog) if "shared cache fails" in line]


VALUES_OF_OTHERS = [5, 0, True, b"bytes", "text", "", {"schema": 1}, [], 1.5, "[" * 100_000]


@pytest.mark.parametrize("value", VALUES_OF_OTHERS, ids=lambda value: repr(value)[:12])
def test_a_value_of_somebody_elses_is_a_miss_that_the_next_fetch_heals(
    value: Any, make_app: Make, platform: LocalPlatform
) -> None:
    cache = SimpleCache()
    greeting(make_app(SCOPE_CACHE=cache))
    for key in list(cache._cache):
        cache.set(key, value, 0)
    assert greeting(make_app(SCOPE_CACHE=cache)) == SAID
    assert greeting(make_app(SCOPE_CACHE=cache)) == SAID
    assert reads(platform) == 2


def test_a_list_of_redis_under_our_key_is_a_miss_that_the_next_fetch_heals(
    make_app: Make, platform: LocalPlatform, redis_server: RedisServer
) -> None:
    def app() -> Flask:
        return make_app(SCOPE_CACHE=RedisCache(host="127.0.0.1", port=redis_server.port, **STRICT))

    greeting(app())
    with redis_server.connected() as connection:
        for key in connection.keys("*"):
            connection.delete(key)
            connection.rpush(key, "x")
    assert greeting(app()) == greeting(app()) == SAID
    assert reads(platform) == 2


def test_only_texts_are_stored_and_only_under_our_names(make_app: Make) -> None:
    cache = SimpleCache()
    app = make_app(SCOPE_CACHE=cache)
    greeting(app)
    with app.app_context():
        current_scope.clear_cache()
    assert all(key.startswith("scope:1:") and key.isascii() and len(key) < 200 for key in cache._cache)
    values = [cache.get(key) for key in cache._cache]
    assert all(type(value) is str for value in values)
    assert [json.loads(value) for value in values]
    assert not any("local-secret" in value for value in values)


def test_what_others_keep_there_is_left_alone(make_app: Make, redis_server: RedisServer, tmp_path: Path) -> None:
    flask_caching = Cache()
    caches = {
        "simple": SimpleCache(),
        "files": FileSystemCache(str(tmp_path)),
        "redis": RedisCache(host="127.0.0.1", port=redis_server.port, **STRICT),
        "Flask-Caching": flask_caching,
    }
    for cache in caches.values():
        app = make_app(
            SCOPE_CACHE=cache,
            SCOPE_CACHE_LOCAL_TTL=0,
            CACHE_TYPE="RedisCache",
            CACHE_REDIS_URL=redis_server.url,
            CACHE_OPTIONS=dict(STRICT),
        )
        if cache is flask_caching:
            cache.init_app(app)
        with app.app_context():
            cache.set("theirs", {"a": 1}, 1000)
            cache.set("scope:theirs", "kept", 1000)
            greeting(app)
            current_scope.clear_cache()
            greeting(app)
            assert cache.get("theirs") == {"a": 1}
            assert cache.get("scope:theirs") == "kept"


def test_the_prefix_of_a_flask_caching_cache_is_before_each_key(make_app: Make, redis_server: RedisServer) -> None:
    cache = Cache()
    app = make_app(
        SCOPE_CACHE=cache, CACHE_TYPE="RedisCache", CACHE_REDIS_URL=redis_server.url, CACHE_KEY_PREFIX="mine-"
    )
    cache.init_app(app)
    greeting(app)
    with redis_server.connected() as connection:
        keys = connection.keys()
    assert keys
    assert all(key.startswith(b"mine-scope:1:") for key in keys)


def prefixed(cache: Cache, redis_server: RedisServer, prefix: str) -> dict[str, Any]:
    return {
        "SCOPE_CACHE": cache,
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_URL": f"{redis_server.url}?socket_timeout=0.3&socket_connect_timeout=0.3",
        "CACHE_KEY_PREFIX": prefix,
    }


@pytest.fixture
def two_apps(make_app: Make, redis_server: RedisServer) -> list[Flask]:
    """One Flask-Caching Cache for two apps, whose prefixes are "one-" and "two-"."""
    cache = Cache()
    apps = [make_app(name=prefix, **prefixed(cache, redis_server, prefix)) for prefix in ("one-", "two-")]
    for app in apps:
        cache.init_app(app)
    return apps


def prefixes(redis_server: RedisServer) -> set[str]:
    with redis_server.connected() as connection:
        return {key.decode().split("scope:")[0] for key in connection.scan_iter("*scope:1:*")}


def test_one_flask_caching_cache_on_two_apps_is_two_caches(
    two_apps: list[Flask], platform: LocalPlatform, redis_server: RedisServer
) -> None:
    greeting(two_apps[0])
    assert prefixes(redis_server) == {"one-"}
    greeting(two_apps[1])
    assert prefixes(redis_server) == {"one-", "two-"}
    assert reads(platform) == 2


def test_a_client_asks_the_cache_of_its_own_app_without_an_app_context(
    two_apps: list[Flask], redis_server: RedisServer
) -> None:
    client = two_apps[0].extensions["scope"].client()
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(client.render_prompt("greeting", VALUES)))
    thread.start()
    thread.join(GENEROUS)
    assert outcome == [SAID]
    assert prefixes(redis_server) == {"one-"}


def test_a_client_asks_the_cache_of_its_own_app_in_the_context_of_another(
    two_apps: list[Flask], redis_server: RedisServer
) -> None:
    client = two_apps[0].extensions["scope"].client()
    with two_apps[1].app_context():
        assert client.render_prompt("greeting", VALUES) == SAID
    assert prefixes(redis_server) == {"one-"}


def test_a_renewal_in_the_background_reaches_the_shared_cache(place: Place, platform: LocalPlatform) -> None:
    clock = ManualClock()
    app = place.app(SCOPE_CACHE_TTL=100)
    client = ScopeClient(config=app.extensions["scope"].configuration(), clock=clock.clock)
    assert client.render_prompt("greeting", VALUES) == SAID
    platform.publish("greeting", "New: {{time_of_day}}, {{name}}")
    clock.passes(96)
    client.render_prompt("greeting", VALUES)
    eventually(lambda: client.render_prompt("greeting", VALUES) == "New: morning, Ada")
    wait_until_idle(client)
    other = ScopeClient(config=place.app().extensions["scope"].configuration(), clock=clock.clock)
    assert other.render_prompt("greeting", VALUES) == "New: morning, Ada"
    assert reads(platform) == 2
    assert client.status().counters["store_failures"] == 0


def test_threads_without_an_app_context_read_through_it(place: Place, platform: LocalPlatform) -> None:
    client = place.app().extensions["scope"].client()
    assert set(crowd(8, lambda: client.render_prompt("greeting", VALUES))) == {SAID}
    assert client.status().counters["store_failures"] == 0
    other = place.app().extensions["scope"].client()
    assert set(crowd(8, lambda: other.render_prompt("greeting", VALUES))) == {SAID}
    assert reads(platform) == 1


def test_an_import_path_leads_to_any_kind(
    make_app: Make, platform: LocalPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("caches_of_the_site")
    module.simple, module.store, module.caching = SimpleCache(), MemoryStore(), Cache()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "caches_of_the_site", module)
    for number, path in enumerate(("caches_of_the_site.simple", "caches_of_the_site:store"), 1):
        assert greeting(make_app(SCOPE_CACHE=path)) == greeting(make_app(SCOPE_CACHE=path)) == SAID
        assert reads(platform) == number
    app = make_app(SCOPE_CACHE="caches_of_the_site.caching", CACHE_TYPE="SimpleCache")
    module.caching.init_app(app)  # type: ignore[attr-defined]
    assert greeting(app) == SAID
    assert app.extensions["cache"][module.caching]._cache  # type: ignore[attr-defined]


def test_a_variable_of_the_environment_may_name_the_cache(
    platform: LocalPlatform, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_SCOPE_CACHE", redis_server.url)
    app = Flask("site")
    app.config.from_prefixed_env()
    app.config.from_mapping(
        SCOPE_CREDENTIALS=platform.credentials, SCOPE_BASE_URL=platform.url, SCOPE_AUTH_API_URL=platform.url
    )
    Scope(app)
    assert greeting(app) == SAID
    with redis_server.connected() as connection:
        assert connection.keys("scope:1:*")


class NoCache(BaseCache):
    """cachelib's own base, which keeps nothing."""

    def has(self, key: str) -> bool:
        return False


def test_a_cache_that_keeps_nothing_costs_nothing_but_fetches(
    make_app: Make, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    caching = Cache(config={"CACHE_TYPE": "NullCache", "CACHE_NO_NULL_WARNING": True})
    for cache in (cachelib.NullCache(), NoCache(), caching):
        app = make_app(SCOPE_CACHE=cache, SCOPE_CACHE_LOCAL_TTL=0)
        if cache is caching:
            cache.init_app(app)
        before = reads(platform)
        assert greeting(app) == greeting(app) == SAID
        assert reads(platform) == before + 1
        with app.app_context():
            current_scope.clear_cache()
        assert greeting(app) == SAID
        assert reads(platform) == before + 2
    assert warnings(caplog) == []


def test_a_flask_caching_cache_that_was_never_initialised_is_one_warning_and_no_error(
    make_app: Make, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(SCOPE_CACHE=Cache(), SCOPE_CACHE_LOCAL_TTL=0)
    assert [greeting(app) for _ in range(5)] == [SAID] * 5
    with app.app_context():
        current_scope.clear_cache()
        assert current_scope.status().counters["store_failures"] >= 1
    assert greeting(app) == SAID
    assert len(warnings(caplog)) == 1
    assert "init_app" in warnings(caplog)[0]


def test_a_flask_caching_cache_initialised_after_the_first_read_is_used_from_then_on(
    make_app: Make, platform: LocalPlatform, redis_server: RedisServer
) -> None:
    cache = Cache()
    app = make_app(**prefixed(cache, redis_server, "late-"))
    clock = ManualClock()
    client = ScopeClient(config=app.extensions["scope"].configuration(), clock=clock.clock)
    assert client.render_prompt("greeting", VALUES) == SAID
    cache.init_app(app)
    clock.passes(400)
    assert client.render_prompt("greeting", VALUES) == SAID
    eventually(lambda: prefixes(redis_server) == {"late-"})


def test_a_dead_redis_costs_one_warning_and_no_error(
    make_app: Make, platform: LocalPlatform, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    for cache in (RedisCache(host="127.0.0.1", port=redis_server.port, **STRICT), redis_server.url):
        app = make_app(SCOPE_CACHE=cache, SCOPE_CACHE_LOCAL_TTL=0)
        redis_server.stop()
        caplog.clear()
        before = reads(platform)
        with ends_within(GENEROUS):
            assert [greeting(app) for _ in range(20)] == [SAID] * 20
            with app.app_context():
                current_scope.clear_cache()
        assert reads(platform) == before + 1
        assert len(warnings(caplog)) == 1
        assert "the shared cache fails" in warnings(caplog)[0]
        redis_server.start()


def test_a_dead_redis_behind_flask_caching_costs_one_warning_and_no_error(
    make_app: Make, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache()
    app = make_app(**prefixed(cache, redis_server, "x-"))
    redis_server.stop()
    cache.init_app(app)
    assert [greeting(app) for _ in range(5)] == [SAID] * 5
    assert len(warnings(caplog)) == 1


def test_a_paused_redis_costs_one_warning_and_no_error(
    make_app: Make, platform: LocalPlatform, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    for cache in (RedisCache(host="127.0.0.1", port=redis_server.port, **STRICT), redis_server.url):
        app = make_app(SCOPE_CACHE=cache, SCOPE_CACHE_LOCAL_TTL=0)
        greeting(app)
        redis_server.pause()
        caplog.clear()
        with ends_within(GENEROUS):
            assert [greeting(app) for _ in range(20)] == [SAID] * 20
        assert len(warnings(caplog)) == 1
        redis_server.resume()


def test_a_redis_that_comes_back_is_used_again(
    make_app: Make, platform: LocalPlatform, redis_server: RedisServer
) -> None:
    clock = ManualClock()
    app = make_app(SCOPE_CACHE=RedisCache(host="127.0.0.1", port=redis_server.port, **STRICT), SCOPE_CACHE_LOCAL_TTL=0)
    client = ScopeClient(config=app.extensions["scope"].configuration(), clock=clock.clock)
    redis_server.stop()
    assert client.render_prompt("greeting", VALUES) == SAID
    redis_server.start()
    clock.passes(10)
    client.clear_cache()
    assert client.render_prompt("greeting", VALUES) == SAID
    with redis_server.connected() as connection:
        assert len(connection.keys("scope:1:*")) == 2


def test_a_folder_that_cannot_be_written_costs_no_error_and_no_wait(
    make_app: Make, platform: LocalPlatform, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    app = make_app(SCOPE_CACHE=FileSystemCache(str(folder)), SCOPE_CACHE_LOCAL_TTL=0)
    shutil.rmtree(folder)
    clock = ManualClock()
    client = ScopeClient(config=app.extensions["scope"].configuration(), clock=clock.clock)
    assert [client.render_prompt("greeting", VALUES) for _ in range(5)] == [SAID] * 5
    assert reads(platform) == 1
    assert clock.sleeps == []


def test_a_count_file_that_is_broken_costs_no_error(make_app: Make, platform: LocalPlatform, tmp_path: Path) -> None:
    cache = FileSystemCache(str(tmp_path))
    app = make_app(SCOPE_CACHE=cache)
    for path in tmp_path.iterdir():
        path.write_bytes(b"\x00\x00\x00\x00h\x05.")
    assert greeting(app) == SAID
    assert greeting(make_app(SCOPE_CACHE=cache)) == SAID


@pytest.mark.parametrize("limits", [{}, STRICT], ids=["none", "half a second"])
def test_a_redis_without_a_time_limit_is_a_warning(
    limits: dict[str, Any], make_app: Make, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    cache = RedisCache(host="127.0.0.1", port=redis_server.port, **{"socket_timeout": None, **limits})
    assert greeting(make_app(SCOPE_CACHE=cache)) == SAID
    assert ["socket_timeout=0.5" in said for said in warnings(caplog)] == ([] if limits else [True])
