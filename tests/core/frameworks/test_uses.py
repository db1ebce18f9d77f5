"""The uses of `scope_prompt` in Jinja templates, found without rendering them."""

from __future__ import annotations

import jinja2
import pytest

from scope_client.frameworks import PromptUse, Search, search_jinja


def uses(source: str) -> list[PromptUse]:
    search = Search(".")
    search_jinja(search, jinja2.Environment(loader=jinja2.DictLoader({"page.html": source}), autoescape=True))
    return search.survey().uses


def use(arguments: str) -> PromptUse:
    (found,) = uses(f"{{{{ scope_prompt({arguments}) }}}}")
    return found


def test_a_use_tells_its_place_what_it_asks_for_and_what_it_passes() -> None:
    found = use('"hi", label="latest", fallback="x", name=user.name, day="noon"')
    assert found == PromptUse("page.html", 1, "hi", "latest", None, ("name", "day"))
    assert (found.place, found.wanted) == ("page.html:1", ("hi", "latest", None))
    assert use('"hi", version="v_1"').wanted == ("hi", None, "v_1")
    assert use('"hi", label=none, version=none').wanted == ("hi", None, None)


@pytest.mark.parametrize(
    "source",
    [
        "{{ CALL }}",
        "{{ CALL|upper|e }}",
        "{{ x|default(CALL) }}",
        "{% set t = CALL %}",
        "{% set t %}{{ CALL }}{% endset %}",
        "{% if CALL %}{% endif %}",
        "{% if x %}{% elif y %}{% else %}{{ CALL }}{% endif %}",
        "{% for i in x %}{% else %}{{ CALL }}{% endfor %}",
        "{% macro m() %}{{ CALL }}{% endmacro %}",
        "{% macro m(a=CALL) %}{% endmacro %}",
        "{% call CALL %}{% endcall %}",
        "{% call m(CALL) %}{% endcall %}",
        "{% block b %}{{ CALL }}{% endblock %}",
        "{% filter upper %}{{ CALL }}{% endfilter %}",
        "{% include CALL %}",
        "{% autoescape true %}{{ CALL }}{% endautoescape %}",
        "{{ 'a' ~ CALL }}{# scope_prompt('no') #}{% raw %}{{ scope_prompt('no') }}{% endraw %}",
        "{{ f(x=[{'a': CALL}]) }}",
        "{{ other.scope_prompt('no') }}{{ scope_prompts('no') }}{{ CALL }}",
    ],
)
def test_a_use_is_found_wherever_a_template_can_have_one(source: str) -> None:
    (found,) = uses("\n\n" + source.replace("CALL", 'scope_prompt("hi", name=1)'))
    assert (found.place, found.name, found.variables) == ("page.html:3", "hi", ("name",))


def test_uses_are_told_in_order_with_those_within_others() -> None:
    found = uses('{{ scope_prompt("one", text=scope_prompt("two")) }}\n{{ scope_prompt("three") }}')
    assert [(each.line, each.name) for each in found] == [(1, "one"), (1, "two"), (2, "three")]
    assert uses("nothing") == []


@pytest.mark.parametrize("arguments", ["n", '"a" ~ "b"', '"HI"|lower', "5", "*names", "", 'name="hi"'])
def test_a_use_whose_name_is_known_at_render_only_is_dynamic(arguments: str) -> None:
    found = use(arguments)
    assert (found.name, found.is_dynamic) == (None, True)
    with pytest.raises(ValueError, match=r"page\.html:1"):
        _ = found.wanted


@pytest.mark.parametrize("option", ["label=l", "version=v", 'label="LATEST"|lower', "version=versions[0]"])
def test_a_use_whose_options_are_known_at_render_only_is_dynamic(option: str) -> None:
    found = use(f'"hi", {option}')
    assert (found.name, found.is_dynamic) == ("hi", True)
    with pytest.raises(ValueError, match=r"page\.html:1"):
        _ = found.wanted


@pytest.mark.parametrize(
    ("arguments", "variables", "is_open"),
    [
        ('variables={"a": 1, "b": x}', ("a", "b"), False),
        ('c=1, variables={"a": 1}', ("c", "a"), False),
        ('variables={"label": 1}', ("label",), False),
        ("variables={}", (), False),
        ('variables={"a": 1, key: 2}', ("a",), True),
        ("variables=given", (), True),
        ("variables=dict(a=1)", (), True),
        ("a=1, **more", ("a",), True),
        ('a=1, variables={"b": 2}, **more', ("a", "b"), True),
    ],
)
def test_a_use_tells_whether_it_may_pass_more_than_it_names(arguments: str, variables: tuple, is_open: bool) -> None:
    found = use(f'"hi", {arguments}')
    assert (found.variables, found.is_open) == (variables, is_open)


def test_no_variables_at_all_are_none() -> None:
    found = use('"hi", variables=none')
    assert (found.variables, found.is_open) == ((), False)
