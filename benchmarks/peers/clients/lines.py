"""Does the jobs that arrive as lines of JSON, `[name, argument, ...]`, and answers each with a line."""

from __future__ import annotations

import json
import logging
import sys


def answer(jobs: object) -> None:
    """Until the input ends; whatever else prints goes to stderr, and warnings of a client nowhere."""
    logging.getLogger().addHandler(logging.NullHandler())
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(jobs, name)(*arguments)), file=answers, flush=True)
