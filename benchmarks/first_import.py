"""`import scope_client` in a fresh process, over the time of a bare Python, beside `import requests`."""

from __future__ import annotations

import subprocess
import sys
import time

from .measure import Row, medians, seconds

LIMIT = 0.4


def rows() -> list[Row]:
    run("import scope_client, requests")
    bare, ours, theirs = medians(
        lambda: run("pass"), lambda: run("import scope_client"), lambda: run("import requests"), repetitions=15
    )
    ours, theirs = ours - bare, theirs - bare
    return [Row("import scope_client", seconds(ours), f"import requests {seconds(theirs)}", ours / theirs, LIMIT)]


def run(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started
