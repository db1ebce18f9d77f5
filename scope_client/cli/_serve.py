"""`scope serve`: a Scope Platform on this machine, over a folder of prompts."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import click

from .._config.credentials import SECRET_VARIABLES
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
@click.option(
    "--host",
    metavar="ADDRESS",
    help="Listen there and not on 127.0.0.1; 0.0.0.0 for all addresses. The keys are then made up for this run.",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME[:PORT]",
    help="A further name by which programs ask for it, such as the name of its container. Can be given again.",
)
@click.option("--org-id", envvar="SCOPE_ORG_ID", show_envvar=True, help="The organisation to accept.")
@click.option("--api-key", envvar="SCOPE_API_KEY", show_envvar=True, help="The API key to accept.")
@click.option("--api-secret", envvar="SCOPE_API_SECRET", show_envvar=True, help="The secret of the API key.")
def serve(
    folder: str,
    port: int,
    token_ttl: int,
    latency: float,
    host: str | None,
    allowed_hosts: tuple[str, ...],
    **keys: str | None,
) -> None:
    """Run a Scope Platform over a folder, until Ctrl-C. It listens on this machine only, unless --host says otherwise.

    It answers programs, and no web page of another site. A key or a secret that you give is the one it accepts.
    """
    # The platform needs Flask, which the other commands do not.
    from ..local import LocalPlatform
    from ..local._keys import filled_up

    try:
        made = LocalPlatform(
            folder,
            port=port,
            token_ttl=token_ttl,
            latency=latency,
            log=terminal.say,
            host=host,
            allowed_hosts=allowed_hosts,
            credentials=None if set(keys.values()) == {None} else filled_up(**keys),
        )
        with _started(made) as platform:
            for line in _opening(folder, platform, host, keys):
                terminal.say(line)
            _wait()
    except KeyboardInterrupt:
        terminal.say("\nStopped.")


def _started(platform: LocalPlatform) -> LocalPlatform:
    try:
        return platform.start()
    except ConfigurationError as error:  # the port or the host cannot be used
        raise ConfigurationError(error.message.replace("another", "another with --port")) from None


def _wait() -> None:
    while True:
        time.sleep(SLEEP_SECONDS)


def _opening(folder: str, platform: LocalPlatform, host: str | None, keys: Mapping[str, str | None]) -> Iterator[str]:
    yield f"Serving {printable(folder)} on {platform.url}"
    yield ""
    yield from _catalogue(read_prompt_dir(folder)) or ["  no prompt yet: write a file greeting.md into the folder"]
    yield ""
    if host is not None:
        yield f"It listens on {host}: whoever reaches that and has the key reads the prompts. Nothing is encrypted."
        yield "A client elsewhere needs allow_insecure=True, and --allow-host if it asks by a name."
        yield ""
    yield "To use it, paste this into another terminal:"
    yield ""
    yield from (_export(variable, value, keys) for variable, value in platform.environ.items())
    yield ""
    if host is not None or any(keys.values()):
        yield _whose(keys)
        yield ""
    yield "An edited file is served at once. Ctrl-C stops the platform. The requests:"
    yield ""


def _export(variable: str, value: str, keys: Mapping[str, str | None]) -> str:
    if variable == SECRET_VARIABLES[0] and keys["api_secret"]:
        return f"# {variable}: the secret that you gave"
    return f"export {variable}={shlex.quote(value)}"


def _whose(keys: Mapping[str, str | None]) -> str:
    """Which of the keys are the user's own, and which are good for this run alone."""
    given = [f"SCOPE_{name.upper()}" for name, value in keys.items() if value]
    made_up = [f"SCOPE_{name.upper()}" for name in ("api_key", "api_secret") if not keys[name]]
    parts = [f"As you gave: {', '.join(given)}."] if given else []
    return " ".join([*parts, *([f"Made up for this run: {', '.join(made_up)}."] if made_up else [])])


def _catalogue(prompts: Mapping[str, tuple[VersionRecord, ...]]) -> list[str]:
    lines = []
    for name, versions in prompts.items():
        lines.append(f"  {printable(name):<29}  {versions[0].prompt_id}")
        lines += [f"    v{each.number:<5}  {each.status:<9}  {each.type:<8}  {printable(each.id)}" for each in versions]
    return lines
