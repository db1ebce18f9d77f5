"""`scope serve`: a Scope Platform on this machine, over a folder of prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigurationError
from . import _terminal as terminal
from ._ending import end_on_sigterm, wait_for_a_signal
from ._opening import opening

if TYPE_CHECKING:
    from ..local import LocalPlatform

DEFAULT_PORT = 8750
LAST_WORDS = "Stopped."


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
@click.option(
    "--read-only", is_flag=True, help="The page in the browser changes no prompt and no fault, and writes no file."
)
@click.option("--no-ui", is_flag=True, help="Without the page in the browser.")
@click.option("--org-id", envvar="SCOPE_ORG_ID", show_envvar=True, help="The organisation to accept.")
@click.option("--api-key", envvar="SCOPE_API_KEY", show_envvar=True, help="The API key to accept.")
@click.option("--api-secret", envvar="SCOPE_API_SECRET", show_envvar=True, help="The secret of the API key.")
@click.option("--client-id", envvar="SCOPE_CLIENT_ID", show_envvar=True, help="The client ID to accept.")
@click.option("--client-secret", envvar="SCOPE_CLIENT_SECRET", show_envvar=True, help="The secret of the client ID.")
def serve(
    folder: str,
    port: int,
    token_ttl: int,
    latency: float,
    host: str | None,
    allowed_hosts: tuple[str, ...],
    read_only: bool,
    no_ui: bool,
    **keys: str | None,
) -> None:
    """Run a Scope Platform over a folder, until Ctrl-C or SIGTERM.

    It listens on this machine only, unless --host says otherwise. It answers programs, and no web page of another
    site. A key or a secret that you give is the one it accepts. In a browser it shows the prompts, what was asked and
    switches for faults; what you publish or draft there is written into the folder.
    """
    end_on_sigterm(0, f"\n{LAST_WORDS}\n")
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
            ui=not no_ui,
            read_only=read_only,
            **filled_up(**keys),
        )
        with _started(made) as platform:
            for line in opening(folder, platform, host, keys, has_page=not no_ui):
                terminal.say(line)
            while True:
                wait_for_a_signal()
    except KeyboardInterrupt:
        terminal.say(f"\n{LAST_WORDS}")


def _started(platform: LocalPlatform) -> LocalPlatform:
    try:
        return platform.start()
    except ConfigurationError as error:  # the port or the host cannot be used
        raise ConfigurationError(error.message.replace("another", "another with --port")) from None
