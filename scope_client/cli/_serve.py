"""`scope serve`: a Scope Platform on this machine, over a folder of prompts."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import click

from .._folder.reader import read_prompt_dir
from .._foreign_text import printable
from ..errors import ConfigurationError
from . import _terminal as terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._folder.record import VersionRecord
    from ..local import LocalPlatform

DEFAULT_PORT = 8750
SLEEP_SECONDS = 3600.0


class _Said:
    """A range of Click's that says itself what a number must be; Click would speak of "a valid integer range"."""

    def __init__(self, must_be: str, **limits: float) -> None:
        super().__init__(**limits)
        self._must_be = must_be

    def convert(self: Any, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)  # type: ignore[misc]  # of what this is mixed into
        except click.BadParameter:
            self.fail(f"it must be {self._must_be}, got {value!r}", param, ctx)


class _WholeNumber(_Said, click.IntRange):
    pass


class _Number(_Said, click.FloatRange):
    pass


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--port",
    type=_WholeNumber("a whole number from 0 to 65535", min=0, max=65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="0 picks a free one.",
)
@click.option(
    "--token-ttl",
    type=_WholeNumber("a whole number of seconds, 1 or more", min=1),
    default=3600,
    metavar="SECONDS",
    show_default=True,
    help="The life of a token.",
)
@click.option(
    "--latency",
    type=_Number("a number of seconds, 0 or more", min=0),
    default=0.0,
    metavar="SECONDS",
    help="A pause before each answer.",
)
def serve(folder: str, port: int, token_ttl: int, latency: float) -> None:
    """Run a Scope Platform over a folder. It listens on this machine only, until Ctrl-C."""
    # The platform needs Flask, which the other commands do not.
    from ..local import LocalPlatform

    try:
        made = LocalPlatform(folder, port=port, token_ttl=token_ttl, latency=latency, log=terminal.say)
        with _started(made) as platform:
            for line in _opening(folder, platform):
                terminal.say(line)
            _wait()
    except KeyboardInterrupt:
        terminal.say("\nStopped.")


def _started(platform: LocalPlatform) -> LocalPlatform:
    try:
        return platform.start()
    except ConfigurationError as error:  # the port cannot be used
        raise ConfigurationError(error.message.replace("another", "another with --port")) from None


def _wait() -> None:
    while True:
        time.sleep(SLEEP_SECONDS)


def _opening(folder: str, platform: LocalPlatform) -> Iterator[str]:
    yield f"Serving {printable(folder)} on {platform.url}"
    yield ""
    yield from _catalogue(read_prompt_dir(folder)) or ["  no prompt yet: write a file greeting.md into the folder"]
    yield ""
    yield "To use it, paste this into another terminal:"
    yield ""
    yield from (f"export {variable}={shlex.quote(value)}" for variable, value in platform.environ.items())
    yield ""
    yield "An edited file is served at once. Ctrl-C stops the platform. The requests:"
    yield ""


def _catalogue(prompts: Mapping[str, tuple[VersionRecord, ...]]) -> list[str]:
    lines = []
    for name, versions in prompts.items():
        lines.append(f"  {printable(name):<29}  {versions[0].prompt_id}")
        lines += [f"    v{each.number:<5}  {each.status:<9}  {each.type:<8}  {printable(each.id)}" for each in versions]
    return lines
