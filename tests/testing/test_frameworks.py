"""The fixtures in the tests of sites: what Django and Flask read comes from the platform of the test."""

from __future__ import annotations

import pytest

# The address of a platform that nobody may ask: a test that did would fail.
SETTINGS = """
SCOPE = {
    "ORG_ID": "of-production", "API_KEY": "key", "API_SECRET": "secret", "CACHE_TTL": 600, "MAX_RETRIES": 0,
    "BASE_URL": "http://127.0.0.1:9", "AUTH_API_URL": "http://127.0.0.1:9",
}
"""
DJANGO = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["scope_django"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    SCOPE=SCOPE,
)
django.setup()
from django.template import engines
from scope_client import NotFoundError
from scope_django import get_client
from scope_django.test import override_prompts

def page():
    return engines["django"].from_string('{% load scope %}{% scope_prompt "greeting" %}').render()
"""
FLASK = """
from flask import Flask, render_template_string
from scope_client import NotFoundError
from scope_flask import Scope
from scope_flask.test import override_prompts

def made():
    app = Flask("site")
    app.config.update({f"SCOPE_{key}": value for key, value in SCOPE.items()})
    Scope(app)
    return app

before = made()

def page(app=before):
    with app.app_context():
        return render_template_string("{{ scope_prompt('greeting') }}")
"""
EACH_TEST_HAS_ITS_OWN = """
def test_first(scope_prompts):
    scope_prompts("greeting", "One")
    assert page() == "One"
    scope_prompts("greeting", "Another")
    assert page() == "Another"

def test_second(scope_prompts):
    scope_prompts("greeting", "Two")
    assert page() == "Two"

def test_third(scope_prompts_module):
    scope_prompts_module("greeting", "Three")
    assert page() == "Three"

def test_fourth_within_the_third(scope_prompts):
    scope_prompts("greeting", "Four")
    assert page() == "Four"

def test_fifth_after_it():
    assert page() == "Three"
"""


@pytest.mark.parametrize("scope", ["SCOPE = {}", SETTINGS, f"{SETTINGS}\nSCOPE = {{'default': SCOPE}}"])
def test_a_django_site_reads_from_the_platform_of_each_test_whatever_its_settings_say(scope, run):
    run(scope + DJANGO + EACH_TEST_HAS_ITS_OWN).assert_outcomes(passed=5)


@pytest.mark.parametrize("scope", ["SCOPE = {}", SETTINGS])
def test_so_does_a_flask_app_that_was_made_before(scope, run):
    run(scope + FLASK + EACH_TEST_HAS_ITS_OWN).assert_outcomes(passed=5)


def test_flask_apps_that_a_test_makes_do_so_too_and_both_go_back_to_their_own_platform(run):
    outcome = run(
        SETTINGS
        + FLASK
        + """
import pytest
from scope_client import TokenRefreshError

def test_first(scope_prompts):
    scope_prompts("greeting", "One")
    assert [page(before), page(made())] == ["One", "One"]

def test_without_a_platform_each_goes_where_its_settings_say():
    for app in (before, made()):
        with pytest.raises(TokenRefreshError, match="127.0.0.1:9"):
            page(app)
"""
    )
    outcome.assert_outcomes(passed=2)


def test_a_django_site_goes_back_to_its_own_platform(run):
    outcome = run(
        SETTINGS
        + DJANGO
        + """
import pytest
from scope_client import TokenRefreshError

def test_first(scope_prompts):
    scope_prompts("greeting", "One")
    assert page() == "One"

def test_without_a_platform():
    with pytest.raises(TokenRefreshError, match="127.0.0.1:9"):
        page()
"""
    )
    outcome.assert_outcomes(passed=2)


def test_an_app_reads_from_the_platform_of_a_test_that_resets_what_configure_set(run):
    outcome = run(
        SETTINGS
        + FLASK
        + """
import scope_client

def test_reset(scope_prompts):
    scope_prompts("greeting", "One")
    scope_client.reset_configuration()
    assert page(made()) == "One"
"""
    )
    outcome.assert_outcomes(passed=1)


def test_the_other_settings_of_the_site_hold_on_the_platform_of_a_test(run):
    outcome = run(
        SETTINGS
        + DJANGO
        + """
def test_ttl(scope_prompts):
    assert (get_client().config.cache_ttl, get_client().config.max_retries) == (600, 0)
"""
    )
    outcome.assert_outcomes(passed=1)


def test_prompts_that_are_overridden_win_over_the_platform_of_a_test(run):
    outcome = run(
        "SCOPE = {}"
        + DJANGO
        + """
def test_both(scope_prompts):
    scope_prompts("greeting", "of the platform")
    with override_prompts({"greeting": "of the mapping"}):
        assert page() == "of the mapping"
    assert page() == "of the platform"
"""
    )
    outcome.assert_outcomes(passed=1)


@pytest.mark.parametrize("site", [DJANGO, FLASK], ids=["Django", "Flask"])
def test_of_an_override_and_a_platform_the_inner_one_is_read(site, run):
    outcome = run(
        "SCOPE = {}"
        + site
        + """
import pytest

@pytest.fixture(scope="session", autouse=True)
def no_platform():
    with override_prompts({"other": "of the run"}):
        yield

@pytest.fixture
def inner():
    with override_prompts({"greeting": "of a fixture"}):
        yield

def test_neither(request):
    with pytest.raises(NotFoundError, match="the test has no prompt 'greeting'"):
        page()

def test_a_platform(scope_prompts):
    scope_prompts("greeting", "of the platform")
    assert page() == "of the platform"
    with override_prompts({"greeting": "of the mapping"}):
        assert page() == "of the mapping"
    with override_prompts({}), pytest.raises(NotFoundError, match="its prompts are: none"):
        page()
    assert page() == "of the platform"

def test_a_fixture_outside_of_a_platform(inner, scope_prompts):
    scope_prompts("greeting", "of the platform")
    assert page() == "of the platform"

def test_a_fixture_within_a_platform(scope_prompts, inner):
    scope_prompts("greeting", "of the platform")
    assert page() == "of a fixture"

test_neither_again = test_neither
"""
    )
    outcome.assert_outcomes(passed=5)


def test_flask_scope_check_needs_no_credentials_on_the_platform_of_a_test(run):
    outcome = run(
        "SCOPE = {}"
        + FLASK
        + """
def test_it(scope_prompts):
    done = before.test_cli_runner().invoke(args=["scope", "check"])
    assert (done.exit_code, "good" in done.output) == (0, True), done.output
"""
    )
    outcome.assert_outcomes(passed=1)


def test_settings_that_are_wrong_stay_wrong_on_the_platform_of_a_test(run):
    outcome = run(
        "SCOPE = {'CACHE_TLL': 5}"
        + DJANGO
        + """
import pytest
from scope_client import ConfigurationError

def test_it(scope_prompts):
    with pytest.raises(ConfigurationError, match="CACHE_TLL"):
        page()
"""
    )
    outcome.assert_outcomes(passed=1)
