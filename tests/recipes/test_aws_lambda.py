"""docs/recipes/aws-lambda.md: the function in a process that is stopped between its calls, as Lambda does it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages
from recipes import recipe

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recipes.fakes.server import ModelServer
    from typing_extensions import Self

PAGE = "recipes/aws-lambda.md"
FILE = "aws_lambda.py"
ANSWER = "You answer questions about the: Why?"
PROMOTED = "A promoted prompt about the: Why?"
TOKEN_SECONDS = 2
CACHE_SECONDS = 1
FROZEN_SECONDS = 2.2  # past both
SHORT_PAUSE_SECONDS = 0.2
PATIENCE = 30.0
# What calls the handler: Lambda's own runtime has a handler for logs too. `slept` is what the wall clock gains while
# the monotonic one stands still, as it does in a machine that is restored from a snapshot.
RUNTIME = """
import json, logging, sys, time
logging.basicConfig(level=logging.WARNING)
real, slept = time.time, 0
time.time = lambda: real() + slept
from aws_lambda import handler
for line in sys.stdin:
    event = json.loads(line)
    slept += event.pop("slept")
    print(json.dumps(handler(event, None)), flush=True)
"""


class Function:
    """A process of the function, which runs only while it is called."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self._log = log
        self._errors = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUNTIME],
            cwd=recipe.FOLDER,
            env=pages.environment(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def call(self, question: str = "Why?", slept: float = 0.0) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(json.dumps({"body": json.dumps({"question": question}), "slept": slept}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        self._process.send_signal(signal.SIGSTOP)
        assert line, self.log
        answer: dict[str, Any] = json.loads(line)
        return answer

    def body_soon(self, body: str) -> None:
        """Calls it until it answers so."""
        ends_at = time.monotonic() + PATIENCE
        while self.call()["body"] != body:
            assert time.monotonic() < ends_at, f"it never answered {body!r}"
            time.sleep(SHORT_PAUSE_SECONDS)


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform(recipe.PROMPTS, token_ttl=TOKEN_SECONDS) as started:
        yield started


@pytest.fixture
def function(environ: dict[str, str], tmp_path: Path) -> Iterator[Function]:
    with Function(environ, tmp_path / "log") as started:
        yield started


def promote(platform: LocalPlatform) -> None:
    platform.publish(
        "answer",
        [
            {"role": "system", "content": "A promoted prompt about the {{product}}"},
            {"role": "placeholder", "content": "{{history}}"},
            {"role": "user", "content": "{{question}}"},
        ],
    )


def test_one_call_prints_what_the_page_shows(environ: dict[str, str], models: ModelServer) -> None:
    models.will_say("Yes: turn its knob.")
    done = recipe.run(FILE, "Is it dimmable?", environ=environ)
    assert (done.stdout, done.stderr) == (recipe.shown_output(PAGE, FILE), "")


def test_a_cold_start_makes_two_requests_and_the_calls_after_it_none(
    function: Function, models: ModelServer, platform: LocalPlatform
) -> None:
    answers = [function.call(question) for question in ("Why?", "How?", "Where?")]
    assert [answer["statusCode"] for answer in answers] == [200] * 3
    assert answers[0]["body"] == ANSWER
    assert answers[0]["headers"]["X-Prompt-Version"].startswith("v_")
    assert models.bodies[0]["model"] == "gpt-5.5"
    assert [request.status for request in platform.requests] == [200, 200]


def test_after_a_freeze_that_outlasts_version_token_and_connections_it_gets_the_new_version_and_sees_no_outage(
    environ: dict[str, str], platform: LocalPlatform, tmp_path: Path
) -> None:
    with Function({**environ, "SCOPE_CACHE_TTL": str(CACHE_SECONDS)}, tmp_path / "log") as function:
        assert function.call()["body"] == ANSWER
        platform.stop()
        platform.start()
        promote(platform)
        time.sleep(FROZEN_SECONDS)
        function.body_soon(PROMOTED)
        assert function.log == ""


def test_an_outage_after_a_freeze_is_answered_by_the_last_version_and_its_end_is_noticed(
    environ: dict[str, str], platform: LocalPlatform, tmp_path: Path
) -> None:
    with Function({**environ, "SCOPE_CACHE_TTL": str(CACHE_SECONDS)}, tmp_path / "log") as function:
        version = function.call()["headers"]["X-Prompt-Version"]
        platform.stop()
        time.sleep(FROZEN_SECONDS)
        during = function.call()
        assert (during["body"], during["headers"]["X-Prompt-Version"]) == (ANSWER, version)
        platform.start()
        promote(platform)
        function.body_soon(PROMOTED)


def test_time_counts_that_passed_while_the_machine_was_a_snapshot(function: Function, platform: LocalPlatform) -> None:
    assert function.call()["body"] == ANSWER
    promote(platform)
    assert function.call(slept=7200.0)["statusCode"] == 200
    function.body_soon(PROMOTED)


def test_a_cold_start_in_an_outage_serves_the_folder_that_is_shipped(
    environ: dict[str, str], models: ModelServer, platform: LocalPlatform, tmp_path: Path
) -> None:
    platform.stop()
    with Function(environ, tmp_path / "log") as function:
        assert function.call()["body"] == ANSWER
    assert models.bodies[0]["model"] == "gpt-5.5"


def test_refused_keys_are_an_error_that_the_folder_does_not_hide(environ: dict[str, str], models: ModelServer) -> None:
    done = recipe.run(FILE, "Why?", environ={**environ, "SCOPE_API_SECRET": "wrong"})
    assert done.returncode == 1
    assert "InvalidCredentialsError" in done.stderr
    assert models.asked == []


def test_the_tests_of_its_page_pass(tmp_path: Path) -> None:
    done = recipe.run_tests_of(PAGE, tmp_path)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr
