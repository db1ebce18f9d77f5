"""A client of a local platform, and a tracer provider whose spans of models are marked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from faults.clock import ManualClock
from faults.model_spans import ModelSpans, instrumented

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client import PromptVersion, ScopeClient

# LangChain 1.0, whose agents have middleware, needs Python 3.10.
collect_ignore = ["test_agents.py"] if sys.version_info < (3, 10) else []
if sys.version_info < (3, 11):  # OpenTelemetry's distribution is installed from there on
    collect_ignore.append("test_opentelemetry_instrument.py")


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello, {{name}}!", "summary": "Sum up {{text}}."}) as started:
        started.publish("talk", [{"role": "user", "content": "{{question}}"}])
        yield started


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(platform: LocalPlatform, clock: ManualClock) -> Iterator[ScopeClient]:
    with platform.client(clock=clock.clock, cache_ttl=100, max_retries=0) as opened:
        yield opened


@pytest.fixture
def spans() -> Iterator[ModelSpans]:
    made = ModelSpans()
    with instrumented(tracer_provider=made.provider):
        yield made


@pytest.fixture
def greeting(client: ScopeClient) -> PromptVersion:
    return client.get_prompt_version("greeting")


@pytest.fixture
def summary(client: ScopeClient) -> PromptVersion:
    return client.get_prompt_version("summary")
