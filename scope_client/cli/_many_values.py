"""Options that take several values, as `--used-by src templates`; Click's own take one, or a fixed number."""

from __future__ import annotations

from collections.abc import Iterator

import click


class TakesManyValues(click.Command):
    """A command whose options with the mark `multiple` take all words up to the next option."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        names = {
            name
            for option in self.params
            if isinstance(option, click.Option) and option.multiple
            for name in option.opts
        }
        return super().parse_args(context, list(_spread(args, names)))


def _spread(args: list[str], names: set[str]) -> Iterator[str]:
    """The option before each of its values."""
    name = ""
    values = 0
    for place, each in enumerate(args):
        if each == "--":
            yield from args[place:]
            return
        if each.startswith("-") and each != "-":
            name, values = each if each in names else "", 0
        elif name:
            values += 1
            if values > 1:
                yield name
        yield each
