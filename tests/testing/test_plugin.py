"""The fixtures that a user's tests have without asking for them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ("-p", "scope_client.testing.plugin")


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs a test file as a user's project would, with our plugin and no other."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(code: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(code)
        return pytester.runpytest_subprocess(*PLUGIN, "-W", "error", *arguments, timeout=60)

    return run


def test_code_that_reads_the_environment_reaches_the_platform(run):
    outcome = run(
        """
        import os
        import scope_client
        from scope_client import ApiKeyCredentials, ClientCredentials, ScopeClient

        def greet(credentials):
            with ScopeClient(credentials=credentials) as client:
                return client.render_prompt("greeting", {"name": "Ada"})

        def test_api_key(scope_platform, scope_prompts):
            scope_prompts("greeting", "Hello, {{name}}!", metadata={"model": "m"})
            assert greet(ApiKeyCredentials.from_env()) == "Hello, Ada!"
            assert len(scope_platform.requests) == 2

        def test_client_credentials(scope_prompts):
            scope_prompts("greeting", "Hi, {{name}}!")
            assert greet(ClientCredentials.from_env()) == "Hi, Ada!"

        def test_nothing_stays():
            assert not [name for name in os.environ if name.startswith("SCOPE_")]
        """
    )
    outcome.assert_outcomes(passed=3)


def test_the_client_of_the_process_leads_to_the_platform_and_what_was_set_comes_back(run):
    outcome = run(
        """
        import scope_client

        scope_client.configure(cache_ttl=7, base_url="https://api.example.com")

        def test_first(scope_platform, scope_prompts):
            assert scope_client.configuration().cache_ttl == 7
            assert scope_client.configuration().base_url == scope_platform.url
            scope_prompts("a", "first")
            assert scope_client.client().render_prompt("a") == "first"

        def test_second(scope_prompts):
            scope_client.configure(cache_ttl=9)
            scope_prompts("a", "second")
            assert scope_client.client().render_prompt("a") == "second"

        def test_back():
            assert scope_client.configuration().cache_ttl == 7
            assert scope_client.configuration().base_url == "https://api.example.com"
            assert scope_client.configuration().credentials is None
        """
    )
    outcome.assert_outcomes(passed=3)


def test_nothing_is_set_after_a_test_where_nothing_was_before(run):
    outcome = run(
        """
        import pytest
        import scope_client

        def test_uses_it(scope_prompts):
            scope_prompts("a", "x")
            assert scope_client.client().render_prompt("a") == "x"

        def test_has_none():
            with pytest.raises(scope_client.MissingApiKeyError):
                scope_client.client()
        """
    )
    outcome.assert_outcomes(passed=2)


def test_each_test_has_a_platform_of_its_own(run):
    outcome = run(
        """
        import pytest
        from scope_client import NotFoundError

        def test_first(scope_platform, scope_prompts):
            scope_prompts("a", "x")

        def test_second(scope_platform):
            with scope_platform.client() as client, pytest.raises(NotFoundError):
                client.get_prompt_version("a")
            assert scope_platform.requests[-1].status == 404
        """
    )
    outcome.assert_outcomes(passed=2)


def test_a_project_that_does_not_use_it_pays_nothing(run):
    outcome = run(
        """
        import sys

        def test_light():
            assert "scope_client.testing.plugin" in sys.modules
            heavy = {"flask", "werkzeug", "requests", "urllib3", "jwt", "yaml", "click", "scope_client.local"}
            assert heavy & set(sys.modules) == set()
        """
    )
    outcome.assert_outcomes(passed=1)


def test_without_the_extra_the_test_says_what_to_install(run):
    outcome = run(
        """
        import sys

        sys.modules.update(flask=None, jwt=None)

        def test_platform(scope_platform):
            pass
        """
    )
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(
        ['*the local platform needs Flask and PyJWT, which are not installed: pip install "scope-prompts[[]local]"']
    )
    outcome.stdout.no_fnmatch_line("*plugin.py*")


def test_pytest_lists_the_fixtures_with_what_they_are_for(run):
    outcome = run("", "--fixtures")
    outcome.stdout.fnmatch_lines(["scope_platform*", "*A Scope Platform on this machine*", "scope_prompts*"])
