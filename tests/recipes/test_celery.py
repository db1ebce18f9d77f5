"""docs/recipes/celery.md: a real worker with two processes, whose broker is a real Redis."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import openai
import pytest
from faults.clock import eventually
from manual import pages
from recipes import recipe

import scope_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faults.redisserver import RedisServer
    from recipes.fakes.server import ModelServer

    from scope_client.local import LocalPlatform

PAGE = "recipes/celery.md"
FILE = "celery_tasks.py"
ANSWER = "You answer questions about the: Why?"
WORKER = ["worker", "--concurrency", "2", "--loglevel", "INFO"]
QUIETLY = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
ASK = """
import json, sys
from celery_tasks import answer
asked = [answer.apply_async(["Why?"], **json.loads(options)) for options in sys.argv[1:]]
print(json.dumps([each.get(timeout=50) for each in asked]))
"""


@pytest.fixture
def environ(environ: dict[str, str], redis_server: RedisServer) -> dict[str, str]:
    broker = {"CELERY_BROKER_URL": redis_server.url, "CELERY_RESULT_BACKEND": redis_server.url}
    return {**environ, **broker, "PYTHONPATH": f"{recipe.FOLDER}{os.pathsep}{pages.ROOT}"}


@contextlib.contextmanager
def worker(environ: dict[str, str], log: Path) -> Iterator[None]:
    """A worker, as the page starts it, which has two processes that are ready."""
    command = [sys.executable, "-m", "celery", "--app", "celery_tasks", *WORKER, *QUIETLY]
    with log.open("w") as written:
        process = subprocess.Popen(
            command, cwd=log.parent, env=pages.environment(environ), stdout=written, stderr=written
        )
        try:
            eventually(lambda: process.poll() is not None or " ready." in log.read_text(), recipe.PATIENCE)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(recipe.PATIENCE)


def ask(environ: dict[str, str], *options: dict[str, object]) -> list[dict[str, str | None]]:
    """The results of tasks that are sent together, each with options of `apply_async`."""
    words = [sys.executable, "-c", ASK, *map(json.dumps, options)]
    done = subprocess.run(
        words, env=pages.environment(environ), capture_output=True, text=True, timeout=recipe.PATIENCE
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str | None]] = json.loads(done.stdout)
    return found


def prompts_fetched(platform: LocalPlatform) -> int:
    return len([request for request in platform.requests if "/prompts/" in request.path])


def test_the_page_starts_the_worker_as_this_test_does() -> None:
    assert f"$ celery --app celery_tasks {' '.join(WORKER)}\n" in pages.text_of(PAGE)


def test_each_process_has_its_prompts_before_its_first_task_and_keeps_to_the_time_limit(
    environ: dict[str, str], models: ModelServer, platform: LocalPlatform, tmp_path: Path
) -> None:
    with worker(environ, tmp_path / "log"):
        eventually(lambda: prompts_fetched(platform) >= 2, recipe.PATIENCE)  # more, where a slow process is replaced
        fetched = prompts_fetched(platform)
        models.will_say("Yes: turn its knob.")
        shown = recipe.run(FILE, "Is it dimmable?", environ=environ)
        assert shown.stdout == recipe.shown_output(PAGE, FILE), shown.stderr + (tmp_path / "log").read_text()
        answers = ask(environ, {}, {}, {})
        models.hang()
        late = ask(environ, {"soft_time_limit": 1})
    assert prompts_fetched(platform) == fetched
    assert [each["answer"] for each in answers] == [ANSWER] * 3
    assert all(str(each["version"]).startswith("v_") for each in answers)
    assert late == [{"answer": "That took too long. Please ask again.", "version": None}]
    assert {body["model"] for body in models.bodies} == {"gpt-5.5"}


def test_a_worker_that_starts_without_a_platform_answers_with_the_fallback(
    environ: dict[str, str], models: ModelServer, platform: LocalPlatform, tmp_path: Path
) -> None:
    platform.stop()
    with worker(environ, tmp_path / "log"):
        assert ask(environ, {}) == [{"answer": ANSWER, "version": None}], (tmp_path / "log").read_text()
    assert models.bodies[0]["model"] == "gpt-5.4-mini"


@pytest.fixture
def tasks(environ: dict[str, str], models: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module in this process, where a task runs at once, and its retries without a pause."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    module = recipe.load(FILE)
    module.app.conf.update(task_always_eager=True)
    with openai.OpenAI(max_retries=0) as model:
        module.model = lambda: model
        yield module
    scope_client.reset_configuration()


@pytest.mark.parametrize(("status", "times_asked"), [(503, 4), (429, 4), (400, 1)])
def test_what_passes_by_itself_is_tried_again_and_nothing_else(
    status: int, times_asked: int, tasks: Any, models: ModelServer
) -> None:
    models.fail(status, times=4)
    assert isinstance(tasks.answer.delay("Why?").result, openai.OpenAIError)
    assert len(models.asked) == times_asked


def test_refused_keys_fail_a_task_at_once(tasks: Any, models: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_API_SECRET", "wrong")
    assert isinstance(tasks.answer.delay("Why?").result, scope_client.InvalidCredentialsError)
    assert models.asked == []


def test_the_tests_of_its_page_pass(tmp_path: Path) -> None:
    done = recipe.run_tests_of(PAGE, tmp_path)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr
