"""Several organisations in one site: a dict of SCOPE for each, as CACHES and DATABASES have them."""

from __future__ import annotations

import contextlib
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.template import Context, Template, engines
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject
from django_app.process import reset_client
from jinja2 import Environment

from scope_client import ApiKeyCredentials, ConfigurationError, MissingApiKeyError, ValidationError
from scope_client.local import LocalPlatform
from scope_django import get_client
from scope_django.jinja2 import scope_prompt
from scope_django.test import override_prompts
from scope_django.views import health

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": "of-nobody"}


def keys_of(platform: LocalPlatform) -> dict[str, Any]:
    keys = platform.credentials
    place = {"BASE_URL": platform.url, "AUTH_API_URL": platform.url}
    return {"ORG_ID": keys.org_id, "API_KEY": keys.api_key, "API_SECRET": str.__str__(keys.api_secret), **place}


@pytest.fixture
def europe() -> Iterator[LocalPlatform]:
    credentials = ApiKeyCredentials("org-eu", "key-eu", "secret-eu")
    with LocalPlatform({"greeting": "Bonjour {{name}}"}, credentials=credentials) as started:
        yield started


@pytest.fixture(autouse=True)
def two(settings: Any, platform: LocalPlatform, europe: LocalPlatform) -> None:
    platform.publish("greeting", "Hello {{name}}")
    settings.SCOPE = {"default": {**keys_of(platform), "CACHE_TTL": 60}, "eu": keys_of(europe)}


def rendered(source: str, **context: Any) -> str:
    return Template("{% load scope %}" + source).render(Context(context))


def test_each_has_a_client_of_its_own_that_is_kept():
    assert get_client("eu").render_prompt("greeting", {"name": "Ada"}) == "Bonjour Ada"
    assert get_client().render_prompt("greeting", {"name": "Ada"}) == "Hello Ada"
    assert get_client("default") is get_client()
    assert get_client("eu") is get_client("eu") is not get_client()
    assert (get_client().config.cache_ttl, get_client("eu").config.cache_ttl) == (60, 300)


@pytest.mark.parametrize("name", ["eu", SimpleLazyObject(lambda: "eu")])
def test_the_tag_says_which(name):
    assert rendered('{% scope_prompt "greeting" name="Ada" %}') == "Hello Ada"
    assert rendered('{% scope_prompt "greeting" using="eu" name="Ada" %}') == "Bonjour Ada"
    assert rendered('{% scope_prompt "greeting" using=name with name="Ada" as text %}{{ text }}', name=name) == (
        "Bonjour Ada"
    )


def test_the_function_of_jinja_says_which():
    template = engines["jinja2"].from_string('{{ scope_prompt("greeting", using=name, name="Ada") }}')
    assert (template.render({"name": "eu"}), template.render({"name": "default"})) == ("Bonjour Ada", "Hello Ada")
    by_hand = Environment(autoescape=True)
    by_hand.globals["scope_prompt"] = scope_prompt
    source = '{{ scope_prompt("greeting", using="eu", variables={"name": "Ada"}) }}'
    assert by_hand.from_string(source).render() == "Bonjour Ada"
    with pytest.raises(ValidationError, match="using=, is not defined"):
        template.render({})


def test_both_may_share_a_cache_and_keep_their_own_prompts(settings, tmp_path):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path)}
    }
    for _ in range(2):
        assert get_client().render_prompt("greeting", {"name": "Ada"}) == "Hello Ada"
        assert get_client("eu").render_prompt("greeting", {"name": "Ada"}) == "Bonjour Ada"
        reset_client()


@pytest.mark.parametrize("ask", [get_client, lambda using: rendered("{% scope_prompt 'x' using=u %}", u=using)])
@pytest.mark.parametrize("is_overridden", [False, True])
def test_one_that_is_not_there_is_an_error_that_lists_those_that_are(ask, is_overridden):
    with contextlib.ExitStack() as stack:
        if is_overridden:
            stack.enter_context(override_prompts({"x": "y"}))
        stack.enter_context(
            pytest.raises(ConfigurationError, match="SCOPE has no organisation 'asia'; it has 'default', 'eu'")
        )
        ask("asia")


@pytest.mark.parametrize("wrong", [None, [], 5, b"eu"])
def test_what_is_not_a_name_is_an_error_that_says_so(wrong):
    with pytest.raises(ConfigurationError, match="using must be the name of an organisation, got"):
        get_client(wrong)
    for render in (
        lambda: rendered("{% scope_prompt 'x' using=u %}", u=wrong),
        lambda: engines["jinja2"].from_string("{{ scope_prompt('x', using=u) }}").render({"u": wrong}),
    ):
        with pytest.raises(ConfigurationError, match="using must be"):
            render()


def test_a_site_with_one_organisation_has_no_other(settings, platform):
    settings.SCOPE = keys_of(platform)
    assert get_client("default").config.base_url == platform.url
    with pytest.raises(ConfigurationError, match="SCOPE has no organisation 'eu'; it has 'default'"):
        get_client("eu")


def test_without_a_default_nothing_works_as_with_databases(settings):
    settings.SCOPE = {"eu": KEYS, "us": KEYS}
    for using in ("default", "eu"):
        with pytest.raises(ConfigurationError, match="SCOPE has 'eu', 'us' and must have 'default' too"):
            get_client(using)
    (found,) = [each for each in run_checks() if str(each.id).startswith("scope_django")]
    assert found.id == "scope_django.E001"


def test_what_is_wrong_with_one_is_told_of_that_one(settings):
    settings.SCOPE = {"default": KEYS, "eu": {**KEYS, "CACHE_TLL": 5}, "us": {**KEYS, "CACHE_ALIAS": "gone"}}
    found = [each.msg for each in run_checks() if str(each.id).startswith("scope_django")]
    assert found == [
        "SCOPE['eu']['CACHE_TLL'] is not a setting.",
        "SCOPE['us']['CACHE_ALIAS'] must be one of CACHES ('default') or None.",
    ]
    assert get_client().config.cache_ttl == 300


@pytest.mark.parametrize("wrong", [None, "eu", 5, ["ORG_ID"]])
def test_one_that_is_not_a_dict_is_an_error_that_names_it(wrong, settings):
    settings.SCOPE = {"default": KEYS, "eu": wrong}
    with pytest.raises(ConfigurationError, match=re.escape("SCOPE['eu'] must be a dict")):
        get_client("eu")


def test_the_environment_has_the_credentials_of_the_default_alone(settings, monkeypatch):
    for key, value in KEYS.items():
        monkeypatch.setenv(f"SCOPE_{key}", value)
    settings.SCOPE = {"default": {}, "eu": {"ORG_ID": "org-eu", "API_KEY": "key-eu"}, "us": {}}
    assert get_client().config.credentials.org_id == "org"
    with pytest.raises(MissingApiKeyError, match=re.escape("lack SCOPE['eu']['API_SECRET'] (add what is missing)")):
        get_client("eu")
    with pytest.raises(MissingApiKeyError, match=re.escape("SCOPE['us']['ORG_ID']")):
        get_client("us")


def test_an_override_takes_the_place_of_all():
    with override_prompts({"greeting": "Hi {{name}}"}):
        assert rendered('{% scope_prompt "greeting" using="eu" name="Ada" %}') == "Hi Ada"
        assert rendered('{% scope_prompt "greeting" name="Ada" %}') == "Hi Ada"
    assert rendered('{% scope_prompt "greeting" using="eu" name="Ada" %}') == "Bonjour Ada"


def test_a_change_of_the_settings_closes_the_clients_of_all(settings, platform):
    before = get_client(), get_client("eu")
    settings.SCOPE = {"default": keys_of(platform), "eu": keys_of(platform)}
    assert rendered('{% scope_prompt "greeting" using="eu" name="Ada" %}') == "Hello Ada"
    assert get_client() not in before


def test_the_page_for_probes_shows_one():
    get_client("eu").get_prompt_version("greeting")
    request = RequestFactory().get("/health/")
    names = [
        [each["name"] for each in json.loads(health(request, **using).content)["prompts"]]
        for using in ({}, {"using": "eu"})
    ]
    assert names == [[], ["greeting"]]
    assert health(request, using="asia").status_code == 503


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("get greeting", "Hello {{name}}"),
        ("get greeting --using eu", "Bonjour {{name}}"),
        ("render greeting -v name=Ada --using eu", "Bonjour Ada"),
        ("warm greeting-eu --using eu", "greeting-eu: version 1"),
    ],
)
def test_the_commands_ask_the_one_that_they_are_told(arguments, said, europe, settings, tmp_path):
    europe.publish("greeting-eu", "Bonjour")
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path)}
    }
    out = io.StringIO()
    call_command("scope", *arguments.split(), stdout=out)
    assert said in out.getvalue()


def test_a_command_refuses_an_organisation_that_is_not_there():
    with pytest.raises(CommandError, match="SCOPE has no organisation 'asia'"):
        call_command("scope", "get", "greeting", "--using", "asia")
