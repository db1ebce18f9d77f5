"""`flask scope`: look after the prompts that the app's templates use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup

from scope_client import ScopeClient, ScopeError
from scope_client.frameworks import Report, Survey, jinja_survey
from scope_client.frameworks import _commands as commands

_Command = TypeVar("_Command", bound=Callable[..., Any])

scope_group = AppGroup("scope", help="Prompts of the Scope Platform: check those that templates use, warm, render.")
_format = click.option("--format", "shown_as", type=click.Choice(["text", "json"]), default="text", show_default=True)


def _asks_for_a_version(command: _Command) -> _Command:
    for option in (
        click.option("--version", metavar="ID", help="The version with this ID."),
        click.option("--label", type=click.Choice(["production", "latest"]), help="Production by default."),
        click.argument("name"),
    ):
        command = option(command)
    return command


def _client() -> ScopeClient:
    return _state().client()  # type: ignore[no-any-return]  # of the extension


def _state() -> Any:
    return current_app.extensions["scope"]


def _survey() -> Survey:
    return jinja_survey(current_app.jinja_env)


@contextmanager
def _as_usage_errors() -> Iterator[None]:
    try:
        yield
    except (ScopeError, TypeError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None


def _show(report: Report, shown_as: str) -> None:
    click.echo(report.text(as_json=shown_as == "json", encoding=sys.stdout.encoding))
    if report.failure:
        raise click.ClickException(report.failure)


@scope_group.command()
@_format
def check(shown_as: str) -> None:
    """Settings, platform, credentials, and each prompt and variable that a template names."""
    with _as_usage_errors():
        found = _survey()
        report = commands.check(_state().settings.problems, _client, found.uses, found.unread)
    _show(report, shown_as)


@scope_group.command()
@_asks_for_a_version
@_format
def get(name: str, label: str | None, version: str | None, shown_as: str) -> None:
    """Print a prompt as it is."""
    with _as_usage_errors():
        report = commands.get(_client(), name, label, version)
    _show(report, shown_as)


@scope_group.command()
@_asks_for_a_version
@click.option("-v", "--var", "given", multiple=True, metavar="KEY=VALUE", help="Repeatable.")
@_format
def render(name: str, label: str | None, version: str | None, given: tuple[str, ...], shown_as: str) -> None:
    """Print a prompt with its variables filled in."""
    with _as_usage_errors():
        report = commands.render(_client(), name, commands.pairs(given), label, version)
    _show(report, shown_as)


@scope_group.command("list")
@_format
def list_(shown_as: str) -> None:
    """The prompts that templates use, with file and line."""
    _show(commands.listing(*_survey()), shown_as)


@scope_group.command()
@click.argument("names", nargs=-1)
@_format
def warm(names: tuple[str, ...], shown_as: str) -> None:
    """Fetch the prompts that templates use, and NAMES, into the cache."""
    with _as_usage_errors():
        found = _survey()
        report = commands.warm(_client(), found.uses, names, found.unread)
    _show(report, shown_as)


@scope_group.command()
@_format
def status(shown_as: str) -> None:
    """How a client of this configuration is doing; a server's own is at its health page."""
    with _as_usage_errors():
        report = commands.status(_client())
    _show(report, shown_as)
