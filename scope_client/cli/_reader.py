"""What `get` and `render` have in common: which version of a prompt, with whose credentials, and how it is printed."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

import click

from .. import ScopeClient
from .._config.credentials import kind_in_environment
from ..frameworks import ARGUMENTS, LABELS, Report
from . import _terminal as terminal

_Function = TypeVar("_Function", bound=Callable[..., Any])

_VERSION_OPTIONS = (
    click.argument("name"),
    click.option("--label", type=click.Choice(LABELS), help=ARGUMENTS["label"]),
    click.option("--version", metavar="ID", help=ARGUMENTS["version"]),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def asks_for_a_version(function: _Function) -> _Function:
    """Gives a command the parameters `name`, `label`, `version` and `as_json`."""
    for option in reversed(_VERSION_OPTIONS):
        function = option(function)
    return function


def show(
    command: Callable[..., Report], name: str, label: str | None, version: str | None, as_json: bool, **more: Any
) -> None:
    """Runs a command that reads a version, and prints its report; raises what the command raises, and UsageError."""
    if label is not None and version is not None:
        raise click.UsageError("--label and --version exclude each other: give one of them")
    credentials = kind_in_environment().from_env()
    # Without a prompt folder, so that the answer is the platform's, or its error.
    with ScopeClient(credentials=credentials, prompt_dir=None) as client:
        report = command(client, name=name, label=label, version=version, **more)
    if report.note and not as_json:
        terminal.note(report.note)
    terminal.say(report.text(as_json=as_json))
