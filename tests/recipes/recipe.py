"""A recipe as its tests see it: its file, its page, and how it is run."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import runpy
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = pages.ROOT / "example_projects" / "recipes"
PROMPTS = FOLDER / "prompts"
PATIENCE = 60.0


def command(name: str, *arguments: str) -> list[str]:
    """Of a recipe's file, with warnings as errors."""
    return [sys.executable, "-W", "error", str(FOLDER / name), *arguments]


def run(
    name: str, *arguments: str, environ: dict[str, str], stdin: str = "", folder: Path = FOLDER
) -> subprocess.CompletedProcess[str]:
    """Runs a recipe to its end, as its page says."""
    return subprocess.run(
        command(name, *arguments),
        cwd=folder,
        env=pages.environment(environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def called(name: str, *, environ: dict[str, str], stdin: str = "") -> str:
    """What a recipe prints that runs in this process, which has its libraries loaded already."""
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()) as printed:
        for variable, value in environ.items():
            patched.setenv(variable, value)
        patched.setattr(sys, "stdin", io.StringIO(stdin))
        runpy.run_path(str(FOLDER / name), run_name="__main__")
    return printed.getvalue()


def load(name: str) -> Any:
    """A recipe's file as a fresh module, which is made in the environment of the test."""
    spec = importlib.util.spec_from_file_location(name.partition(".")[0], FOLDER / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown_output(page: str, program: str) -> str:
    """What a page shows that a program prints: the lines below `$ python ... PROGRAM ...` in its block of a console."""
    for block in pages.blocks(page, "console"):
        lines = block.text.splitlines(keepends=True)
        for place, line in enumerate(lines):
            if line.startswith("$ ") and program in line and lines[place + 1 :]:
                return "".join(lines[place + 1 :])
    raise AssertionError(f"{page} does not show what {program} prints")


def run_tests_of(page: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the tests that a page shows, beside its recipe and the prompts, in an empty folder."""
    pages.write_files(page, folder)
    shutil.copytree(PROMPTS, folder / "prompts")
    return pages.run_tests(folder, **environ)
