"""The options of the pytest plugin, on the command line and in the settings of a project."""

from __future__ import annotations

import copy
import os
from typing import NamedTuple, Optional

import pytest

_PERCENT = "a number from 0 to 100"
_COVERAGE_OPTION = "--scope-coverage"


class CoverageWanted(NamedTuple):
    """What a run is asked to measure."""

    path: Optional[str]
    fail_under: Optional[float]


def add_options(parser: pytest.Parser) -> None:
    """Those of snapshots and of the coverage."""
    group = parser.getgroup("scope", "prompts of the Scope Platform")
    group.addoption(
        "--scope-snapshot-update",
        action="store_true",
        help="write the snapshots of scope_prompts.snapshot() anew where they differ",
    )
    group.addoption(
        _COVERAGE_OPTION,
        nargs="?",
        const="",
        metavar="PATH",
        help="say which prompts and variables the tests rendered, of those of a folder or a scope.lock "
        "(--scope-coverage=PATH, with the sign =); "
        "by default of those of scope_coverage in the settings, or of the platforms of the tests",
    )
    group.addoption(
        "--scope-coverage-fail-under",
        metavar="PERCENT",
        help="measure this coverage, and fail the run if it is less",
    )
    parser.addini("scope_coverage", "the folder or the lock of --scope-coverage, relative to the settings")
    parser.addini("scope_coverage_fail_under", "the percentage of --scope-coverage-fail-under")


def leave_paths_to_the_tests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """`--scope-coverage tests`: the word after it names tests, and no prompts.

    An option of argparse that may have a value takes the next word for it; with an `=` after it, it does not.
    """
    options = args[: args.index("--")] if "--" in args else args
    if _COVERAGE_OPTION not in options:
        return
    args[: len(options)] = [f"{each}=" if each == _COVERAGE_OPTION else each for each in options]
    # Of these, pytest looks for the conftest.py files that it loads first.
    paths = parser.parse_known_args(args, copy.copy(early_config.option)).file_or_dir
    early_config.known_args_namespace.file_or_dir = paths


def coverage_wanted(config: pytest.Config) -> Optional[CoverageWanted]:
    """None if the run measures nothing. Raises pytest.UsageError for what is not a percentage."""
    given = config.getoption("scope_coverage")
    least = config.getoption("scope_coverage_fail_under")
    if given is None and least is None:
        return None
    if least is None:
        fail_under = _percent("scope_coverage_fail_under", config.getini("scope_coverage_fail_under"))
    else:
        fail_under = _percent("--scope-coverage-fail-under", least)
    return CoverageWanted(given or _path_in_settings(config), fail_under)


def _path_in_settings(config: pytest.Config) -> Optional[str]:
    path = config.getini("scope_coverage")
    if not path:
        return None
    return os.path.join(os.path.dirname(config.inipath or "") or str(config.rootpath), path)


def _percent(option: str, text: str) -> Optional[float]:
    if not text:
        return None
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise pytest.UsageError(f"{option} must be {_PERCENT}, got {text!r}")
    return percent
