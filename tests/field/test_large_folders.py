"""A prompt folder of thousands of files: who reads next after an edit waits for one file, not for all of them."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from faults.clock import ManualClock, ends_within
from faults.opened import opened_in
from faults.reading import has_looked

from scope_client import ServerError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scope_client import ScopeClient

FILES = 3_000
PATIENCE_SECONDS = 0.3  # ten times what it takes
FRONT = "---\nstatus: published\nmetadata: {model: gpt-4, temperature: 0.5}\ntags: [a, b]\n---\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third of the files are prompts of their own, the others versions of two prompts in three."""
    root = tmp_path_factory.mktemp("large")
    for number in range(FILES // 3):
        (root / f"alone-{number}.md").write_text(f"{FRONT}alone {number}\n")
        (root / f"both-{number}").mkdir()
        (root / f"both-{number}" / "v1.md").write_text(f"{FRONT}first {number}\n")
        (root / f"both-{number}" / "v2.md").write_text(f"second {number}\n")
    return root


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(written, tmp_path / "prompts")
    time.sleep(0.06)  # a file younger than that could be written again at the same time, and is not trusted yet
    return folder


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform() as started:
        yield started


@pytest.fixture
def client(platform: LocalPlatform, folder: Path, clock: ManualClock) -> Iterator[ScopeClient]:
    """One in an outage, whose reads the folder answers."""
    platform.fail(503)
    with platform.client(clock=clock.clock, prompt_dir=folder, max_retries=0) as client:
        assert client.get_prompt_version("alone-7").is_fallback
        yield client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_in_an_outage_the_next_read_shows_an_edit_and_reads_one_file(
    client: ScopeClient, folder: Path, clock: ManualClock
) -> None:
    client.get_prompt_version("both-7")
    (folder / "both-7" / "v1.md").write_text(f"{FRONT}edited\n")
    (folder / "alone-8.md").write_text("of another prompt\n")
    clock.passes(1)
    with opened_in(folder) as opened:
        with ends_within(PATIENCE_SECONDS):
            client.get_prompt_version("both-7")
        has_looked(client, clock, "both-7")
    assert client.get_prompt_version("both-7").content == "edited"
    assert set(opened) == {"both-7/v1.md"}


def test_a_prompt_that_is_added_or_removed_shows_too_and_nothing_else_is_read(
    client: ScopeClient, folder: Path, clock: ManualClock
) -> None:
    (folder / "added.md").write_text("added\n")
    (folder / "alone-9.md").unlink()
    with opened_in(folder) as opened:
        has_looked(client, clock, "added", "alone-9")
        added = client.get_prompt_version("added")
        assert client.get_prompt_version(added.prompt_id, label="latest").content == "added"
        with pytest.raises(ServerError):
            client.get_prompt_version("alone-9")
    assert opened == ["added.md"]


def test_reads_of_a_folder_that_nobody_touches_open_no_file(
    client: ScopeClient, folder: Path, clock: ManualClock
) -> None:
    with opened_in(folder) as opened, ends_within(PATIENCE_SECONDS * 10):
        for number in range(100):
            clock.passes(1)
            assert client.get_prompt_version(f"alone-{number}").content == f"alone {number}"
    assert opened == []


def test_a_broken_file_costs_one_look_at_all_and_no_file_is_read_twice(
    client: ScopeClient, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "alone-7.md").write_text("---\nstatsu: draft\n---\n")
    (folder / "both-8" / "v2.md").write_text("---\nstatsu: draft\n---\n")
    time.sleep(0.06)
    with opened_in(folder) as opened:
        for _ in range(3):
            has_looked(client, clock, "alone-7")
            assert client.get_prompt_version("alone-7").content == "alone 7"
    assert sorted(opened) == ["alone-7.md", "both-8/v2.md"]
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "scope_client.folder"]
    assert "alone-7.md" in warning
    assert "both-8/v2.md" in warning


def test_the_local_platform_answers_with_an_edit_and_reads_one_file(folder: Path) -> None:
    with LocalPlatform(folder) as platform, platform.client(cache_enabled=False) as client:
        assert client.get_prompt_version("alone-7").content == "alone 7"
        (folder / "alone-7.md").write_text(f"{FRONT}edited\n")
        with opened_in(folder) as opened, ends_within(PATIENCE_SECONDS):
            assert client.get_prompt_version("alone-7").content == "edited"
    assert opened == ["alone-7.md"]
