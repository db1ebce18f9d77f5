"""What a template shows of prompts without an engine: places, comments, and what an engine raises on or prints."""

from __future__ import annotations

from typing import Any

import pytest

from scope_client._check.finding import CodeFinding
from scope_client._check.seen import Seen
from scope_client._check.templates import seen_in_template
from scope_client._check.use import Place, Use

LOAD = "{% load scope %}\n"


def use(text: str, file: str = "page.html") -> Use:
    seen = seen_in_template(text, file)
    assert seen.findings == []
    (found,) = seen.uses
    return found


def finding(text: str, file: str = "page.html") -> CodeFinding:
    seen = seen_in_template(text, file)
    assert seen.uses == []
    (found,) = seen.findings
    return found


def nothing(text: str, file: str = "page.html") -> bool:
    return seen_in_template(text, file) == Seen([], [])


def names(text: str, file: str = "page.html") -> list[str | None]:
    return [each.name for each in seen_in_template(text, file).uses]


class TestPlaces:
    def test_those_of_a_tag_are_of_its_name_and_of_each_variable(self) -> None:
        found = use(LOAD + '  é {% scope_prompt "hi" label="latest" with label=badge tone="x" as text %}')
        assert found.place == Place("page.html", 2, 21)
        assert [(each.name, each.place.column, each.kind) for each in found.given] == [
            ("label", 46, None),
            ("tone", 58, "text"),
        ]
        assert (found.label, found.version, found.renders) == ("latest", None, True)

    def test_those_of_a_call_are_too_on_each_of_its_lines(self) -> None:
        found = use('<p>\n{{ scope_prompt(\n    "hi",\n    name=user,\n    variables={"tone": 1},\n) }}')
        assert (found.place.line, found.place.column) == (3, 5)
        assert [(each.name, each.place.line, each.place.column) for each in found.given] == [
            ("name", 4, 5),
            ("tone", 5, 16),
        ]

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            (LOAD + "<b>{% scope_prompt which %}", 2, 4),
            (LOAD + "<b>{% scope_prompt 'a'|upper %}", 2, 4),
            ("<b>\n{% set x = scope_prompt(which) %}", 2, 12),
            ("<b>\n{% set x = scope_prompt %}", 2, 12),
        ],
    )
    def test_without_a_name_they_are_of_the_tag_or_the_call(self, text: str, line: int, column: int) -> None:
        found = use(text)
        assert (found.name, found.is_dynamic) == (None, True)
        assert (found.place.line, found.place.column) == (line, column)

    @pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
    def test_they_are_the_same_whatever_ends_the_lines(self, end: str) -> None:
        text = "{% load scope %}\n\n{% scope_prompt 'a' b=1 %}".replace("\n", end)
        assert use(text).place == Place("page.html", 3, 17)

    def test_a_call_in_a_call_is_a_use_of_its_own(self) -> None:
        text = '{{ scope_prompt("a", b=scope_prompt("c")) }}'
        assert [(each.name, each.place.column) for each in seen_in_template(text, "a.html").uses] == [
            ("a", 17),
            ("c", 37),
        ]


class TestKinds:
    def test_a_fallback_shows_the_type_of_the_prompt(self) -> None:
        assert use(LOAD + '{% scope_prompt "a" fallback="Hi" %}').kind == "text"
        assert use('{{ scope_prompt("a", fallback="Hi") }}').kind == "text"
        chat = use('{{ scope_prompt("a", fallback=[{"role": "user"}]) }}')
        assert (chat.kind, chat.why_kind) == ("chat", "its fallback is a list of messages")
        assert use('{{ scope_prompt("a", fallback=given) }}').kind is None
        assert use('{% load scope %}{% scope_prompt "a" fallback=given %}').kind is None

    def test_a_value_shows_whether_it_is_text_or_messages(self) -> None:
        found = use('{{ scope_prompt("a", b="text", c=[{"role": "user"}], d=x, e=[1]) }}')
        assert [each.kind for each in found.given] == ["text", "messages", None, None]


class TestWhichEngine:
    @pytest.mark.parametrize("opening", ["{% load scope %}", "{%load i18n scope%}", "{% comment %}{% endcomment %}"])
    def test_a_tag_of_django_shows_it(self, opening: str) -> None:
        found = finding(opening + '{{ scope_prompt("a") }}')
        assert (found.code, found.message) == (
            "S100",
            (
                "Django cannot read {{ scope_prompt ... }}: in a Django template a prompt is a tag, "
                '{% scope_prompt "greeting" name=user.first_name %}'
            ),
        )

    def test_the_key_of_a_rollout_is_an_option_before_with(self) -> None:
        for text, variables in (("rollout_key=user.pk key=1", ["key"]), ("with rollout_key=1", ["rollout_key"])):
            assert [each.name for each in use(f'{{% scope_prompt "a" {text} %}}').given] == variables
        jinja = use('{{ scope_prompt("a", rollout_key=user.pk, key=1) }}', "page.jinja")
        assert [each.name for each in jinja.given] == ["key"]

    def test_the_tag_itself_does_too(self) -> None:
        assert names('{% scope_prompt "a" %}') == ["a"]

    @pytest.mark.parametrize("file", ["page.html.j2", "page.jinja", "a/page.JINJA2", "app/jinja2/page.html"])
    def test_so_do_the_ending_and_the_folder_of_jinja(self, file: str) -> None:
        assert names('{% raw %}{% load x %}{% endraw %}{{ scope_prompt("a") }}{% load "x" %}', file) == ["a"]

    def test_so_does_the_ending_of_django(self) -> None:
        assert finding('{{ scope_prompt("a") }}', "page.djhtml").code == "S100"

    def test_what_jinja_shows_as_text_is_no_tag_of_django(self) -> None:
        assert names('{% raw %}{% scope_prompt "x" %}{% load scope %}{% endraw %}{{ scope_prompt("a") }}') == ["a"]
        assert names('{# {% load scope %} #}{{ scope_prompt("a") }}') == ["a"]


class TestWhatDjangoPrints:
    @pytest.mark.parametrize(
        "tag",
        [
            '{% scope_prompt "a"\n  name=user %}',
            '{%\n scope_prompt "a" %}',
            '{% scope_prompt "a" }',
            '{% scope_prompt "a" }}',
            '{% scope_prompt "a" % }',
            '{% scope_prompt "a"',
            '{{ scope_prompt("a",\n name=user) }}',
            '{ % scope_prompt "a" %}',
            '{ % scope_prompt "a" % }',
            '{ {scope_prompt "a"} }',
        ],
    )
    def test_is_found_at_its_first_brace(self, tag: str) -> None:
        found = finding(f"{LOAD}<p>\n  {tag}")
        assert (found.code, found.place) == ("S107", Place("page.html", 3, 3))
        assert "so Django prints it as text" in found.message

    @pytest.mark.parametrize(
        "text",
        [
            '{# {% scope_prompt "a" #}',
            '{% comment %}\n{% scope_prompt "a"\n %}{% endcomment %}',
            '{% comment "a note" %}{% scope_prompt "a" %}{{ scope_prompt("a") }}{% endcomment %}',
            '{% verbatim %}{% scope_prompt "a" %}{% scope_prompt "b"\n %}{% endverbatim %}',
            '{% verbatim one %}{% endverbatim %}{% scope_prompt "a" %}{% endverbatim one %}',
            "scope_prompt, and {{ scope_prompt }} and {{ scope_prompt.name }}",
            '{% templatetag openblock %} scope_prompt "a" {% templatetag closeblock %}',
            '<pre>{ % scope_prompt "a" %}</pre>',
            '<p>Write <code>{ % scope_prompt "a" % }</code>.</p>',
            '{% include "scope_prompt.html" %}{% url "scope_prompt" %}',
            "{% load scope_prompt from scope %}{% load scope %}",
        ],
    )
    def test_comments_mentions_and_what_is_meant_as_text_are_nothing(self, text: str) -> None:
        assert nothing(LOAD + text)

    def test_a_comment_of_django_ends_with_its_line(self) -> None:
        assert names(LOAD + '{# a note\n{% scope_prompt "a" %}\n#}') == ["a"]

    @pytest.mark.parametrize(
        "value", ["'{{ user }}'", "'Dear {{user}}'|upper", "user|default:'{{ x }}'", "_('{{ x }}')"]
    )
    def test_braces_in_a_value_are_printed_too(self, value: str) -> None:
        seen = seen_in_template(f"{LOAD}{{% scope_prompt 'a' tone=1 name={value} %}}", "page.html")
        (found,) = seen.findings
        assert (found.code, found.prompt, found.subject, found.place.column) == ("S107", "a", "name", 28)
        assert "write it without quotes and braces" in found.message
        assert len(seen.uses) == 1


class TestWhatDjangoRaisesOn:
    @pytest.mark.parametrize(
        ("tag", "said"),
        [
            ("{% scope_prompt %}", "it has no name"),
            ("{% scope_prompt name=user %}", "it has no name"),
            ("{% scope_prompt with a=b %}", "it has no name"),
            ("{% scope_prompt 'a' label='x' version='y' %}", "it has a label and a version, and takes one of them"),
            ("{% scope_prompt 'a' b=1 b=2 %}", "it is given 'b' twice"),
            ("{% scope_prompt 'a' b=1 with b=2 %}", "it is given 'b' twice"),
            ("{% scope_prompt 'a' with %}", "it has nothing after 'with'"),
            ("{% scope_prompt 'a' b=1 as %}", "it has no variable name after 'as', at the end"),
            ("{% scope_prompt 'a' as x b=1 %}", "it has no variable name after 'as', at the end"),
            ("{% scope_prompt 'a', b=1 %}", "\"'a',\" is not a value of a template"),
            ("{% scope_prompt 'a' b = 1 %}", "it has 'b' where a variable is expected, such as name=user"),
            ("{% scope_prompt 'a' name='x %} y' %}", '"\'x" is not a value of a template'),
            ("{% scope_prompt 'a' name=user._x %}", "begins with an underscore"),
            ("{% scope_prompt 'a' name=user | upper %}", "it has '|' where a variable is expected"),
            ("{% scope_prompt 'a' name=user(1) %}", "'user(1)' is not a value of a template"),
            ("{% scope_prompt('a') %}", "Django has no tag scope_prompt('a')"),
            ("{%- scope_prompt 'a' -%}", "Django has no tag -"),
            ("{{ scope_prompt 'a' }}", "Django cannot read {{ scope_prompt ... }}"),
        ],
    )
    def test_is_a_file_that_cannot_be_read(self, tag: str, said: str) -> None:
        found = finding(f"{LOAD}<p>\n  {tag}")
        assert (found.code, found.place) == ("S100", Place("page.html", 3, 3))
        assert said in found.message
        assert '{% scope_prompt "greeting" name=user.first_name %}' in found.message

    def test_the_other_tags_of_the_file_are_told_all_the_same(self) -> None:
        seen = seen_in_template(LOAD + "{% scope_prompt %}{% scope_prompt 'b' %}", "page.html")
        assert ([each.name for each in seen.uses], len(seen.findings)) == (["b"], 1)


class TestJinja:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('{{ scope_prompt("a" }}', "it has } where ( is open"),
            ('{{ scope_prompt("a"', "it does not end"),
            ('{{ scope_prompt("a") %}', "it ends in %}"),
            ('{{ scope_prompt("a)) }}', "it does not end"),
            ('{{ scope_prompt("a" b=1) }}', "there is no comma between two of its arguments"),
            ('{{ scope_prompt(a=1, "b") }}', "an argument without a name comes after one with a name"),
            ('{{ scope_prompt "a" b=1 }}', 'Jinja cannot read "a" after scope_prompt'),
        ],
    )
    def test_what_it_raises_on_is_a_file_that_cannot_be_read(self, text: str, said: str) -> None:
        seen = seen_in_template(f"<p>\n  {text}\n</p>", "page.html")
        (found,) = seen.findings
        assert (found.code, found.place) == ("S100", Place("page.html", 2, 3))
        assert said in found.message

    @pytest.mark.parametrize("text", ['{ { scope_prompt("a") } }', '{ % set x = scope_prompt("a") % }'])
    def test_what_it_prints_is_found(self, text: str) -> None:
        found = finding(f"<p>\n{text}")
        assert (found.code, found.place) == ("S107", Place("page.html", 2, 1))

    def test_braces_in_a_value_are_printed(self) -> None:
        text = "{{ scope_prompt('a', b=1, name='Dear {{ user }}') }}"
        (found,) = seen_in_template(text, "page.html").findings
        assert (found.code, found.prompt, found.subject, found.place.column) == ("S107", "a", "name", 27)

    @pytest.mark.parametrize(
        "text",
        [
            '{% raw %}{{ scope_prompt("a") }}{% endraw %}',
            '{%- raw -%}{{ scope_prompt("a") }}{%- endraw -%}',
            '{# {{ scope_prompt("a") }}\n #}',
            "scope_prompt('a') { scope_prompt('a') }",
            '{{ "scope_prompt(1)" }}{{ other.scope_prompt("a") }}{{ x|scope_prompt }}{{ scope_prompts("a") }}',
            "{{ scope_prompt }}{% if scope_prompt is defined %}{% endif %}{% block scope_prompt %}{% endblock %}",
            "{{ f(scope_prompt=1) }}{% from 'a' import scope_prompt %}",
        ],
    )
    def test_comments_mentions_and_what_is_raw_are_nothing(self, text: str) -> None:
        assert nothing(text)

    def test_an_organisation_may_be_a_variable_of_flask(self) -> None:
        found = use('{{ scope_prompt("a", using="eu", name=1) }}')
        assert (found.using, found.is_open, [each.name for each in found.given]) == ("eu", True, ["name"])


class TestComments:
    @pytest.mark.parametrize(
        ("text", "ignored"),
        [
            ('{% scope_prompt "a" %} {# scope: ignore[S102] #}', {"S102"}),
            ('{% comment %}scope: ignore[S102, S103]{% endcomment %}{% scope_prompt "a" %}', {"S102", "S103"}),
            ('{# scope: ignore #}{% scope_prompt "a" %}', None),
            ('{# scope: ignore[S101] #} {% scope_prompt "a" %} {# scope: ignore[S102] #}', {"S101", "S102"}),
            ('{% scope_prompt "a" %}\n{# scope: ignore[S102] #}', set()),
            ('{% scope_prompt "a" %} {# ignored #}', set()),
        ],
    )
    def test_one_on_the_line_of_a_tag_ignores_codes(self, text: str, ignored: Any) -> None:
        assert use(LOAD + text).ignored == ignored

    def test_one_on_any_line_of_a_call_does(self) -> None:
        text = '{{ scope_prompt(\n"a",\nb=1\n) }} {# scope: ignore[S102] #}'
        assert use(text).ignored == frozenset({"S102"})
        assert use("{# scope: ignore #} " + text[:-26]).ignored is None

    @pytest.mark.parametrize("text", ['{% scope_prompt "a"', "{% scope_prompt %}", '{ % scope_prompt "a" % }'])
    def test_it_ignores_what_is_printed_or_cannot_be_read_too(self, text: str) -> None:
        assert nothing(f"{LOAD}{text} {{# scope: ignore[S100, S107] #}}")
        assert nothing(f"{LOAD}{{# scope: ignore #}} {text}")
        assert len(seen_in_template(f"{LOAD}{text} {{# scope: ignore[S101] #}}", "page.html").findings) == 1

    @pytest.mark.parametrize(
        "text", [LOAD + "{# scope: uses greeting(name, tone) #}", "<p>\n{# scope: uses greeting(name, tone) #}"]
    )
    def test_one_tells_of_uses_that_nobody_can_see(self, text: str) -> None:
        found = use(text)
        assert (found.name, found.place, found.renders) == ("greeting", Place("page.html", 2, 16), True)
        assert [(each.name, each.place.column) for each in found.given] == [("name", 25), ("tone", 31)]

    def test_so_it_does_over_several_lines(self) -> None:
        text = LOAD + "{% comment %}\n  scope: uses a\n  scope: uses b()\n{% endcomment %}"
        assert [(each.name, each.place.line, each.renders) for each in seen_in_template(text, "a.html").uses] == [
            ("a", 3, False),
            ("b", 4, True),
        ]

    def test_one_that_cannot_be_read_is_told(self) -> None:
        found = finding("<p>\n {# scope: ignore[S999] #}")
        assert (found.code, found.place.line) == ("S100", 2)
        assert "got 'S999'" in found.message


@pytest.mark.parametrize("is_above", [False, True])
@pytest.mark.parametrize(
    ("file", "head", "tag"),
    [("a.html", LOAD, "{% scope_prompt what name=1 %}"), ("a.jinja", "", "{{ scope_prompt(what, name=1) }}")],
)
def test_a_comment_settles_what_a_tag_on_its_line_or_the_next_asks_for(
    file: str, head: str, tag: str, is_above: bool
) -> None:
    comment = "{# scope: uses greeting(name) #}"
    told = f"{comment}\n{tag}" if is_above else f"{tag} {comment}"
    assert [use.name for use in seen_in_template(f"{head}{told}", file).uses] == ["greeting"]
    apart = f"{head}{comment}\n\n{tag}"
    assert [use.name for use in seen_in_template(apart, file).uses] == ["greeting", None]


def test_a_comment_hides_no_tag_that_names_its_prompt() -> None:
    text = f'{LOAD}{{% scope_prompt "other" name=1 %}} {{# scope: uses greeting(name) #}}'
    assert [use.name for use in seen_in_template(text, "a.html").uses] == ["other", "greeting"]
