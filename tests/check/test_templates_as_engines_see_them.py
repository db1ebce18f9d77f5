"""The scanner without an engine finds what the real engines find, and what they raise on or print as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
from django.template import Engine, Origin, TemplateSyntaxError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scope_client._check.seen import Seen
from scope_client._check.templates import is_of_django, seen_in_template
from scope_client.frameworks import PromptUse, Search, search_jinja
from scope_django import _uses

ROOT = Path(__file__).resolve().parents[2]
ENGINE = Engine(libraries={"scope": "scope_django.templatetags.scope"})

Facts = tuple[Any, ...]


def facts_of(use: PromptUse, line: int) -> Facts:
    return (line, use.name, use.label, use.version, use.using, use.variables, use.is_dynamic, use.is_open)


def facts_seen(seen: Seen) -> list[Facts]:
    return [
        (
            *(use.place.line, use.name, use.label, use.version, use.using),
            *(tuple(each.name for each in use.given), use.is_dynamic, use.is_open),
        )
        for use in seen.uses
    ]


def django_sees(text: str) -> tuple[list[Facts], list[int], bool]:
    """The uses, the lines of tags that are printed, and whether Django raises."""
    try:
        reading = _uses._reading(ENGINE, text, Origin("page.html", "page.html"), "page.html")
    except TemplateSyntaxError:
        return [], [], True
    printed = [finding.line or 0 for finding in reading.printed]
    printed += [use.line for use in reading.uses for _ in use.mistakes]
    return [facts_of(use, use.line) for use in reading.uses], sorted(printed), False


def jinja_sees(text: str) -> tuple[list[Facts], list[int], bool]:
    search = Search(".")
    search_jinja(search, jinja2.Environment(loader=jinja2.DictLoader({"page.html": text})), takes_using=True)
    found = search.survey()
    printed = [use.line for use in found.uses for _ in use.mistakes]
    return [facts_of(use, use.line) for use in found.uses], sorted(printed), bool(found.unread)


def compare(text: str, sees: Any, lines: Any = lambda line: line) -> None:
    """Fails if the scanner finds anything else than an engine does.

    Args:
        text: The template.
        sees: What the engine does.
        lines: What is compared of a line.
    """
    uses, printed, raises = sees(text)
    seen = seen_in_template(text, "page.html")
    codes = [finding.code for finding in seen.findings]
    assert ("S100" in codes) == raises, (text, seen.findings)
    if raises:  # the others of the template are told by the scanner alone
        return
    ours, theirs = (
        sorted(((lines(line), *more) for line, *more in facts), key=repr) for facts in (facts_seen(seen), uses)
    )
    assert ours == theirs, text
    assert sorted(lines(finding.place.line) for finding in seen.findings) == sorted(map(lines, printed)), text


VALUES = [
    "user",
    "user.name",
    '"a b"',
    "'it is'",
    '"{{ x }}"',
    '"a\\"b"',
    '_("hi you")',
    "5",
    "-1.5",
    "x|upper",
    "x|default:'d e'",
]
ODD_VALUES = ['"', "'a", "_x", "x._y", "a|", "x|default:", '"%}"', "(x)", "x y", ""]
NAMES = ['"greeting"', "'support/a b'", "name", '"greeting"|lower', '_("greeting")', "greeting", "5", '"it\\"s"']
KEYS = ["name", "label", "version", "using", "variables", "fallback", "tone"]


def arguments(values: list[str]) -> st.SearchStrategy[str]:
    pair = st.builds("{}={}".format, st.sampled_from(KEYS), st.sampled_from(values))
    return st.one_of(pair, pair, st.sampled_from(["with", "as text", "as", "and", "name"]))


def tags() -> st.SearchStrategy[str]:
    names = st.sampled_from([*NAMES, "", "with", 'name="x"'])
    parts = st.lists(st.one_of(arguments(VALUES), arguments(VALUES), arguments(ODD_VALUES)), max_size=4)
    inner = st.builds(
        lambda name, more, joint: joint.join(["scope_prompt", name, *more]),
        names,
        parts,
        st.sampled_from([" ", " ", "  ", "\n"]),
    )
    return st.builds(
        "{}{}{}".format, st.sampled_from(["{% ", "{%", "{%-  "]), inner, st.sampled_from([" %}", "%}", " }}", " % }"])
    )


def good_tags() -> st.SearchStrategy[str]:
    parts = st.lists(arguments(VALUES), max_size=3)
    return st.builds("{{% scope_prompt {} {} %}}".format, st.sampled_from(NAMES), parts.map(" ".join))


TEXTS = [
    "text\n",
    "scope_prompt ",
    "{# a note #}",
    "{{ user }}",
    "{{ scope_prompt }}",
    "'",
    '"',
    "\n",
    "{ ",
    "}",
    "%}",
    "<pre>",
    "{% if x %}{% endif %}",
]
BLOCKS = [
    ("{# ", " #}"),
    ("{# ", "\n #}"),
    ("{% verbatim %}", "{% endverbatim %}"),
    ("{% verbatim a %}{% endverbatim %}", "{% endverbatim a %}"),
    ("{% comment %}", "{% endcomment %}"),
    ('{% comment "a note" %}', "{%endcomment%}"),
    ("{% if a %}", "{% else %}{% endif %}"),
    ("<pre>", "</pre>"),
]


def templates() -> st.SearchStrategy[str]:
    part = st.one_of(good_tags(), tags(), st.sampled_from(TEXTS))
    inner = st.recursive(
        part,
        lambda below: st.builds(
            lambda block, parts: block[0] + "".join(parts) + block[1],
            st.sampled_from(BLOCKS),
            st.lists(below, max_size=3),
        ),
        max_leaves=8,
    )
    return st.lists(inner, max_size=4).map("".join)


class TestDjango:
    @settings(max_examples=200, deadline=None)
    @given(templates())
    @example('{# \n {% scope_prompt "x" %} #}')
    @example('{% scope_prompt "x" name="a %} b" %}')
    @example('{% scope_prompt "x" name=_("a b") %}')
    def test_the_same_is_found(self, text: str) -> None:
        text = "{% load scope %}\n" + text
        try:
            compare(text, django_sees)
        except AssertionError:
            if not raises_for_another_reason(text):
                raise

    @settings(max_examples=200, deadline=None)
    @given(st.one_of(tags(), good_tags()))
    def test_so_it_is_in_one_tag(self, tag: str) -> None:
        compare("{% load scope %}\n" + tag, django_sees)


def raises_for_another_reason(text: str) -> bool:
    """Whether Django raises on what is not ours, such as a block that does not end."""
    try:
        ENGINE.from_string(text)
    except TemplateSyntaxError as error:
        said = str(error)
        return "scope_prompt" not in said and any(
            each in said for each in ("Unclosed", "Invalid block tag", "Could not parse")
        )
    return False


JINJA_VALUES = [
    *(
        "user",
        "user.name",
        "'a b'",
        '"it is"',
        "'{{ x }}'",
        "1.5",
        "x|upper",
        "x|default('d')",
        "[1, (2, 3)]",
        "f(a, b=c)",
    ),
    *("'a' ~ x", "a if b else c", "{'a': 1}", "x is defined", "not x", "'a\\'b'", "'a' 'b'", "('c')", "none", "a[0:2]"),
    *("'x' in y", "a == '{{'", "x|default('{{ d }}')", "x|replace('{{', '')", "'{{ a }}'|upper", "a or '{{ b }}'"),
    *("[{'role': 'user'}]", "a // b", "a ** b", "-x", "scope_prompt('inner', a=1)", "['{{ a }}', b]|join(', ')"),
]
JINJA_NAMES = [
    "'greeting'",
    '"support/a b"',
    "name",
    "'a' ~ b",
    "'HI'|lower",
    "5",
    "*names",
    "'a' if b else 'c'",
    "('in')",
    "'it\\'s'",
]
JINJA_MAPPINGS = [
    "{'a': 1, 'b': x}",
    "{}",
    "{key: 1}",
    "given",
    "dict(a=1)",
    "{'a': {'b': '{{ c }}'}}",
    "none",
    "{'label': [1, 2],}",
]


def calls() -> st.SearchStrategy[str]:
    keys = st.sampled_from(["name", "label", "version", "tone", "fallback"])
    pair = st.builds("{}={}".format, keys, st.sampled_from(JINJA_VALUES))
    mapping = st.builds("variables={}".format, st.sampled_from(JINJA_MAPPINGS))
    parts = st.lists(pair, max_size=3, unique_by=lambda each: each.partition("=")[0])
    more = st.sampled_from([[], [], ["**more"], ["other"]])
    joints = st.sampled_from([", ", ",\n  ", ","])
    return st.builds(
        lambda name, parts, mapping, more, joint, call: (
            f"{call}({joint.join([name, *more[:0], *parts, *mapping, *more])})"
        ),
        *(st.sampled_from(JINJA_NAMES), parts, st.lists(mapping, max_size=1), more, joints),
        st.sampled_from(["scope_prompt", "scope_prompt ", "scope_prompt\n"]),
    )


EXPRESSIONS = [
    *("{{ CALL }}", "{{CALL|upper|e}}", "{{- x|default(CALL) -}}", "{% set t = CALL %}", "{% if CALL %}a{% endif %}"),
    *(
        "{% macro m(a=CALL) %}{% endmacro %}",
        "{% call m(CALL) %}{% endcall %}",
        "{% include CALL %}",
        "{{ {'a': CALL}}}",
    ),
    *(
        "{{ other.scope_prompt('no') }}",
        "{{ x[CALL] }}",
        "{%+ set u = [CALL, CALL] %}",
        "{{ CALL.x }}",
        "{{ 'a' ~ CALL }}",
    ),
    *("{% set ask = scope_prompt %}", "{{ f(scope_prompt) }}", "{{ x|scope_prompt }}", "{{ scope_prompt is defined }}"),
    *(
        "{{ f(scope_prompt=1) }}",
        "{{ 'scope_prompt(1)' }}",
        "{{ CALL",
        "{{ CALL }",
        "{{ CALL %}",
        "{{ (CALL }}",
        "{{ CALL] }}",
    ),
    *("text scope_prompt('x')", "\n", "'", "{ ", "}}", "%}", "{# note #}", "{% block scope_prompt %}{% endblock %}"),
]
JINJA_BLOCKS = [
    ("{# ", " #}"),
    ("{#\n ", "\n#}"),
    ("{% raw %}", "{% endraw %}"),
    ("{%- raw -%}", "{%- endraw -%}"),
    ("{% if a %}", "{% else %}{% endif %}"),
    ("{% for i in x %}", "{% endfor %}"),
    ("<pre>", "</pre>"),
]


def jinja_templates() -> st.SearchStrategy[str]:
    part = st.builds(lambda around, call: around.replace("CALL", call), st.sampled_from(EXPRESSIONS), calls())
    inner = st.recursive(
        part,
        lambda below: st.builds(
            lambda block, parts: block[0] + "".join(parts) + block[1],
            st.sampled_from(JINJA_BLOCKS),
            st.lists(below, max_size=3),
        ),
        max_leaves=6,
    )
    return st.lists(inner, max_size=3).map("".join)


class TestJinja:
    @settings(max_examples=200, deadline=None)
    @given(jinja_templates())
    def test_the_same_is_found(self, text: str) -> None:
        try:
            compare(text, jinja_sees, lines=lambda line: 0)  # Jinja tells the line of the call's bracket
        except AssertionError:
            if not jinja_raises_for_another_reason(text):
                raise


def jinja_raises_for_another_reason(text: str) -> bool:
    try:
        jinja2.Environment().parse(text)
    except jinja2.TemplateSyntaxError as error:
        return "unknown tag 'e" in str(error) or "Unexpected end" in str(error) or "comment tag" in str(error)
    return False


FILES = sorted(
    file
    for folder in ("example_projects", "tests/django_app", "tests/flask_ext")
    for file in (ROOT / folder).rglob("*.html")
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_so_it_is_in_the_templates_of_real_sites(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if is_of_django(text, str(file)):
        uses, printed, raises = django_sees(text)
    else:
        uses, printed, raises = jinja_sees(text)
    seen = seen_in_template(text, "page.html")
    if not raises:  # a template that loads the tags of another library
        assert sorted(facts_seen(seen), key=repr) == sorted(uses, key=repr)
        assert [finding.place.line for finding in seen.findings] == printed


def test_there_are_such_templates() -> None:
    assert any("scope_prompt" in file.read_text(encoding="utf-8") for file in FILES)
