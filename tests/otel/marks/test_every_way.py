"""Every way of filling in a prompt marks the next call of a model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from django.template import engines
from faults.model_spans import CHAT, PROMPT_NAME
from flask import Flask, render_template_string

import scope_client
import scope_django
import scope_flask
from scope_client import prompt_functions
from scope_client.testing import PromptsClient
from scope_django.test import override_prompts as override_for_django
from scope_flask.test import override_prompts as override_for_flask

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.model_spans import ModelSpans

    from scope_client import ScopeClient
    from scope_client.testing import ScopePrompts

GREETING = {"greeting": "Hello, {{name}}!"}


def by_django(client: ScopeClient) -> None:
    template = engines["django"].from_string("{% load scope %}{% scope_prompt 'greeting' name='Ada' %}")
    with override_for_django(GREETING):
        assert template.render() == "Hello, Ada!"


def by_the_client_of_django(client: ScopeClient) -> None:
    with override_for_django(GREETING):
        assert scope_django.get_client().render_prompt("greeting", {"name": "Ada"}) == "Hello, Ada!"


def by_flask(client: ScopeClient) -> None:
    app = Flask("marked")
    scope_flask.Scope(app)
    with override_for_flask(GREETING), app.app_context():
        assert render_template_string("{{ scope_prompt('greeting', name='Ada') }}") == "Hello, Ada!"


WAYS: dict[str, Callable[[ScopeClient], object]] = {
    "Django's tag": by_django,
    "Django's client": by_the_client_of_django,
    "Flask's function": by_flask,
    "a typed function": lambda client: prompt_functions.text("greeting", {"name": "Ada"}, client),
    "a client of tests": lambda client: PromptsClient(GREETING).render_prompt("greeting", {"name": "Ada"}),
    "messages": lambda client: client.get_prompt_version("greeting").messages(name="Ada"),
    "a label": lambda client: client.render_prompt("greeting", {"name": "Ada"}, label="latest"),
    "a deadline": lambda client: client.render_prompt("greeting", {"name": "Ada"}, deadline=5),
    "without the cache": lambda client: client.render_prompt("greeting", {"name": "Ada"}, cache=False),
    "pins": lambda client: _pinned(client),
}


def _pinned(client: ScopeClient) -> None:
    with client.pin():
        client.render_prompt("greeting", {"name": "Ada"})
        client.render_prompt("greeting", {"name": "Ada"})


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_rendering_marks(way: str, client: ScopeClient, spans: ModelSpans) -> None:
    WAYS[way](client)
    spans.call()
    found = spans.attributes()
    assert (found[PROMPT_NAME], found["gen_ai.prompt.version"]) == ("greeting", "1")
    assert "Ada" not in repr(found)


def test_typed_functions_mark_on_a_loop_too(client: ScopeClient, spans: ModelSpans) -> None:
    async def answer() -> None:
        await prompt_functions.atext("greeting", {"name": "Ada"}, client)
        spans.call()

    asyncio.run(answer())
    assert spans.attributes()[PROMPT_NAME] == "greeting"


def test_a_prompt_of_the_fixtures_marks_too(scope_prompts: ScopePrompts, spans: ModelSpans) -> None:
    scope_prompts("greeting", "Hello, {{name}}!")
    scope_client.client().render_prompt("greeting", {"name": "Ada"})
    spans.call()
    assert spans.attributes()[PROMPT_NAME] == "greeting"


def test_a_variant_of_a_rollout_is_on_the_span(spans: ModelSpans, platform: Any) -> None:
    platform.publish("split", "old {{name}}")
    candidate = platform.draft("split", "new {{name}}")
    with platform.client(max_retries=0) as client:
        candidate_id = getattr(candidate, "id", None) or client.get_prompt_version("split", label="latest").id
        platform.publish("split", "old {{name}}!", metadata={"rollout": {candidate_id: 100}})
        for source in ("platform", "memory"):
            client.render_prompt("split", {"name": "Ada"}, key="user-1")
            spans.call()
            found = {name: value for name, value in spans.attributes().items() if name not in CHAT}
            assert found["feature_flag.result.variant"] == candidate_id == found["scope.prompt.version_id"]
            assert (found["feature_flag.key"], found["feature_flag.provider.name"]) == ("split", "scope")
            assert found["scope.prompt.source"] in (source, "memory")
        client.render_prompt("split", {"name": "Ada"})
        spans.call()
        assert not [name for name in spans.attributes() if name.startswith("feature_flag")]
