"""With OpenTelemetry, the span of the model's call in each recipe says which version made the answer."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from manual import pages
from recipes import recipe

if TYPE_CHECKING:
    from recipes.fakes.server import ModelServer

    from scope_client.local import LocalPlatform

# A process of its own: instrumentations hold for the whole of one.
PROGRAM = """
import contextlib, importlib, io, json, runpy, sys
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scope_client import otel

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
OpenAIInstrumentor().instrument(tracer_provider=provider)
AnthropicInstrumentor().instrument(tracer_provider=provider)
otel.instrument(tracer_provider=provider)


def run(file, stdin="", *arguments):
    sys.argv, sys.stdin = [file, *arguments], io.StringIO(stdin)
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(file, run_name="__main__")


def ask_the_site():
    from fastapi.testclient import TestClient

    with TestClient(importlib.import_module("fastapi_streaming").app) as client:
        for _ in range(2):
            assert client.post("/answer", json={"question": "Why?"}).status_code == 200


def ask_the_worker():
    tasks = importlib.import_module("celery_tasks")
    tasks.app.conf.update(task_always_eager=True, task_eager_propagates=True)
    tasks.answer.delay("Why?").get()


recipes = {
    "with_openai.py": lambda: run("with_openai.py", "Why?\\nHow?\\n"),
    "with_anthropic.py": lambda: run("with_anthropic.py", "Dear all"),
    "fastapi_streaming.py": ask_the_site,
    "celery_tasks.py": ask_the_worker,
    "aws_lambda.py": lambda: run("aws_lambda.py", "", "Why?"),
}
for name, ask in recipes.items():
    spans.clear()
    ask()
    for span in spans.get_finished_spans():
        held = span.attributes
        if held.get("gen_ai.request.model"):
            print(json.dumps([name, held.get("gen_ai.prompt.name"), held.get("gen_ai.prompt.version")]))
"""


def test_the_span_of_the_models_call_names_the_version(
    models: ModelServer, platform: LocalPlatform, environ: dict[str, str]
) -> None:
    for name in ("answer", "summary"):
        text = (recipe.PROMPTS / f"{name}.md").read_text().partition("---\n[")[2]
        platform.publish(name, json.loads(f"[{text}"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=recipe.FOLDER,
        env=pages.environment({**environ, "PYTHONPATH": f"{recipe.FOLDER}:{pages.ROOT}"}),
        capture_output=True,
        text=True,
        timeout=recipe.PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [tuple(json.loads(line)) for line in done.stdout.splitlines()] == [
        ("with_openai.py", "answer", "2"),
        ("with_openai.py", "answer", "2"),
        ("with_anthropic.py", "summary", "2"),
        ("fastapi_streaming.py", "answer", "2"),
        ("fastapi_streaming.py", "answer", "2"),
        ("celery_tasks.py", "answer", "2"),
        ("aws_lambda.py", "answer", "2"),
    ]
