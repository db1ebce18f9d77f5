"""`manage.py scope`: look after the prompts that the site's templates use."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, BooleanOptionalAction
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scope_client import ScopeError
from scope_client.frameworks import ARGUMENTS, COMMANDS, LABELS, Site, explained, wants_json
from scope_django import _conf as conf
from scope_django._client import get_client
from scope_django._kept import unkept
from scope_django._uses import code, project, survey

_DJANGO_OPTIONS: dict[str, dict[str, Any]] = {  # which may stand after the action too
    "--settings": {},
    "--pythonpath": {},
    "--verbosity": {"type": int, "choices": range(4)},
    "--traceback": {"action": "store_true"},
    "--no-color": {"action": "store_true"},
    "--force-color": {"action": "store_true"},
}
_USING = "The organisation to ask, a key of SCOPE, on a site that has several."


class Command(BaseCommand):
    """The command, with an action as its first argument."""

    help = "Prompts of the Scope Platform: check those of templates, list, warm, get and render them."
    requires_system_checks: list[str] = []  # noqa: RUF012  # "check" says what is wrong in its own words

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Gives each action its own arguments."""
        actions = parser.add_subparsers(title="actions", dest="action", required=True)
        for name, command in COMMANDS.items():
            action = actions.add_parser(name, help=command.help, description=command.help)
            for option, settings in _DJANGO_OPTIONS.items():
                action.add_argument(option, help=SUPPRESS, default=SUPPRESS, **settings)
            action.add_argument("--format", choices=command.formats, help=ARGUMENTS["format"])
            action.add_argument("--json", action="store_true", help=ARGUMENTS["json"])
            if {"name", "names", "one_name"}.intersection(command.arguments):
                action.add_argument("--using", metavar="NAME", help=_USING)
            _add(action, command.arguments)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the report of the action; raises CommandError if it does not succeed."""
        command = COMMANDS[options["action"]]
        given = {argument: options[argument] for argument in command.arguments}
        try:
            as_json = wants_json(options["json"], options["format"])
            if "names" in given:
                given["using"] = options["using"]
            is_of_one = not {"name", "one_name"}.isdisjoint(given)
            client = partial(get_client, using=(options["using"] if is_of_one else None) or conf.DEFAULT)
            site = Site(client, conf.problems, survey, unkept, project, code, has_organisations=True)
            report = command.run(site, **given)
        except ScopeError as error:
            raise CommandError(explained(error)) from None
        encoding = getattr(self.stdout, "encoding", None) or sys.stdout.encoding
        self.stdout.write(report.text(as_json=as_json, encoding=encoding, is_terminal=self.stdout.isatty()))
        if report.failure:
            raise CommandError(report.failure)


def _add(action: ArgumentParser, arguments: tuple[str, ...]) -> None:
    if "name" in arguments:
        action.add_argument("name", help=ARGUMENTS["name"])
        which = action.add_mutually_exclusive_group()
        which.add_argument("--label", choices=LABELS, help=ARGUMENTS["label"])
        which.add_argument("--version", metavar="ID", help=ARGUMENTS["version"])
    if "one_name" in arguments:
        action.add_argument("one_name", nargs="?", metavar="name", help=ARGUMENTS["one_name"])
    if "lock_of_doctor" in arguments:
        action.add_argument("--lock", dest="lock_of_doctor", metavar="FILE", help=ARGUMENTS["lock_of_doctor"])
    if "var" in arguments:
        action.add_argument("-v", "--var", action="append", default=[], metavar="KEY=VALUE", help=ARGUMENTS["var"])
    if "vars_file" in arguments:
        action.add_argument("--vars-file", metavar="FILE", help=ARGUMENTS["vars_file"])
    if "names" in arguments:
        action.add_argument("names", nargs="*", help=ARGUMENTS["names"])
    if "paths" in arguments:
        action.add_argument("paths", nargs="*", default=[], metavar="path", help=ARGUMENTS["paths"])
        action.add_argument("--against", metavar="WHAT", help=ARGUMENTS["against"])
        action.add_argument("--label", choices=LABELS, help=ARGUMENTS["promoted"])
        action.add_argument("--lock", metavar="FILE", help=ARGUMENTS["lock"])
        action.add_argument("--strict", action=BooleanOptionalAction, default=None, help=ARGUMENTS["strict"])
        action.add_argument("--baseline", metavar="FILE", help=ARGUMENTS["baseline"])
        action.add_argument("--write-baseline", action="store_true", help=ARGUMENTS["write_baseline"])
        action.add_argument("-v", "--verbose", action="store_true", help=ARGUMENTS["verbose"])
    if "exclude" in arguments:
        what = ARGUMENTS["exclude"]
        action.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help=what)
