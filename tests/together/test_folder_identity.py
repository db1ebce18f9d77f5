"""What the platform serves is the same again from a folder: API, folder, API is the identity, whoever serves it."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest
from faults.served import prompts, written
from hypothesis import given, settings

from scope_client import PromptVersion, ScopeClient
from scope_client._folder.record import is_prompt_id
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Served = dict[str, list[PromptVersion]]


def check(client: ScopeClient, served: Served) -> None:
    """Reads each version in every way in which it can be asked for."""
    for name, versions in served.items():
        asked = [name, *({versions[0].prompt_id} if is_prompt_id(versions[0].prompt_id) else ())]
        for prompt in asked:
            assert client.get_prompt_version(prompt).to_dict() == versions[0].to_dict()
            assert client.get_prompt_version(prompt, label="latest").to_dict() == versions[-1].to_dict()
            for version in versions:
                if version.id is not None:
                    assert client.get_prompt_version(prompt, version=version.id).to_dict() == version.to_dict()


@pytest.fixture(scope="module", params=["newer", "older"])
def served_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, ScopeClient]]:
    """A folder, and who reads it from a platform over a socket, in the words of one generation of servers."""
    folder = tmp_path_factory.mktemp("prompts")
    with LocalPlatform(folder, generation=request.param) as platform, platform.client(cache_enabled=False) as client:
        yield folder, client


@settings(max_examples=25, deadline=None)
@given(served=prompts())
def test_a_local_platform_serves_a_folder_of_answers_as_they_were(
    served: Served, served_folder: tuple[Path, ScopeClient]
) -> None:
    folder, client = served_folder
    for entry in folder.iterdir():
        shutil.rmtree(entry)
    written(folder, served)
    check(client, served)


@pytest.fixture(scope="module")
def failing() -> Iterator[LocalPlatform]:
    with LocalPlatform() as platform:
        platform.fail(503)
        platform.fail(503, on="auth")
        yield platform


@settings(max_examples=25, deadline=None)
@given(served=prompts())
def test_a_folder_stands_in_with_answers_as_they_were(served: Served, failing: LocalPlatform) -> None:
    folder = tempfile.mkdtemp()
    try:
        written(folder, served)
        with failing.client(prompt_dir=folder, max_retries=0, cache_enabled=False) as client:
            check(client, served)
    finally:
        shutil.rmtree(folder)
