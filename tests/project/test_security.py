"""SECURITY.md: each promise names tests, and the tests are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
PROMISED = TEXT.partition("## What is promised")[2].partition("## What is not promised")[0]
NAMED = re.findall(r"`(tests/[^`]+)`", TEXT)
ROWS = [line for line in PROMISED.splitlines() if line.startswith("| ") and not line.startswith("| promise ")]


def names_of_tests(file: Path) -> set[str]:
    """The tests of a file, those of a class as Class::test."""
    module = ast.parse(file.read_text())
    holders = [("", module), *((f"{each.name}::", each) for each in module.body if isinstance(each, ast.ClassDef))]
    return {
        prefix + each.name
        for prefix, holder in holders
        for each in holder.body
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.name.startswith("test_")
    }


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_holds_a_promise_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    assert name in names_of_tests(ROOT / path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_promise_names_a_test_that_no_other_promise_names(row: str) -> None:
    named = re.findall(r"`(tests/[^`]+::[^`]+)`", row)
    assert named
    assert [NAMED.count(each) for each in named] == [1] * len(named)


def test_it_says_what_is_promised_what_is_not_and_how_to_report() -> None:
    parts = ["How to report", "Supported versions", "What is promised", "What is not promised"]
    assert re.findall(r"^## (.*)$", TEXT, re.MULTILINE) == parts
    assert len(ROWS) >= 20
