"""`{% scope_prompt %}`, rendered by Django's own engine."""

from __future__ import annotations

import datetime
import html
import itertools
import json
import re
from decimal import Decimal
from typing import Any, Callable
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.template import Context, Engine, RequestContext, Template, TemplateSyntaxError
from django.urls import path
from django.utils import translation
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from faults.crowd import crowd

from scope_client import MissingVariableError, NotFoundError, RenderError, ScopeError, ServerError, ValidationError
from scope_client.local import LocalPlatform
from scope_django import get_client
from scope_django.templatetags.scope import PromptNode

TAGS = "scope_django.templatetags.scope"
HOSTILE = '<script>alert("1")</script> {{ settings.SECRET_KEY }} {% now "Y" %} {{other}} {# x #} & \' \\'
GREETED = "Good morning, Ada!"


@pytest.fixture(autouse=True)
def site(scope_settings: Callable[..., Any], platform: LocalPlatform) -> Callable[..., Any]:
    scope_settings(CACHE_ALIAS=None)
    platform.publish("hi", "Hi {{name}}")
    platform.publish("echo", "{{text}}")
    cache.clear()
    return scope_settings


def rendered(source: str, **context: Any) -> str:
    return Template("{% load scope %}" + source).render(Context(context))


def engine(templates: dict[str, str] | None = None, **options: Any) -> Engine:
    loaders = [("django.template.loaders.locmem.Loader", templates or {})]
    return Engine(loaders=loaders, builtins=[TAGS], **options)


def stored(source: str, **context: Any) -> Any:
    """What the tag has put into `text`."""
    kept = Context(context)
    assert Template("{% load scope %}" + source).render(kept) == ""
    return kept["text"]


class Person:
    first_name = "Ada"

    def needs(self, argument: str) -> str:
        return argument

    def lost(self) -> str:
        raise ObjectDoesNotExist("nobody")

    def no_user(self) -> str:
        raise User.DoesNotExist

    @property
    def lost_property(self) -> str:
        raise ObjectDoesNotExist("nobody")

    def delete(self) -> None:
        raise AssertionError("deleted")

    delete.alters_data = True  # type: ignore[attr-defined]

    def breaks(self) -> str:
        raise ZeroDivisionError("within the method")

    def greets(self) -> str:
        return "<Ada>"


# What it prints


def test_it_prints_the_prompt_filled_in():
    assert rendered('{% scope_prompt "greeting" time_of_day="morning" name=n %}', n="Ada") == GREETED


def test_the_variables_may_come_before_with_and_after_it():
    assert rendered('{% scope_prompt "greeting" with time_of_day="morning" name=n %}', n="Ada") == GREETED
    assert rendered('{% scope_prompt "greeting" time_of_day="morning" with name=n %}', n="Ada") == GREETED


def test_a_prompt_without_variables_needs_none(platform):
    platform.publish("plain", "No variables, {just} {{ braces }}.")
    assert rendered('{% scope_prompt "plain" %}') == "No variables, {just} {{ braces }}."


def test_the_name_may_be_a_variable_with_filters():
    person = {"prompt": "GREETING"}
    source = '{% scope_prompt person.prompt|lower time_of_day="morning" name="Ada" %}'
    assert rendered(source, person=person) == GREETED


def test_it_prints_each_time_what_the_context_says_then():
    template = Template('{% load scope %}{% scope_prompt "hi" name=n %}')
    assert [template.render(Context({"n": n})) for n in ("Ada", "Bob", "")] == ["Hi Ada", "Hi Bob", "Hi "]


def test_a_chat_prompt_is_printed_as_the_json_of_its_messages(platform):
    platform.publish("chat", [{"role": "system", "content": "Be {{mood}}."}, {"role": "user", "content": "Hi"}])
    expected = [{"role": "system", "content": 'Be "<kind>".'}, {"role": "user", "content": "Hi"}]
    source = '{% scope_prompt "chat" mood=mood %}'
    printed = rendered(source, mood='"<kind>"')
    assert "<" not in printed
    assert json.loads(html.unescape(printed)) == expected
    assert json.loads(stored('{% scope_prompt "chat" mood=mood as text %}', mood='"<kind>"')) == expected


def test_a_tag_may_go_over_names_in_every_script(platform):
    platform.publish("größe", "{{größe}} {{名}}")
    assert rendered('{% scope_prompt "größe" größe=größe 名="日本" %}', größe="10 m²") == "10 m² 日本"


def test_quotes_spaces_and_equals_signs_within_quotes_belong_to_the_value():
    assert rendered("""{% scope_prompt "echo" text="a=b as c with 'd' \\"e\\"" as text %}{{ text|safe }}""") == (
        "a=b as c with 'd' \"e\""
    )


# Options


def test_label_and_version_before_with_choose_what_is_fetched(platform):
    draft = platform.draft("greeting", "Draft for {{name}}")
    assert rendered('{% scope_prompt "greeting" label="latest" name="Ada" %}') == "Draft for Ada"
    assert rendered('{% scope_prompt "greeting" label=l name="Ada" %}', l="latest") == "Draft for Ada"
    assert rendered('{% scope_prompt "greeting" version=v.id name="Ada" %}', v=draft) == "Draft for Ada"
    source = '{% scope_prompt "greeting" label="production" time_of_day="morning" name="Ada" %}'
    assert rendered(source) == GREETED


def test_options_may_stand_in_any_order_among_the_variables(platform):
    platform.draft("greeting", "Draft for {{name}}")
    assert rendered('{% scope_prompt "greeting" name="Ada" fallback="x" label="latest" %}') == "Draft for Ada"


@pytest.mark.parametrize("option", ["label", "version", "fallback"])
def test_an_option_that_is_none_is_not_given(option):
    source = '{% scope_prompt "greeting" OPTION=nothing time_of_day="morning" name="Ada" %}'
    assert rendered(source.replace("OPTION", option), nothing=None) == GREETED


@pytest.mark.parametrize("fallback", ['"Hi, {{name}}."', "f", "f.text", "f.made"])
def test_a_fallback_is_served_where_the_platform_cannot_answer(fallback, platform, site):
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    platform.fail(503)

    class Fallback(str):
        text = "Hi, {{name}}."

        def made(self):
            return self.text

    source = '{% scope_prompt "greeting" fallback=FALLBACK time_of_day="morning" name="<Ada>" %}'
    printed = rendered(source.replace("FALLBACK", fallback), f=Fallback("Hi, {{name}}."))
    assert printed == "Hi, &lt;Ada&gt;."


def test_a_fallback_of_trusted_markup_is_escaped_like_every_content(platform, site):
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    platform.fail(503)
    source = '{% scope_prompt "greeting" fallback=f %}'
    assert rendered(source, f=mark_safe("<b>")) == rendered('{% scope_prompt "x" fallback="<b>" %}') == "&lt;b&gt;"


def test_a_translation_that_is_lazy_is_a_fallback(platform, site):
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    platform.fail(503)
    with translation.override("de"):
        assert rendered('{% scope_prompt "greeting" fallback=f %}', f=gettext_lazy("Monday")) == "Montag"
        assert rendered('{% scope_prompt "greeting" fallback=_("Monday") %}') == "Montag"


def test_without_a_fallback_the_error_is_raised(platform, site):
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    platform.fail(503)
    with pytest.raises(ServerError):
        rendered('{% scope_prompt "greeting" name="Ada" %}')


def test_a_fallback_hides_no_unknown_prompt():
    with pytest.raises(NotFoundError, match="nowhere"):
        rendered('{% scope_prompt "nowhere" fallback="Hi" %}')


@pytest.mark.parametrize("label", ["staging", ""])
def test_an_unknown_label_is_an_error_that_lists_the_known_ones(label):
    with pytest.raises(ValidationError, match=r"'production'.*'latest'"):
        rendered('{% scope_prompt "greeting" label=label %}', label=label)


@pytest.mark.parametrize("option", ["label", "version", "fallback"])
def test_an_option_that_does_not_resolve_is_an_error_that_names_the_template_variable(option, platform):
    with pytest.raises(ValidationError, match=rf"{option} of a prompt.*page\.choice"):
        rendered(f'{{% scope_prompt "greeting" {option}=page.choice %}}', page={})
    assert platform.requests == ()


def test_a_name_that_does_not_resolve_is_an_error_that_names_the_template_variable(platform):
    with pytest.raises(ValidationError, match=r"name of a prompt.*page\.prompt"):
        rendered('{% scope_prompt page.prompt name="Ada" %}', page={})
    assert platform.requests == ()


@pytest.mark.parametrize("name", [None, 5, ["greeting"]])
def test_a_name_that_is_no_text_is_an_error(name, platform):
    with pytest.raises(ValidationError, match="name must be text"):
        rendered("{% scope_prompt name %}", name=name)
    assert platform.requests == ()


def test_after_with_the_words_of_options_are_variables(platform):
    platform.publish("badge", "{{label}}/{{version}}/{{fallback}}")
    source = '{% scope_prompt "badge" with label=badge version=2 fallback="c" %}'
    assert rendered(source, badge="gold") == "gold/2/c"


def test_one_word_may_be_an_option_before_with_and_a_variable_after_it(platform):
    platform.publish("badge", "old")
    platform.draft("badge", "{{label}}/{{fallback}}")
    source = '{% scope_prompt "badge" label="latest" fallback="none" with label=badge fallback="c" as text %}'
    assert stored(source, badge="gold") == "gold/c"


@pytest.mark.parametrize("name", ["name", "self", "context", "token", "parser", "as", "with", "as_name", "1", "class"])
def test_any_name_works_as_a_variable(name, platform):
    platform.publish("any", f"<{{{{{name}}}}}>")
    assert rendered(f'{{% scope_prompt "any" {name}=v %}}', v="x") == "&lt;x&gt;"
    assert stored(f'{{% scope_prompt "any" with {name}=v as text %}}', v="x") == "<x>"


# as


def test_as_prints_nothing_and_stores_plain_text_that_is_escaped_when_printed():
    source = '[{% scope_prompt "hi" name=n as text %}] {{ text }} {{ text|safe }}'
    assert rendered(source, n="<b>") == "[] Hi &lt;b&gt; Hi <b>"


@pytest.mark.parametrize("value", ["<b>", mark_safe("<b>"), gettext_lazy("<b>")])
def test_what_as_stores_is_never_marked_safe(value):
    text = stored('{% scope_prompt "echo" text=v as text %}', v=value)
    assert (type(text), text) == (str, "<b>")
    assert format_html("{}", text) == "&lt;b&gt;"


def test_as_replaces_a_variable_of_that_name_which_the_tag_may_read():
    assert rendered('{% scope_prompt "hi" name=n as n %}{{ n }}', n="Ada") == "Hi Ada"


def test_what_as_stores_lives_as_long_as_the_block_around_it():
    source = '{% with x=1 %}{% scope_prompt "hi" name="Ada" as t %}{{ t }}{% endwith %}[{{ t }}]'
    assert rendered(source) == "Hi Ada[]"


# Values


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a \"b\"'", 'a "b"'),
        ("5", "5"),
        ("-5", "-5"),
        ("1.50", "1.5"),
        ("True", "True"),
        ("False", "False"),
        ('""', ""),
        ("n", "ada"),
        ("n|upper", "ADA"),
        ('n|upper|add:"!"', "ADA!"),
        ("n|add:suffix", "ada?"),
        ('"a b"|title', "A B"),
        ('5|add:"2"', "7"),
        ("1.5|floatformat:2", "1.50"),
        ('items|join:", "', "1, 2"),
        ("items.1", "2"),
        ("items|length", "2"),
        ('day|date:"Y"', "2024"),
        ("person.first_name", "Ada"),
        ("person.greets", "<Ada>"),
        ("person.greets|lower", "<ada>"),
        ("empty", ""),
        ("empty|default:n", "ada"),
        ("nothing|default_if_none:n", "ada"),
        ('flag|yesno:"on,off"', "on"),
        ("decimal", "1.50"),
        ("lazy", "Monday"),
        ('_("Monday")', "Monday"),
        ('_("Monday")|upper', "MONDAY"),
        ("unicode", "名前 é 🎉"),
    ],
)
def test_a_value_may_be_whatever_a_template_can_say(expression, expected):
    context = {
        "n": "ada",
        "suffix": "?",
        "items": [1, 2],
        "day": datetime.date(2024, 5, 6),
        "person": Person(),
        "empty": "",
        "nothing": None,
        "flag": True,
        "decimal": Decimal("1.50"),
        "lazy": gettext_lazy("Monday"),
        "unicode": "名前 é 🎉",
    }
    assert stored(f'{{% scope_prompt "echo" text={expression} as text %}}', **context) == expected
    assert rendered(f'{{% scope_prompt "echo" with text={expression} %}}', **context) == escape(expected)


def test_a_translation_speaks_the_language_of_each_render():
    template = Template('{% load scope %}{% scope_prompt "echo" text=_("Monday") %} {% scope_prompt "echo" text=d %}')
    said = []
    for language in ("de", "en", "fr"):
        with translation.override(language):
            said.append(template.render(Context({"d": gettext_lazy("Monday")})))
    assert said == ["Montag Montag", "Monday Monday", "lundi lundi"]


@pytest.mark.parametrize("what", ['_("Monday")', "lazy"])
def test_a_translation_may_name_the_prompt(what, platform):
    platform.publish("Montag", "Der Montag")
    with translation.override("de"):
        assert rendered(f"{{% scope_prompt {what} %}}", lazy=gettext_lazy("Monday")) == "Der Montag"


def test_a_translation_may_be_the_label():
    printed = rendered('{% scope_prompt "hi" label=lazy name="Ada" %}', lazy=gettext_lazy("latest"))
    assert printed == "Hi Ada"


def test_a_filter_works_in_every_option(platform, site):
    draft = platform.draft("greeting", "Draft")
    assert rendered('{% scope_prompt "greeting" label=l|lower %}', l="LATEST") == "Draft"
    assert rendered('{% scope_prompt "GREETING"|lower label="LATEST"|lower %}') == "Draft"
    assert rendered("{% scope_prompt 'greeting' version=v|default:w %}", v="", w=draft.id) == "Draft"
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    platform.fail(503)
    assert rendered("{% scope_prompt 'greeting' fallback=f|upper|default:'x' %}", f="hey") == "HEY"


def test_none_is_an_error_that_names_the_variable_and_the_prompt():
    for expression in ("n", "None", "n|default_if_none:n"):
        with pytest.raises(ValidationError, match=r"'hi'.*'name' is None"):
            rendered(f'{{% scope_prompt "hi" name={expression} %}}', n=None)


def test_a_value_without_text_is_an_error_that_names_the_variable_and_the_prompt():
    class Broken:
        def __str__(self) -> str:
            raise ZeroDivisionError("oh")

    with pytest.raises(RenderError, match=r"'hi'.*'name'.*Broken.*oh"):
        rendered('{% scope_prompt "hi" name=n %}', n=Broken())


def test_an_unknown_variable_is_an_error_that_names_it_the_known_ones_and_the_prompt():
    with pytest.raises(ValidationError, match=r"'hi'.*'nickname'.*'name'"):
        rendered('{% scope_prompt "hi" name="Ada" nickname="A" %}')


def test_a_variable_that_is_not_given_is_an_error_that_names_it_and_the_prompt():
    with pytest.raises(MissingVariableError, match="'greeting'") as caught:
        rendered('{% scope_prompt "greeting" %}')
    assert caught.value.missing_variables == ("time_of_day", "name")


def test_an_unknown_prompt_is_an_error_that_names_it():
    with pytest.raises(NotFoundError, match="'nowhere'"):
        rendered('{% scope_prompt "nowhere" name=missing %}')


# What does not resolve

UNRESOLVED = [
    "missing",
    "missing.first_name",
    "missing.first_name.upper",
    "person.nickname",
    "person.first_name.nickname",
    "table.nickname",
    "table.inner.nickname",
    "rows.5",
    "rows.first",
    "person.needs",
    "person.needs.more",
    "person.lost",
    "person.lost.more",
    "person.no_user",
    "person.lost_property",
    "person.delete",
    "function",
    "manager.delete",
    "forloop.counter",
    "block.super",
    "request.user",
    "template",
    "dicts",
    "autoescape",
    "nothing.more",
]
CALLED_BY_DJANGO = ("person.needs", "person.lost", "person.no_user", "person.lost_property", "person.delete")


def surroundings() -> dict[str, Any]:
    return {
        "person": Person(),
        "table": {"inner": {}},
        "rows": ["a"],
        "function": lambda argument: argument,
        "manager": {"delete": Person().delete},
        "nothing": None,
        "given": "given",
        "empty": "",
    }


@pytest.mark.parametrize("invalid", ["", "INVALID", "INVALID %s"])
@pytest.mark.parametrize("expression", UNRESOLVED)
def test_what_does_not_resolve_is_a_missing_variable_that_names_the_template_variable_and_the_prompt(
    expression, invalid
):
    template = engine(string_if_invalid=invalid).from_string(
        f'{{% scope_prompt "greeting" time_of_day="morning" name={expression} %}}'
    )
    with pytest.raises(MissingVariableError) as caught:
        template.render(Context(surroundings()))
    assert caught.value.missing_variables == ("name",)
    assert "'greeting'" in str(caught.value)
    assert re.search(rf"(?<![\w.]){re.escape(expression)}(?![\w.])", str(caught.value))


@pytest.mark.parametrize(
    "filters", ["|upper", "|default_if_none:given", "|add:given", "|lower|title", "|safe", "|escape"]
)
def test_a_filter_does_not_help_what_does_not_resolve(filters):
    for expression in ("missing", "person.nickname", *CALLED_BY_DJANGO):
        with pytest.raises(MissingVariableError, match=re.escape(expression)):
            rendered(f'{{% scope_prompt "hi" name={expression}{filters} %}}', **surroundings())


@pytest.mark.parametrize("invalid", ["", "INVALID", "INVALID %s"])
@pytest.mark.parametrize("expression", UNRESOLVED)
def test_the_default_filter_helps_what_does_not_resolve(expression, invalid):
    source = (
        f'{{% scope_prompt "echo" text={expression}|default:"it" %}} {{% scope_prompt e|default:"echo" text="x" %}}'
    )
    template = engine(string_if_invalid=invalid).from_string(source.replace(" e|", f" {expression}|"))
    assert template.render(Context(surroundings())) == "it x"


def test_the_default_filter_helps_after_other_filters_and_before_them():
    assert rendered('{% scope_prompt "hi" name=missing|upper|default:"x" %}') == "Hi x"
    assert rendered('{% scope_prompt "hi" name=missing|default:"x"|upper %}') == "Hi X"
    assert rendered('{% scope_prompt "hi" label=missing|default:None name="x" %}') == "Hi x"


@pytest.mark.parametrize("argument", ["missing", "person.nickname", "rows.5", *CALLED_BY_DJANGO])
def test_an_argument_of_a_filter_that_does_not_resolve_is_a_missing_variable(argument):
    for expression in (f"empty|default:{argument}", f"given|add:{argument}", f"missing|default:{argument}"):
        for invalid in ("", "INVALID"):
            template = engine(string_if_invalid=invalid).from_string(f'{{% scope_prompt "hi" name={expression} %}}')
            with pytest.raises(MissingVariableError, match="'hi'") as caught:
                template.render(Context(surroundings()))
            assert caught.value.missing_variables == ("name",)
            assert argument in str(caught.value)


def test_all_that_is_missing_is_told_at_once_in_the_order_of_the_prompt():
    with pytest.raises(MissingVariableError, match=r"person\.nickname.*missing") as caught:
        rendered('{% scope_prompt "greeting" name=person.nickname time_of_day=missing %}', person=Person())
    assert caught.value.missing_variables == ("time_of_day", "name")
    with pytest.raises(MissingVariableError, match=r"person\.nickname") as caught:
        rendered('{% scope_prompt "greeting" name=person.nickname %}', person=Person())
    assert caught.value.missing_variables == ("time_of_day", "name")


def test_what_is_empty_or_false_is_there():
    for value in ("", 0, False, [], {}):
        assert stored('{% scope_prompt "echo" text=v as text %}', v=value) == str(value)


def test_an_error_of_the_sites_own_code_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError, match="within the method"):
        rendered('{% scope_prompt "hi" name=person.breaks %}', person=Person())


def test_what_alters_data_is_not_called():
    with pytest.raises(MissingVariableError):
        rendered('{% scope_prompt "hi" name=person.delete %}', person=Person())


class Counted:
    def __init__(self, value: str) -> None:
        self.value = value
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        return self.value


def test_a_callable_is_called_exactly_once_a_render(platform, site):
    site(CACHE_ALIAS=None, MAX_RETRIES=0)
    names = ("prompt", "label", "fallback", "plain", "filtered", "defaulted", "argument")
    values = ("two", "latest", "no fallback", "a", "b", "c", "d")
    counted = {name: Counted(value) for name, value in zip(names, values)}
    platform.publish("two", "{{a}} {{b}} {{c}}")
    source = (
        "{% scope_prompt prompt label=label fallback=fallback "
        'a=plain b=filtered|upper|add:argument with c=defaulted|default:"x" %}'
    )
    template = Template("{% load scope %}" + source)
    for times in (1, 2):
        assert template.render(Context(counted)) == "a Bd c"
        assert {name: each.calls for name, each in counted.items()} == dict.fromkeys(names, times)


def test_an_object_that_is_not_to_be_called_is_not_called():
    class Choice:
        do_not_call_in_templates = True

        def __call__(self) -> str:
            raise AssertionError

        def __str__(self) -> str:
            return "as it is"

    assert rendered('{% scope_prompt "echo" text=v %}', v=Choice()) == "as it is"


# Escaping

PLACES = [
    "PRINTED",
    "{% autoescape on %}PRINTED{% endautoescape %}",
    "{% autoescape off %}PRINTED{% endautoescape %}",
    "{% autoescape off %}{% autoescape on %}PRINTED{% endautoescape %}{% endautoescape %}",
    "{% filter upper %}PRINTED{% endfilter %}",
    "{% filter force_escape %}PRINTED{% endfilter %}",
    "{% filter striptags %}PRINTED{% endfilter %}",
    "{% filter linebreaks %}PRINTED{% endfilter %}",
    "{% autoescape off %}{% filter force_escape %}PRINTED{% endfilter %}{% endautoescape %}",
    "{% spaceless %}<p> PRINTED </p>{% endspaceless %}",
    "{% with a=1 %}{% for i in '12' %}{% if i %}PRINTED{% endif %}{% endfor %}{% endwith %}",
]


@pytest.mark.parametrize("marked", [str, mark_safe, lambda text: gettext_lazy(text)])
@pytest.mark.parametrize("place", PLACES)
def test_the_output_is_escaped_as_the_template_escapes_the_same_plain_text(place, marked):
    text = place.replace("PRINTED", "{{ plain }}")
    tag = place.replace("PRINTED", '{% scope_prompt "echo" text=value %}')
    stored_first = '{% scope_prompt "echo" text=value as kept %}' + place.replace("PRINTED", "{{ kept }}")
    expected = rendered(text, plain=HOSTILE)
    assert rendered(tag, value=marked(HOSTILE)) == rendered(stored_first, value=marked(HOSTILE)) == expected


@pytest.mark.parametrize("filters", ["", "|safe", "|upper", "|linebreaks", "|urlize", "|force_escape", "|escape"])
def test_what_as_stores_goes_through_filters_like_any_plain_text(filters):
    source = f'{{% scope_prompt "echo" text=v as kept %}}{{{{ kept{filters} }}}}'
    assert rendered(source, v=mark_safe(HOSTILE)) == rendered(f"{{{{ plain{filters} }}}}", plain=HOSTILE)


@pytest.mark.parametrize("filters", ["|safe", "|escape", "|linebreaks", "|urlize"])
def test_no_filter_of_a_value_switches_the_escaping_off(filters):
    printed = rendered(f'{{% scope_prompt "echo" text=v{filters} %}}', v=HOSTILE)
    assert "<" not in printed
    assert '"' not in printed


def test_a_value_of_format_html_is_shown_as_text():
    assert rendered('{% scope_prompt "echo" text=v %}', v=format_html("<b>{}</b>", "<")) == (
        "&lt;b&gt;&amp;lt;&lt;/b&gt;"
    )


def test_an_engine_that_does_not_escape_prints_plain_text():
    template = engine(autoescape=False).from_string('{% scope_prompt "echo" text=v %}')
    assert template.render(Context({"v": HOSTILE}, autoescape=False)) == HOSTILE


def test_what_is_hostile_in_content_and_values_stays_text(platform):
    content = HOSTILE.replace("{{other}}", "") + "{{name}}{% debug %}{{ name }}"
    platform.publish("hostile", content)
    expected = content.replace("{{name}}", HOSTILE)
    assert rendered('{% scope_prompt "hostile" name=v %}', v=HOSTILE, name="no") == escape(expected)
    assert stored('{% scope_prompt "hostile" name=v as text %}', v=HOSTILE, name="no") == expected
    assert rendered('{% scope_prompt "hostile" name=v as text %}{{ text }}', v=HOSTILE) == escape(expected)


# Within templates


def test_it_works_in_loops_and_conditions():
    source = (
        "{% for n in names %}{% if forloop.first %}{% else %}, {% endif %}"
        '{% scope_prompt "echo" text=n %}/{% scope_prompt "echo" text=forloop.counter %}{% endfor %}'
    )
    assert rendered(source, names=["a", "b", "<"]) == "a/1, b/2, &lt;/3"


def test_it_works_in_included_templates():
    templates = {
        "part": '{% scope_prompt "hi" name=n %}',
        "page": '{% include "part" %} {% include "part" with n="B" %} {% include "part" with n="C" only %}',
        "bad": '{% include "part" only %}',
    }
    made = engine(templates)
    assert made.get_template("page").render(Context({"n": "A"})) == "Hi A Hi B Hi C"
    with pytest.raises(MissingVariableError, match="n does not resolve"):
        made.get_template("bad").render(Context({"n": "A"}))


def test_it_works_in_blocks_of_templates_that_extend_others():
    templates = {
        "base": '<{% block top %}{% scope_prompt "hi" name=n as t %}{{ t }}{% endblock %}>',
        "page": '{% extends "base" %}{% block top %}{% scope_prompt "echo" text=block.super %}!{% endblock %}',
    }
    assert engine(templates).get_template("page").render(Context({"n": "A"})) == "<Hi A!>"


def test_it_works_in_cached_fragments_and_is_escaped_once():
    source = '{% load cache %}{% cache 300 part %}{% scope_prompt "hi" name=n %}{% endcache %}'
    assert [rendered(source, n=n) for n in ("<b>", "other")] == ["Hi &lt;b&gt;"] * 2


def test_it_reads_what_context_processors_give(rf):
    processors = ["django.template.context_processors.request"]
    template = engine(context_processors=processors).from_string('{% scope_prompt "echo" text=request.path %}')
    assert template.render(RequestContext(rf.get("/a/b/"))) == "/a/b/"
    with pytest.raises(MissingVariableError, match=r"request\.user"):
        engine(context_processors=processors).from_string('{% scope_prompt "hi" name=request.user.name %}').render(
            RequestContext(rf.get("/"))
        )


def test_threads_that_render_one_template_never_see_each_others_values(platform):
    platform.publish("mix", "{{a}}|{{b}}|{{c}}")
    source = (
        '{% scope_prompt "mix" a=v b=v|add:"!" with c=n|default:v as t %}{{ t }} {% scope_prompt "mix" a=v b=v c=v %}'
    )
    template, numbers = Template("{% load scope %}" + source), itertools.count()

    def render_many() -> bool:
        seen = []
        for _ in range(40):
            v = f"v{next(numbers)}"
            seen.append(template.render(Context({"v": v})) == f"{v}|{v}!|{v} {v}|{v}|{v}")
        return all(seen)

    assert crowd(24, render_many) == [True] * 24


# Errors of the author


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% scope_prompt %}", "expects the prompt's name.*no name"),
        ('{% scope_prompt name="Ada" %}', "expects the prompt's name.*no name"),
        ('{% scope_prompt with name="Ada" %}', "expects the prompt's name.*no name"),
        ("{% scope_prompt as text %}", "expects the prompt's name.*no name"),
        ('{% scope_prompt "hi" "Ada" %}', r"variables as key=value.*got '\"Ada\"'"),
        ('{% scope_prompt "hi" name %}', "variables as key=value.*got 'name'"),
        ('{% scope_prompt "hi" name= %}', "variables as key=value.*got 'name='"),
        ('{% scope_prompt "hi" ="Ada" %}', "variables as key=value.*got '=\"Ada\"'"),
        ('{% scope_prompt "hi" name = "Ada" %}', "variables as key=value.*got 'name'"),
        ('{% scope_prompt "hi" na-me="Ada" %}', "variables as key=value.*got 'na-me"),
        ('{% scope_prompt "hi" user.name="Ada" %}', "variables as key=value.*got 'user.name"),
        ('{% scope_prompt "hi" name="Ada", %}', "remainder"),
        ('{% scope_prompt "hi" name="a" name="b" %}', "'name' twice"),
        ('{% scope_prompt "hi" name="a" with name="b" %}', "'name' twice"),
        ('{% scope_prompt "hi" with name="a" name="b" %}', "'name' twice"),
        ('{% scope_prompt "hi" label="latest" label="production" %}', "'label' twice"),
        ('{% scope_prompt "hi" with label="a" label="b" %}', "'label' twice"),
        ('{% scope_prompt "hi" label="latest" version="v" %}', "a label or a version, not both"),
        ('{% scope_prompt "hi" version="v" label=l with label="x" %}', "a label or a version, not both"),
        ('{% scope_prompt "hi" with %}', "nothing after 'with'"),
        ('{% scope_prompt "hi" name="a" with %}', "nothing after 'with'"),
        ('{% scope_prompt "hi" with as text %}', "nothing after 'with'"),
        ('{% scope_prompt "hi" with with name="a" %}', "got 'with'"),
        ('{% scope_prompt "hi" with name="a" with time="b" %}', "got 'with'"),
        ('{% scope_prompt "hi" as %}', "no variable name after 'as'"),
        ('{% scope_prompt "hi" as a.b %}', "no variable name after 'as'"),
        ('{% scope_prompt "hi" as "text" %}', "no variable name after 'as'"),
        ('{% scope_prompt "hi" as 5 %}', "no variable name after 'as'"),
        ('{% scope_prompt "hi" as name="Ada" %}', "no variable name after 'as'"),
        ('{% scope_prompt "hi" as text name="Ada" %}', "no variable name after 'as', at the end"),
        ('{% scope_prompt "hi" as one as two %}', "got 'as'"),
        ('{% scope_prompt "hi" name=n|nofilter %}', "nofilter"),
        ('{% scope_prompt "hi" name=n|default %}', "default requires 2 arguments"),
        ('{% scope_prompt "hi" name=_n %}', "underscores"),
        ('{% scope_prompt "hi" name=n=m %}', "remainder"),
        ('{% scope_prompt "hi %}', '"hi'),
    ],
)
def test_a_mistake_in_the_tag_is_a_syntax_error_that_says_what_was_expected(source, expected, platform):
    with pytest.raises(TemplateSyntaxError, match=f"(?s){expected}"):
        Template("{% load scope %}" + source)
    assert platform.requests == ()


def test_a_template_is_compiled_without_asking_the_platform(platform):
    platform.stop()
    assert Template('{% load scope %}{% scope_prompt "hi" name=n %}').nodelist


def test_a_render_error_is_shown_on_the_debug_page_with_its_line_and_without_a_secret(client, settings, platform):
    template = Engine(debug=True, builtins=[TAGS]).from_string(
        '<p>\n{% scope_prompt "greeting" time_of_day="morning" name=user.first_name %}\n</p>'
    )

    class Urls:
        urlpatterns = (path("", lambda request: HttpResponse(template.render(Context()))),)

    settings.ROOT_URLCONF = Urls
    settings.DEBUG = True
    client.raise_request_exception = False
    answer = client.get("/")
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 500
    assert answer.exc_info[0] is MissingVariableError
    assert "MissingVariableError" in page
    assert "user.first_name does not resolve" in page
    assert "error at line <strong>2</strong>" in page
    assert str.__str__(platform.credentials.api_secret) not in page


@pytest.mark.parametrize("debug", [False, True])
def test_the_error_that_leaves_a_template_is_the_scope_error_itself(debug):
    for source in ('{% scope_prompt "hi" name=n %}', '{% scope_prompt "nowhere" %}', '{% scope_prompt "" %}'):
        with pytest.raises(ScopeError):
            engine(debug=debug).from_string(source).render(Context())


# Names from outside

OUTSIDE = [
    *("../x", "../../auth/sdk-token", "a/b", "%2e%2e", "%2e%2e%2fx", "..%2fx", "?x", "greeting?x=1", "#x", "//host/x"),
    *("a\\b", "..\\x", ";a", "..;/x", "a\nb", "a\r\nHost: x", "a\x00b", "http://host/x", "{{name}}", "é", " ", "@"),
    *("prompt_../x", "greeting/production", "greeting/production#", "%", "&", "a&amp;b", "<b>"),
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_from_a_url_reaches_no_other_endpoint(name, rf, platform):
    request = rf.get("/", {"prompt": name})
    with pytest.raises(NotFoundError):
        rendered('{% scope_prompt request.GET.prompt name="Ada" %}', request=request)
    token, *asked = [each.path for each in platform.requests]
    assert token == "/v1/auth/sdk-token"
    (segment,) = [re.fullmatch(r"/api/v1/prompts/([^/?#]+)/production", each)[1] for each in asked]
    assert unquote(segment) == name
    assert segment not in (".", "..")


@pytest.mark.parametrize("name", ["", ".", "..", "\ud800"])
def test_a_name_that_no_url_can_hold_is_an_error_before_anything_is_asked(name, platform):
    with pytest.raises(ValidationError, match="name must"):
        rendered('{% scope_prompt n name="Ada" %}', n=name)
    assert platform.requests == ()


@pytest.mark.parametrize("version", [each for each in OUTSIDE if each.strip()])
def test_a_version_from_a_url_reaches_no_other_endpoint(version, rf, platform):
    with pytest.raises(NotFoundError):
        rendered('{% scope_prompt "hi" version=request.GET.v name="Ada" %}', request=rf.get("/", {"v": version}))
    _, *asked = [each.path for each in platform.requests]
    (segment,) = [re.fullmatch(r"/api/v1/prompts/hi/versions/([^/?#]+)", each)[1] for each in asked]
    assert unquote(segment) == version


@pytest.mark.parametrize("label", ["../x", "latest/../x", "production?x", "LATEST"])
def test_a_label_from_a_url_is_one_of_the_known_or_an_error(label, rf, platform):
    with pytest.raises(ValidationError, match="label must be"):
        rendered('{% scope_prompt "hi" label=request.GET.label %}', request=rf.get("/", {"label": label}))
    assert platform.requests == ()


# What a template says of itself


def use(tag: str) -> Any:
    (node,) = Template("{% load scope %}\n" + tag).nodelist.get_nodes_by_type(PromptNode)
    return node.use("page.html")


def test_a_use_tells_where_it_is_and_what_it_passes():
    found = use('{% scope_prompt "hi" label="latest" name=user.name with label="x" as t %}')
    assert (found.place, found.wanted) == ("page.html:2", ("hi", "latest", None))
    assert (found.variables, found.is_dynamic, found.is_open) == (("name", "label"), False, False)


@pytest.mark.parametrize(
    "tag",
    ["{% scope_prompt n %}", '{% scope_prompt "hi"|upper %}', '{% scope_prompt _("hi") %}', "{% scope_prompt 5 %}"],
)
def test_a_use_whose_name_is_known_at_render_only_is_dynamic(tag):
    found = use(tag)
    assert (found.name, found.is_dynamic) == (None, True)


@pytest.mark.parametrize("option", ["label=l", "version=v", 'label="LATEST"|lower', 'label=_("latest")'])
def test_a_use_whose_options_are_known_at_render_only_is_dynamic(option):
    found = use(f'{{% scope_prompt "hi" {option} %}}')
    assert (found.name, found.is_dynamic) == ("hi", True)
    with pytest.raises(ValueError, match=r"page\.html:2"):
        _ = found.wanted


class TestARollout:
    @pytest.fixture(autouse=True)
    def halved(self, platform, site):
        candidate = platform.draft("greeting", "candidate {{key}}").id
        platform.publish("greeting", "production {{key}}", metadata={"rollout": {candidate: 50}})

    def test_is_picked_in_by_its_option_and_key_stays_a_variable(self):
        client = get_client()
        for key in range(20):
            picked = client.get_prompt_version("greeting", key=key).content.split()[0]
            assert (
                rendered('{% scope_prompt "greeting" rollout_key=user.pk key="x" %}', user={"pk": key}) == f"{picked} x"
            )
            with_it = '{% scope_prompt "greeting" rollout_key=user.pk with key="x" as text %}{{ text }}'
            assert rendered(with_it, user={"pk": key}) == f"{picked} x"

    def test_is_left_aside_without_it_and_for_none(self):
        for option in ("", "rollout_key=nobody"):
            assert rendered(f'{{% scope_prompt "greeting" {option} key="x" %}}', nobody=None) == "production x"

    def test_needs_a_key_that_resolves_and_lasts(self):
        for source, said in (("user.pk", "does not resolve"), ("1.5", "key must be text"), ('""', "must not be empty")):
            with pytest.raises(ValidationError, match=said):
                rendered(f'{{% scope_prompt "greeting" rollout_key={source} key="x" %}}')
