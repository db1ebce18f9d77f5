"""The group of commands, and the one place where a failure becomes a line on standard error."""

from __future__ import annotations

import click

from .. import __version__
from ..frameworks import explained
from . import _terminal as terminal
from ._bump import bump
from ._check import check
from ._demo import demo
from ._doctor import doctor
from ._get import get
from ._list import list_prompts
from ._pull import pull
from ._render import render
from ._serve import serve
from ._types import types

_ENVIRONMENT_HELP = (
    "get and render read SCOPE_ORG_ID, SCOPE_API_KEY and SCOPE_API_SECRET (or SCOPE_CLIENT_ID and "
    "SCOPE_CLIENT_SECRET), SCOPE_API_URL and SCOPE_AUTH_API_URL from the environment."
)


@click.group(
    invoke_without_command=True,
    epilog=_ENVIRONMENT_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="scope", message="%(prog)s %(version)s")
@click.pass_context
def scope(context: click.Context) -> None:
    """Prompts of the Scope Platform: read them, fill them in, or serve a folder of them."""
    if context.invoked_subcommand is None:
        terminal.say(context.get_help())


for _command in (demo, serve, list_prompts, get, render, check, pull, bump, types, doctor):
    scope.add_command(_command)


def run() -> int:
    """Runs the command line of the process, and returns its exit code; KeyboardInterrupt passes through."""
    terminal.prepare()
    try:
        return scope.main(prog_name="scope", standalone_mode=False) or 0
    except click.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:  # noqa: BLE001  # people need a message, not a traceback
        terminal.complain(_explained(error))
        return error.exit_code if isinstance(error, click.ClickException) else 1


def _explained(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):  # its message says which extra is missing
        return str(error)
    if not isinstance(error, click.ClickException):
        return explained(error)
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f" (see {context.command_path} --help)" if context else ""
    return f"{error.format_message().rstrip('.')}{hint}"
