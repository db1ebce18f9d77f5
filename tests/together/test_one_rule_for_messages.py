"""One rule for a chat prompt's messages: the core, the command line, Django, Jinja, Flask and LangChain agree."""

from __future__ import annotations

import json
import os
from typing import Any, Callable

import pytest
from django.template import Context, Engine
from faults.chats import HISTORIES, NAMES, messages, names, said, values
from flask import Flask
from flask import render_template_string as render_with_flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Undefined
from langchain_core.messages import BaseMessage, convert_to_messages

from scope_client import MissingVariableError, RenderError, ValidationError
from scope_client.frameworks import TemplateFunction
from scope_client.frameworks._commands import render as commands_render
from scope_client.testing import PromptsClient
from scope_langchain import scope_prompt, to_langchain

EXAMPLES = int(os.environ.get("SCOPE_TEST_EXAMPLES", "300"))
chats = st.lists(messages, max_size=5)
bugs = st.sampled_from([None, b"x", json, object()])
no_lists = st.sampled_from(["text", None, 5, {"role": "user", "content": "x"}, [5], [{}]])


@st.composite
def given_values(draw: Callable[..., Any]) -> dict[str, Any]:
    """Mostly good ones; now and then one is missing, or can only be a bug."""
    drawn = {name: draw(values) for name in NAMES}
    drawn.update({name: draw(said) for name in HISTORIES})
    wrong = draw(st.sampled_from(["no", "no", "no", "missing", "bug", "no list"]))
    if wrong == "missing":
        del drawn[draw(st.sampled_from([*NAMES, *HISTORIES]))]
    if wrong == "bug":
        drawn[draw(names)] = draw(bugs)
    if wrong == "no list":
        drawn[draw(st.sampled_from(HISTORIES))] = draw(no_lists)
    return drawn


def outcome(call: Callable[[], Any]) -> tuple[str, Any]:
    """What comes, or the class of the error and its missing variables."""
    try:
        return "ok", call()
    except MissingVariableError as error:
        return "missing", error.missing_variables
    except (ValidationError, RenderError) as error:
        return type(error).__name__, str(error).startswith("prompt 'p': ") or str(error)


def in_langchains_words(found: list[BaseMessage]) -> list[Any]:
    return [(message.type, message.content, getattr(message, "tool_calls", None)) for message in found]


def as_langchain(found: list[Any]) -> list[Any]:
    return in_langchains_words(convert_to_messages([{"content": "", **message} for message in found]))


class Site:
    """A Flask app, Jinja and a Django engine, all over the client of the moment."""

    def __init__(self) -> None:
        self.client = PromptsClient({})
        self._flask = Flask(__name__)
        self._flask.jinja_env.globals["scope_prompt"] = TemplateFunction(lambda: self.client, Undefined)
        self._django = Engine(libraries={"scope": "scope_django.templatetags.scope"}, autoescape=False)

    def in_flask(self, given_: dict[str, Any]) -> str:
        with self._flask.app_context():
            return render_with_flask(
                "{% autoescape false %}{{ scope_prompt('p', variables=v) }}{% endautoescape %}", v=given_
            )

    def in_django(self, given_: dict[str, Any]) -> str:
        pairs = " ".join(f"{name}=v.{name}" for name in given_)
        tag = f"{{% scope_prompt 'p' {'with' if pairs else ''} {pairs} %}}"
        return self._django.from_string(f"{{% load scope %}}{tag}").render(Context({"v": given_}, autoescape=False))


SITE = Site()


@pytest.fixture(autouse=True)
def djangos_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scope_django.templatetags.scope.get_client", lambda *_: SITE.client)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(chats, given_values())
def test_all_ways_to_fill_in_a_chat_prompt_agree(chat: list[dict[str, Any]], drawn: dict[str, Any]) -> None:
    SITE.client = PromptsClient({"p": chat})
    version = SITE.client.get_prompt_version("p")
    known = {name: value for name, value in drawn.items() if name in version.variables}
    kind, found = outcome(lambda: version.messages(**known))
    as_text = [
        lambda: version.render(**known),
        lambda: SITE.client.render_prompt("p", known),
        lambda: commands_render(SITE.client, "p", known).text(as_json=False, is_terminal=False),
        lambda: SITE.in_flask(known),
        lambda: SITE.in_django(known),
    ]
    for way in as_text:
        assert outcome(lambda way=way: json.loads(way())) == (kind, found)  # type: ignore[misc]
    assert outcome(lambda: commands_render(SITE.client, "p", known).data["messages"]) == (kind, found)
    template = to_langchain(version)
    for call in (
        lambda: template.format_messages(**known),
        lambda: template.invoke(known).to_messages(),
        lambda: scope_prompt("p", client=SITE.client).invoke(known).to_messages(),
    ):
        theirs = outcome(lambda call=call: in_langchains_words(call()))  # type: ignore[misc]
        ours = (
            in_langchains_words(convert_to_messages([{"content": "", **m} for m in found])) if kind == "ok" else found
        )
        assert theirs == (kind, ours)


def test_the_examples_are_of_each_kind() -> None:
    """Or the test above could agree on nothing but errors."""
    seen: set[str] = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(chats, given_values())
    def look(chat: list[dict[str, Any]], drawn: dict[str, Any]) -> None:
        version = PromptsClient({"p": chat}).get_prompt_version("p")
        known = {name: value for name, value in drawn.items() if name in version.variables}
        kind, found = outcome(lambda: version.messages(**known))
        seen.add(kind)
        seen.update(f"has {key}" for message in found for key in message) if kind == "ok" else None

    look()
    assert seen >= {"ok", "missing", "ValidationError", "has content", "has tool_calls"}
