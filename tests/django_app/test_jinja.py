"""`{{ scope_prompt(...) }}`, rendered by Django's Jinja2 backend."""

from __future__ import annotations

import datetime
import html
import itertools
import json
import re
from decimal import Decimal
from typing import Any, Callable
from urllib.parse import unquote

import jinja2
import pytest
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from faults.crowd import crowd
from markupsafe import Markup

from scope_client import MissingVariableError, NotFoundError, RenderError, ServerError, ValidationError
from scope_client.local import LocalPlatform

HOSTILE = '<script>alert("1")</script> {{ settings.SECRET_KEY }} {% raw %} {{other}} {# x #} & \' \\'
GREETED = "Good morning, Ada!"


@pytest.fixture(autouse=True)
def site(scope_settings: Callable[..., Any], platform: LocalPlatform) -> Callable[..., Any]:
    scope_settings(CACHE_ALIAS=None)
    platform.publish("hi", "Hi {{name}}")
    platform.publish("echo", "{{text}}")
    return scope_settings


def rendered(source: str, **context: Any) -> str:
    return engines["jinja2"].from_string(source).render(context)


def engine(**options: Any) -> Jinja2:
    options = {"extensions": ["scope_django.jinja2.ScopeExtension"], **options}
    return Jinja2({"NAME": "made", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


def seen(source: str, **context: Any) -> list[Any]:
    """What the template has handed to `see`, before anything is escaped."""
    found: list[Any] = []
    rendered(source, see=found.append, **context)
    return found


# What it prints


def test_it_prints_the_prompt_filled_in():
    assert rendered('{{ scope_prompt("greeting", time_of_day="morning", name=user.name) }}', user={"name": "Ada"}) == (
        GREETED
    )


def test_the_name_may_be_any_expression():
    source = '{{ scope_prompt(page.prompt|lower, time_of_day="morn" ~ "ing", name=names[0]) }}'
    assert rendered(source, page={"prompt": "GREETING"}, names=["Ada"]) == GREETED


def test_variables_may_come_as_a_dictionary_as_keywords_or_as_both():
    both = '{{ scope_prompt("greeting", variables={"name": n}, time_of_day="morning") }}'
    whole = '{{ scope_prompt("greeting", variables=given) }}'
    spread = '{{ scope_prompt("greeting", **given) }}'
    given = {"time_of_day": "morning", "name": "Ada"}
    assert {rendered(source, n="Ada", given=given) for source in (both, whole, spread)} == {GREETED}
    assert given == {"time_of_day": "morning", "name": "Ada"}


def test_a_chat_prompt_is_printed_as_the_json_of_its_messages(platform):
    platform.publish("chat", [{"role": "system", "content": "Be {{mood}}."}, {"role": "user", "content": "Hi"}])
    printed = rendered('{{ scope_prompt("chat", mood=mood) }}', mood='"<kind>"')
    assert "<" not in printed
    assert json.loads(html.unescape(printed)) == [
        {"role": "system", "content": 'Be "<kind>".'},
        {"role": "user", "content": "Hi"},
    ]


@pytest.mark.parametrize("name", ["name", "self", "context", "environment", "caller", "obj", "größe", "名"])
def test_any_name_works_as_a_keyword(name, platform):
    platform.publish("any", f"<{{{{{name}}}}}>")
    assert rendered(f'{{{{ scope_prompt("any", {name}=v) }}}}', v="x") == "&lt;x&gt;"


@pytest.mark.parametrize("name", ["label", "version", "fallback", "variables", "name", "self", "class", "1"])
def test_any_name_works_in_variables(name, platform):
    platform.publish("any", f"<{{{{{name}}}}}>")
    assert rendered('{{ scope_prompt("any", variables={key: v}) }}', key=name, v="x") == "&lt;x&gt;"


# Options


def test_label_and_version_choose_what_is_fetched(platform):
    draft = platform.draft("greeting", "Draft for {{name}}")
    assert rendered('{{ scope_prompt("greeting", label="latest", name="Ada") }}') == "Draft for Ada"
    assert rendered('{{ scope_prompt("greeting", version=v, name="Ada") }}', v=draft.id) == "Draft for Ada"
    source = '{{ scope_prompt("greeting", label=none, version=none, fallback=none, variables=none, **more) }}'
    assert rendered(source, more={"time_of_day": "morning", "name": "Ada"}) == GREETED


@pytest.mark.parametrize("fallback", ["Hi, {{name}}.", Markup("Hi, {{name}}."), lambda: "Hi, {{name}}."])
def test_a_fallback_is_served_where_the_platform_cannot_answer(fallback, platform, site):
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    platform.fail(503)
    source = '{{ scope_prompt("greeting", fallback=f, time_of_day="morning", name="<Ada>") }}'
    assert rendered(source, f=fallback) == "Hi, &lt;Ada&gt;."
    with pytest.raises(ServerError):
        rendered('{{ scope_prompt("greeting", name="Ada") }}')


def test_a_translation_that_is_lazy_is_a_fallback(platform, site):
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    platform.fail(503)
    with translation.override("de"):
        assert rendered('{{ scope_prompt("greeting", fallback=f) }}', f=gettext_lazy("Monday")) == "Montag"


def test_a_translation_that_is_lazy_may_name_the_prompt(platform):
    platform.publish("Montag", "Der Montag")
    with translation.override("de"):
        assert rendered("{{ scope_prompt(n) }}", n=gettext_lazy("Monday")) == "Der Montag"


def test_a_translation_that_is_lazy_may_be_the_label():
    assert rendered('{{ scope_prompt("hi", label=l, name="Ada") }}', l=gettext_lazy("latest")) == "Hi Ada"


def test_trusted_markup_as_a_name_is_a_name_like_any_other(platform):
    platform.publish("a&b", "AB")
    assert rendered("{{ scope_prompt(n) }}", n=Markup("a&b")) == rendered('{{ scope_prompt("a&b") }}') == "AB"
    assert len({each.path for each in platform.requests}) == 2


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('scope_prompt("hi", label="staging", name="x")', "'production'.*'latest'"),
        ('scope_prompt("hi", variables=5)', "variables must be a mapping.*int"),
        ('scope_prompt("hi", variables=["name"])', "variables must be a mapping.*list"),
        ('scope_prompt("hi", variables={"name": 1}, name=2)', "twice for name"),
        ("scope_prompt(5)", "name must be text.*int"),
        ("scope_prompt(none)", "name must be text"),
        ('scope_prompt("hi", name="x", fallback=5)', "fallback must be text"),
        ('scope_prompt("hi", name=none)', "'hi'.*'name' is None"),
        ('scope_prompt("hi", name="x", nickname="y")', "'hi'.*'nickname'.*'name'"),
    ],
)
def test_a_wrong_call_is_an_error_that_says_what_was_expected(call, expected):
    with pytest.raises(ValidationError, match=expected):
        rendered(f"{{{{ {call} }}}}")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("scope_prompt()", "name"),
        ('scope_prompt(name="hi")', "name"),
        ('scope_prompt("hi", "Ada")', "positional"),
        ('scope_prompt("hi", label="latest", version="v")', "label and version exclude each other"),
    ],
)
def test_a_call_that_python_would_refuse_is_a_type_error(call, expected, platform):
    with pytest.raises(TypeError, match=expected):
        rendered(f"{{{{ {call} }}}}")
    assert platform.requests == ()


@pytest.mark.parametrize("argument", ["name", "label", "version", "fallback"])
def test_an_option_that_is_undefined_is_an_error_that_names_it(argument, platform):
    call = "scope_prompt(page.gone)" if argument == "name" else f'scope_prompt("hi", {argument}=page.gone)'
    with pytest.raises(ValidationError, match=f"{argument} of a prompt is not defined.*'gone'"):
        rendered(f"{{{{ {call} }}}}", page={})
    assert platform.requests == ()


def test_variables_that_are_undefined_as_a_whole_are_an_error():
    with pytest.raises(ValidationError, match="variables"):
        rendered('{{ scope_prompt("hi", variables=gone) }}')


# Values


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a \"b\"'", 'a "b"'),
        ("5", "5"),
        ("1.50", "1.5"),
        ("true", "True"),
        ('""', ""),
        ("n|upper", "ADA"),
        ('n ~ "!"', "ada!"),
        ('items|join(", ")', "1, 2"),
        ("items|length", "2"),
        ("day.year", "2024"),
        ("method()", "called"),
        ("empty or n", "ada"),
        ('nothing|default("x", true)', "x"),
        ("decimal", "1.50"),
        ("lazy", "Monday"),
        ("[]", "[]"),
        ("unicode", "名前 é 🎉"),
    ],
)
def test_a_value_may_be_whatever_a_template_can_say(expression, expected):
    context = {
        "n": "ada",
        "items": [1, 2],
        "day": datetime.date(2024, 5, 6),
        "method": lambda: "called",
        "empty": "",
        "nothing": None,
        "decimal": Decimal("1.50"),
        "lazy": gettext_lazy("Monday"),
        "unicode": "名前 é 🎉",
    }
    assert seen(f'{{{{ see(scope_prompt("echo", text={expression})) }}}}', **context) == [expected]
    assert rendered(f'{{{{ scope_prompt("echo", variables={{"text": {expression}}}) }}}}', **context) == str(
        Markup.escape(expected)
    )


def test_a_lazy_translation_speaks_the_language_of_each_render():
    template = engines["jinja2"].from_string('{{ scope_prompt("echo", text=day) }}')
    said = []
    for language in ("de", "en", "fr"):
        with translation.override(language):
            said.append(template.render({"day": gettext_lazy("Monday")}))
    assert said == ["Montag", "Monday", "lundi"]


def test_a_value_without_text_is_an_error_that_names_the_variable_and_the_prompt():
    class Broken:
        def __str__(self) -> str:
            raise ZeroDivisionError("oh")

    with pytest.raises(RenderError, match=r"'hi'.*'name'.*Broken.*oh"):
        rendered('{{ scope_prompt("hi", name=n) }}', n=Broken())


def test_a_callable_is_called_as_often_as_the_template_says():
    calls: list[int] = []
    source = '{{ scope_prompt("hi", name=n()) }}'
    assert rendered(source, n=lambda: calls.append(1) or "Ada") == "Hi Ada"
    assert calls == [1]


# What is undefined

UNDEFINED = ["gone", "page.gone", 'page["gone"]', "person.gone", "rows[5]", "rows|first", "page.inner.gone"]


def surroundings() -> dict[str, Any]:
    return {"page": {"inner": {}}, "person": object(), "rows": []}


@pytest.mark.parametrize(
    "undefined", [jinja2.Undefined, jinja2.StrictUndefined, jinja2.ChainableUndefined, jinja2.DebugUndefined]
)
@pytest.mark.parametrize("given", ["name={}", 'variables={{"name": {}}}', '**{{"name": {}}}'])
@pytest.mark.parametrize("expression", UNDEFINED)
def test_what_is_undefined_is_a_missing_variable_that_names_it_and_the_prompt(expression, given, undefined):
    call = f'scope_prompt("greeting", time_of_day="morning", {given.format(expression)})'
    with pytest.raises(MissingVariableError, match="'greeting'") as caught:
        engine(undefined=undefined).from_string(f"{{{{ {call} }}}}").render(surroundings())
    assert caught.value.missing_variables == ("name",)
    assert re.search("gone|no element|first item|empty", str(caught.value))


def test_an_undefined_that_logs_is_a_missing_variable_too():
    made = engine(undefined=jinja2.make_logging_undefined(base=jinja2.ChainableUndefined))
    with pytest.raises(MissingVariableError, match="'gone' is undefined"):
        made.from_string('{{ scope_prompt("hi", name=gone.more) }}').render({})


def test_an_attribute_of_what_is_undefined_is_an_error_that_names_it(platform):
    for undefined in (jinja2.Undefined, jinja2.StrictUndefined):
        template = engine(undefined=undefined).from_string('{{ scope_prompt("hi", name=gone.more) }}')
        with pytest.raises(jinja2.UndefinedError, match="'gone' is undefined"):
            template.render({})
    assert platform.requests == ()


def test_an_attribute_of_what_is_undefined_is_a_missing_variable_where_undefined_is_chainable():
    template = engine(undefined=jinja2.ChainableUndefined).from_string('{{ scope_prompt("hi", name=gone.more.still) }}')
    with pytest.raises(MissingVariableError, match=r"'hi'.*'gone' is undefined") as caught:
        template.render({})
    assert caught.value.missing_variables == ("name",)


@pytest.mark.parametrize("undefined", [jinja2.Undefined, jinja2.StrictUndefined, jinja2.ChainableUndefined])
@pytest.mark.parametrize("expression", UNDEFINED)
def test_the_default_filter_helps_what_is_undefined(expression, undefined):
    source = f'{{{{ scope_prompt({expression}|default("hi"), name={expression}|default("it")) }}}}'
    assert engine(undefined=undefined).from_string(source).render(surroundings()) == "Hi it"


def test_all_that_is_missing_is_told_at_once_in_the_order_of_the_prompt():
    for given in ("name=gone, time_of_day=lost", "name=gone"):
        with pytest.raises(MissingVariableError, match="'gone' is undefined") as caught:
            rendered(f'{{{{ scope_prompt("greeting", {given}) }}}}')
        assert caught.value.missing_variables == ("time_of_day", "name")


def test_a_variable_that_is_not_given_is_an_error_that_names_it_and_the_prompt():
    with pytest.raises(MissingVariableError, match="'greeting'") as caught:
        rendered('{{ scope_prompt("greeting") }}')
    assert caught.value.missing_variables == ("time_of_day", "name")


# Escaping

PLACES = [
    "{{ IT }}",
    "{% autoescape true %}{{ IT }}{% endautoescape %}",
    "{% autoescape false %}{{ IT }}{% endautoescape %}",
    "{{ IT|safe }}",
    "{{ IT|e }}",
    "{{ IT|upper }}",
    "{{ IT|urlize }}",
    "{{ ('<b>'|safe) ~ IT }}",
    "{{ [IT]|join('<') }}",
    "{% set kept = IT %}{{ kept }}",
    "{% set kept %}{{ IT }}{% endset %}{{ kept }}",
    "{% filter upper %}{{ IT }}{% endfilter %}",
    "{% macro show(text) %}{{ text }}{% endmacro %}{{ show(IT) }}",
    "{% for i in [1, 2] %}{% if i %}{{ IT }}{% endif %}{% endfor %}",
]


@pytest.mark.parametrize("marked", [str, Markup, mark_safe, lambda text: gettext_lazy(text)])
@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_the_output_is_escaped_as_the_template_escapes_the_same_plain_text(place, autoescape, marked):
    made = engine(autoescape=autoescape)
    expected = made.from_string(place.replace("IT", "plain")).render({"plain": HOSTILE})
    called = place.replace("IT", 'scope_prompt("echo", text=value)')
    assert made.from_string(called).render({"value": marked(HOSTILE)}) == expected


@pytest.mark.parametrize("value", ["<b>", Markup("<b>"), mark_safe("<b>"), format_html("<{}>", "b")])
def test_what_it_returns_is_never_marked_safe(value):
    (text,) = seen('{{ see(scope_prompt("echo", text=v)) }}', v=value)
    assert (type(text), text) == (str, "<b>")


def test_what_is_hostile_in_content_and_values_stays_text(platform):
    content = HOSTILE.replace("{{other}}", "") + "{{name}}{% include 'x' %}{{ name }}"
    platform.publish("hostile", content)
    expected = content.replace("{{name}}", HOSTILE)
    source = '{{ scope_prompt("hostile", name=v) }}'
    assert rendered(source, v=HOSTILE, name="no") == str(Markup.escape(expected))
    assert engine(autoescape=False).from_string(source).render({"v": HOSTILE, "name": "no"}) == expected


# Within templates


def test_it_works_in_templates_that_extend_include_and_import_others():
    templates = {
        "base": '<{% block top %}{{ scope_prompt("hi", name=n) }}{% endblock %}>',
        "part": '{{ scope_prompt("hi", name=n) }}',
        "macros": '{% macro hi(n) %}{{ scope_prompt("hi", name=n) }}{% endmacro %}',
        "page": '{% extends "base" %}{% from "macros" import hi %}'
        '{% block top %}{{ super() }} {% include "part" %} {{ hi("<m>") }}{% endblock %}',
    }
    made = engine(loader=jinja2.DictLoader(templates))
    assert made.get_template("page").render({"n": "&"}) == "<Hi &amp; Hi &amp; Hi &lt;m&gt;>"


def test_threads_that_render_one_template_never_see_each_others_values(platform):
    platform.publish("mix", "{{a}}|{{b}}|{{c}}")
    source = '{{ scope_prompt("mix", a=v, b=v ~ "!", variables={"c": v}) }}'
    template, numbers = engines["jinja2"].from_string(source), itertools.count()

    def render_many() -> bool:
        found = []
        for _ in range(40):
            v = f"v{next(numbers)}"
            found.append(template.render({"v": v}) == f"{v}|{v}!|{v}")
        return all(found)

    assert crowd(24, render_many) == [True] * 24


def test_a_template_is_compiled_without_asking_the_platform(platform):
    engines["jinja2"].from_string('{{ scope_prompt("hi", name=n) }}')
    assert platform.requests == ()


def test_a_sandboxed_environment_may_call_it():
    made = engine(environment="jinja2.sandbox.SandboxedEnvironment")
    assert made.from_string('{{ scope_prompt("hi", name="<b>") }}').render({}) == "Hi &lt;b&gt;"


# Names from outside


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "%2e%2e", "..%2fx", "?x", "#x", "//host/x", "a\\b", ";a", "a\nb", "a\x00b", "{{name}}", "<b>"],
)
@pytest.mark.parametrize("marked", [str, Markup])
def test_a_name_from_a_url_reaches_no_other_endpoint(name, marked, rf, platform):
    request = rf.get("/", {"prompt": name})
    with pytest.raises(NotFoundError):
        rendered("{{ scope_prompt(name, text='Ada') }}", name=marked(request.GET["prompt"]))
    _, *asked = [each.path for each in platform.requests]
    (segment,) = [re.fullmatch(r"/api/v1/prompts/([^/?#]+)/production", each)[1] for each in asked]
    assert unquote(segment) == name


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_no_url_can_hold_is_an_error_before_anything_is_asked(name, platform):
    with pytest.raises(ValidationError, match="name must"):
        rendered("{{ scope_prompt(name) }}", name=name)
    assert platform.requests == ()
