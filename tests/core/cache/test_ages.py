"""How old an answer may be: each caller's own bound holds for it, and none outlives another's."""

from __future__ import annotations

from enum import Enum
from typing import Callable

from faults.clock import ManualClock
from faults.replies import prompt
from faults.server import FaultServer

from scope_client import Configuration, ScopeClient


class Label(str, Enum):
    LATEST = "latest"


def test_a_long_cache_ttl_of_one_caller_makes_nothing_older_for_another(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), prompt("new"))
    client.get_prompt_version("greeting", cache_ttl=86_400)
    clock.passes(301)
    assert client.get_prompt_version("greeting", cache_ttl=86_400).content == "old"
    assert client.get_prompt_version("greeting").content == "new"


def test_a_short_cache_ttl_is_how_long_the_answer_is_kept(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), prompt("new"))
    client.get_prompt_version("greeting", cache_ttl=5)
    clock.passes(6)
    assert client.get_prompt_version("greeting").content == "new"


def test_a_short_cache_ttl_takes_nothing_older(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    server.answers(prompt("old"), prompt("new"))
    client.get_prompt_version("greeting")
    clock.passes(6)
    assert client.get_prompt_version("greeting", cache_ttl=5).content == "new"


def test_a_text_enum_means_its_value(make_client: Callable, server: FaultServer) -> None:
    client = make_client(environment=Label.LATEST)
    client.get_prompt_version(Label.LATEST, label=Label.LATEST)
    client.get_prompt_version("greeting", version=Label.LATEST)
    assert [read.target for read in server.reads] == [
        "/api/v1/prompts/latest/latest",
        "/api/v1/prompts/greeting/versions/latest",
    ]
    assert server.reads[0].header("X-Scope-Environment") == "latest"
    assert Configuration(environment=Label.LATEST).environment == "latest"
