"""`scope_prompt` in Jinja templates: what it takes, what it prints, and what it refuses."""

from __future__ import annotations

import json
from collections import UserDict
from types import MappingProxyType
from typing import Any, Callable

import jinja2
import pytest
from faults.reading import reads
from flask import Blueprint, Flask, render_template, render_template_string
from jinja2 import DictLoader
from markupsafe import Markup

from scope_client import (
    MissingApiKeyError,
    MissingVariableError,
    NoProductionVersionError,
    NotFoundError,
    ScopeError,
    ValidationError,
)
from scope_client.local import LocalPlatform
from scope_flask import Scope

Make = Callable[..., Flask]
SCRIPT = "<script>alert('gotcha')</script> & \"co\""
ESCAPED = str(Markup.escape(SCRIPT))
GREETING = "{{ scope_prompt('greeting', time_of_day='morning', name=name) }}"


@pytest.fixture
def app(make_app: Make) -> Flask:
    return make_app()


@pytest.fixture
def shown(app: Flask) -> Callable[..., str]:
    """A template with this source, rendered under this name as Flask renders a file."""

    def show(source: str, /, file: str = "page.html", **context: Any) -> str:
        app.jinja_loader = DictLoader({file: source})
        app.jinja_env.cache.clear()
        with app.app_context():
            return render_template(file, **context)

    return show


Shown = Callable[..., str]


def test_it_prints_the_prompt_filled_in(shown: Shown) -> None:
    assert shown(GREETING, name="Ada") == "Good morning, Ada!"


def test_it_prints_in_a_string_too(app: Flask) -> None:
    with app.test_request_context():
        assert render_template_string(GREETING, name="<Ada>") == "Good morning, &lt;Ada&gt;!"


def test_it_works_where_nobody_pushed_a_context(app: Flask) -> None:
    assert app.jinja_env.from_string(GREETING).render(name="Ada") == "Good morning, Ada!"


def test_a_label_and_a_version_choose_what_is_shown(shown: Shown, platform: LocalPlatform) -> None:
    published = platform.publish("motto", "in production")
    platform.draft("motto", "a draft")
    assert shown("{{ scope_prompt('motto') }}") == "in production"
    assert shown("{{ scope_prompt('motto', label='production') }}") == "in production"
    assert shown("{{ scope_prompt('motto', label='latest') }}") == "a draft"
    assert shown("{{ scope_prompt('motto', version=v) }}", v=published.id) == "in production"
    assert shown("{{ scope_prompt('motto', label=none, version=none, fallback=none) }}") == "in production"


def test_a_label_with_a_version_is_a_type_error(shown: Shown) -> None:
    with pytest.raises(TypeError, match=r"label.*version"):
        shown("{{ scope_prompt('greeting', label='latest', version='v') }}")


def test_an_unknown_label_is_named_with_those_there_are(shown: Shown) -> None:
    with pytest.raises(ValidationError, match=r"production.*latest"):
        shown("{{ scope_prompt('greeting', label='staging') }}")


def test_a_fallback_is_shown_where_the_platform_cannot_answer(make_app: Make, platform: LocalPlatform) -> None:
    app = make_app(SCOPE_MAX_RETRIES=0)
    platform.stop()
    source = "{{ scope_prompt('greeting', fallback='<i>Hi</i> {{name}}', name=name) }}"
    with app.app_context():
        assert render_template_string(source, name="<b>") == "&lt;i&gt;Hi&lt;/i&gt; &lt;b&gt;"


def test_a_fallback_that_a_template_made_is_no_safe_text(make_app: Make, platform: LocalPlatform) -> None:
    app = make_app(SCOPE_MAX_RETRIES=0)
    platform.stop()
    captured = "{% set words %}{% raw %}Hi {{name}}{% endraw %}{% endset %}"
    marked = "{% set words = 'Hi {{name}}'|safe %}"
    with app.app_context():
        for start in (captured, marked):
            source = start + "{{ scope_prompt('greeting', fallback=words, name=name) }}"
            assert render_template_string(source, name=SCRIPT) == f"Hi {ESCAPED}"


def test_variables_are_given_as_keywords_or_in_a_mapping_or_both(shown: Shown) -> None:
    source = "{{ scope_prompt('greeting', variables={'time_of_day': 'noon'}, name='Ada') }}"
    assert shown(source) == "Good noon, Ada!"
    source = "{{ scope_prompt('greeting', variables=values) }}"
    values = {"time_of_day": "noon", "name": "Ada"}
    for mapping in (values, MappingProxyType(values), UserDict(values)):
        assert shown(source, values=mapping) == "Good noon, Ada!"
    assert shown("{{ scope_prompt('greeting', **values) }}", values=values) == "Good noon, Ada!"
    assert shown("{{ scope_prompt('greeting', name='Ada', time_of_day='noon', variables={}) }}") == "Good noon, Ada!"


def test_a_mapping_of_values_is_left_as_it_was(shown: Shown) -> None:
    values = {"time_of_day": "noon"}
    shown("{{ scope_prompt('greeting', variables=values, name='Ada') }}", values=values)
    assert values == {"time_of_day": "noon"}


def test_a_value_given_twice_is_named(shown: Shown) -> None:
    with pytest.raises(ValidationError, match="twice for name"):
        shown("{{ scope_prompt('greeting', variables={'name': 'a', 'time_of_day': 'b'}, name='c') }}")


@pytest.mark.parametrize("values", ["text", 5, ["name"], [("name", "Ada")], False])
def test_variables_that_are_no_mapping_are_refused(values: object, shown: Shown) -> None:
    with pytest.raises(ValidationError, match="variables must be a mapping"):
        shown("{{ scope_prompt('greeting', variables=values) }}", values=values)


@pytest.mark.parametrize("key", ["self", "name", "label", "version", "fallback", "variables", "caller", "loop", "ключ"])
def test_every_name_is_a_variable_through_the_mapping(key: str, shown: Shown, platform: LocalPlatform) -> None:
    platform.publish("any", "[{{" + key + "}}]")
    assert shown("{{ scope_prompt('any', variables={key: 'x'}) }}", key=key) == "[x]"


@pytest.mark.parametrize("key", ["self", "name", "context", "environment", "values", "client", "more", "args"])
def test_a_name_that_is_no_option_is_a_variable_as_a_keyword(key: str, shown: Shown, platform: LocalPlatform) -> None:
    platform.publish("any", "[{{" + key + "}}]")
    assert shown("{{ scope_prompt('any', " + key + "='x') }}") == "[x]"


def test_a_missing_and_an_unknown_variable_are_named_with_the_prompt(shown: Shown) -> None:
    with pytest.raises(MissingVariableError, match="'greeting'") as caught:
        shown("{{ scope_prompt('greeting', name='Ada') }}")
    assert list(caught.value.missing_variables) == ["time_of_day"]
    with pytest.raises(ValidationError, match=r"'greeting'.*nmae"):
        shown("{{ scope_prompt('greeting', time_of_day='x', name='x', nmae='Ada') }}")
    with pytest.raises(MissingVariableError) as caught:
        shown("{{ scope_prompt('greeting', variables={}) }}")
    assert list(caught.value.missing_variables) == ["time_of_day", "name"]


def test_none_is_no_value(shown: Shown) -> None:
    with pytest.raises(ValidationError, match="name"):
        shown(GREETING, name=None)


@pytest.mark.parametrize("file", ["page.html", "page.htm", "page.xml", "page.xhtml", "page.svg"])
def test_where_flask_escapes_the_prompt_is_escaped(file: str, shown: Shown, platform: LocalPlatform) -> None:
    assert shown(GREETING, file, name=SCRIPT) == f"Good morning, {ESCAPED}!"
    platform.publish("hostile", SCRIPT)
    assert shown("{{ scope_prompt('hostile') }}", file) == ESCAPED


@pytest.mark.parametrize("file", ["page.txt", "page.json", "page.md", "page"])
def test_where_flask_does_not_escape_the_prompt_is_as_it_is(file: str, shown: Shown, platform: LocalPlatform) -> None:
    assert shown(GREETING, file, name=SCRIPT) == f"Good morning, {SCRIPT}!"
    platform.publish("hostile", SCRIPT)
    assert shown("{{ scope_prompt('hostile') }}", file) == SCRIPT


def test_a_block_of_the_template_decides_on_escaping(shown: Shown) -> None:
    source = f"{{% autoescape false %}}{GREETING}{{% endautoescape %}}|{GREETING}"
    assert shown(source, name="<") == "Good morning, <!|Good morning, &lt;!"


def test_safe_by_the_user_is_safe(shown: Shown, platform: LocalPlatform) -> None:
    platform.publish("markup", "<b>{{name}}</b>")
    assert shown("{{ scope_prompt('markup', name=name)|safe }}", name="<i>") == "<b><i></b>"
    assert shown("{{ scope_prompt('markup', name=name|e)|safe }}", name="<i>") == "<b>&lt;i&gt;</b>"


class Loud:
    def __html__(self) -> str:
        return "<b>html</b>"

    def __str__(self) -> str:
        return "<b>str</b>"


class LoudText(str):
    __slots__ = ()

    def __html__(self) -> str:
        return "<b>html</b>"


@pytest.mark.parametrize("content", ["{{name}}", "{{name}}{{name}}", "x{{name}}"])
@pytest.mark.parametrize("value", [Markup("<b>x</b>"), Loud(), LoudText("<b>x</b>")])
def test_a_value_that_calls_itself_safe_makes_nothing_safe(
    value: object, content: str, shown: Shown, platform: LocalPlatform
) -> None:
    platform.publish("one", content)
    said = shown("{{ scope_prompt('one', name=value) }}", value=value)
    assert "<" not in said
    assert "&lt;b&gt;" in said


def test_the_result_is_plain_text_for_whoever_takes_it(app: Flask, platform: LocalPlatform) -> None:
    platform.publish("one", "{{name}}")
    function = app.jinja_env.globals["scope_prompt"]
    for value in (Markup("<b>"), LoudText("<b>"), "<b>"):
        assert type(function("one", name=value)) is str


def test_filters_and_tests_of_jinja_apply_to_it(shown: Shown, platform: LocalPlatform) -> None:
    platform.publish("lines", "one\ntwo & three")
    assert shown("{{ scope_prompt('lines')|upper }}") == "ONE\nTWO &amp; THREE"
    assert shown("{{ scope_prompt('lines')|length }}") == "15"
    assert shown("{% set text = scope_prompt('lines') %}{{ text }}") == "one\ntwo &amp; three"
    assert json.loads(shown("{{ scope_prompt('lines')|tojson }}")) == "one\ntwo & three"


def test_a_value_is_never_read_as_a_template(shown: Shown, platform: LocalPlatform) -> None:
    platform.publish("two", "{{a}}{{b}}")
    said = shown("{{ scope_prompt('two', a=a, b=b) }}", "page.txt", a="{{b}}", b="{{ config.SECRET_KEY }}{% raw %}")
    assert said == "{{b}}{{ config.SECRET_KEY }}{% raw %}"


def test_a_prompt_is_never_read_as_a_template(shown: Shown, platform: LocalPlatform) -> None:
    content = "{{ config.SECRET_KEY }}{% include 'x' %}{# no comment #}{{ 7 * 7 }}{{a}}"
    platform.publish("hostile", content)
    said = shown("{{ scope_prompt('hostile', a='A') }}", "page.txt")
    assert said == content.replace("{{a}}", "A")


KINDS = [
    jinja2.Undefined,
    jinja2.ChainableUndefined,
    jinja2.DebugUndefined,
    jinja2.StrictUndefined,
    jinja2.make_logging_undefined(),
    jinja2.make_logging_undefined(base=jinja2.StrictUndefined),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("value", "said"), [("user", "'user' is undefined"), ("site.user", "has no attribute 'user'"), ("site[0]", "0")]
)
def test_an_undefined_value_is_a_missing_variable_that_says_what_is_undefined(
    value: str, said: str, kind: type, app: Flask, shown: Shown
) -> None:
    app.jinja_env.undefined = kind
    with pytest.raises(MissingVariableError) as caught:
        shown("{{ scope_prompt('greeting', time_of_day='x', name=" + value + ") }}", site={"url": "x"})
    assert list(caught.value.missing_variables) == ["name"]
    assert "'greeting'" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_undefined_values_are_missing_in_a_mapping_as_well(kind: type, app: Flask, shown: Shown) -> None:
    app.jinja_env.undefined = kind
    with pytest.raises(MissingVariableError) as caught:
        shown("{{ scope_prompt('greeting', variables={'name': user, 'time_of_day': day}) }}")
    assert sorted(caught.value.missing_variables) == ["name", "time_of_day"]


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_missing_is_named_at_once(kind: type, app: Flask, shown: Shown) -> None:
    app.jinja_env.undefined = kind
    with pytest.raises(MissingVariableError) as caught:
        shown("{{ scope_prompt('greeting', name=user) }}")
    assert list(caught.value.missing_variables) == ["time_of_day", "name"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", ["label", "version", "fallback", "variables"])
def test_an_undefined_option_is_an_error_that_names_it(option: str, kind: type, app: Flask, shown: Shown) -> None:
    app.jinja_env.undefined = kind
    with pytest.raises(ValidationError, match=rf"{option}.*'nothing' is undefined"):
        shown("{{ scope_prompt('greeting', " + option + "=nothing) }}")


@pytest.mark.parametrize("kind", KINDS)
def test_an_undefined_name_is_an_error_and_asks_nobody(
    kind: type, app: Flask, shown: Shown, platform: LocalPlatform
) -> None:
    app.jinja_env.undefined = kind
    with pytest.raises(ValidationError, match=r"name.*'nothing' is undefined"):
        shown("{{ scope_prompt(nothing) }}")
    assert platform.requests == ()


def test_a_default_of_jinja_stands_in_for_an_undefined_value(shown: Shown) -> None:
    assert shown("{{ scope_prompt('greeting', time_of_day='noon', name=user|default('you')) }}") == "Good noon, you!"


def test_macros_blocks_and_includes_have_it(app: Flask) -> None:
    app.jinja_loader = DictLoader(
        {
            "macros.html": "{% macro greet(name) %}" + GREETING + "{% endmacro %}",
            "from.html": "{% from 'macros.html' import greet %}{{ greet('<Ada>') }}",
            "import.html": "{% import 'macros.html' as macros without context %}{{ macros.greet('<Ada>') }}",
            "with.html": "{% import 'closed.html' as macros with context %}{{ macros.greet() }}",
            "from_with.html": "{% from 'closed.html' import greet with context %}{{ greet() }}",
            "closed.html": "{% macro greet() %}" + GREETING + "{% endmacro %}",
            "call.html": "{% from 'box.html' import box %}{% call box() %}" + GREETING + "{% endcall %}",
            "box.html": "{% macro box() %}{{ caller() }}{% endmacro %}",
            "include.html": "{% set name = '<Ada>' %}{% include 'part.html' %}",
            "part.html": GREETING,
            "base.html": "{% block body %}{% endblock %}",
            "child.html": "{% extends 'base.html' %}{% block body %}{% set name = '<Ada>' %}"
            + GREETING
            + "{% endblock %}",
        }
    )
    with app.app_context():
        for file in ("from", "import", "with", "from_with", "call", "include", "child"):
            assert render_template(f"{file}.html", name="<Ada>") == "Good morning, &lt;Ada&gt;!"


def test_blueprints_templates_have_it(app: Flask, tmp_path: Any) -> None:
    (tmp_path / "part.html").write_text(GREETING)
    pages = Blueprint("pages", __name__, template_folder=str(tmp_path))
    pages.add_url_rule("/<name>", "page", lambda name: render_template("part.html", name=name))
    app.register_blueprint(pages)
    assert app.test_client().get("/<Ada>").text == "Good morning, &lt;Ada&gt;!"


def test_an_environment_that_is_asynchronous_has_it(app: Flask) -> None:
    environment = app.jinja_env.overlay(enable_async=True)
    assert environment.from_string(GREETING).render(name="Ada") == "Good morning, Ada!"


def test_each_app_shows_its_own(make_app: Make, platform: LocalPlatform) -> None:
    with LocalPlatform({"greeting": "Other: {{time_of_day}} {{name}}"}) as other:
        keys = {"SCOPE_BASE_URL": other.url, "SCOPE_AUTH_API_URL": other.url, "SCOPE_CREDENTIALS": other.credentials}
        scope = Scope()
        one, two = make_app(scope), make_app(scope, name="two", **keys)
        with one.app_context():
            assert render_template_string(GREETING, name="Ada") == "Good morning, Ada!"
            with two.app_context():
                assert render_template_string(GREETING, name="Ada") == "Other: morning Ada"


def test_a_chat_prompt_is_shown_as_json_that_stays_json(shown: Shown, platform: LocalPlatform) -> None:
    platform.publish("chat", [{"role": "system", "content": "Be {{mood}}."}, {"role": "user", "content": "{{q}}"}])
    source = "{{ scope_prompt('chat', mood='kind', q=q) }}"
    assert json.loads(shown(source, "page.txt", q='"quoted" \\ <b>')) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": '"quoted" \\ <b>'},
    ]
    assert "<" not in shown(source, q="<b>")
    with pytest.raises(MissingVariableError, match="'chat'"):
        shown("{{ scope_prompt('chat', mood='kind') }}")


HOSTILE = [
    "../x",
    "..%2Fx",
    "a/../../../auth",
    "/v1/auth/sdk-token",
    "//example.com/x",
    "greeting/versions",
    "greeting?label=latest",
    "greeting#x",
    "greeting%00",
    "a\r\nHost: example.com",
    "a\\..\\b",
    "http://example.com/",
    "greeting;x",
    "ünï",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_from_outside_reaches_no_other_endpoint(name: str, shown: Shown, platform: LocalPlatform) -> None:
    with pytest.raises(ScopeError):
        shown("{{ scope_prompt(name) }}", name=name)
    asked = [each.path for each in platform.requests if each.method == "GET"]
    assert all(path.startswith("/api/v1/prompts/") for path in asked)
    assert all(path[len("/api/v1/prompts/") :].split("/", 1)[0] not in ("", ".", "..") for path in asked)
    shown("{{ scope_prompt('greeting', time_of_day='x', name='y') }}")
    normal = [each.path for each in platform.requests if each.method == "GET"][-1]
    assert all(path.count("/") == normal.count("/") and path.count("?") == normal.count("?") for path in asked)
    assert sum(each.method == "POST" for each in platform.requests) == 1


@pytest.mark.parametrize("name", ["", ".", "..", 5, None, ["greeting"], b"greeting"])
def test_a_name_that_is_none_is_refused_and_asks_nobody(name: object, shown: Shown, platform: LocalPlatform) -> None:
    with pytest.raises(ValidationError):
        shown("{{ scope_prompt(name) }}", name=name)
    assert platform.requests == ()


def test_a_name_from_a_url_is_one_name(app: Flask, platform: LocalPlatform) -> None:
    app.add_url_rule("/<path:name>", "any", lambda name: render_template_string("{{ scope_prompt(name) }}", name=name))
    app.testing = True
    for path in ("/..%2f..%2fx", "/%2e%2e/x", "/a%2Fversions%2Flatest"):
        with pytest.raises(ScopeError):
            app.test_client().get(path)
    asked = [each.path for each in platform.requests if each.method == "GET"]
    assert all(path.startswith("/api/v1/prompts/") and "/versions/latest" not in path for path in asked)


def test_a_name_that_a_template_made_is_a_name_like_any_other(shown: Shown, platform: LocalPlatform) -> None:
    source = "{% set n %}greeting{% endset %}{{ scope_prompt(n, name='Ada', time_of_day='noon') }}"
    assert shown(source) == shown(source.replace("{% set n %}greeting{% endset %}", "{% set n = 'greeting' %}"))
    assert reads(platform) == 1


def test_what_is_not_there_is_raised_and_not_shown_as_nothing(shown: Shown, platform: LocalPlatform) -> None:
    platform.draft("unpublished", "x")
    with pytest.raises(NotFoundError):
        shown("{{ scope_prompt('nothing') }}")
    with pytest.raises(NoProductionVersionError):
        shown("{{ scope_prompt('unpublished') }}")


def test_an_error_is_raised_as_it_is_through_a_view(app: Flask) -> None:
    app.add_url_rule("/", "page", lambda: render_template_string("{{ scope_prompt('nothing') }}"))
    app.register_error_handler(ScopeError, lambda error: (type(error).__name__, 418))
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.text) == (418, "NotFoundError")


def test_without_credentials_a_page_says_what_lacks() -> None:
    app = Flask("bare")
    Scope(app)
    with app.app_context(), pytest.raises(MissingApiKeyError, match="SCOPE_API_KEY"):
        render_template_string("{{ scope_prompt('greeting') }}")


def test_a_page_with_many_calls_reads_each_prompt_once(shown: Shown, platform: LocalPlatform) -> None:
    source = "{% for n in range(50) %}{{ scope_prompt('greeting', time_of_day=n, name=n) }}{% endfor %}"
    assert shown(source).count("Good") == 50
    assert reads(platform) == 1


def test_a_rollout_is_picked_in_by_its_option_and_key_stays_a_variable(
    app: Flask, platform: LocalPlatform, shown: Callable[..., str]
) -> None:
    candidate = platform.draft("greeting", "candidate {{key}}").id
    platform.publish("greeting", "production {{key}}", metadata={"rollout": {candidate: 50}})
    source = "{{ scope_prompt('greeting', rollout_key=user, key='x') }}"
    client = app.extensions["scope"].client()
    for user in range(20):
        picked = client.get_prompt_version("greeting", key=user).content.split()[0]
        assert shown(source, user=user) == f"{picked} x"
    assert shown(source, user=None) == "production x"
    with pytest.raises(ValidationError, match="the rollout_key of a prompt is not defined: 'user' is undefined"):
        shown(source)


def test_a_candidate_that_lacks_what_the_template_gives_gives_way(
    platform: LocalPlatform, shown: Callable[..., str]
) -> None:
    candidate = platform.draft("greeting", "candidate").id
    platform.publish("greeting", "production {{key}}", metadata={"rollout": {candidate: 100}})
    assert shown("{{ scope_prompt('greeting', rollout_key=1, key='x') }}") == "production x"
