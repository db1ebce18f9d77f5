"""Real instrumentations of real libraries, against models on loopback: the spans of models carry their own prompts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages
from otel import judgement, libraries, show
from recipes import apart
from recipes.conversation import QUIET

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 240.0
# The spans of runs are made of that tracing; the library of the test turns off that it is sent anywhere.
QUIET_BUT_FOR_RUNS = {name: value for name, value in QUIET.items() if name != "OPENAI_AGENTS_DISABLE_TRACING"}
WITH_OUR_PROMPT = """
import openai
from scope_client import ScopeClient
prompts = ScopeClient()
version = prompts.get_prompt_version("support")
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-4o", messages=version.messages(product="Lamp-4711"))
"""
WITHOUT_US = """
import openai
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
"""


@pytest.fixture(scope="module")
def theatre() -> Iterator[show.Theatre]:
    with show.theatre() as opened, pytest.MonkeyPatch.context() as patch:
        for name, value in {**opened.models.environ, **libraries.WITHOUT_TEXTS}.items():
            patch.setenv(name, value)
        yield opened


@pytest.mark.filterwarnings("default")  # of libraries that wait for one another
@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_each_span_of_a_model_carries_its_prompt_and_no_other_span_does(theatre: show.Theatre, name: str) -> None:
    performance = theatre.performance(libraries.LIBRARIES[name])
    assert [f"{title}: {fault}" for title, _, wrong in performance for fault in wrong] == []


@pytest.mark.timeout(420)  # it may be the first to make the environment
def test_the_official_ones_of_today_agree(tmp_path_factory: pytest.TempPathFactory) -> None:
    done = run(
        [apart.made(tmp_path_factory), "-m", "otel.show", "--judge", *libraries.LIBRARIES_APART], **QUIET_BUT_FOR_RUNS
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_each_instrumentation_that_the_manual_names_is_run_here() -> None:
    named = set(re.findall(r"`(opentelemetry-instrumentation-[\w-]+)`", pages.text_of("integrations/opentelemetry.md")))
    project = (pages.ROOT / "pyproject.toml").read_text()
    played = {f"opentelemetry-instrumentation-{name}" for name in (*libraries.LIBRARIES, *libraries.LIBRARIES_APART)}
    assert len(named) == 9
    assert [name for name in named if not re.search(rf'"{name}[">;]', project)] == []
    assert named <= played


def traced_from_outside(program: str, installed: Path, environ: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The attributes of a program's spans by their names; `opentelemetry-instrument` turns on all that it finds."""
    command = [Path(sys.executable).with_name("opentelemetry-instrument"), "--traces_exporter", "console"]
    options = ["--metrics_exporter", "none", "--logs_exporter", "none"]
    done = run(
        [*command, *options, sys.executable, "-c", program],
        **{**environ, "PYTHONPATH": f"{installed}:{pages.ROOT}"},
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    spans = [json.loads(text) for text in re.split(r"^(?=\{$)", done.stdout, flags=re.MULTILINE) if text.strip()]
    return {span["name"]: span["attributes"] for span in spans}


def test_opentelemetry_instrument_finds_us_beside_the_client_of_a_model(theatre: show.Theatre, installed: Path) -> None:
    spans = traced_from_outside(WITH_OUR_PROMPT, installed, theatre.platform.environ)
    facts = {name: value for name, value in spans["chat gpt-4o"].items() if name.startswith(judgement.OURS)}
    assert list(judgement.wrong_facts("the span", facts)) == []
    assert facts[judgement.NAME] == "support"
    assert {"scope.prompt.fetch", "scope.token"} < set(spans)
    assert "4711" not in str(spans)


def test_opentelemetry_instrument_around_a_program_without_us_traces_what_it_did_before(
    theatre: show.Theatre, installed: Path
) -> None:
    spans = traced_from_outside(WITHOUT_US, installed, {})
    assert list(spans) == ["chat gpt-4o"]
    assert not [name for name in spans["chat gpt-4o"] if name.startswith(judgement.OURS)]


def run(command: list[Any], **environ: str) -> subprocess.CompletedProcess[str]:
    """With what the program needs to find the models."""
    return subprocess.run(
        [str(word) for word in command],
        env=pages.environment({"PYTHONPATH": f"{pages.ROOT / 'tests'}:{pages.ROOT}", **environ}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
