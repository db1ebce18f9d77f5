"""Live templates of a locked client have the locked version, whatever is promoted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faults.locking import lock_platform

from scope_client import ValidationError
from scope_langchain import ScopePromptTemplate, scope_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

ANN = {"name": "Ann", "time_of_day": "day"}


@pytest.fixture
def locked(platform: LocalPlatform, tmp_path: Path) -> Iterator[ScopeClient]:
    lock = lock_platform(tmp_path, platform, "greeting", "chat")
    platform.publish("greeting", "promoted {{name}}")
    with platform.client(lock=lock, max_retries=0) as client:
        yield client


def test_a_live_template_is_locked(locked: ScopeClient) -> None:
    live = scope_prompt("greeting", client=locked)
    for _ in range(2):
        assert live.invoke(ANN).to_string() == asyncio.run(live.ainvoke(ANN)).to_string() == "Good day, Ann!"
        locked.clear_cache()


def test_a_live_template_is_answered_from_the_folder(locked: ScopeClient, platform: LocalPlatform) -> None:
    platform.stop()
    live = scope_prompt("greeting", client=locked)
    assert live.invoke(ANN).to_string() == asyncio.run(live.ainvoke(ANN)).to_string() == "Good day, Ann!"
    platform.start()


def test_a_template_that_is_made_once_is_locked_too(locked: ScopeClient) -> None:
    assert ScopePromptTemplate.from_scope("greeting", client=locked).format(**ANN) == "Good day, Ann!"


def test_a_name_that_is_not_locked_is_an_error_on_both_ways(locked: ScopeClient) -> None:
    live = scope_prompt("greetings", client=locked)
    with pytest.raises(ValidationError, match="has no prompt 'greetings'"):
        live.invoke(ANN)
    with pytest.raises(ValidationError, match="has no prompt 'greetings'"):
        asyncio.run(live.ainvoke(ANN))
