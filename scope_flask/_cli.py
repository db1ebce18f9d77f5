"""`flask scope`: look after the prompts that the app's templates use."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from functools import partial
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from scope_client import ScopeClient, ScopeError
from scope_client.frameworks import (
    ARGUMENTS,
    COMMANDS,
    LABELS,
    Command,
    Search,
    Site,
    Survey,
    explained,
    search_jinja,
    wants_json,
)

from ._stores import CachelibStore

scope_group = AppGroup("scope", help="Look after the prompts that the app's templates use.")

_PARAMETERS: dict[str, click.Parameter] = {
    "name": click.Argument(["name"]),
    "label": click.Option(["--label"], type=click.Choice(LABELS), help=ARGUMENTS["label"]),
    "version": click.Option(["--version"], metavar="ID", help=ARGUMENTS["version"]),
    "var": click.Option(["-v", "--var"], multiple=True, metavar="KEY=VALUE", help=ARGUMENTS["var"]),
    "vars_file": click.Option(["--vars-file"], metavar="FILE", help=ARGUMENTS["vars_file"]),
    "one_name": click.Argument(["one_name"], required=False, metavar="[NAME]"),
    "lock_of_doctor": click.Option(["--lock", "lock_of_doctor"], metavar="FILE", help=ARGUMENTS["lock_of_doctor"]),
    "names": click.Argument(["names"], nargs=-1),
    "paths": click.Argument(["paths"], nargs=-1),
    "against": click.Option(["--against"], metavar="WHAT", help=ARGUMENTS["against"]),
    "lock": click.Option(["--lock"], metavar="FILE", help=ARGUMENTS["lock"]),
    "strict": click.Option(["--strict/--no-strict"], default=None, help=ARGUMENTS["strict"]),
    "baseline": click.Option(["--baseline"], metavar="FILE", help=ARGUMENTS["baseline"]),
    "write_baseline": click.Option(["--write-baseline"], is_flag=True, help=ARGUMENTS["write_baseline"]),
    "verbose": click.Option(["-v", "--verbose"], is_flag=True, help=ARGUMENTS["verbose"]),
    "exclude": click.Option(["--exclude"], multiple=True, metavar="PATTERN", help=ARGUMENTS["exclude"]),
}

_PROMOTED = click.Option(["--label"], type=click.Choice(LABELS), help=ARGUMENTS["promoted"])

_OF_ONE_PROCESS = {"NullCache": "keeps nothing", "SimpleCache": "belongs to this process alone"}
_OTHER_CACHE = "set SCOPE_CACHE to one that all processes share, such as redis://localhost:6379/0"


def _run(command: Command, *, format: str | None, json: bool, **given: Any) -> None:  # noqa: A002  # the option's word
    state = current_app.extensions["scope"]
    site = Site(
        client=state.client,
        problems=state.problems,
        survey=_survey,
        unkept=_unkept,
        project=_project,
        code=_code,
    )
    try:
        as_json = wants_json(json, format)
        if "format" in command.arguments:
            given["format"] = format
        report = command.run(site, **given)
    except (ScopeError, TypeError) as error:
        raise click.ClickException(explained(error)) from None
    is_terminal = sys.stdout.isatty()
    click.echo(report.text(as_json=as_json, encoding=sys.stdout.encoding, is_terminal=is_terminal))
    if report.failure:
        raise click.ClickException(report.failure)


def _survey(exclude: Sequence[str]) -> Survey:
    search = Search(_project(), exclude)
    search_jinja(search, current_app.jinja_env)
    return search.survey()


def _unkept(client: ScopeClient) -> str | None:
    store = client.config.cache_store
    if store is None:
        return f"SCOPE_CACHE is not set, so each process has prompts of its own; {_OTHER_CACHE}"
    if not isinstance(store, CachelibStore):
        return None
    try:
        with store.opened() as cache:
            kinds = {kind.__name__ for kind in type(cache).__mro__}
    except RuntimeError:  # the first use tells
        return None
    why = next((why for kind, why in _OF_ONE_PROCESS.items() if kind in kinds), None)
    return why and f"the cache of SCOPE_CACHE ({type(cache).__name__}) {why}; {_OTHER_CACHE}"


def _project() -> str:
    """The current folder if the app is in it, and otherwise the folder of the app."""
    here, root = os.getcwd(), current_app.root_path
    is_inside = os.path.realpath(root).startswith(os.path.join(os.path.realpath(here), ""))
    return here if is_inside and os.path.dirname(here) != here else root


def _code() -> str | None:
    """The folder of the app, unless it is one of installed packages or of Python itself."""
    root = os.path.realpath(current_app.root_path)
    installed = (os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))
    return None if any(root == each or root.startswith(os.path.join(each, "")) for each in installed) else root


def _parameters(command: Command) -> list[click.Parameter]:
    known = {**_PARAMETERS, "label": _PROMOTED} if "paths" in command.arguments else _PARAMETERS
    return [
        *(known[argument] for argument in command.arguments if argument != "format"),
        click.Option(["--format"], type=click.Choice(command.formats), help=ARGUMENTS["format"]),
        click.Option(["--json"], is_flag=True, help=ARGUMENTS["json"]),
    ]


for _name, _command in COMMANDS.items():
    scope_group.add_command(
        click.Command(
            _name,
            callback=with_appcontext(partial(_run, _command)),
            params=_parameters(_command),
            help=_command.help,
            short_help=_command.help,  # which is not cut
        )
    )


@scope_group.command(
    "status",
    hidden=True,
    with_appcontext=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def _status() -> None:
    """Says where the status of the servers is; a command has a client of its own, which has read nothing."""
    raise click.ClickException(
        "a command cannot see the servers' clients: for their status open the health page (scope_flask.health); "
        "flask scope check asks the platform"
    )
