"""Draws docs/_static/terminal.svg: `scope serve` on the left, a program beside it on the right, both run for it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich import _export_format as exported
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE = Path(__file__).resolve().parents[1] / "_static" / "terminal.svg"
PORT = 8750
WIDTH = 144
PROMPT = "Good {{time_of_day}}, {{name}}!\n"
# A line of None stops the platform.
SESSION = (
    "from scope_client import ScopeClient",
    "client = ScopeClient(cache_ttl=1)",
    'values = {"time_of_day": "morning", "name": "Alice"}',
    'client.render_prompt("greeting", values)',
    'client.render_prompt("greeting", values)',
    None,
    'client.render_prompt("greeting", values)',
    'read = client.read_prompt("greeting")',
    "read.source, round(read.age), read.version.version_number",
)
STOPPED = "# Ctrl-C in the other terminal, and the second is over"
_FONT_FACES = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)


def served(folder: str, port: int) -> subprocess.Popen[str]:
    """`scope serve`, started."""
    command = [sys.executable, "-m", "scope_client.cli", "serve", "prompts", "--port", str(port)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


def heard(process: subprocess.Popen[str]) -> list[str]:
    """What it printed before the requests."""
    assert process.stdout is not None
    lines: list[str] = []
    while "The requests:" not in (lines[-1] if lines else ""):
        lines.append(process.stdout.readline().rstrip())
        found = re.match(r"export (SCOPE_\w+)=(\S+)", lines[-1])
        if found and "CLIENT" not in found[1]:
            os.environ[found[1]] = found[2]
    return lines


def entered(line: str, values: dict[str, object]) -> str:
    """A line as an interactive Python shows it, with the time that a read took."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        code = compile(f"{line}\n", "session", "single")
        started = time.perf_counter()
        exec(code, values)
        took = time.perf_counter() - started
    figure = f"{took * 1000:.0f} ms" if took > 0.0005 else f"{took * 1e6:.0f} µs"
    note = f"  # {figure}" if "render_prompt" in line or "read_prompt" in line else ""
    return f">>> {line}{note}\n{shown.getvalue()}"


def recorded(port: int = PORT) -> tuple[str, str]:
    """The texts of the two terminals; sets the variables of the environment that `scope serve` offers."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "prompts").mkdir()
        Path(folder, "prompts", "greeting.md").write_text(PROMPT, encoding="utf-8")
        platform = served(folder, port)
        try:
            begun = heard(platform)
            values: dict[str, object] = {}
            right = []
            for line in SESSION:
                if line is None:
                    time.sleep(1.2)
                    platform.send_signal(signal.SIGINT)
                    platform.wait(10)
                    right.append(f"{STOPPED}\n")
                else:
                    right.append(entered(line, values))
            assert platform.stdout is not None
            asked = platform.stdout.read().rstrip()
        finally:
            platform.kill()
            platform.communicate()
    head = [line for line in begun if line and not line.startswith(("The newer", "export SCOPE_CLIENT"))]
    return "$ scope serve prompts\n" + "\n".join([*head, asked.strip()]), "$ python\n" + "".join(right).rstrip()


def drawn(left: str, right: str) -> str:
    """Both as one SVG that asks nobody for a font."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    height = 2 + max(len(left.splitlines()) + left.count("…"), len(right.splitlines()))
    panels = [
        Panel(Text(text, style="white", overflow="fold"), width=WIDTH // 2 - 1, height=height, border_style="grey50")
        for text in (left, right)
    ]
    console.print(Columns(panels))
    svg = console.export_svg(
        title="scope serve, and a program beside it",
        theme=MONOKAI,
        code_format=_FONT_FACES.sub("", exported.CONSOLE_SVG_FORMAT).replace("Fira Code, monospace", "monospace"),
        unique_id="terminal",
    )
    return re.sub(r"\s*<!--.*?-->", "", svg)


if __name__ == "__main__":
    PICTURE.write_text(drawn(*recorded()), encoding="utf-8")
