"""`opentelemetry-instrument` turns it on around a program, whatever the program imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COMMAND = Path(sys.executable).with_name("opentelemetry-instrument")
GROUP = "opentelemetry_instrumentor"
MARKED = """
from opentelemetry import trace
from scope_client import PromptVersion
PromptVersion.from_api({"content": "Hi", "name": "greeting", "version_number": 3}).render()
with trace.get_tracer("shop").start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
    pass
"""


def run(installed: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """With our instrumentor alone, of those that are installed here."""
    others = {point.name for point in entry_points(group=GROUP)} - {"scope"}
    ours = {
        "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)]),
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(others),
    }
    words = [str(COMMAND), sys.executable, "-c", code]
    return subprocess.run(words, env={**os.environ, **ours, **environment}, capture_output=True, text=True, timeout=60)


def test_a_program_that_imports_nothing_of_ours_runs_as_before(installed: Path) -> None:
    done = run(installed, "import sys; print('scope_client.otel' in sys.modules, 'requests' in sys.modules)")
    assert (done.stdout, done.stderr, done.returncode) == ("True False\n", "", 0)


def test_a_program_that_imports_only_the_client_has_its_prompts_on_the_spans_of_models(installed: Path) -> None:
    done = run(installed, MARKED)
    assert (done.stderr, done.returncode) == ("", 0)
    assert json.loads(done.stdout)["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.prompt.name": "greeting",
        "gen_ai.prompt.version": "3",
    }


def test_a_program_that_turns_it_on_itself_as_well_hears_one_warning(installed: Path) -> None:
    done = run(installed, f"from scope_client import otel\notel.instrument()\n{MARKED}")
    assert done.stderr == "Attempting to instrument while already instrumented\n"
    assert json.loads(done.stdout)["attributes"]["gen_ai.prompt.name"] == "greeting"


def test_it_can_be_left_out_by_its_name(installed: Path) -> None:
    every = {point.name for point in entry_points(group=GROUP)} | {"scope"}
    done = run(installed, MARKED, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=",".join(every))
    assert json.loads(done.stdout)["attributes"] == {"gen_ai.operation.name": "chat"}
