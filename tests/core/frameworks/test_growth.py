"""What commands, settings and templates cost is bounded by the size of what they are given."""

from __future__ import annotations

from typing import Callable

import jinja2
import pytest
from faults import growth

from scope_client.frameworks import COMMANDS, PromptUse, Search, Settings, Site, Survey, TemplateFunction, search_jinja
from scope_client.frameworks import _commands as commands
from scope_client.testing import PromptsClient

Call = Callable[[], object]


def names(size: int, start: str = "v") -> list[str]:
    return [f"{start}{number}" for number in range(size)]


def text(size: int) -> str:
    return "".join(f"{{{{{name}}}}}" for name in names(size))


def checked(size: int, *uses: PromptUse) -> Call:
    client = PromptsClient({"p": text(size)})
    site = Site(lambda: client, list, lambda exclude: Survey(list(uses), [], [], []), lambda client: None)

    def call() -> object:
        report = COMMANDS["check"].run(site, exclude=[])
        assert all(len(line) <= growth.LONGEST_MESSAGE for line in report.lines)
        return report.text() + report.text(as_json=True)

    return call


def use(variables: list[str], line: int = 1) -> PromptUse:
    return PromptUse("page.html", line, "p", variables=tuple(variables))


def filled_in(size: int, **values: object) -> Call:
    client = PromptsClient({"p": text(size)})
    function = TemplateFunction(lambda: client, jinja2.Undefined)
    return lambda: function("p", **values)


def undefined(size: int) -> dict[str, object]:
    return {name: jinja2.Undefined(name=name) for name in names(size)}


def settings(given: dict[str, object]) -> Call:
    return lambda: Settings(given, spelled="SCOPE_{}").configuration()


def surveyed(templates: dict[str, str]) -> Call:
    env = jinja2.Environment(loader=jinja2.DictLoader(templates), autoescape=True)
    return lambda: survey_of(env)


def survey_of(env: jinja2.Environment) -> Survey:
    search = Search(".")
    search_jinja(search, env)
    return search.survey()


CALLS: dict[str, tuple[Callable[[int], Call], int]] = {
    "check, variables that are given": (lambda n: checked(n, use(names(n))), 250),
    "check, variables that are not given": (lambda n: checked(n, use([])), 250),
    "check, variables that the prompt does not have": (lambda n: checked(n, use(names(n, "w"))), 250),
    "check, long variables that the prompt does not have": (lambda n: checked(9, use(["w" * n])), 5_000),
    "check, many uses": (lambda n: checked(3, *(use(["v0", "v1", "v3"], line) for line in range(n))), 25),
    "a template function": (lambda n: filled_in(n, **dict.fromkeys(names(n), "x")), 500),
    "a template function and what is undefined": (lambda n: filled_in(n, **undefined(n)), 250),
    "a template function, and values twice": (
        lambda n: filled_in(n, variables=dict.fromkeys(names(n), 1), **dict.fromkeys(names(n), 2)),
        500,
    ),
    "settings that do not exist": (lambda n: settings(dict.fromkeys(names(n), 1)), 25),
    "a long setting": (lambda n: settings({"x" * n: 1}), 5_000),
    "a long value": (lambda n: settings({"CACHE_TTL": "1" * n}), 5_000),
    "values of the command line": (lambda n: lambda: commands.pairs(f"{name}=x" for name in names(n)), 1_000),
    "a value without a name": (lambda n: lambda: commands.pairs(["x" * n]), 25_000),
    "a template with many calls": (lambda n: surveyed({"a.html": "{{ scope_prompt('p', a=1) }}" * n}), 25),
    "a template with a long sum": (lambda n: surveyed({"a.html": "{{ scope_prompt(1" + "+1" * n + ") }}"}), 200),
    "a call with many values": (
        lambda n: surveyed({"a.html": "{{ scope_prompt('p', " + ", ".join(f"{name}=1" for name in names(n)) + ") }}"}),
        100,
    ),
    "many templates": (lambda n: surveyed(dict.fromkeys(names(n), "{{ scope_prompt('p') }}")), 10),
    "many other templates": (lambda n: surveyed(dict.fromkeys(names(n), "text")), 100),
}  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_a_call(what: str) -> None:
    growth.check(*CALLS[what])


def test_a_sum_of_a_thousand_terms_hides_no_call() -> None:
    env = jinja2.Environment(
        loader=jinja2.DictLoader({"a.html": "{{ 1" + " + 1" * 2_000 + " ~ scope_prompt('p') }}"}), autoescape=True
    )
    survey = survey_of(env)
    assert [each.name for each in survey.uses] == ["p"]
    assert survey.unread == []
