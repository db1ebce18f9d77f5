"""`scope demo`: the quick start, run line by line against a platform on this machine."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import NoProductionVersionError
from . import _terminal as terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..local import LocalPlatform

DEMO_PROMPTS = Path(__file__).parent / "demo_prompts"

_SESSION_LINES = """
from scope_client import ApiKeyCredentials, ScopeClient
client = ScopeClient(credentials=ApiKeyCredentials.from_env())

# The production version of a prompt
version = client.get_prompt_version("greeting")
version.version_number, version.status, version.variables
version.get_metadata("temperature")
text = version.render(time_of_day="morning", name="Alice")
print(text)

# The latest version, which is still a draft
latest = client.get_prompt_version("greeting", label="latest")
latest.version_number, latest.status
newer = latest.render(time_of_day="morning", name="Alice")
print(newer)

# A chat prompt: a value with quotes does no harm
chat = client.get_prompt_version("support-chat")
messages = chat.messages(customer="Alice", problem='My "export" is empty.')
for message in messages: print(message)

# The first prompt again: no request, it is in the cache
again = client.get_prompt_version("greeting")
again is version

# A prompt of which no version is published
client.get_prompt_version("newsletter")

# The platform goes away. A version that has expired is served as the last known good one
platform.stop()
client.read_prompt("greeting", cache_ttl=0.001).source
"""


@click.command()
def demo() -> None:
    """Watch the quick start run; no account needed."""
    # The platform needs Flask, which the other commands do not.
    from ..local import LocalPlatform

    seen: list[str] = []
    with LocalPlatform(DEMO_PROMPTS, log=seen.append) as platform:
        terminal.say(f"A Scope Platform for you alone runs on {platform.url}; this session knows its keys.")
        values = _run_session(platform)
    for line in _closing(seen, values):
        terminal.say(line)


def _run_session(platform: LocalPlatform) -> dict[str, Any]:
    os.environ.update(platform.environ)
    values: dict[str, Any] = {"platform": platform}
    for line in _SESSION_LINES.splitlines():
        is_code = line and not line.startswith("#")
        terminal.say(_run(line, values) if is_code else line)
    return values


def _run(line: str, values: dict[str, Any]) -> str:
    """The line as in an interactive Python, what Python prints for it, and how long a read took."""
    code = compile(f"{line}\n", "demo", "single")
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        started = time.perf_counter()
        try:
            exec(code, values)  # noqa: S102  # nosec B102  # what is shown is what was run
        except NoProductionVersionError as error:
            print(f"{type(error).__name__}: {error}")
        elapsed = time.perf_counter() - started
    took = f"  # took {_duration(elapsed)}" if " = client.get_prompt_version" in line else ""
    return f">>> {line}{took}\n{shown.getvalue()}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} microseconds" if seconds < 0.001 else f"{seconds * 1e3:.1f} milliseconds"


def _closing(seen: list[str], values: dict[str, Any]) -> Iterator[str]:
    yield f"\nThe platform received {len(seen)} requests in all:"
    yield from (f"  {line}" for line in seen)
    yield "\nThe rendered texts:"
    yield f"  {values['text']}"
    yield f"  {values['newer']}"
    yield from ("  {role}: {content}".format_map(message) for message in values["messages"])
    is_off_the_path = shutil.which("scope") is None and Path(sys.argv[0]).stem == "scope"
    command = os.path.relpath(sys.argv[0]) if is_off_the_path else "scope"
    yield f"\nNext: put prompts of your own into a folder, and run: {command} serve FOLDER"
