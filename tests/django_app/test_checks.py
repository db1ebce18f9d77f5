"""The system checks: what is wrong with the SCOPE settings, told before anything asks the platform."""

from __future__ import annotations

import gc
import io
import threading
from typing import Any

import pytest
from django.core.checks import CheckMessage, Error, Tags, Warning, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from scope_client import Configuration, ConfigurationError, MemoryStore, ScopeClient
from scope_django import get_client

SECRET = "s3cr3t<of>\"the\" 'org' &/%ü\\x"
PLAIN_SECRET = "a-plain-secret-0123456789"
KEYS = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": PLAIN_SECRET}
BACKENDS = "django.core.cache.backends."
SHARED = {"default": {"BACKEND": BACKENDS + "filebased.FileBasedCache", "LOCATION": "/tmp/scope-checks-unused"}}
OPTION_KEYS = [name.upper() for name in Configuration.__slots__]


def messages(scope: Any, *, deploy: bool = True, **settings: Any) -> list[CheckMessage]:
    with override_settings(SCOPE=scope, **settings):
        found = run_checks(include_deployment_checks=deploy)
    return [each for each in found if str(each.id).startswith("scope_django.")]


def ids(scope: Any, **options: Any) -> list[str]:
    return [str(each.id) for each in messages(scope, **options)]


def said(found: list[CheckMessage]) -> str:
    return "\n".join(f"{each}\n{each!r}\n{each.msg}\n{each.hint}" for each in found)


# What is right


def test_good_settings_are_silent_also_where_the_site_is_deployed():
    assert messages(KEYS, CACHES=SHARED) == []
    assert messages({"ORG_ID": "org", "CLIENT_ID": "app", "CLIENT_SECRET": "s"}, CACHES=SHARED) == []
    assert messages({**KEYS, "CACHE_ALIAS": None}) == []
    assert messages({**KEYS, "CACHE_STORE": MemoryStore()}) == []


def test_settings_from_the_environment_are_silent(monkeypatch):
    for key, value in KEYS.items():
        monkeypatch.setenv(f"SCOPE_{key}", value)
    assert messages({}, CACHES=SHARED) == []


def test_manage_py_check_passes_with_good_settings_and_fails_with_bad_ones():
    out = io.StringIO()
    with override_settings(SCOPE=KEYS):
        call_command("check", stdout=out, stderr=out)
    assert "no issues" in out.getvalue()
    with override_settings(SCOPE={**KEYS, "CACHE_TLL": 5}), pytest.raises(SystemCheckError) as caught:
        call_command("check", stdout=out, stderr=out)
    assert "(scope_django.E002) SCOPE['CACHE_TLL'] is not a setting" in str(caught.value)
    assert "HINT: The nearest one is SCOPE['CACHE_TTL']" in str(caught.value)


def test_the_checks_have_tags():
    with override_settings(SCOPE={"ORG_ID": "org", "CACHE_TLL": 1}):
        assert {each.id for each in run_checks(tags=[Tags.compatibility])} >= {"scope_django.E002", "scope_django.W004"}
    with override_settings(SCOPE=KEYS):
        found = run_checks(tags=[Tags.security], include_deployment_checks=True)
        assert "scope_django.W001" in {each.id for each in found}


# What is wrong


@pytest.mark.parametrize("scope", [None, 5, PLAIN_SECRET, [PLAIN_SECRET], [("ORG_ID", "org")]])
def test_e001_scope_is_no_dict(scope):
    (message,) = messages(scope)
    assert (message.id, type(message)) == ("scope_django.E001", Error)
    assert "SCOPE must be a dict" in message.msg
    assert type(scope).__name__ in message.msg
    assert message.hint
    assert PLAIN_SECRET not in said([message])


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("CACHE_TLL", "CACHE_TTL"),
        ("org_id", "ORG_ID"),
        ("CACHE_ALIS", "CACHE_ALIAS"),
        ("SECRET", "API_SECRET"),
        (5, ""),
    ],
)
def test_e002_an_unknown_key_and_the_nearest_one(key, near):
    (message,) = messages({**KEYS, key: "x"})
    assert (message.id, type(message)) == ("scope_django.E002", Error)
    assert message.msg == f"SCOPE['{key}'] is not a setting."
    assert message.hint.startswith(f"The nearest one is SCOPE['{near}")


@pytest.mark.parametrize(
    ("key", "value", "must"),
    [
        ("BASE_URL", "example.com", "URL"),
        ("BASE_URL", 5, "URL"),
        ("AUTH_API_URL", "ftp://example.com", "URL"),
        ("API_VERSION", "v1/../x", "letters"),
        ("TIMEOUT", "fast", "positive number of seconds"),
        ("TIMEOUT", 0, "positive number of seconds"),
        ("TIMEOUT", float("nan"), "positive number of seconds"),
        ("TIMEOUT", True, "positive number of seconds"),
        ("OPEN_TIMEOUT", -1, "positive number of seconds"),
        ("CACHE_ENABLED", "perhaps", "True or False"),
        ("CACHE_ENABLED", 1, "True or False"),
        ("CACHE_TTL", "600 s", "number of seconds"),
        ("CACHE_TTL", -1, "number of seconds"),
        ("CACHE_MAX_SIZE", 0, "whole number"),
        ("MAX_RETRIES", 1.5, "whole number"),
        ("RETRY_BASE_DELAY", float("inf"), "number of seconds"),
        ("RETRY_MAX_DELAY", [], "number of seconds"),
        ("ENVIRONMENT", "a\nb", "printable ASCII"),
        ("TOKEN_REFRESH_BUFFER", "abc", "number of seconds"),
        ("STALE_IF_ERROR", -0.5, "number of seconds"),
        ("DEADLINE", 0, "positive number of seconds, or None"),
        ("PROMPT_DIR", "/no/such/folder", "folder that exists"),
        ("ALLOW_INSECURE", "2", "True or False"),
        ("SESSION", "x", "requests.Session"),
    ],
)
def test_e003_a_bad_value_and_what_it_must_be(key, value, must):
    (message,) = messages({**KEYS, key: value})
    assert (message.id, type(message)) == ("scope_django.E003", Error)
    assert message.msg.startswith(f"SCOPE['{key}'] must be")
    assert must in message.msg
    assert message.hint


def test_e003_a_store_that_is_none_of_ours():
    (message,) = messages({**KEYS, "CACHE_STORE": {}, "CACHE_ALIAS": None})
    assert (message.id, "get_many" in message.msg) == ("scope_django.E003", True)


def test_e003_credentials_of_a_wrong_kind_are_the_only_mistake():
    assert ids({"CREDENTIALS": 5}) == ["scope_django.E003"]


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("key", ["BASE_URL", "ENVIRONMENT", "TELEMETRY_ENABLED", "CACHE_LOCAL_TTL", "CACHE_TTL"])
def test_what_os_environ_get_does_not_find_is_absent(key, nothing):
    assert messages({**KEYS, key: nothing}, CACHES=SHARED) == []


@pytest.mark.parametrize("missing", list(KEYS))
@pytest.mark.parametrize("nothing", [None, "", "absent"])
def test_e004_credentials_that_lack_something(missing, nothing):
    scope = {**KEYS, missing: nothing}
    if nothing == "absent":
        del scope[missing]
    warning, error = messages(scope)
    assert [(each.id, type(each)) for each in (warning, error)] == [
        ("scope_django.W004", Warning),
        ("scope_django.E004", Error),
    ]
    assert warning.msg == error.msg == f"the credentials lack SCOPE['{missing}']."
    assert f"SCOPE_{missing} in the environment" in error.hint
    assert "all but the reading of prompts works without them" in warning.hint
    assert ids(scope, deploy=False) == ["scope_django.W004"]


def test_e004_a_client_that_lacks_its_secret():
    _, message = messages({"ORG_ID": "org", "CLIENT_ID": "app"})
    assert (message.id, message.msg) == ("scope_django.E004", "the credentials lack SCOPE['CLIENT_SECRET'].")


def test_e004_no_credentials_at_all():
    for scope in ({}, {"CACHE_TTL": 5}):
        _, message = messages(scope)
        assert message.id == "scope_django.E004"
        assert all(f"SCOPE['{key}']" in message.msg for key in KEYS)


@pytest.mark.parametrize(
    "more",
    [{"CLIENT_ID": "app"}, {"CLIENT_SECRET": "x"}, {"ORG_ID": 5}, {"API_KEY": "a\nb"}, {"API_SECRET": b"bytes"}],
)
def test_e004_credentials_that_cannot_be_used(more):
    (message,) = messages({**KEYS, **more})
    assert (message.id, type(message)) == ("scope_django.E004", Error)


@pytest.mark.parametrize("alias", ["prompts", "", 5, ["default"]])
def test_e005_an_alias_that_no_cache_has(alias):
    (message,) = messages({**KEYS, "CACHE_ALIAS": alias})
    assert (message.id, type(message)) == ("scope_django.E005", Error)
    assert "'default'" in message.msg
    assert "None" in message.hint


def test_e005_an_alias_and_a_store_exclude_each_other():
    (message,) = messages({**KEYS, "CACHE_ALIAS": "default", "CACHE_STORE": MemoryStore()})
    assert (message.id, "exclude each other" in message.msg) == ("scope_django.E005", True)


def test_e006_values_that_do_not_go_together():
    for url in ("http://scope.example.com", "https://scope.example.com/api/v7"):
        (message,) = messages({**KEYS, "BASE_URL": url})
        assert (message.id, type(message)) == ("scope_django.E006", Error)
        assert "base_url" in message.msg.lower()


def test_e006_a_bad_variable_in_the_environment(monkeypatch):
    monkeypatch.setenv("SCOPE_TOKEN_REFRESH_BUFFER", "soon")
    (message,) = messages(KEYS)
    assert (message.id, "SCOPE_TOKEN_REFRESH_BUFFER" in message.msg) == ("scope_django.E006", True)


def test_several_mistakes_are_all_told_each_with_its_id_and_hint():
    scope = {"ORG_ID": "org", "CACHE_TLL": 1, "BASE_URI": 2, "TIMEOUT": "x", "MAX_RETRIES": -1, "CACHE_ALIAS": "gone"}
    found = messages(scope)
    assert sorted(str(each.id)[-4:] for each in found) == ["E002", "E002", "E003", "E003", "E004", "E005", "W004"]
    assert all(each.hint and each.msg for each in found)
    for key in ("CACHE_TLL", "BASE_URI", "TIMEOUT", "MAX_RETRIES", "API_KEY", "API_SECRET", "CACHE_ALIAS"):
        assert f"SCOPE['{key}']" in said(found)


@pytest.mark.parametrize(
    "scope",
    [
        KEYS,
        {},
        {**KEYS, "CACHE_TLL": 1},
        {**KEYS, "TIMEOUT": -1},
        {**KEYS, "CLIENT_ID": "x"},
        {**KEYS, "CACHE_ALIAS": "gone"},
        {**KEYS, "BASE_URL": "http://scope.example.com"},
        None,
    ],
)
def test_the_checks_fail_exactly_where_the_client_cannot_be_made(scope):
    has_errors = any(isinstance(each, Error) for each in messages(scope))
    with override_settings(SCOPE=scope):
        try:
            get_client()
        except ConfigurationError:
            assert has_errors
        else:
            assert not has_errors


# Where the site is deployed


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_w001_the_cache_is_one_of_each_process(backend):
    caches = {"default": {"BACKEND": BACKENDS + backend}}
    (message,) = messages(KEYS, CACHES=caches)
    assert (message.id, type(message)) == ("scope_django.W001", Warning)
    assert "'default'" in message.msg
    assert "CACHE_ALIAS" in message.hint
    assert messages(KEYS, CACHES=caches, deploy=False) == []
    assert messages({**KEYS, "CACHE_ALIAS": "files"}, CACHES={**caches, "files": SHARED["default"]}) == []


@pytest.mark.parametrize("key", ["BASE_URL", "AUTH_API_URL"])
@pytest.mark.parametrize(
    "given", [{"url": "http://127.0.0.1:8000"}, {"url": "http://scope.example.com", "ALLOW_INSECURE": True}]
)
def test_w002_a_url_that_is_not_https(key, given):
    scope = {**KEYS, **given, key: given["url"]}
    del scope["url"]
    (message,) = messages(scope, CACHES=SHARED)
    assert (message.id, type(message)) == ("scope_django.W002", Warning)
    assert f"SCOPE['{key}']" in message.msg
    assert messages(scope, CACHES=SHARED, deploy=False) == []


def test_w002_a_url_of_the_environment_that_is_not_https(monkeypatch):
    monkeypatch.setenv("SCOPE_API_URL", "http://127.0.0.1:8000")
    assert ids(KEYS, CACHES=SHARED) == ["scope_django.W002"]


@pytest.mark.parametrize(
    ("backend", "limit"), [("redis.RedisCache", "socket_timeout"), ("memcached.PyMemcacheCache", "timeout")]
)
def test_w003_the_cache_waits_without_limit(backend, limit):
    caches: Any = {"default": {"BACKEND": BACKENDS + backend, "LOCATION": "redis://127.0.0.1:1"}}
    (message,) = messages(KEYS, CACHES=caches)
    assert (message.id, type(message)) == ("scope_django.W003", Warning)
    assert limit in message.hint
    assert messages(KEYS, CACHES=caches, deploy=False) == []
    caches["default"]["OPTIONS"] = {limit: 0.5}
    assert messages(KEYS, CACHES=caches) == []


def test_a_deployment_with_errors_is_told_of_the_errors_alone():
    assert ids({**KEYS, "BASE_URL": "http://127.0.0.1:1", "TIMEOUT": "x"}) == ["scope_django.E003"]


# What no message says


def leaks(scope: Any, secret: str) -> bool:
    """Whether a check, or the error of the client, shows the secret, or the repr of one with odd characters."""
    shown = said(messages(scope))
    with override_settings(SCOPE=scope):
        try:
            get_client()
        except ConfigurationError as error:
            shown += f"{error}{error!r}{error.__context__!r}{error.__cause__!r}"
    return secret in shown or repr(secret)[1:-1] in shown


@pytest.mark.filterwarnings("ignore:.*_url leads away:UserWarning")
@pytest.mark.parametrize("secret", [PLAIN_SECRET, SECRET])
@pytest.mark.parametrize("right", ["API_SECRET", "CLIENT_SECRET"])
def test_no_message_shows_the_secret_wherever_else_the_settings_have_it(right, secret):
    keys = {"ORG_ID": "org", "API_KEY" if right == "API_SECRET" else "CLIENT_ID": "key", right: secret}
    others = [*OPTION_KEYS, "CACHE_ALIAS", "ORG_ID", "API_KEY", "CLIENT_ID", "API_SECERT", secret]
    assert [key for key in others if leaks({**keys, key: secret}, secret)] == []
    assert [key for key in others if leaks({**keys, key: [secret]}, secret)] == []
    assert [key for key in others if leaks({**keys, key: f"https://{secret}"}, secret)] == []


def test_no_message_shows_a_secret_of_the_environment(monkeypatch):
    monkeypatch.setenv("SCOPE_API_SECRET", PLAIN_SECRET)
    others = [*OPTION_KEYS, "CACHE_ALIAS"]
    assert [key for key in others if leaks({"ORG_ID": "org", "API_KEY": "k", key: PLAIN_SECRET}, PLAIN_SECRET)] == []


def test_no_message_shows_a_secret_that_stands_under_a_wrong_key_only():
    others = [*OPTION_KEYS, "CACHE_ALIAS", "ORG_ID", "API_KEY", "CLIENT_ID", "API_SECERT"]
    assert [key for key in others if leaks({"ORG_ID": "org", "API_KEY": "k", key: PLAIN_SECRET}, PLAIN_SECRET)] == []


@pytest.mark.parametrize(
    "scope",
    [
        {**KEYS, "ORG_ID": None},
        {**KEYS, "API_KEY": PLAIN_SECRET + "\n"},
        {**KEYS, "API_SECRET": PLAIN_SECRET + "\n"},
        {**KEYS, "API_SECRET": [PLAIN_SECRET]},
        {**KEYS, "API_SECRET": PLAIN_SECRET.encode()},
        {**KEYS, "CLIENT_SECRET": PLAIN_SECRET + "2"},
        {"CREDENTIALS": dict(KEYS)},
        {"CREDENTIALS": PLAIN_SECRET},
        {**KEYS, "BASE_URL": f"https://user:{PLAIN_SECRET}@example.com"},
        {"ORG_ID": "org", "API_KEY": "k", "BASE_URL": f"https://user:{PLAIN_SECRET}@example.com"},
        {"SCOPE": dict(KEYS)},
    ],
)
def test_no_message_shows_a_secret_that_is_not_as_it_should_be(scope):
    assert not leaks(scope, PLAIN_SECRET)


def test_the_health_view_shows_no_secret_of_settings_that_cannot_be_used(client):
    for key in ("TIMEOUT", "CACHE_ALIAS", "API_SECERT"):
        with override_settings(SCOPE={**KEYS, key: PLAIN_SECRET}):
            answer = client.get("/health/")
        assert answer.status_code == 503
        assert PLAIN_SECRET not in answer.content.decode()


# What a check does not do


def clients() -> int:
    return sum(type(each) is ScopeClient for each in gc.get_objects())


def test_a_check_asks_nobody_starts_no_thread_and_makes_no_client(scope_settings, platform):
    scope_settings()
    before = (set(threading.enumerate()), clients())
    assert {each.id for each in run_checks(include_deployment_checks=True)} >= {"scope_django.W001"}
    assert platform.requests == ()
    assert not set(threading.enumerate()) - before[0]
    assert clients() <= before[1]
    get_client()
    assert clients() == before[1] + 1
