"""What values `{% scope_prompt %}` gives a prompt: through filters, in a mapping, and lazily."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable

import pytest
from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied, SuspiciousOperation
from django.http import Http404, QueryDict
from django.template import Context, Library, Template, defaultfilters, engines
from django.utils.functional import SimpleLazyObject
from django.utils.html import conditional_escape, escape
from django.utils.safestring import mark_safe

from scope_client import RenderError, ScopeError
from scope_client.local import LocalPlatform
from scope_django import get_client

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def site(scope_settings: Callable[..., Any], platform: LocalPlatform) -> None:
    scope_settings(CACHE_ALIAS=None)
    platform.publish("echo", "{{text}}")


def rendered(source: str, **context: Any) -> str:
    return Template("{% load scope %}" + source).render(Context(context))


def stored(source: str, **context: Any) -> Any:
    """What the tag has put into `text`."""
    kept = Context(context)
    assert Template("{% load scope %}" + source).render(kept) == ""
    return kept["text"]


# Filters that know autoescape, and others that escape

NAMES = ["Salt & Pepper", "<b>"]


@pytest.fixture
def shout() -> Iterator[None]:
    """A filter of a site's own that knows autoescape, as Django's manual shows one."""

    def shouted(text: str, autoescape: bool = True) -> str:
        return mark_safe(f"{conditional_escape(text) if autoescape else text}!")

    library = Library()
    library.filter("shout", shouted, needs_autoescape=True)
    engine = engines["django"].engine
    engine.template_builtins.append(library)
    yield
    engine.template_builtins.remove(library)


@pytest.mark.usefixtures("shout")
@pytest.mark.parametrize(
    ("expression", "plain"),
    [
        ('names|join:", "', "Salt & Pepper, <b>"),
        ("names|join:separator", "Salt & Pepper & <b>"),
        ('names|join:", "|upper', "SALT & PEPPER, <B>"),
        ('numbers|join:", "', "1, 2"),
        ("text|linebreaksbr", "Salt & Pepper"),
        ("text|linebreaks", "<p>Salt & Pepper</p>"),
        ("text|linenumbers", "1. Salt & Pepper"),
        ("names|unordered_list", "\t<li>Salt & Pepper</li>\n\t<li><b></li>"),
        ("text|urlize", "Salt & Pepper"),
        ("text|urlizetrunc:50", "Salt & Pepper"),
        ("text|shout", "Salt & Pepper!"),
        ("text|escape", "Salt & Pepper"),
        ("text|force_escape", "Salt & Pepper"),
        ("text|escape|shout", "Salt & Pepper!"),
        ("text|default:names|escape", "Salt & Pepper"),
        *([('names|escapeseq|join:", "', "Salt & Pepper, <b>")] if hasattr(defaultfilters, "escapeseq") else []),
    ],
)
def test_a_filter_that_knows_autoescape_escapes_nothing_and_the_page_once(expression, plain):
    context = {"names": NAMES, "separator": " & ", "numbers": [1, 2], "text": NAMES[0]}
    for keywords in (f"text={expression}", f"with text={expression}"):
        assert stored(f'{{% scope_prompt "echo" {keywords} as text %}}', **context) == plain
        assert rendered(f'{{% scope_prompt "echo" {keywords} %}}', **context) == escape(plain)


def test_where_nothing_is_escaped_at_the_end_a_filter_that_is_asked_to_escape_does():
    source = '{% autoescape off %}{% scope_prompt "echo" text=name|escape %}{% endautoescape %}'
    assert rendered(source, name=NAMES[0]) == "Salt &amp; Pepper"
    source = '{% autoescape off %}{% scope_prompt "echo" text=names|join:", " %}{% endautoescape %}'
    assert rendered(source, names=NAMES) == "Salt & Pepper, <b>"
    assert rendered(source, names=[1, 2]) == "1, 2"


# A mapping of values


def test_a_mapping_gives_several_values_at_once_beside_those_that_are_given_by_name():
    values = {"name": "<Ada>", "time_of_day": "noon"}
    assert rendered('{% scope_prompt "greeting" variables=values %}', values=values) == "Good noon, &lt;Ada&gt;!"
    one = {"name": "Ada"}
    source = '{% scope_prompt "greeting" variables=one time_of_day="noon" %}'
    assert rendered(source, one=one) == "Good noon, Ada!"
    source = '{% scope_prompt "greeting" variables=one with time_of_day="noon" as text %}{{ text }}'
    assert rendered(source, one=SimpleLazyObject(lambda: one)) == "Good noon, Ada!"
    assert rendered('{% scope_prompt "echo" variables=none text="x" %}', none=None) == "x"


def test_after_with_a_prompt_may_have_a_variable_named_variables(platform):
    platform.publish("odd", "{{variables}} {{using}}")
    assert rendered('{% scope_prompt "odd" with variables="a" using="b" %}') == "a b"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("variables=7", "variables must be a mapping of names to values, got int"),
        ("variables=name", "variables must be a mapping of names to values, got str"),
        ("variables=gone", "the variables of a prompt is given as gone, which does not resolve"),
        ('variables=values text="x"', "a value is given twice for text: in variables and as a keyword"),
        ("variables=wrong", "the prompt has no variable 'wrong'"),
    ],
)
def test_a_mapping_that_is_not_one_or_does_not_fit_is_an_error_that_says_so(given, said):
    with pytest.raises(ScopeError, match=re.escape(said)):
        rendered(
            f'{{% scope_prompt "echo" {given} %}}', name="Ada", values={"text": "a"}, wrong={"text": "a", "wrong": 1}
        )


# What a value raises


@pytest.mark.parametrize("answered", [Http404, PermissionDenied, SuspiciousOperation, BadRequest, DisallowedHost])
@pytest.mark.parametrize(
    "source",
    [
        '{% scope_prompt "echo" text=lazy %}',
        '{% scope_prompt "echo" with text=lazy as text %}{{ text }}',
        '{% scope_prompt "echo" variables=values %}',
        '{% scope_prompt "echo" text=lazy|upper %}',
        "{% scope_prompt lazy %}",
        '{% scope_prompt "echo" label=lazy text="x" %}',
        '{% scope_prompt "echo" version=lazy text="x" %}',
        '{% scope_prompt "echo" fallback=lazy text="x" %}',
        '{% scope_prompt "echo" using=lazy text="x" %}',
        '{% scope_prompt "echo" variables=lazy text="x" %}',
    ],
)
def test_what_django_has_an_answer_for_stays_what_it_is(source, answered):
    def refuse() -> str:
        raise answered("of the site")

    lazy = SimpleLazyObject(refuse)
    with pytest.raises(answered, match="of the site"):
        rendered(source, lazy=lazy, values={"text": lazy})


def test_any_other_error_of_a_value_names_the_prompt_and_the_variable():
    def fail() -> str:
        raise ZeroDivisionError("of the site")

    with pytest.raises(RenderError, match=r"prompt 'echo': str\(\) fails for the value of 'text'.*of the site"):
        rendered('{% scope_prompt "echo" text=lazy %}', lazy=SimpleLazyObject(fail))


@pytest.mark.parametrize("query", ["text=1", "text=0&text=1"])
def test_what_a_visitor_sent_may_be_the_mapping(query):
    sent = QueryDict(query)
    assert rendered('{% scope_prompt "echo" variables=sent %}', sent=sent) == "1"
    assert get_client().render_prompt("echo", sent) == "1"
