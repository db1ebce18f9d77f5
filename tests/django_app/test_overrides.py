"""`override_prompts`: prompts for the tests of a site, in place of a platform."""

from __future__ import annotations

import asyncio
import socket
import threading
import unittest
from typing import Any, Callable

import pytest
from django.core.management import call_command
from django.template import Context, Template, engines
from django.test import Client, SimpleTestCase, override_settings
from django_app.process import reset_client
from faults.crowd import crowd
from faults.ids import by_repr

from scope_client import (
    MissingApiKeyError,
    MissingVariableError,
    NotFoundError,
    ScopeError,
    ServerError,
    ValidationError,
)
from scope_client.local import LocalPlatform
from scope_django import aget_prompt_version, get_client
from scope_django.test import override_prompts


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No SCOPE in the settings either; but for those who ask for the platform."""
    if "platform" not in request.fixturenames:

        def refuse(*_: Any) -> None:
            raise AssertionError("it went to the network")

        monkeypatch.setattr(socket.socket, "connect", refuse)


def content(name: str = "greeting", **options: Any) -> str:
    return get_client().get_prompt_version(name, **options).content


def greeting_in_a_template() -> str:
    return Template('{% load scope %}{% scope_prompt "greeting" name="<Ada>" %}').render(Context())


def test_as_a_context_manager_it_needs_no_settings_and_no_network() -> None:
    with override_prompts({"greeting": "Hi {{name}}"}):
        assert content() == "Hi {{name}}"
        assert get_client().render_prompt("greeting", {"name": "Ada"}) == "Hi Ada"
        assert content(label="latest") == content(version="v_7") == content(cache=False) == "Hi {{name}}"
    with pytest.raises(MissingApiKeyError):
        get_client()


def test_it_hands_out_the_client_that_serves_them() -> None:
    with override_prompts({"greeting": "Hi"}) as client:
        assert client is get_client()
        assert client.status().counters["fetches"] == 0


@override_prompts({"greeting": "Hi"})
def test_as_a_decorator_of_a_function() -> None:
    assert content() == "Hi"


@override_prompts({"greeting": "Hi {{name}}"})
def test_as_a_decorator_it_leaves_fixtures_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert greeting_in_a_template() == "Hi &lt;Ada&gt;"
    assert tmp_path.exists()


def test_a_decorated_function_can_be_called_again_and_returns_what_it_returns() -> None:
    @override_prompts({"greeting": "Hi"})
    def read(more: str, *, end: str) -> str:
        return content() + more + end

    assert [read("!", end="."), read("?", end=".")] == ["Hi!.", "Hi?."]
    assert read.__name__ == "read"
    with pytest.raises(MissingApiKeyError):
        get_client()


def test_as_a_decorator_of_an_asynchronous_function_it_lasts_until_that_ends() -> None:
    @override_prompts({"greeting": "Hi"})
    async def read() -> list[str]:
        first = (await aget_prompt_version("greeting")).content
        await asyncio.sleep(0.01)
        return [first, (await aget_prompt_version("greeting")).content]

    assert asyncio.run(read()) == ["Hi", "Hi"]
    assert asyncio.run(read()) == ["Hi", "Hi"]
    with pytest.raises(MissingApiKeyError):
        get_client()


def run_case(case: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


class TestOnTestCases:
    def test_it_serves_every_test_of_a_class_and_ends_after_each(self) -> None:
        seen = []

        @override_prompts({"greeting": "of the class"})
        class Case(SimpleTestCase):
            def setUp(self) -> None:
                seen.append(content())

            def test_reads(self) -> None:
                seen.append(content())

            async def test_reads_on_a_loop(self) -> None:
                seen.append((await aget_prompt_version("greeting")).content)

            def test_fails(self) -> None:
                raise RuntimeError

            def tearDown(self) -> None:
                seen.append(content())

        result = run_case(Case)
        assert (result.testsRun, len(result.errors), len(result.failures)) == (3, 1, 0)
        assert seen == ["of the class"] * 8
        with pytest.raises(MissingApiKeyError):
            get_client()

    def test_a_method_overrides_its_class(self) -> None:
        seen = []

        @override_prompts({"greeting": "of the class", "other": "other of the class"})
        class Case(SimpleTestCase):
            @override_prompts({"greeting": "of the method"})
            def test_a(self) -> None:
                seen.extend([content(), content("other")])

            def test_b(self) -> None:
                seen.append(content())

        assert run_case(Case).wasSuccessful()
        assert seen == ["of the method", "other of the class", "of the class"]

    def test_it_serves_the_classes_that_inherit(self) -> None:
        seen = []

        @override_prompts({"greeting": "of the parent"})
        class Parent(SimpleTestCase):
            pass

        @override_prompts({"other": "of the child"})
        class Case(Parent):
            def test_reads(self) -> None:
                seen.extend([content(), content("other")])

        @override_prompts({"greeting": "of the other child"})
        class Other(Parent):
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                seen.append(content())

            def test_reads(self) -> None:
                seen.append(content())

        assert run_case(Case).wasSuccessful()
        assert seen == ["of the parent", "of the child"]
        seen.clear()
        assert run_case(Other).wasSuccessful()
        assert run_case(Case).wasSuccessful()
        assert seen == ["of the other child", "of the other child", "of the parent", "of the child"]

    def test_a_set_up_that_fails_leaves_nothing_behind(self) -> None:
        @override_prompts({"greeting": "Hi"})
        class Case(SimpleTestCase):
            def setUp(self) -> None:
                raise RuntimeError

            def test_reads(self) -> None:
                pass

        assert len(run_case(Case).errors) == 1
        with pytest.raises(MissingApiKeyError):
            get_client()

    def test_what_is_no_test_case_is_refused(self) -> None:
        with pytest.raises(TypeError):

            @override_prompts({"greeting": "Hi"})
            class Case:
                pass


def test_the_inner_one_wins_and_the_outer_one_gives_the_rest() -> None:
    with override_prompts({"greeting": "outer", "other": "outer other"}):
        with override_prompts({"greeting": "inner"}):
            assert [content(), content("other")] == ["inner", "outer other"]
            with override_prompts({"greeting": NotFoundError("gone")}), pytest.raises(NotFoundError, match="gone"):
                content()
            assert content() == "inner"
        assert [content(), content("other")] == ["outer", "outer other"]


def test_one_and_the_same_can_be_nested_in_itself() -> None:
    override = override_prompts({"greeting": "Hi"})
    with override, override:
        assert content() == "Hi"
    with pytest.raises(MissingApiKeyError):
        get_client()
    with override:
        assert content() == "Hi"


def test_what_was_before_comes_back_after_an_exception() -> None:
    with override_prompts({"greeting": "outer"}):
        with pytest.raises(RuntimeError), override_prompts({"greeting": "inner"}):
            raise RuntimeError
        assert content() == "outer"
    with pytest.raises(MissingApiKeyError):
        get_client()


@pytest.mark.parametrize("error", [ServerError("down", http_status=503), ValidationError("no"), ScopeError("any")])
def test_an_error_as_a_value_is_raised_each_time(error: ScopeError) -> None:
    with override_prompts({"greeting": error}):
        for _ in range(3):
            with pytest.raises(type(error), match=error.message):
                content()
        with pytest.raises(type(error)):
            greeting_in_a_template()


def test_an_outage_as_a_value_is_what_a_fallback_is_for() -> None:
    with override_prompts({"greeting": ServerError("down", http_status=503)}):
        assert content(fallback="Hi") == "Hi"
        source = '{% load scope %}{% scope_prompt "greeting" fallback="Hi {{n}}" with n="Ada" %}'
        assert Template(source).render(Context()) == "Hi Ada"


def test_a_fallback_is_not_for_a_prompt_that_is_not_given() -> None:
    with override_prompts({"greeting": "Hi"}), pytest.raises(NotFoundError):
        content("other", fallback="Hi")


def test_a_chat_prompt_is_a_list_of_messages() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": 'Say "{{what}}"'}]
    with override_prompts({"chat": messages}):
        version = get_client().get_prompt_version("chat")
        assert version.type == "chat"
        assert version.variables == ("what",)
        assert version.messages(what='"hi"')[1] == {"role": "user", "content": 'Say ""hi""'}


def test_a_prompt_that_is_not_given_is_not_found_and_those_given_are_named() -> None:
    with override_prompts({"greeting": "Hi", "other": "x"}):
        with pytest.raises(NotFoundError, match=r"'greetings'.*'greeting', 'other'") as raised:
            content("greetings")
        assert raised.value.http_status == 404
        with pytest.raises(NotFoundError):
            Template('{% load scope %}{% scope_prompt "greetings" %}').render(Context())


def test_no_prompts_at_all_is_a_site_without_prompts() -> None:
    with override_prompts({}), pytest.raises(NotFoundError):
        content()


@pytest.mark.parametrize("given", [None, 5, b"bytes", object(), {"a": 1}, [1], [{}], RuntimeError("x")], ids=by_repr)
def test_what_is_no_prompt_is_refused_before_the_test_begins(given: object) -> None:
    with pytest.raises(ValidationError, match="'greeting' must be text, a list of messages, or a ScopeError"):
        override_prompts({"greeting": given})


def test_the_error_says_what_was_given() -> None:
    with pytest.raises(ValidationError, match=r"\(expected a chat prompt's content as .*, got an int\)$"):
        override_prompts({"greeting": 5})  # type: ignore[dict-item]  # on purpose
    with pytest.raises(ValidationError, match=r"\(expected message 1 of a chat prompt as .*\)$"):
        override_prompts({"greeting": [{"role": "user"}]})


def test_variables_are_checked_as_ever() -> None:
    with override_prompts({"greeting": "Hi {{name}} and {{friend}}"}):
        with pytest.raises(MissingVariableError):
            greeting_in_a_template()
        with pytest.raises(ValidationError):
            get_client().render_prompt("greeting", {"name": 1, "friend": 2, "more": 3})


def test_the_mapping_may_change_afterwards() -> None:
    prompts = {"greeting": "Hi"}
    override = override_prompts(prompts)
    prompts["greeting"] = "changed"
    with override:
        assert content() == "Hi"


class TestWithSettings:
    @pytest.fixture(autouse=True)
    def site(self, scope_settings: Callable[..., dict]) -> Callable[..., dict]:
        return scope_settings

    def test_nothing_of_the_platform_is_read_and_afterwards_it_is(self, platform: LocalPlatform) -> None:
        assert content().startswith("Good")
        before = len(platform.requests)
        with override_prompts({"greeting": "Hi"}):
            assert content() == "Hi"
            with pytest.raises(NotFoundError):
                content("other")
        assert content().startswith("Good")
        assert len(platform.requests) == before

    def test_the_client_of_the_site_is_the_same_afterwards(self) -> None:
        former = get_client()
        with override_prompts({"greeting": "Hi"}):
            assert get_client() is not former
        assert get_client() is former

    def test_override_settings_inside_takes_nothing_away(self, settings: Any) -> None:
        with override_prompts({"greeting": "Hi"}):
            with override_settings(SCOPE={**settings.SCOPE, "CACHE_TTL": 7}):
                assert content() == "Hi"
            with override_settings(SCOPE={}):
                assert content() == "Hi"
            reset_client()
            assert content() == "Hi"
        assert content().startswith("Good")

    def test_settings_that_change_around_and_inside_end_in_their_own_order(self, settings: Any) -> None:
        with override_settings(SCOPE={**settings.SCOPE, "CACHE_TTL": 7}), override_prompts({"greeting": "Hi"}):
            assert content() == "Hi"
        assert get_client().config.cache_ttl == 300
        with override_prompts({"greeting": "Hi"}):
            pass
        assert content().startswith("Good")

    def test_what_a_test_is_given_is_not_shared_with_the_site(self, platform: LocalPlatform) -> None:
        with override_prompts({"greeting": "Hi"}) as client:
            content()
            client.clear_cache()
        assert content().startswith("Good")


@override_prompts({"greeting": "Hi {{name}}"})
def test_all_threads_read_them() -> None:
    assert crowd(8, content) == ["Hi {{name}}"] * 8
    assert crowd(8, greeting_in_a_template) == ["Hi &lt;Ada&gt;"] * 8
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(content()))
    thread.start()
    thread.join(20)
    assert found == ["Hi {{name}}"]


@override_prompts({"greeting": "Hi {{name}}"})
def test_tags_functions_commands_and_the_health_view_read_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert greeting_in_a_template() == "Hi &lt;Ada&gt;"
    jinja = engines["jinja2"].from_string('{{ scope_prompt("greeting", name="<Ada>") }}')
    assert jinja.render() == "Hi &lt;Ada&gt;"
    call_command("scope", "get", "greeting")
    assert capsys.readouterr().out == "Hi {{name}}\n"
    assert Client().get("/health/").json()["ok"] is True


def test_a_prompt_of_hostile_text_stays_text() -> None:
    hostile = "<script>{{name}}</script>{% load scope %}{{ settings.SECRET_KEY }}{{name}}"
    with override_prompts({"greeting": hostile}):
        text = greeting_in_a_template()
    assert "<script>" not in text
    assert "{% load scope %}{{ settings.SECRET_KEY }}" in text


def test_one_prompt_that_is_an_error_changes_nothing_for_the_others() -> None:
    with override_prompts({"down": ServerError("no", http_status=503), "up": "as given"}) as client:
        for _ in range(5):
            assert client.render_prompt("down", fallback="stand-in") == "stand-in"
        assert client.render_prompt("up", fallback="stand-in") == "as given"


def test_on_a_test_case_it_holds_in_its_set_up_too() -> None:
    @override_prompts({"hi": "Hi!"})
    class Inner(SimpleTestCase):
        @classmethod
        def setUpClass(cls) -> None:
            super().setUpClass()
            cls.said = get_client().render_prompt("hi")

        def test_it(self) -> None:
            assert self.said == get_client().render_prompt("hi") == "Hi!"

    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Inner).run(outcome)
    assert (outcome.testsRun, outcome.errors, outcome.failures) == (1, [], [])
    with pytest.raises(MissingApiKeyError):
        get_client()
