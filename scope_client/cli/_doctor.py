"""`scope doctor`: what is wrong with the set-up of this machine, and what to do about it."""

from __future__ import annotations

import click

from ..frameworks import ARGUMENTS
from . import _terminal as terminal
from ._reader import checked_format, prints_a_report


@click.command()
@click.argument("name", required=False)
@click.option("--lock", metavar="FILE", help=ARGUMENTS["lock_of_doctor"])
@prints_a_report
def doctor(name: str | None, lock: str | None, format: str | None, json: bool) -> int:  # noqa: A002  # the option's own word
    """Look at the set-up step by step, and say what to do.

    The options, the credentials, names and addresses, proxies, TLS, the clock, a token, a prompt, the prompt folder and
    the lock. NAME is a prompt to read; without it, one that need not exist is asked for. Exits with 1 if a check fails.
    """
    from .._doctor.diagnosis import diagnose
    from .._doctor.report import data_of, failure_of, lines_of
    from .._doctor.setup import setup_of_environment
    from ..frameworks import Report

    as_json = checked_format(format, json)
    checks = []
    for check in diagnose(setup_of_environment(lock), name):
        checks.append(check)
        if not as_json:
            terminal.say(Report(list(lines_of(check)), {}).text())
    if as_json:
        terminal.say(Report([], data_of(checks)).text(as_json=True))
    failure = failure_of(checks)
    if failure is not None:
        terminal.complain(failure)
    return 1 if failure else 0
