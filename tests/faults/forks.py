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
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [program["cwd"], *(path for path in named if path and path not in sys.path)]
    what, *sys.argv[1:] = program["command"]
    if "COVERAGE_PROCESS_START" in os.environ:
        import coverage

        coverage.process_startup()
    if what.endswith(".py"):
        runpy.run_path(what, run_name="__main__")
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    sys.path[0] = ""  # this folder has a room that is called as a module of Python's is
    for name in sys.argv[1:]:
        importlib.import_module(name)
    # No child walks through what was imported, to collect it or to tear it down.
    gc.collect()
    gc.freeze()
    run(asked_for())
