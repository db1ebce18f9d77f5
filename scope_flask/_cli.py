"""`flask scope`: look after the prompts that the app's templates use."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from scope_client import ScopeError
from scope_client.frameworks import ARGUMENTS, COMMANDS, LABELS, Command, Site, explained, jinja_survey

scope_group = AppGroup("scope", help="Prompts of the Scope Platform: check those that templates use, warm, render.")

_FORMAT_OPTION = click.Option(
    ["--format", "shown_as"], type=click.Choice(["text", "json"]), default="text", show_default=True
)
_PARAMETERS: dict[str, click.Parameter] = {
    "name": click.Argument(["name"]),
    "label": click.Option(["--label"], type=click.Choice(LABELS), help=ARGUMENTS["label"]),
    "version": click.Option(["--version"], metavar="ID", help=ARGUMENTS["version"]),
    "var": click.Option(["-v", "--var"], multiple=True, metavar="KEY=VALUE", help=ARGUMENTS["var"]),
    "names": click.Argument(["names"], nargs=-1),
}


def _run(command: Command, *, shown_as: str, **given: Any) -> None:
    state = current_app.extensions["scope"]
    site = Site(
        client=state.client,
        problems=lambda: state.settings.problems,
        survey=partial(jinja_survey, current_app.jinja_env),
    )
    try:
        report = command.run(site, **given)
    except (ScopeError, TypeError) as error:
        raise click.ClickException(explained(error)) from None
    is_terminal = sys.stdout.isatty()
    click.echo(report.text(as_json=shown_as == "json", encoding=sys.stdout.encoding, is_terminal=is_terminal))
    if report.failure:
        raise click.ClickException(report.failure)


for _name, _command in COMMANDS.items():
    scope_group.add_command(
        click.Command(
            _name,
            callback=with_appcontext(partial(_run, _command)),
            params=[*(_PARAMETERS[argument] for argument in _command.arguments), _FORMAT_OPTION],
            help=_command.help,
        )
    )
