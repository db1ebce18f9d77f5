"""The fixtures that a user's tests have without asking for them."""

from __future__ import annotations

import pytest


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
        """,
        is_fresh=True,
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
    for name in ("scope_platform", "scope_prompts"):
        for width in ("module", "session"):
            outcome.stdout.fnmatch_lines([f"{name}_{width} [[]{width} scope[]]*"])


SHARED = """
    import os
    import pytest
    import scope_client

    @pytest.fixture(scope="WIDTH", autouse=True)
    def prompts(scope_platform_WIDTH, scope_prompts_WIDTH):
        scope_prompts_WIDTH("greeting", "Hello, {{name}}!")
        return scope_platform_WIDTH

    def greet():
        return scope_client.client().render_prompt("greeting", {"name": "Ada"})

    @pytest.mark.parametrize("number", range(3))
    def test_all_use_one_platform_and_one_client(number, prompts):
        assert greet() == "Hello, Ada!"
        assert os.environ["SCOPE_API_URL"] == prompts.url
        assert [each.path.rpartition("/")[2] for each in prompts.requests] == ["sdk-token", "production"]

    def test_a_test_may_have_one_of_its_own_meanwhile(scope_platform, scope_prompts, prompts):
        assert os.environ["SCOPE_API_URL"] == scope_platform.url != prompts.url
        scope_prompts("greeting", "Hi, {{name}}!")
        assert greet() == "Hi, Ada!"

    def test_after_which_the_shared_one_is_back(prompts):
        assert os.environ["SCOPE_API_URL"] == prompts.url
        assert greet() == "Hello, Ada!"

    def test_what_is_published_is_read_at_once_and_stays(scope_prompts_WIDTH):
        assert greet() == "Hello, Ada!"
        scope_prompts_WIDTH("greeting", "Bye, {{name}}!", metadata={"model": "m"})
        assert greet() == "Bye, Ada!"

    def test_for_the_next_test():
        assert greet() == "Bye, Ada!"
"""


@pytest.mark.parametrize("scope", ["module", "session"])
def test_a_platform_can_be_shared_by_the_tests_of_a_module_or_of_the_run(scope, run):
    run(SHARED.replace("WIDTH", scope)).assert_outcomes(passed=7)


def test_a_shared_platform_ends_with_its_module_and_leaves_nothing_behind(run, pytester):
    pytester.makepyfile(
        test_a="""
        import scope_client

        def test_uses_it(scope_prompts_module):
            scope_prompts_module("greeting", "Hello")
            assert scope_client.client().render_prompt("greeting") == "Hello"
        """
    )
    outcome = run(
        """
        import os
        import pytest
        import scope_client

        def test_z():
            assert not [name for name in os.environ if name.startswith("SCOPE_")]
            with pytest.raises(scope_client.MissingApiKeyError):
                scope_client.client()
        """
    )
    outcome.assert_outcomes(passed=2)


def test_a_platform_of_the_run_outlives_that_of_the_module_in_which_it_began(run, pytester):
    pytester.makeconftest(
        """
        import os
        import scope_client

        def pytest_sessionstart():
            os.environ["SCOPE_ORG_ID"] = "mine"
            scope_client.configure(cache_ttl=7)

        def pytest_sessionfinish():
            assert {name for name in os.environ if name.startswith("SCOPE_")} == {"SCOPE_ORG_ID"}
            assert os.environ["SCOPE_ORG_ID"] == "mine"
            assert scope_client.configuration().credentials is None
            assert scope_client.configuration().cache_ttl == 7
        """
    )
    pytester.makepyfile(
        test_a="""
        import os
        import scope_client

        def test_first(scope_platform_module):
            assert os.environ["SCOPE_API_URL"] == scope_platform_module.url

        def test_second(scope_platform_session, scope_prompts_session):
            scope_prompts_session("greeting", "Hello")
            assert os.environ["SCOPE_API_URL"] == scope_platform_session.url
            assert scope_client.client().render_prompt("greeting") == "Hello"
        """
    )
    outcome = run(
        """
        import os
        import scope_client

        def test_third(scope_platform_session):
            assert os.environ["SCOPE_API_URL"] == scope_platform_session.url
            assert scope_client.client().render_prompt("greeting") == "Hello"
            assert scope_client.configuration().cache_ttl == 7

        def test_fourth(monkeypatch, scope_platform):
            monkeypatch.setenv("SCOPE_API_URL", "https://api.example.com")
            monkeypatch.delenv("SCOPE_API_KEY")

        def test_fifth(scope_platform_session):
            assert os.environ["SCOPE_API_URL"] == scope_platform_session.url
            assert os.environ["SCOPE_API_KEY"] == scope_platform_session.credentials.api_key
            assert scope_client.client().render_prompt("greeting") == "Hello"
        """
    )
    outcome.assert_outcomes(passed=5)
    assert outcome.ret == 0


def test_a_prompt_that_is_published_twice_in_a_test_is_read_anew(run):
    outcome = run(
        """
        import scope_client

        def test_twice(scope_prompts):
            for content in ("one", "two"):
                assert scope_prompts("a", content).content == content
                assert scope_client.client().render_prompt("a") == content
        """
    )
    outcome.assert_outcomes(passed=1)


ON_ANY = """
    import socket
    import warnings
    import pytest
    import scope_client

    @pytest.mark.parametrize("number", range(4))
    def test_function(number, scope_prompts):
        scope_prompts("a", "x")
        assert scope_client.client().render_prompt("a") == "x"

    @pytest.mark.parametrize("number", range(4))
    def test_session(number, scope_platform_session, scope_prompts_session):
        scope_prompts_session("a", "x")
        assert scope_client.client().render_prompt("a") == "x"

    @pytest.mark.parametrize("number", range(4))
    def test_module(number, scope_prompts_module):
        scope_prompts_module("a", "x")
        assert scope_client.client().render_prompt("a") == "x"
"""
BLOCKED = """
    def test_the_rest_of_the_world_stays_out_of_reach(scope_prompts):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some versions of pytest-socket warn too
            with pytest.raises(RuntimeError, match="A test tried to use"):
                socket.create_connection(("192.0.2.1", 80), timeout=5)
"""


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_under_pytest_socket_the_platform_is_reached_and_nothing_else(workers, run):
    options = ("-p", "pytest_socket", "--disable-socket", "--allow-hosts=127.0.0.1", *workers)
    run(ON_ANY + BLOCKED, *options).assert_outcomes(passed=13)


def test_each_worker_of_xdist_has_a_shared_platform_of_its_own(run):
    outcome = run(
        """
        import os
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_number(number, scope_platform_session, tmp_path_factory):
            seen = tmp_path_factory.getbasetemp().parent / "seen"
            seen.mkdir(exist_ok=True)
            worker = os.environ["PYTEST_XDIST_WORKER"]
            (seen / f"{worker}-{scope_platform_session.port}").touch()
            assert len(list(seen.glob(f"{worker}-*"))) == 1
            assert len(list(seen.glob(f"*-{scope_platform_session.port}"))) == 1
        """,
        *("-p", "xdist", "-n", "2"),
    )
    outcome.assert_outcomes(passed=8)


@pytest.mark.parametrize("fixture", ["scope_platform", "scope_platform_module", "scope_platform_session"])
def test_where_all_sockets_are_forbidden_the_test_says_what_to_allow(fixture, run):
    outcome = run(
        f"""
        import pytest

        def test_forbidden({fixture}):
            pass

        @pytest.mark.enable_socket
        def test_enabled(scope_prompts):
            import scope_client

            scope_prompts("a", "x")
            assert scope_client.client().render_prompt("a") == "x"
        """,
        *("-p", "pytest_socket", "--disable-socket", "-W", "ignore:A test tried:UserWarning"),
    )
    outcome.assert_outcomes(errors=1, passed=1)
    outcome.stdout.fnmatch_lines(
        ["*run pytest with --allow-hosts=127.0.0.1 beside --disable-socket, or mark the test*"]
    )
    outcome.stdout.no_fnmatch_line("*plugin.py*")


def test_the_lock_that_the_environment_names_is_off_while_a_test_has_a_platform(run, monkeypatch):
    monkeypatch.setenv("SCOPE_LOCK", "/nowhere/scope.lock")
    outcome = run(
        """
        import os
        import pytest
        import scope_client
        from scope_client import ApiKeyCredentials, Configuration, ConfigurationError, ScopeClient

        def test_a_platform(scope_prompts):
            scope_prompts("new", "Hi")
            assert Configuration().lock is None
            assert scope_client.client().render_prompt("new") == "Hi"
            assert ScopeClient(ApiKeyCredentials.from_env()).render_prompt("new") == "Hi"

        def test_it_is_back():
            assert os.environ["SCOPE_LOCK"] == "/nowhere/scope.lock"
            with pytest.raises(ConfigurationError, match="nowhere"):
                ScopeClient(ApiKeyCredentials("o", "k", "s"))
        """
    )
    outcome.assert_outcomes(passed=2)


def test_a_lock_that_was_configured_is_off_too(run):
    outcome = run(
        """
        import scope_client

        scope_client.configure(lock="/nowhere/scope.lock")

        def test_a_platform(scope_prompts):
            scope_prompts("new", "Hi")
            assert scope_client.client().render_prompt("new") == "Hi"

        def test_it_is_back():
            assert scope_client.configuration().lock == "/nowhere/scope.lock"
        """
    )
    outcome.assert_outcomes(passed=2)
