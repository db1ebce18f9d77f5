"""`manage.py scope`: look after the prompts that the site's templates use."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scope_client import ScopeError
from scope_client.frameworks import Report, SettingProblem
from scope_client.frameworks import _commands as commands
from scope_django import _conf as conf
from scope_django._client import get_client
from scope_django._uses import survey

_DJANGOS: dict[str, dict[str, Any]] = {  # Django's own options, which may stand after the action too
    "--settings": {},
    "--pythonpath": {},
    "--verbosity": {"type": int, "choices": range(4)},
    "--traceback": {"action": "store_true"},
    "--no-color": {"action": "store_true"},
    "--force-color": {"action": "store_true"},
}


class Command(BaseCommand):
    help = "Prompts of the Scope Platform: check those that templates use, list, warm, get and render them."
    requires_system_checks: list[str] = []  # noqa: RUF012  # "check" says what is wrong in its own words

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(title="actions", dest="action", required=True)
        for name, (_, explained) in _ACTIONS.items():
            action = actions.add_parser(name, help=explained, description=explained)
            for option, settings in _DJANGOS.items():
                action.add_argument(option, help=SUPPRESS, default=SUPPRESS, **settings)
            action.add_argument("--format", choices=("text", "json"), default="text", help="text by default")
            if name in ("get", "render"):
                action.add_argument("name", help="the prompt's name or ID")
                which = action.add_mutually_exclusive_group()
                which.add_argument("--label", choices=("production", "latest"), help="production by default")
                which.add_argument("--version", metavar="ID", help="the version with this ID")
            if name == "render":
                action.add_argument("-v", "--var", action="append", default=[], metavar="KEY=VALUE", help="repeatable")
            if name == "warm":
                action.add_argument("names", nargs="*", help="further prompts, which no template names")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = _ACTIONS[options["action"]][0](options)
        except ScopeError as error:
            raise CommandError(f"{type(error).__name__}: {error}") from None
        encoding = getattr(self.stdout, "encoding", None) or sys.stdout.encoding
        self.stdout.write(report.text(as_json=options["format"] == "json", encoding=encoding))
        if report.failure:
            raise CommandError(report.failure)


def _check(options: dict[str, Any]) -> Report:
    found = survey()
    return commands.check(_problems(), get_client, found.uses, found.unread)


def _problems() -> list[SettingProblem]:
    problems = list(conf.read().problems)
    alias = conf.alias_problem()
    if alias:
        problems.append(SettingProblem("alias", "CACHE_ALIAS", alias, "name a cache of CACHES, or None"))
    return problems


def _get(options: dict[str, Any]) -> Report:
    return commands.get(get_client(), options["name"], options["label"], options["version"])


def _render(options: dict[str, Any]) -> Report:
    values = commands.pairs(options["var"])
    return commands.render(get_client(), options["name"], values, options["label"], options["version"])


def _list(options: dict[str, Any]) -> Report:
    return commands.listing(*survey())


def _warm(options: dict[str, Any]) -> Report:
    found = survey()
    return commands.warm(get_client(), found.uses, options["names"], found.unread)


_ACTIONS: dict[str, tuple[Callable[[dict[str, Any]], Report], str]] = {
    "check": (_check, "settings, platform, credentials, and each prompt and variable that a template names"),
    "get": (_get, "print a prompt as it is"),
    "render": (_render, "print a prompt with its variables filled in"),
    "list": (_list, "the prompts that templates use, with file and line"),
    "warm": (_warm, "fetch the prompts that templates use into the cache"),
}
