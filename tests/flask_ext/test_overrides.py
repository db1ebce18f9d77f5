"""`override_prompts`: prompts for the tests of apps, in place of a platform."""

from __future__ import annotations

import asyncio
import socket
import unittest
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.crowd import crowd
from faults.greeting import SAID, VALUES
from faults.ids import by_repr
from flask import Flask, render_template_string
from flask_ext.pages import greeting
from jinja2 import DictLoader

from scope_client import (
    MissingApiKeyError,
    MissingVariableError,
    NotFoundError,
    ScopeError,
    ServerError,
    ValidationError,
)
from scope_client.local import LocalPlatform
from scope_flask import Scope, current_scope, health
from scope_flask.test import override_prompts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

HI = {"greeting": "Hi {{name}}"}


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for those who ask for the platform."""
    if "platform" not in request.fixturenames:

        def refuse(*_: Any) -> None:
            raise AssertionError("it went to the network")

        monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def app() -> Flask:
    """Without credentials."""
    app = Flask("site")
    Scope(app)
    app.register_blueprint(health, url_prefix="/scope")
    return app


def content(app: Flask, name: str = "greeting", **options: Any) -> str:
    with app.app_context():
        return current_scope.get_prompt_version(name, **options).content


def page(app: Flask, source: str = '{{ scope_prompt("greeting", name="<Ada>") }}') -> str:
    with app.test_request_context():
        return render_template_string(source)


def test_as_a_context_manager_it_serves_apps_made_before_and_after_and_inside() -> None:
    before = Flask("before")
    scope = Scope(before)
    override = override_prompts(HI)
    after = Flask("after")
    scope.init_app(after)
    with override as client:
        inside = Flask("inside")
        scope.init_app(inside)
        for app in (before, after, inside):
            assert page(app) == "Hi &lt;Ada&gt;"
            with app.app_context():
                assert scope.client is current_scope._get_current_object() is client
                assert scope.client.render_prompt("greeting", {"name": "Ada"}) == "Hi Ada"
    for app in (before, after, inside):
        with pytest.raises(MissingApiKeyError):
            content(app)


def test_it_serves_the_function_that_a_template_took_before(app: Flask) -> None:
    function = app.jinja_env.globals["scope_prompt"]
    macro = app.jinja_env.from_string('{% macro hi() %}{{ scope_prompt("greeting", name="Ada") }}{% endmacro %}').module
    with override_prompts(HI):
        assert function("greeting", name="Ada") == macro.hi() == "Hi Ada"  # type: ignore[operator,attr-defined]
    with pytest.raises(MissingApiKeyError):
        function("greeting", name="Ada")  # type: ignore[operator]  # it is the template function


@override_prompts(HI)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["get", "greeting"], "Hi {{name}}\n"),
        (["render", "greeting", "-v", "name=Ada"], "Hi Ada\n"),
        (["list"], "a.html:1  prompt 'greeting', with name\n"),
    ],
)
def test_the_commands_read_them(words: list[str], said: str, app: Flask) -> None:
    app.jinja_loader = DictLoader({"a.html": "{{ scope_prompt('greeting', name=user) }}"})
    done = app.test_cli_runner().invoke(args=["scope", *words])
    assert (done.exit_code, done.output) == (0, said)


def test_scope_check_compares_the_templates_with_them(app: Flask) -> None:
    app.jinja_loader = DictLoader({"a.html": "{{ scope_prompt('greeting', nam=user) }}\n{{ scope_prompt('gone') }}"})
    with override_prompts(HI):
        bad = app.test_cli_runner().invoke(args=["scope", "check"])
    with override_prompts({"greeting": "Hi {{nam}}", "gone": "Here"}):
        good = app.test_cli_runner().invoke(args=["scope", "check"])
    assert bad.exit_code == 1
    assert "'nam'" in bad.output
    assert "prompt 'gone' does not exist among the prompts of the test" in bad.output
    assert good.exit_code == 0, good.output


def test_the_health_page_is_good(app: Flask) -> None:
    assert app.test_client().get("/scope/health").status_code == 503
    with override_prompts(HI):
        assert app.test_client().get("/scope/health").get_json()["ok"] is True


@override_prompts(HI)
def test_as_a_decorator_it_leaves_fixtures_alone(app: Flask, tmp_path: Path) -> None:
    assert content(app) == "Hi {{name}}"
    assert tmp_path.exists()


def test_a_decorated_function_can_be_called_again_and_returns_what_it_returns(app: Flask) -> None:
    @override_prompts({"greeting": "Hi"})
    def read(more: str, *, end: str) -> str:
        return content(app) + more + end

    assert [read("!", end="."), read("?", end=".")] == ["Hi!.", "Hi?."]
    assert read.__name__ == "read"
    with pytest.raises(MissingApiKeyError):
        content(app)


def test_as_a_decorator_of_a_coroutine_it_lasts_until_that_ends(app: Flask) -> None:
    @override_prompts({"greeting": "Hi"})
    async def read() -> list[str]:
        with app.app_context():
            first = (await current_scope.aget_prompt_version("greeting")).content
            await asyncio.sleep(0)
            return [first, (await current_scope.aget_prompt_version("greeting")).content]

    assert asyncio.run(read()) == asyncio.run(read()) == ["Hi", "Hi"]
    with pytest.raises(MissingApiKeyError):
        content(app)


def test_as_a_decorator_of_a_generator_it_lasts_until_that_ends(app: Flask) -> None:
    @override_prompts({"greeting": "Hi"})
    def read() -> Iterator[str]:
        yield content(app)
        yield content(app)

    @override_prompts({"greeting": "Hi"})
    async def aread() -> AsyncIterator[str]:
        yield content(app)
        yield content(app)

    async def all_of_it() -> list[str]:
        return [each async for each in aread()]

    generator = read()
    with pytest.raises(MissingApiKeyError):
        content(app)
    assert next(generator) == content(app) == "Hi"
    assert [*generator] == ["Hi"]
    assert asyncio.run(all_of_it()) == ["Hi", "Hi"]
    with pytest.raises(MissingApiKeyError):
        content(app)


class TestInFixtures:
    @pytest.fixture(autouse=True)
    @override_prompts({"greeting": "of the fixture"})
    def decorated(self, app: Flask) -> Iterator[None]:
        yield
        assert content(app) == "of the fixture"

    @pytest.fixture
    def inner(self) -> Iterator[None]:
        with override_prompts({"other": "of the inner one"}):
            yield

    def test_a_decorated_fixture_holds_during_the_test(self, app: Flask) -> None:
        assert content(app) == "of the fixture"

    def test_fixtures_nest(self, inner: None, app: Flask) -> None:
        assert [content(app), content(app, "other")] == ["of the fixture", "of the inner one"]


def test_test_cases_are_served_in_their_set_up_too(app: Flask) -> None:
    seen = []

    @override_prompts({"greeting": "of the class", "other": "other of the class"})
    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            seen.append(content(app))

        @override_prompts({"greeting": "of the method"})
        def test_a(self) -> None:
            seen.extend([content(app), content(app, "other")])

        def test_b(self) -> None:
            seen.append(content(app))

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])
    assert seen == ["of the class", "of the method", "other of the class", "of the class"]
    with pytest.raises(MissingApiKeyError):
        content(app)


@pytest.mark.parametrize("wrong", [type("Tests", (), {}), 5, None], ids=by_repr)
def test_what_it_cannot_decorate_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="override_prompts decorates functions and"):
        override_prompts(HI)(wrong)


def test_the_inner_one_wins_and_the_outer_one_gives_the_rest(app: Flask) -> None:
    with override_prompts({"greeting": "outer", "other": "outer other"}):
        with override_prompts({"greeting": "inner"}):
            assert [content(app), content(app, "other")] == ["inner", "outer other"]
            with override_prompts({"greeting": NotFoundError("gone")}), pytest.raises(NotFoundError, match="gone"):
                content(app)
            assert content(app) == "inner"
        with pytest.raises(RuntimeError), override_prompts({"greeting": "inner"}):
            raise RuntimeError
        assert [content(app), content(app, "other")] == ["outer", "outer other"]


def test_one_and_the_same_can_be_nested_in_itself(app: Flask) -> None:
    override = override_prompts({"greeting": "Hi"})
    with override, override:
        assert content(app) == "Hi"
    with override:
        assert content(app) == "Hi"
    with pytest.raises(MissingApiKeyError):
        content(app)


def test_the_mapping_may_change_afterwards(app: Flask) -> None:
    prompts = {"greeting": "Hi"}
    override = override_prompts(prompts)
    prompts["greeting"] = "changed"
    with override:
        assert content(app) == "Hi"


@pytest.mark.parametrize("error", [ServerError("down", http_status=503), ValidationError("no"), ScopeError("any")])
def test_an_error_as_a_value_is_raised_each_time(error: ScopeError, app: Flask) -> None:
    with override_prompts({"greeting": error}):
        for _ in range(2):
            with pytest.raises(type(error), match=error.message):
                page(app)


def test_an_outage_as_a_value_is_what_a_fallback_is_for(app: Flask) -> None:
    with override_prompts({"greeting": ServerError("down", http_status=503)}):
        assert page(app, '{{ scope_prompt("greeting", fallback="Hi {{n}}", n="Ada") }}') == "Hi Ada"


def test_a_chat_prompt_is_a_list_of_messages(app: Flask) -> None:
    with override_prompts({"chat": [{"role": "user", "content": 'Say "{{what}}"'}]}), app.app_context():
        version = current_scope.get_prompt_version("chat")
        assert version.messages(what='"hi"') == [{"role": "user", "content": 'Say ""hi""'}]


@pytest.mark.parametrize(("given", "there"), [({}, "none"), ({"other": "x", "third": "y"}, "'other', 'third'")])
def test_a_prompt_that_is_not_given_is_an_error_that_says_how_to_give_it(
    given: dict[str, Any], there: str, app: Flask
) -> None:
    with override_prompts(given), pytest.raises(NotFoundError) as raised:
        page(app)
    assert raised.value.message == (
        f"the test has no prompt 'greeting'; its prompts are: {there}. Add it to them: {{'greeting': '...'}}"
    )


@pytest.mark.parametrize("given", [None, 5, b"bytes", object(), {"a": 1}, [1], [{}], RuntimeError("x")], ids=by_repr)
def test_what_is_no_prompt_is_refused_before_the_test_begins(given: Any) -> None:
    with pytest.raises(ValidationError, match="'greeting' must be text, a list of messages, or a ScopeError"):
        override_prompts({"greeting": given})


def test_variables_are_checked_as_ever(app: Flask) -> None:
    with override_prompts({"greeting": "Hi {{name}} and {{friend}}"}), pytest.raises(MissingVariableError):
        page(app)


@override_prompts(HI)
def test_all_threads_read_them(app: Flask) -> None:
    assert crowd(8, lambda: page(app)) == ["Hi &lt;Ada&gt;"] * 8


def test_nothing_of_the_platform_is_read_and_afterwards_it_is(
    make_app: Callable[..., Flask], platform: LocalPlatform
) -> None:
    app = make_app()
    assert greeting(app) == SAID
    with app.app_context():
        former = current_scope._get_current_object()
    before = len(platform.requests)
    with override_prompts({"greeting": "Hi"}):
        assert content(app) == "Hi"
        with pytest.raises(NotFoundError):
            content(app, "other")
    with app.app_context():
        assert current_scope._get_current_object() is former
        assert current_scope.render_prompt("greeting", VALUES) == SAID
    assert len(platform.requests) == before


def test_an_app_of_a_module_with_real_credentials_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("ORG_ID", "API_KEY", "API_SECRET"):
        monkeypatch.setenv(f"SCOPE_{key}", "a-real-one")
    app = Flask("module", template_folder=None)
    Scope(app)
    with override_prompts({}):
        for use in (lambda: content(app), lambda: page(app), lambda: content(app, fallback="Hi")):
            with pytest.raises(NotFoundError, match="the test has no prompt 'greeting'"):
                use()
