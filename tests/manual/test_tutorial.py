"""What docs/tutorial.md says is true: its steps are taken one after another, with its own commands and files."""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages

import scope_client
from scope_client import Clock
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGE = "tutorial.md"
OLD, NEW = "Good {{time_of_day}}, {{name}}!", "Good {{time_of_day}}, dear {{name}}!"
PAUSE = "time.sleep(1)"


@pytest.fixture
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of somebody who has written all files of the tutorial."""
    pages.write_files(PAGE, folder)
    monkeypatch.chdir(folder)
    return folder


def shown(command: str) -> str:
    """What the page says that a command prints."""
    (text,) = re.findall(rf"^\$ {re.escape(command)}\n(.*?)^```$", pages.text_of(PAGE), re.DOTALL | re.MULTILINE)
    return str(text)


def excerpts() -> list[list[str]]:
    """The lines of the two texts that `watch.py` prints: a change that arrives, and an outage."""
    found = [block.text.splitlines() for block in pages.blocks(PAGE, "text")]
    assert len(found) == 2
    return found


def ran(folder: Path, file: str, environ: dict[str, str]) -> str:
    done = pages.python(["-W", "error", file], folder, **environ)
    assert (done.returncode, done.stderr) == (0, ""), file
    return done.stdout


@pytest.fixture
def serve(project: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """What `scope serve prompts` prints before the first request, and the variables in it."""
    (command,) = {line[2:] for line in pages.text_of(PAGE).splitlines() if line.startswith("$ scope ")}
    words = [sys.executable, "-u", "-m", "scope_client.cli", *command.split()[1:], "--port", "0"]
    environ = {**os.environ, "PYTHONPATH": str(pages.ROOT)}
    with subprocess.Popen(words, cwd=project, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines: list[str] = []
        while not lines or "Ctrl-C stops the platform" not in lines[-1]:
            line = server.stdout.readline()
            assert line, "it ended before it served"
            lines.append(line)
        try:
            yield "".join(lines), dict(re.findall(r"^export (\w+)=(.+)$", "".join(lines), re.MULTILINE))
        finally:
            server.send_signal(signal.SIGINT)
            last_words, _ = server.communicate(timeout=pages.PATIENCE)
    assert (server.returncode, last_words.splitlines()[-1]) == (0, "Stopped.")


def test_the_programs_print_what_the_page_shows_with_what_scope_serve_prints(
    project: Path, serve: tuple[str, dict[str, str]]
) -> None:
    said, environ = serve
    port = environ["SCOPE_API_URL"].rpartition(":")[2]
    exports = re.findall(r"^\$ (export .+)$", pages.text_of(PAGE), re.MULTILINE)
    assert len(exports) == 5  # as the page says
    assert exports == re.findall(r"^export .+$", said.replace(port, "8750"), re.MULTILINE)
    for file in ("read.py", "chat.py", "wrong.py"):
        assert ran(project, file, environ) == shown(f"python {file}")


def test_the_platform_of_all_pages_serves_the_prompts_of_the_tutorial() -> None:
    shown_here = {block.prompt_path: block.text for block in pages.blocks(PAGE, "markdown")}
    assert shown_here == {f"prompts/{name}.md": text for name, text in pages.PROMPTS.items()}


@pytest.fixture
def watched(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Runs `watch.py` with a clock of its own, and lets something happen in its pauses."""

    def watch(platform: LocalPlatform, **happens: Callable[[], Any]) -> list[str]:
        seconds = [0.0]

        def pause() -> None:
            seconds[0] += 1
            happens.get(f"second_{seconds[0]:.0f}", lambda: None)()
            if seconds[0] == 8:
                raise KeyboardInterrupt  # as its reader ends it

        clock = Clock(lambda: seconds[0], lambda: seconds[0], sleep=lambda _: None, chance=lambda: 0.0)
        monkeypatch.setattr(scope_client, "ScopeClient", functools.partial(scope_client.ScopeClient, clock=clock))
        for name, value in platform.environ.items():
            monkeypatch.setenv(name, value)
        program = (project / "watch.py").read_text()
        assert PAUSE in program
        with pytest.raises(KeyboardInterrupt):
            exec(program.replace(PAUSE, "pause()"), {"pause": pause})
        return capsys.readouterr().out.splitlines()

    return watch


def test_a_change_arrives_within_the_five_seconds_of_the_page(project: Path, watched: Callable[..., list[str]]) -> None:
    text = pages.text_of(PAGE)
    assert f"to `{NEW}`" in text

    def edit() -> None:
        file = project / "prompts" / "greeting.md"
        changed = file.read_text().replace(OLD, NEW)
        (project / "new").write_text(changed)
        os.replace(project / "new", file)

    with LocalPlatform("prompts") as platform:
        printed = watched(platform, second_3=edit)
    assert printed[:3] == shown("python watch.py").splitlines()
    assert printed[4:7] == excerpts()[0]


def test_reads_go_on_when_the_platform_is_taken_away(project: Path, watched: Callable[..., list[str]]) -> None:
    file = project / "prompts" / "greeting.md"
    file.write_text(file.read_text().replace(OLD, NEW))
    with LocalPlatform("prompts") as platform:
        printed = watched(platform, second_2=platform.stop)
        assert printed[4:7] == excerpts()[1]
        assert ran(project, "start.py", platform.environ) == shown("python start.py")


def test_the_test_passes_without_the_platform(project: Path) -> None:
    done = pages.run_tests(project)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
