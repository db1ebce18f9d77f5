"""`scope list`: the prompts of a folder, a line for each version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .._folder.reader import PromptFolder
from .._foreign_text import printable
from ..frameworks import Report
from . import _terminal as terminal
from ._reader import checked_format, print_report, prints_a_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._folder.record import VersionRecord

_COLUMNS = ("NAME", "VERSION", "STATUS", "TYPE", "VARIABLES")
NO_PROMPT_YET = "no prompt yet: write a file greeting.md into the folder"


@click.command("list")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False))
@click.option(
    "--prompt-dir",
    envvar="SCOPE_PROMPT_DIR",
    show_envvar=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="The same as FOLDER, which wins over it.",
)
@prints_a_report
def list_prompts(
    folder: str | None,
    prompt_dir: str | None,
    format: str | None,  # noqa: A002  # the option's own word
    json: bool,
) -> None:
    """List the prompts of a folder: each version with its status, type and variables.

    The platform's own prompts are in its web app: its API lists none.
    """
    as_json = checked_format(format, json)
    where = folder or prompt_dir
    if not where:
        raise click.UsageError("name a folder of prompts, or set SCOPE_PROMPT_DIR; the platform's API lists no prompts")
    read = PromptFolder(where, note=terminal.note)
    print_report(_report({name: read.versions(name) for name in read.names}), as_json=as_json)


def _report(prompts: Mapping[str, tuple[VersionRecord, ...]]) -> Report:
    rows = [_row(version) for versions in prompts.values() for version in versions]
    data = [
        {"name": name, "id": versions[0].prompt_id, "versions": list(map(_facts, versions))}
        for name, versions in prompts.items()
    ]
    return Report(_table([_COLUMNS, *rows]) if rows else [NO_PROMPT_YET], {"prompts": data})


def _row(version: VersionRecord) -> tuple[str, ...]:
    variables = printable(", ".join(version.variables))
    return printable(version.prompt), f"v{version.number}", version.status, version.type, variables


def _facts(version: VersionRecord) -> dict[str, Any]:
    body = version.to_body()
    shown = ("status", "is_production", "variables", "metadata", "tags", "updated_at")
    return {
        "id": body["id"],
        "version_number": version.number,
        "type": version.type,
        **{name: body[name] for name in shown},
    }


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
