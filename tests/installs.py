"""The wheel with each extra alone, in an environment of its own: `python -m tests.installs dist/NAME.whl`.

What the extra is for has to work there, and what needs another extra has to name it. The packages come from the index.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is usable with each extra: its own, and what its packages give beside.
GIVES: dict[str, set[str]] = {
    "": set(),
    "django": {"django"},
    "flask": {"flask"},
    "langchain": {"langchain"},
    "otel": {"otel"},
    "redis": {"redis"},
    "local": {"flask", "local"},
    "all": {"django", "flask", "langchain", "otel", "redis", "local"},
}
ALWAYS = """
from scope_client.testing import PromptsClient
client = PromptsClient({"greeting": "Hello, {{name}}!"})
assert client.render_prompt("greeting", {"name": "Ada"}) == "Hello, Ada!"
"""
USES = {
    "django": """
import scope_django
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["scope_django"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()
from django.template import engines
from scope_django.test import override_prompts
template = engines["django"].from_string("{% load scope %}{% scope_prompt 'greeting' name='Ada' %}")
with override_prompts({"greeting": "Hello, {{name}}!"}):
    assert template.render() == "Hello, Ada!", template.render()
""",
    "flask": """
import scope_flask
from flask import Flask, render_template_string
from scope_flask.test import override_prompts
app = Flask("installed")
scope_flask.Scope(app)
with override_prompts({"greeting": "Hello, {{name}}!"}), app.app_context():
    assert render_template_string("{{ scope_prompt('greeting', name='Ada') }}") == "Hello, Ada!"
""",
    "langchain": """
import scope_langchain
from scope_client.testing import PromptsClient
prompt = scope_langchain.scope_prompt("greeting", client=PromptsClient({"greeting": "Hello, {{name}}!"}))
assert prompt.invoke({"name": "Ada"}).to_string() == "Hello, Ada!"
""",
    "otel": """
from scope_client import otel
from scope_client.testing import PromptsClient
otel.instrument()
with PromptsClient({"greeting": "Hello, {{name}}!"}).get_prompt_version("greeting").in_use() as version:
    assert otel.prompt_attributes(version)["gen_ai.prompt.name"] == "greeting"
otel.uninstrument()
""",
    "redis": """
from scope_client import RedisStore
RedisStore("redis://127.0.0.1:6379")
""",
    "local": """
from scope_client.local import LocalPlatform
import sys
from scope_client.cli import main
with LocalPlatform({"greeting": "Hello, {{name}}!"}) as platform:
    client = platform.client()
    assert client.render_prompt("greeting", {"name": "Ada"}) == "Hello, Ada!"
sys.argv = ["scope", "--help"]
main()
""",
}


def installed(wheel: Path, extra: str, folder: Path) -> Path:
    """The Python of a new environment that has the wheel with this extra and nothing else."""
    venv.create(folder, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, f"{wheel}[{extra}]" if extra else str(wheel)], check=True)
    return folder / "bin" / "python"


def ran(python: Path, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, cwd=python.parent
    )


def judged(python: Path, given: set[str]) -> Iterator[str]:
    """What is wrong in an environment in which these extras are usable."""
    done = ran(python, ALWAYS)
    if done.returncode:
        yield f"the core does not work: {done.stderr}"
    for extra, program in USES.items():
        done = ran(python, program)
        if extra in given and done.returncode:
            yield f"{extra} does not work: {done.stderr}"
        if extra not in given and f'pip install "scope-prompts[{extra}]"' not in (done.stderr.splitlines() or [""])[-1]:
            yield f"{extra} works without its packages, or the error does not name the extra: {done.stderr}"


def main(wheel: Path) -> int:
    """1 if something is wrong with an extra, after all of them were tried."""
    wrong = []
    for extra, given in GIVES.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = list(judged(installed(wheel, extra, Path(folder)), given))
        print(f"{extra or 'no extra':10} {'wrong' if found else 'right'}, {time.monotonic() - began:.0f} s", flush=True)
        wrong += [f"with {extra or 'no extra'}: {each}" for each in found]
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
