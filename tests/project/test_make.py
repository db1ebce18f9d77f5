"""The Makefile says what it can do, and the documents name what is in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def test_bare_make_lists_every_target_with_a_line():
    (targets,) = re.findall(r"^\.PHONY: help (.+)$", MAKEFILE, re.MULTILINE)
    done = subprocess.run(["make", "--no-print-directory"], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["make", name] for name in targets.split()]
    assert all(len(line.split()) > 2 for line in done.stdout.splitlines())


def test_every_make_command_of_the_documents_exists():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    documents = "".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))
    named = set(re.findall(r"(?:^\$ |`)make ([a-z-]+)", documents, re.MULTILINE))
    assert "demo" in named
    assert named <= targets


def left_aside(*words: str) -> list[str]:
    """What pytest is told to ignore, from a dry run in which nothing has to be installed."""
    options = ("--no-print-directory", "--dry-run", "--assume-old=pyproject.toml", f"VENV={Path(sys.prefix)}")
    # A make that runs the tests passes its own words on.
    environ = {name: text for name, text in os.environ.items() if name not in ("ARGS", "MAKEFLAGS", "MAKEOVERRIDES")}
    done = subprocess.run(["make", *options, *words], capture_output=True, text=True, cwd=ROOT, env=environ, timeout=60)
    assert " -m pytest " in done.stdout, done.stderr
    return re.findall(r"--ignore=(\S+)", done.stdout)


def test_what_make_test_leaves_to_make_test_all_is_there():
    paths = left_aside("test")
    assert "tests/recipes" in paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_make_test_all_leaves_nothing_aside_nor_does_a_part_that_is_named():
    assert left_aside("test-all") == left_aside("test-all", "ARGS=-q") == left_aside("test", "ARGS=tests/cli") == []
