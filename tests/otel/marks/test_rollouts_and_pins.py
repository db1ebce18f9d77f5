"""A span says which variant of a rollout made the answer, and what was pinned is marked as any version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.model_spans import PROMPT_VERSION

if TYPE_CHECKING:
    from faults.model_spans import ModelSpans

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

KEY, VARIANT, PROVIDER = "feature_flag.key", "feature_flag.result.variant", "feature_flag.provider.name"
VALUES = {"name": "Ada"}


@pytest.fixture
def candidate(platform: LocalPlatform) -> str:
    found = platform.draft("greeting", "Candidate, {{name}}!").id
    platform.publish("greeting", "Production, {{name}}!", metadata={"rollout": {found: 50}})
    return found


def key_of(client: ScopeClient, text: str) -> int:
    return next(key for key in range(100) if client.get_prompt_version("greeting", key=key).content.startswith(text))


@pytest.mark.parametrize("text", ["Candidate", "Production"])
@pytest.mark.parametrize("way", ["get", "read", "render"])
def test_a_span_has_the_variant_however_often_it_was_read_before(
    way: str, text: str, client: ScopeClient, spans: ModelSpans, candidate: str
) -> None:
    key = key_of(client, text)
    expected = candidate if text == "Candidate" else client.get_prompt_version("greeting").id
    for number in range(3):
        if way == "get":
            client.get_prompt_version("greeting", key=key).render(**VALUES)
        elif way == "read":
            client.read_prompt("greeting", key=key).version.render(**VALUES)
        else:
            client.render_prompt("greeting", VALUES, key=key)
        spans.call(f"call {number}")
        found = spans.attributes(f"call {number}")
        assert [found.get(name) for name in (KEY, VARIANT, PROVIDER)] == ["greeting", expected, "scope"]
        assert found["scope.prompt.version_id"] == expected


def test_a_read_without_a_key_has_no_variant(client: ScopeClient, spans: ModelSpans, candidate: str) -> None:
    client.render_prompt("greeting", VALUES, key=key_of(client, "Production"))
    client.render_prompt("greeting", VALUES)
    spans.call()
    assert KEY not in spans.attributes()


def test_a_pinned_variant_stays_one(client: ScopeClient, spans: ModelSpans, candidate: str) -> None:
    key = key_of(client, "Candidate")
    with client.pin() as pins:
        client.render_prompt("greeting", VALUES, key=key)
        for number in range(2):
            client.render_prompt("greeting", VALUES)
            spans.call(f"inside {number}")
            assert spans.attributes(f"inside {number}")[VARIANT] == candidate
    with client.pin(token=pins.token):
        client.render_prompt("greeting", VALUES)
        spans.call("later")
    assert spans.attributes("later")[VARIANT] == candidate


def test_a_pinned_version_is_marked_as_itself_after_a_promotion(
    client: ScopeClient, spans: ModelSpans, platform: LocalPlatform
) -> None:
    with client.pin("greeting"):
        platform.publish("greeting", "Newer, {{name}}!")
        client.clear_cache()
        for _ in range(2):
            client.render_prompt("greeting", VALUES)
            spans.call()
            assert spans.attributes()[PROMPT_VERSION] == "1"
    client.render_prompt("greeting", VALUES)
    spans.call("after")
    assert spans.attributes("after")[PROMPT_VERSION] == "2"
