"""Draws docs/_static/terminal.svg: `scope serve` above and a program below, both run for it."""

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
from rich.console import Console
from rich.panel import Panel
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE = Path(__file__).resolve().parents[1] / "_static" / "terminal.svg"
PORT = 8750
WIDTH = 92
PROMPT = "Good {{time_of_day}}, {{name}}!\n"
# A line of None stops the platform.
SESSION = (
    "from scope_client import ScopeClient",
    "client = ScopeClient(cache_ttl=1)    # seconds; 300 by default",
    'values = {"time_of_day": "morning", "name": "Alice"}',
    'client.render_prompt("greeting", values)',
    'client.read_prompt("greeting").source',
    None,
    'client.render_prompt("greeting", values)',
    'client.read_prompt("greeting").source',
)
STOPPED = "# Ctrl-C in the terminal above; then the second is over"
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
        if found:
            os.environ[found[1]] = found[2]
    return lines


def entered(line: str, values: dict[str, object]) -> str:
    """A line as an interactive Python shows it."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(f"{line}\n", "session", "single"), values)
    return f">>> {line}\n{shown.getvalue()}"


def recorded(port: int = PORT) -> tuple[str, str]:
    """The texts of the two terminals; sets the variables of the environment that `scope serve` offers."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "prompts").mkdir()
        Path(folder, "prompts", "greeting.md").write_text(PROMPT, encoding="utf-8")
        platform = served(folder, port)
        try:
            begun = heard(platform)
            values: dict[str, object] = {}
            below = []
            for line in SESSION:
                if line is None:
                    time.sleep(1.2)
                    platform.send_signal(signal.SIGINT)
                    platform.wait(10)
                    below.append(f"{STOPPED}\n")
                else:
                    below.append(entered(line, values))
            assert platform.stdout is not None
            asked = platform.stdout.read().rstrip()
        finally:
            platform.kill()
            platform.communicate()
    head = [line for line in begun if line and not line.startswith(("The newer", "  SCOPE_CLIENT"))]
    return "$ scope serve prompts\n" + "\n".join([*head, asked.strip().replace("\n\n", "\n")]), "$ python\n" + "".join(
        below
    ).rstrip()


def drawn(above: str, below: str) -> str:
    """Both as one SVG that asks nobody for a font."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    for text in (above, below):
        console.print(Panel(Text(text, style="white", overflow="fold"), width=WIDTH, border_style="grey50"))
    svg = console.export_svg(
        title="a platform above, and a program below",
        theme=MONOKAI,
        code_format=_FONT_FACES.sub("", exported.CONSOLE_SVG_FORMAT).replace("Fira Code, monospace", "monospace"),
        unique_id="terminal",
    )
    return re.sub(r"\s*<!--.*?-->", "", svg)


if __name__ == "__main__":
    PICTURE.write_text(drawn(*recorded()), encoding="utf-8")
