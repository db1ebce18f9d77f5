"""The SCOPE dict of the settings, and the one client that is made of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.core.cache import cache, caches
from django.test import override_settings
from faults.crowd import crowd

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    ConfigurationError,
    MemoryStore,
    MissingApiKeyError,
    ScopeClient,
)
from scope_client.local import LocalPlatform
from scope_django import _conf as conf
from scope_django import get_client
from scope_django._store import DjangoStore

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": "the-secret"}
CLIENT = {"ORG_ID": "org", "CLIENT_ID": "app", "CLIENT_SECRET": "the-secret"}
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
SESSION = requests.Session()
STORE = MemoryStore()
OPTIONS: dict[str, Any] = {
    "CREDENTIALS": ApiKeyCredentials("other", "key", "secret"),
    "BASE_URL": "https://api.example.com",
    "AUTH_API_URL": "https://auth.example.com",
    "API_VERSION": "v2",
    "TIMEOUT": 3.5,
    "OPEN_TIMEOUT": 1.5,
    "CACHE_ENABLED": False,
    "CACHE_TTL": 600.0,
    "CACHE_MAX_SIZE": 7,
    "MAX_RETRIES": 1,
    "RETRY_BASE_DELAY": 0.25,
    "RETRY_MAX_DELAY": 2.5,
    "TELEMETRY_ENABLED": False,
    "ENVIRONMENT": "staging",
    "TOKEN_REFRESH_BUFFER": 30.0,
    "STALE_IF_ERROR": 60.0,
    "STALE_WHILE_REVALIDATE": 7.5,
    "DEADLINE": 4.5,
    "CACHE_STORE": STORE,
    "CACHE_LOCAL_TTL": 2.5,
    "PROMPT_DIR": str(ROOT),
    "ALLOW_INSECURE": True,
    "SESSION": SESSION,
    "EXTRA_VALUES": "warn",
    "WHEN_UNFIT": "last_fitting",
    "LOCK": "scope.lock",
}


def made(**scope: Any) -> Configuration:
    with override_settings(SCOPE=scope):
        return conf.configuration()


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("CACHE_TTL", "60", 60.0),
        ("TIMEOUT", "0.5", 0.5),
        ("MAX_RETRIES", "0", 0),
        ("CACHE_ENABLED", "False", False),
        ("CACHE_ENABLED", "off", False),
        ("ALLOW_INSECURE", "1", True),
        ("CACHE_TTL", "", 300.0),
        ("CACHE_ENABLED", "", True),
        ("DEADLINE", "", None),
    ],
)
def test_a_number_or_a_flag_may_be_text_as_in_the_environment(key: str, text: str, value: object) -> None:
    assert getattr(made(**KEYS, **{key: text}), key.lower()) == value


def refused(**scope: Any) -> str:
    with override_settings(SCOPE=scope), pytest.raises(ConfigurationError) as caught:
        get_client()
    return str(caught.value)


def environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"SCOPE_{name}", value)


# The keys


def test_every_option_of_a_configuration_has_its_key_in_upper_case():
    assert set(OPTIONS) == {name.upper() for name in Configuration.__slots__}


@pytest.mark.parametrize("key", list(OPTIONS))
def test_each_key_sets_its_option(key):
    value = OPTIONS[key]
    keys = {} if key == "CREDENTIALS" else KEYS
    found = made(**keys, **{key: value})
    assert getattr(found, key.lower()) == value
    default = Configuration()
    others = set(Configuration.__slots__) - {key.lower(), "credentials", "cache_store"}
    assert {name: getattr(found, name) for name in others} == {name: getattr(default, name) for name in others}


def test_all_keys_together_make_the_configuration_that_their_options_make():
    assert made(**OPTIONS) == Configuration(**{key.lower(): value for key, value in OPTIONS.items()})


def test_credentials_are_an_api_key_or_a_client_with_its_secret():
    assert made(**KEYS).credentials == ApiKeyCredentials("org", "key", "the-secret")
    assert made(**CLIENT).credentials == ClientCredentials("org", "app", "the-secret")


@pytest.mark.parametrize("keys", [KEYS, CLIENT])
def test_what_is_absent_comes_from_the_environment(keys, monkeypatch):
    environment(monkeypatch, **keys, API_URL="https://api.example.com", ENVIRONMENT="staging")
    whole = made(**keys)
    for left_out in keys:
        given = {key: value for key, value in keys.items() if key != left_out}
        assert made(**given).credentials == whole.credentials
    found = made()
    assert found.credentials == whole.credentials
    assert (found.base_url, found.environment) == ("https://api.example.com", "staging")


def test_with_no_scope_in_the_settings_everything_comes_from_the_environment(monkeypatch, settings, platform):
    for name, value in platform.environ.items():
        monkeypatch.setenv(name, value)
    settings.SCOPE = {}
    del settings.SCOPE
    assert not hasattr(django_settings, "SCOPE")
    assert get_client().render_prompt("greeting", {"time_of_day": "morning", "name": "Ada"}) == "Good morning, Ada!"


def test_the_settings_win_over_the_environment(monkeypatch):
    environment(monkeypatch, ORG_ID="e", API_KEY="e", API_SECRET="e", ENVIRONMENT="e", TOKEN_REFRESH_BUFFER="5")
    found = made(**KEYS, ENVIRONMENT="production", TOKEN_REFRESH_BUFFER=60)
    assert found.credentials == ApiKeyCredentials("org", "key", "the-secret")
    assert (found.environment, found.token_refresh_buffer) == ("production", 60)


def test_the_kind_that_the_settings_name_wins_over_the_other_kind_in_the_environment(monkeypatch):
    environment(monkeypatch, ORG_ID="e", API_KEY="e", API_SECRET="e", CLIENT_ID="e", CLIENT_SECRET="e")
    assert made(CLIENT_ID="app", CLIENT_SECRET="s").credentials == ClientCredentials("e", "app", "s")
    assert made(CLIENT_ID="app").credentials == ClientCredentials("e", "app", "e")
    assert made(API_KEY="key").credentials == ApiKeyCredentials("e", "key", "e")


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("keys", [KEYS, CLIENT])
def test_a_part_of_the_credentials_that_is_none_or_empty_is_absent(keys, nothing, monkeypatch):
    for key in keys:
        assert f"lack SCOPE['{key}'] (add what is missing, or set SCOPE_{key} in the environment)" in refused(
            **{**keys, key: nothing}
        )
    others = dict.fromkeys({**KEYS, **CLIENT}, nothing)
    assert made(**{**others, **keys}).credentials == made(**keys).credentials
    environment(monkeypatch, **keys)
    assert made(**others).credentials == made(**keys).credentials
    assert made(**others, CREDENTIALS=OPTIONS["CREDENTIALS"]).credentials == OPTIONS["CREDENTIALS"]
    assert made(**keys, CREDENTIALS=None).credentials == made(**keys).credentials


def test_an_empty_environment_variable_is_absent_too(monkeypatch):
    environment(monkeypatch, ORG_ID="", API_KEY="", API_SECRET="", CLIENT_ID="", CLIENT_SECRET="")
    with override_settings(SCOPE={}), pytest.raises(MissingApiKeyError) as caught:
        get_client()
    for key in KEYS:
        assert f"SCOPE['{key}']" in str(caught.value)
        assert f"SCOPE_{key}" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("CACHE_TLL", "CACHE_TTL"),
        ("BASE_URI", "BASE_URL"),
        ("ORGID", "ORG_ID"),
        ("api_key", "API_KEY"),
        ("base_url", "BASE_URL"),
        ("CacheAlias", "CACHE_ALIAS"),
        ("API_SECERT", "API_SECRET"),
        ("CLIENT_SECRT", "CLIENT_SECRET"),
        ("API_URL", "BASE_URL"),
        ("TTL", "CACHE_TTL"),
        ("CACHE", "CACHE_ALIAS"),
        ("", ""),
        ("{0}", ""),
        (5, ""),
        (None, ""),
        (("a",), ""),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest_one(key, near):
    with override_settings(SCOPE={**KEYS, key: "x"}), pytest.raises(ConfigurationError) as caught:
        get_client()
    assert f"SCOPE['{key}'] is not a setting (the nearest one is SCOPE['{near}" in str(caught.value)


def test_every_mistake_is_told_at_once():
    said = refused(TIMEOUT="soon", MAX_RETRIES=-1, CACHE_TLL=5, BASE_URL="nowhere", ORG_ID="org")
    for expected in ("['TIMEOUT'] must", "['MAX_RETRIES'] must", "['CACHE_TLL'] is no", "['BASE_URL'] must", "lack"):
        assert expected in said
    assert said.count("lack") == 1
    assert "SCOPE['API_KEY'], SCOPE['API_SECRET']" in said


@pytest.mark.parametrize("scope", [None, 5, "the-secret", ["the-secret"], [("ORG_ID", "org")], object()])
def test_a_scope_that_is_no_dict_is_an_error(scope):
    with override_settings(SCOPE=scope), pytest.raises(ConfigurationError, match="SCOPE must be a dict") as caught:
        get_client()
    assert type(scope).__name__ in str(caught.value)
    assert "the-secret" not in str(caught.value)


def test_a_mistake_is_told_until_it_is_corrected(platform, scope_settings):
    scope_settings(TIMEOUT="soon")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="TIMEOUT"):
            get_client()
    scope_settings(TIMEOUT=5)
    assert get_client().config.timeout == 5


def test_two_kinds_of_credentials_exclude_each_other():
    assert "exclude each other" in refused(**KEYS, CLIENT_ID="app")
    assert "exclude each other" in refused(**KEYS, CREDENTIALS=OPTIONS["CREDENTIALS"])
    assert "exclude each other" in refused(ORG_ID="org", CREDENTIALS=OPTIONS["CREDENTIALS"])


@pytest.mark.parametrize("variable", ["SCOPE_TOKEN_REFRESH_BUFFER", "SCOPE_API_URL", "SCOPE_PROMPT_DIR"])
def test_a_mistake_in_the_environment_is_an_error_that_names_the_variable(variable, monkeypatch):
    monkeypatch.setenv(variable, "not good")
    assert variable in refused(**KEYS)


def test_nothing_is_changed_in_the_settings():
    scope = {**KEYS, "CACHE_ALIAS": "default", "TIMEOUT": 5}
    before = dict(scope)
    with override_settings(SCOPE=scope):
        get_client()
    assert scope == before


# The cache


def test_prompts_are_shared_through_the_default_cache_unless_the_settings_say_otherwise(settings):
    settings.CACHES = {name: {"BACKEND": LOCMEM, "LOCATION": name} for name in ("default", "prompts")}
    assert repr(made(**KEYS).cache_store) == "DjangoStore('default')"
    store = made(**KEYS, CACHE_ALIAS="prompts").cache_store
    assert isinstance(store, DjangoStore)
    assert store.alias == "prompts"
    assert made(**KEYS, CACHE_ALIAS=None).cache_store is None


def test_what_was_fetched_is_in_the_cache_of_that_alias_and_in_no_other(settings, scope_settings):
    settings.CACHES = {name: {"BACKEND": LOCMEM, "LOCATION": name} for name in ("default", "prompts")}
    caches["default"].clear()
    caches["prompts"].clear()
    scope_settings(CACHE_ALIAS="prompts")
    get_client().get_prompt_version("greeting")
    assert caches["prompts"]._cache
    assert not caches["default"]._cache


def test_a_store_of_ones_own_stands_in_the_place_of_a_cache_of_djangos():
    assert made(**KEYS, CACHE_STORE=STORE).cache_store is STORE
    assert made(**KEYS, CACHE_STORE=STORE, CACHE_ALIAS=None).cache_store is STORE
    assert isinstance(made(**KEYS, CACHE_STORE=None).cache_store, DjangoStore)
    assert made(**KEYS, CACHE_STORE=None, CACHE_ALIAS=None).cache_store is None
    said = refused(**KEYS, CACHE_STORE=STORE, CACHE_ALIAS="default")
    assert "SCOPE['CACHE_ALIAS'] and SCOPE['CACHE_STORE'] exclude each other" in said


@pytest.mark.parametrize("alias", ["prompts", "", 5, ["default"], True, {"default": 1}])
def test_an_unknown_alias_is_an_error_that_lists_the_known_ones(alias):
    assert "SCOPE['CACHE_ALIAS'] must be one of CACHES ('default') or None" in refused(**KEYS, CACHE_ALIAS=alias)


# The client


def test_there_is_one_client_a_process(scope_settings):
    first, *others = crowd(20, get_client)
    assert isinstance(first, ScopeClient)
    assert all(other is first for other in others)
    assert get_client() is first


def test_override_settings_gives_another_client_and_then_one_like_the_first(scope_settings):
    before = get_client()
    with override_settings(SCOPE={**KEYS, "CACHE_TTL": 7}):
        within = get_client()
        assert within is get_client()
        assert within is not before
        assert (within.config.cache_ttl, within.config.credentials.org_id) == (7, "org")
    after = get_client()
    assert after is not within
    assert after.config.credentials == before.config.credentials
    assert after.render_prompt("greeting", {"time_of_day": "morning", "name": "Ada"}) == "Good morning, Ada!"


def test_the_settings_fixture_of_pytest_django_gives_another_client(settings, scope_settings):
    before = get_client()
    settings.SCOPE = {**settings.SCOPE, "CACHE_TTL": 7}
    assert get_client() is not before
    assert get_client().config.cache_ttl == 7


def test_a_client_follows_a_change_of_caches(settings, scope_settings):
    scope_settings(CACHE_ALIAS="default")
    before = get_client()
    settings.CACHES = {
        "default": {"BACKEND": LOCMEM, "LOCATION": "elsewhere"},
        "more": {"BACKEND": LOCMEM, "LOCATION": "more"},
    }
    cache.clear()
    assert get_client() is not before
    get_client().get_prompt_version("greeting")
    assert cache._cache
    scope_settings(CACHE_ALIAS="more")
    assert get_client().config.cache_store.alias == "more"
    with (
        override_settings(CACHES={"default": {"BACKEND": LOCMEM}}),
        pytest.raises(ConfigurationError, match="CACHE_ALIAS"),
    ):
        get_client()


def test_a_change_of_other_settings_leaves_the_client_alone(settings, scope_settings):
    before = get_client()
    settings.DEBUG = True
    settings.USE_TZ = False
    assert get_client() is before


def test_a_client_that_was_replaced_in_the_midst_of_its_use_does_no_harm(scope_settings, platform):
    former = get_client()
    scope_settings(CACHE_TTL=7)
    assert former.render_prompt("greeting", {"time_of_day": "morning", "name": "Ada"}) == "Good morning, Ada!"
    assert get_client().render_prompt("greeting", {"time_of_day": "noon", "name": "Bob"}) == "Good noon, Bob!"


# What happens before the first use

AUDITED = """
import sys
events = []
WATCHED = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "_thread.start_new_thread")
sys.addaudithook(lambda event, arguments: event in WATCHED and events.append((event, str(arguments))))
import gc, io, threading
def quiet():
    assert events == [], events
    assert threading.active_count() == 1, threading.enumerate()
    made = [each for each in gc.get_objects() if type(each).__name__ in ("ScopeClient", "Background", "Session")]
    assert made == [], made
    assert "requests" not in sys.modules
import django
import scope_django, scope_django._client, scope_django._conf, scope_django._store, scope_django.jinja2
quiet()
django.setup()
quiet()
import scope_django.templatetags.scope, scope_django._checks, scope_django.views, scope_django.test, scope_django._uses
import scope_django.signals, scope_django.management.commands.scope
quiet()
from django.core.checks import run_checks
from django.core.management import call_command
found = [each.id for each in run_checks(include_deployment_checks=True) if each.id.startswith("scope_django")]
assert found == FOUND, found
if "scope_django.E004" not in FOUND:
    call_command("check", stdout=io.StringIO(), stderr=io.StringIO())
    call_command("check", deploy=True, stdout=io.StringIO(), stderr=io.StringIO())
quiet()
from django.template import Context, engines
source = '{% load scope %}{% scope_prompt "greeting" time_of_day="morning" name="Ada" %}'
template = engines["django"].from_string(source)
engines["jinja2"].from_string('{{ scope_prompt("greeting", name="Ada") }}')
quiet()
from scope_django._conf import configuration
if "scope_django.E004" not in FOUND:
    configuration()
    quiet()
    assert template.render({}) == "Good morning, Ada!"
    assert any(event == "socket.connect" for event, _ in events), events
print("done")
"""


@pytest.mark.parametrize(
    "found",
    [["scope_django.W001", "scope_django.W002", "scope_django.W002"], ["scope_django.W004", "scope_django.E004"]],
)
def test_setup_imports_and_checks_make_no_connection_no_thread_and_no_client(found, platform: LocalPlatform):
    ours = {} if "scope_django.E004" in found else platform.environ
    env = {name: value for name, value in os.environ.items() if not name.startswith("SCOPE_")}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    run = subprocess.run(
        [sys.executable, "-c", AUDITED.replace("FOUND", repr(found))],
        env={**env, **ours, "PYTHONPATH": paths, "DJANGO_SETTINGS_MODULE": "django_app.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert (run.stdout.strip(), run.stderr, run.returncode) == ("done", "", 0)


def test_the_app_is_imported_without_any_settings():
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    code = "import scope_django, scope_django.apps, scope_django.jinja2, scope_django.test; print('done')"
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (run.stdout.strip(), run.stderr) == ("done", "")
