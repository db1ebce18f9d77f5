"""What commands have in common: which version of a prompt, with whose credentials, and how a report is printed."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

import click

from .. import ScopeClient
from .._config.credentials import ApiKeyCredentials, Credentials, kind_in_environment, read_parts
from ..errors import MissingApiKeyError, ValidationError
from ..frameworks import ARGUMENTS, LABELS, OUTPUT_FORMATS, Report, wants_json
from . import _terminal as terminal

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Read = TypeVar("_Read")


class CannotTellError(click.ClickException):
    """What was asked for could not be found out."""

    exit_code = 2


_VERSION_OPTIONS = (
    click.argument("name"),
    click.option("--label", type=click.Choice(LABELS), help=ARGUMENTS["label"]),
    click.option("--version", metavar="ID", help=ARGUMENTS["version"]),
)
_REPORT_OPTIONS = (
    click.option("--format", type=click.Choice(OUTPUT_FORMATS), help=ARGUMENTS["format"]),
    click.option("--json", is_flag=True, help=ARGUMENTS["json"]),
)


def asks_for_a_version(function: _Function) -> _Function:
    """Gives a command the parameters `name`, `label` and `version`, and those of `prints_a_report`."""
    return _with(_VERSION_OPTIONS, prints_a_report(function))


def prints_a_report(function: _Function) -> _Function:
    """Gives a command the parameters `format` and `json`."""
    return _with(_REPORT_OPTIONS, function)


def _with(options: tuple[Callable[[_Function], _Function], ...], function: _Function) -> _Function:
    for option in reversed(options):
        function = option(function)
    return function


def as_parameter(read: Callable[[Any], _Read]) -> Callable[[click.Context, click.Parameter, Any], _Read]:
    """A callback of Click's; what `read` refuses is then wrong usage."""

    def callback(context: click.Context, parameter: click.Parameter, given: Any) -> _Read:
        try:
            return read(given)
        except ValidationError as error:
            raise click.BadParameter(error.message, context, parameter) from None

    return callback


def show(
    command: Callable[..., Report],
    name: str,
    label: str | None,
    version: str | None,
    format: str | None,  # noqa: A002  # the option's own word
    json: bool,
    **more: Any,
) -> None:
    """Runs a command that reads a version, and prints its report; raises what the command raises, and UsageError."""
    if label is not None and version is not None:
        raise click.UsageError("--label and --version exclude each other: give one of them")
    as_json = checked_format(format, json)
    with platform_client() as client:
        report = command(client, name=name, label=label, version=version, **more)
    print_report(report, as_json=as_json)


def platform_client() -> ScopeClient:
    """A client with the credentials of the environment: it has the platform's answer or error, no folder's or lock's.

    Raises MissingApiKeyError if there are none.
    """
    return ScopeClient(credentials=_credentials(), prompt_dir=None, lock=None)


def checked_format(format: str | None, json: bool) -> bool:  # noqa: A002  # the option's own word
    """Whether JSON is asked for; raises UsageError if the two options contradict each other."""
    try:
        return wants_json(json, format)
    except ValidationError as error:
        raise click.UsageError(error.message) from None


def print_report(report: Report, *, as_json: bool) -> None:
    """Prints a report on standard output, and its note on standard error."""
    if report.note and not as_json:
        terminal.note(report.note)
    terminal.say(report.text(as_json=as_json, is_terminal=terminal.is_one()))


def _credentials() -> Credentials:
    kind = kind_in_environment()
    missing = [f"SCOPE_{key}" for key, part in read_parts(kind, {}).items() if not part]
    if missing:
        hint = "; `scope serve` prints those of a platform of your own" if kind is ApiKeyCredentials else ""
        raise MissingApiKeyError(f"the credentials are missing: set {', '.join(missing)} in the environment{hint}")
    return kind.from_env()
