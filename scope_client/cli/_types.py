"""`scope types`: a module with a typed function for each prompt."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ..errors import ConfigurationError
from ..frameworks import LABELS
from . import _terminal as terminal

if TYPE_CHECKING:
    from .._types.module_file import ModuleFile
    from .._types.sources import Prompts

STANDARD_OUTPUT = "-"
_WITHOUT_PRODUCTION = "no function for {}: it has no production version; publish one, or give --label latest"


class _CannotTellError(click.ClickException):
    exit_code = 2


def _renamed(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in given:
        prompt, equals, function = each.rpartition("=")
        if not equals:
            raise click.BadParameter(f"write PROMPT=FUNCTION, not {each!r}", context, parameter)
        if prompt in pairs:
            raise click.BadParameter(f"the prompt {prompt!r} is there twice", context, parameter)
        pairs[prompt] = function
    return pairs


@click.command("types")
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option(
    "--lock",
    metavar="FILE",
    help="The locked versions, from the lock's folder. Without a folder, by default the lock of SCOPE_LOCK.",
)
@click.option("-o", "--output", metavar="FILE", required=True, help="The module to write; - prints it.")
@click.option(
    "--label",
    type=click.Choice(LABELS),
    help="The versions of the folder that the functions are for, and read: production, or latest.",
)
@click.option(
    "--rename",
    "renamed",
    multiple=True,
    metavar="PROMPT=FUNCTION",
    callback=_renamed,
    help="Another name for the function of a prompt; repeat it for more.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the file is not what would be written.")
@click.option("--force", is_flag=True, help="Replace a file that this command did not write.")
def types(
    folder: str | None,
    lock: str | None,
    output: str,
    label: str | None,
    renamed: dict[str, str],
    check: bool,
    force: bool,
) -> int:
    """Write a Python module with a typed function for each prompt of a folder or a lock.

    A wrong keyword is then a mistake that a type checker finds.
    """
    if folder is None and lock is None:
        lock = os.environ.get("SCOPE_LOCK") or None
    _check_usage(folder, lock, output, label, check)
    try:
        text, count = _made(folder, lock, label or LABELS[0], renamed)
        if output == STANDARD_OUTPUT:
            terminal.say(text)
            return 0
        file = _file(output)
    except ConfigurationError as error:
        if check:
            raise _CannotTellError(error.message) from None
        raise
    if check:
        return _checked(file, text)
    if file.holds(text):
        terminal.note(f"{output} is up to date: {count}")
        return 0
    file.write(text, is_forced=force)
    terminal.note(f"wrote {output}: {count}")
    return 0


def _check_usage(folder: str | None, lock: str | None, output: str, label: str | None, check: bool) -> None:
    if (folder is None) == (lock is None):
        raise click.UsageError("give one of the two: a folder of prompts, or a lock with --lock FILE")
    if lock is not None and label is not None:
        raise click.UsageError("--label is for a folder: a lock says itself which versions it has")
    if check and output == STANDARD_OUTPUT:
        raise click.UsageError("--check needs the file to look at; give -o its path")


def _made(folder: str | None, lock: str | None, label: str, renamed: dict[str, str]) -> tuple[str, str]:
    """The text, and how many functions it has in words."""
    from .._types.signatures import signatures_of
    from .._types.source_text import module_text

    prompts = _prompts(folder, lock, label)
    for name in prompts.left_out:
        terminal.note(_WITHOUT_PRODUCTION.format(repr(name)))
    signatures = signatures_of(prompts.typed, renamed)
    count = f"{len(signatures):,} prompts" if len(signatures) != 1 else "1 prompt"
    return module_text(signatures), count


def _prompts(folder: str | None, lock: str | None, label: str) -> Prompts:
    from .._types.sources import prompts_of_folder, prompts_of_lock

    if lock is not None:
        return prompts_of_lock(lock)
    assert folder is not None
    return prompts_of_folder(folder, label)


def _file(output: str) -> ModuleFile:
    from .._types.module_file import found_at

    return found_at(output)


def _checked(file: ModuleFile, text: str) -> int:
    if file.holds(text):
        return 0
    if file.text is None:
        terminal.complain(f"{file.path} does not exist; write it with the same command, without --check")
        return 1
    terminal.say(file.differences(text))
    terminal.complain(f"{file.path} is not what the prompts say; write it with the same command, without --check")
    return 1
