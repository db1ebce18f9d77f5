"""The program of `forked.py`: imports the modules that it is told, and forks for each program that it is asked for."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import sys
from typing import Any


def asked_for() -> dict[str, Any]:
    """Returns in each child, with its program."""
    asked, told = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    with open(asked, "rb") as lines:
        for line in lines:
            child = os.fork()
            if child == 0:
                os.close(told)
                return dict(json.loads(line))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            os.write(told, f"{code}\n".encode())
    os._exit(0)


def run(program: dict[str, Any]) -> None:
    for number, file in enumerate(program["files"]):
        opened = os.open(file, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(program["env"])
    os.chdir(program["cwd"])
    sys.path[0] = program["cwd"]
    module, *sys.argv[1:] = program["command"]
    if "COVERAGE_PROCESS_START" in os.environ:
        import coverage

        coverage.process_startup()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    sys.path[0] = ""  # this folder has a room that is called as a module of Python's is
    for name in sys.argv[1:]:
        importlib.import_module(name)
    # No child walks through what was imported, to collect it or to tear it down.
    gc.collect()
    gc.freeze()
    run(asked_for())
