"""What `scope serve` says when it starts: the prompts, who reaches them, and the variables that a program needs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .._config.credentials import SECRET_VARIABLES
from .._config.rules import is_loopback
from .._folder.reader import read_prompt_dir
from .._foreign_text import printable
from ._list import NO_PROMPT_YET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._folder.record import VersionRecord
    from ..local import LocalPlatform


def opening(
    folder: str, platform: LocalPlatform, host: str | None, keys: Mapping[str, str | None], *, has_page: bool
) -> Iterator[str]:
    """The lines; `host` and `keys` are what the user gave."""
    yield f"Serving {printable(folder)} on {platform.url}"
    if has_page:
        yield f"In a browser: {platform.url}/"
    yield ""
    yield from _catalogue(read_prompt_dir(folder)) or [f"  {NO_PROMPT_YET}"]
    yield ""
    if host is not None:
        yield from _warning(host)
        yield ""
    yield "To use it, paste this into another terminal:"
    yield ""
    yield from (_line("export ", variable, value, keys) for variable, value in platform.environ.items())
    yield ""
    yield f"The newer client credentials work too, in place of the API key{_of_this_run(host, keys)}:"
    yield ""
    yield from (_line("  ", variable, value, keys) for variable, value in _client_variables(platform).items())
    yield ""
    if host is not None or any(keys.values()):
        yield _whose(keys)
        yield ""
    yield "An edited file is served at once. A running program asks for it"
    yield "when its cache_ttl is over: after five minutes, unless it is set."
    yield "Ctrl-C stops the platform. The requests:"
    yield ""


def _client_variables(platform: LocalPlatform) -> dict[str, str]:
    client = platform.client_credentials
    return {"SCOPE_CLIENT_ID": client.client_id, "SCOPE_CLIENT_SECRET": client.client_secret}


def _warning(host: str) -> Iterator[str]:
    if not is_loopback(f"http://[{host}]" if ":" in host else f"http://{host}"):
        yield "WARNING: other machines can reach this platform. Run it in a network that you trust."
    yield f"It listens on {host}: whoever reaches that and has the key reads the prompts. Nothing is encrypted."
    yield "A client elsewhere needs allow_insecure=True, and --allow-host if it asks by a name."


def _line(before: str, variable: str, value: str, keys: Mapping[str, str | None]) -> str:
    if variable in SECRET_VARIABLES and keys[variable.replace("SCOPE_", "").lower()]:
        return f"# {variable}: the secret that you gave"
    return f"{before}{variable}={shlex.quote(value)}"


def _whose(keys: Mapping[str, str | None]) -> str:
    """Which of the keys are the user's own, and which are good for this run alone."""
    given = [f"SCOPE_{name.upper()}" for name, value in keys.items() if value]
    made_up = [f"SCOPE_{name.upper()}" for name in ("api_key", "api_secret") if not keys[name]]
    parts = [f"As you gave: {', '.join(given)}."] if given else []
    return " ".join([*parts, *([f"Made up for this run: {', '.join(made_up)}."] if made_up else [])])


def _of_this_run(host: str | None, keys: Mapping[str, str | None]) -> str:
    made_up = [name for name in ("client_id", "client_secret") if not keys[name]]
    if not made_up or (host is None and not any(keys.values())):
        return ""
    return f" ({' and '.join(f'SCOPE_{name.upper()}' for name in made_up)} made up for this run)"


def _catalogue(prompts: Mapping[str, tuple[VersionRecord, ...]]) -> list[str]:
    lines = []
    for name, versions in prompts.items():
        lines.append(f"  {printable(name):<29}  {versions[0].prompt_id}")
        lines += [f"    v{each.number:<5}  {each.status:<9}  {each.type:<8}  {printable(each.id)}" for each in versions]
    return lines
