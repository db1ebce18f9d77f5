"""`import scope_client` in a fresh process, over the time of a bare Python, beside `import requests`."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from .measure import Row, medians, seconds

LIMIT = 0.3
REPETITIONS = 41
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def rows() -> list[Row]:
    run("import scope_client, requests")  # leaves their byte code behind
    codes = ("pass", "import scope_client", "import requests")
    bare, ours, theirs = medians(*(lambda code=code: run(code) for code in codes), repetitions=REPETITIONS)
    ours, theirs = ours - bare, theirs - bare
    return [Row("import scope_client", seconds(ours), f"import requests {seconds(theirs)}", ours / theirs, LIMIT)]


def run(code: str, *arguments: str) -> float:
    """Seconds of a process of its own, from its start to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=ENVIRON)
    return time.perf_counter() - started
