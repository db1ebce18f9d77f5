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
