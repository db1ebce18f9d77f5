"""The type checkers that people use, and what each of them says of a file."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

from faults.commands import run

if TYPE_CHECKING:
    from pathlib import Path

MYPY_CACHE = "mypy-cache"
PACKAGES = ("mypy", "pyright[nodejs]", "ty", "pyrefly", "openai", "anthropic")
"""What is installed for them, and the clients of models that they know."""


def remember_types(environment: Path) -> None:
    """Has mypy read once what the files import, which takes longer than the files themselves."""
    file = environment / "imports.py"
    file.write_text("import anthropic\nimport openai\n\nimport scope_client.testing\n", encoding="utf-8")
    assert _told_by_mypy(environment / "bin", file, environment / MYPY_CACHE).startswith("Success")


def complaints_of_mypy(scripts: Path, file: Path, cache: Path) -> dict[int, str]:
    """What it says, by line."""
    remembered = scripts.parent / MYPY_CACHE
    if remembered.is_dir():
        shutil.copytree(remembered, cache / MYPY_CACHE)
    told = _told_by_mypy(scripts, file, cache / MYPY_CACHE)
    found = re.findall(rf"{re.escape(file.name)}:(\d+): error: (.*)$", told, re.MULTILINE)
    return {int(line): said for line, said in found}


def _told_by_mypy(scripts: Path, file: Path, cache: Path) -> str:
    done = run(str(scripts / "mypy"), "--strict", "--cache-dir", str(cache), str(file), check=False)
    assert done.stdout.splitlines()[-1].startswith(("Found ", "Success")), done.stdout + done.stderr
    return done.stdout


def complaints_of_pyright(scripts: Path, file: Path, cache: Path) -> dict[int, str]:
    done = run(
        str(scripts / "pyright"), "--outputjson", "--pythonpath", str(scripts / "python"), str(file), check=False
    )
    said = json.loads(done.stdout)["generalDiagnostics"]
    return {each["range"]["start"]["line"] + 1: each["message"] for each in said if each["severity"] == "error"}


def complaints_of_ty(scripts: Path, file: Path, cache: Path) -> dict[int, str]:
    words = ("check", "--python", str(scripts / "python"), "--project", str(file.parent))
    done = run(str(scripts / "ty"), *words, "--output-format", "concise", str(file), check=False)
    found = re.findall(rf"{re.escape(file.name)}:(\d+):\d+: error(.*)$", done.stdout, re.MULTILINE)
    assert found or "All checks passed" in done.stdout, done.stdout + done.stderr
    return {int(line): said for line, said in found}


def complaints_of_pyrefly(scripts: Path, file: Path, cache: Path) -> dict[int, str]:
    """With a configuration of its own, as `pyrefly init` writes one: without, it passes over missing arguments."""
    (cache / "pyrefly.toml").write_text("", encoding="utf-8")
    places = ("--config", str(cache / "pyrefly.toml"), "--search-path", str(file.parent))
    interpreter = ("--python-interpreter-path", str(scripts / "python"))
    done = run(
        *(str(scripts / "pyrefly"), "check", *places, *interpreter, "--output-format", "json", str(file)), check=False
    )
    found = json.loads(done.stdout)["errors"]
    return {each["line"]: each["description"] for each in found if each["severity"] == "error"}


COMPLAINTS = {
    "mypy": complaints_of_mypy,
    "pyright": complaints_of_pyright,
    "ty": complaints_of_ty,
    "pyrefly": complaints_of_pyrefly,
}


def marked(checker: str, file: Path) -> set[int]:
    """The lines that say that this checker finds a mistake there."""
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    return {number for number, line in lines if checker in line.partition("  # ")[2].split()}
