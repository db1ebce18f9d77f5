"""What the page on the doctor says is true: its checks are those that the command makes, in their order."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from manual import pages

from scope_client._doctor.check import Check

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client.local import LocalPlatform

PAGE = "doctor.md"
TEXT = pages.text_of(PAGE)
# What only a site, a proxy or a mistake brings.
SOMETIMES = {"options", "tunnel", "store patience"}


@pytest.fixture
def report(folder: Path, platform: LocalPlatform) -> dict[str, object]:
    done = pages.python(["-m", "scope_client.cli", "doctor", "greeting", "--json"], folder, **platform.environ)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_table_has_each_check_in_its_order(report: dict[str, object]) -> None:
    rows = [
        row for line in re.findall(r"^\| (`[^|]*`) \|", TEXT, re.MULTILINE) for row in re.findall(r"`([^`]*)`", line)
    ]
    named = [row.replace(" ...", "") for row in rows if row not in ("NAME", "--lock FILE", "--json")]
    checks: list[dict[str, str]] = report["checks"]  # type: ignore[assignment]  # it is a list
    kinds = list(
        dict.fromkeys(kind for check in checks for kind in named if f"{check['name']} ".startswith(f"{kind} "))
    )
    long = [kind for kind in kinds if not (kind == "prompt" and kinds.count("prompt folder") > 1)]
    assert [kind for kind in named if kind not in SOMETIMES] == long


def test_the_json_has_the_fields_of_the_page(report: dict[str, object]) -> None:
    (block,) = pages.blocks(PAGE, "json")
    shown = json.loads(block.text)
    assert shown.keys() == report.keys()
    assert set(shown["checks"][0]) == set(Check._fields)


def test_the_lines_are_those_that_it_prints(folder: Path, platform: LocalPlatform) -> None:
    (block,) = pages.blocks(PAGE, "text")
    variables = {**platform.environ, "SCOPE_TIMEUOT": "5"}
    done = pages.python(["-m", "scope_client.cli", "doctor", "greeting"], folder, **variables)
    assert done.returncode == 1
    for line in block.text.splitlines():
        if "variables" in line or "->" in line or "HTTP 401" in line or "to the second" in line or "lives" in line:
            told = re.sub(r"\d+ ms", "", line).split()
            assert any(re.sub(r"\d+ ms", "", each).split() == told for each in done.stdout.splitlines()), line
