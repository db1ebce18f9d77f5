"""docs/pinned-conversations.md: a real worker of Celery and a real graph keep their versions through a promotion."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages

import scope_client
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "pinned-conversations.md"
PATIENCE = 60.0
CELERYCONFIG = """
broker_url = "filesystem://"
broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue"}
result_backend = "file://results"
"""
OLD, NEW = "Good morning, Ada!", "Welcome, Ada, this morning!"
NEWER_TEXT = "Welcome, {{name}}, this {{time_of_day}}!"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages.write_prompts(PAGE, tmp_path)
    pages.write_files(PAGE, tmp_path)
    (tmp_path / "celeryconfig.py").write_text(CELERYCONFIG)
    for name in ("queue", "results"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def platform(folder: Path) -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Good {{time_of_day}}, {{name}}!"}) as started:
        yield started


@pytest.fixture
def environ(folder: Path, platform: LocalPlatform) -> dict[str, str]:
    found = {**platform.environ, "PYTHONPATH": f"{folder}{os.pathsep}{pages.ROOT}", "SCOPE_CACHE_TTL": "0"}
    return pages.environment(found)


@contextlib.contextmanager
def worker(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """Of one process, until it is told to end."""
    words = ["-m", "celery", "-A", "pinned_tasks", "worker", "--pool", "solo", "--without-gossip", "--without-mingle"]
    with open(folder / "log", "a") as log:
        process = subprocess.Popen([sys.executable, *words], cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def test_a_task_reads_what_its_sender_has_read_though_the_worker_is_another_one(
    folder: Path, platform: LocalPlatform, environ: dict[str, str]
) -> None:
    with subprocess.Popen(
        [sys.executable, "send.py"], cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        with worker(folder, environ):
            assert sender.stdout.readline() == f"{OLD}\n"
        platform.publish("greeting", NEWER_TEXT)
        with worker(folder, environ):
            found, _ = sender.communicate("\n", timeout=PATIENCE)
    assert found == f"{OLD} | {NEW}\n", (folder / "log").read_text()


def test_a_thread_of_a_graph_keeps_its_version(
    folder: Path, platform: LocalPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in platform.environ.items():
        monkeypatch.setenv(name, value)
    scope_client.configure(
        credentials=platform.credentials, base_url=platform.url, auth_api_url=platform.url, cache_ttl=0
    )
    monkeypatch.syspath_prepend(str(folder))
    try:
        import graph as module  # the page's

        graph: Any = module
        assert graph.ask("one", "Ada") == OLD
        platform.publish("greeting", NEWER_TEXT)
        assert graph.ask("two", "Ada") == NEW
        assert graph.ask("one", "Ada") == OLD
        kept = graph.graph.get_state({"configurable": {"thread_id": "one"}}).values["pins"]
        scope_client.reset_configuration()  # what a deployment does: the process has another client
        scope_client.configure(
            credentials=platform.credentials, base_url=platform.url, auth_api_url=platform.url, cache_ttl=0
        )
        assert graph.ask("one", "Ada") == OLD
        assert graph.answer({"name": "Ada", "pins": kept})["answer"] == OLD
    finally:
        scope_client.reset_configuration()
        sys.modules.pop("graph", None)
