"""The example projects do what their README says, run as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "example_projects"


def test_the_plain_script_goes_on_reading_through_an_outage() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "plain_script" / "outage.py")],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    before, during, after = re.split(r".*--- the platform is (?:gone|back).*\n", done.stdout)
    assert "evening" not in before + during
    assert "stale" in during
    assert "evening" in after
    assert done.stdout.count("WARNING") == 1
    assert done.stdout.endswith("none failed\n")


def test_the_manual_shows_what_changing_a_prompt_that_is_in_use_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "plain_script" / "changing.py")],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"$ make changing\n{done.stdout}```" in (EXAMPLES.parent / "README.md").read_text()
    runs = re.split(r"^(?:Code|Prompt) first.*\n", done.stdout, flags=re.MULTILINE)[1:]
    assert [("FAILS" in run, run.count("WARNING")) for run in runs] == [(True, 0), (False, 1), (True, 0), (False, 1)]


def test_the_langchain_chain_follows_a_promotion_and_every_run_says_which_version_it_used() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "langchain_chain" / "chain.py")],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second = (
        re.findall(r"^  (root|prompt|model) +scope\.prompt\.version_id=(v_\w+)$", part, re.MULTILINE)
        for part in re.split(r"--- version 2 is in production.*\n", done.stdout)
    )
    assert [kind for kind, _ in first] == [kind for kind, _ in second] == ["root", "prompt", "model"]
    assert len({version for _, version in first}) == len({version for _, version in second}) == 1
    assert first != second
    assert "Be brief" in done.stdout
