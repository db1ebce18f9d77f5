"""Runs tests of LangChain's twice, as they are and with Scope's templates in place of LangChain's."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple, Union
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
PYTEST_SECONDS = 1200
SHOWN_LINES = 40
_OUTCOMES = ("failure", "error", "skipped")

# The end of a test's name, and why it cannot pass.
EXCEPTIONS = {
    "test_prompt::test_prompt_falsy_vars[f-string-None-expected5]": (
        "a value that is None is an error, also for LangChain's formats"
    ),
    "test_prompt::test_prompt_missing_vars_error": (
        "compares the words of the error: a MissingInputError is a KeyError, and says it in a sentence"
    ),
}


class Comparison(NamedTuple):
    theirs: dict[str, str]
    """What became of each test as it is, by name: passed, failure, error or skipped."""
    ours: dict[str, str]
    """The same with Scope's templates."""

    @property
    def worse(self) -> list[str]:
        """The tests that pass as they are and not with Scope's templates."""
        return [name for name, was in self.theirs.items() if was == "passed" and self.ours.get(name) != "passed"]

    def unexplained(self) -> list[str]:
        return [name for name in self.worse if _reason(name) is None]

    def report(self) -> str:
        """A line for each run, and one for each test that is worse."""
        lines = [f"{'as they are':<24}{_counted(self.theirs)}", f"{'with Scope templates':<24}{_counted(self.ours)}"]
        lines += [f"{name}: {_reason(name) or 'NOT EXPLAINED'}" for name in self.worse]
        return "\n".join(lines)


def compare(python: Union[str, Path], folder: Path, *tests: str) -> Comparison:
    """Runs the tests in the folder, named relative to it, by that Python; raises RuntimeError if none passes.

    Args:
        python: An interpreter that has pytest, langchain-core and what Scope needs.
        folder: Where pytest is started.
        tests: Files or folders.

    Returns:
        What became of each test.
    """
    return Comparison(_outcomes(python, folder, tests), _outcomes(python, folder, tests, "-p", "substitution"))


def _outcomes(python: Union[str, Path], folder: Path, tests: tuple[str, ...], *options: str) -> dict[str, str]:
    file = folder / "outcomes.xml"
    file.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={file}", *options, *tests]
    found = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": found},
        capture_output=True,
        text=True,
        timeout=PYTEST_SECONDS,
    )
    outcomes = _read(file) if file.exists() else {}
    if "passed" not in outcomes.values():
        raise RuntimeError("\n".join(["no test passed:", *(done.stdout + done.stderr).splitlines()[-SHOWN_LINES:]]))
    return outcomes


def _read(file: Path) -> dict[str, str]:
    outcomes = {}
    for case in ElementTree.parse(file).iter("testcase"):
        became = [each.tag for each in case if each.tag in _OUTCOMES]
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = became[0] if became else "passed"
    return outcomes


def _counted(outcomes: dict[str, str]) -> str:
    counts = Counter(outcomes.values())
    return f"{counts['passed']} passed, {counts['failure'] + counts['error']} failed, {counts['skipped']} skipped"


def _reason(name: str) -> Union[str, None]:
    return next((reason for end, reason in EXCEPTIONS.items() if name.endswith(end)), None)
