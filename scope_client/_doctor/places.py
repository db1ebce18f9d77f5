"""Places: the hosts that a client talks to, and what is on the way to each, as `requests` sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional
from urllib.parse import unquote, urlsplit

import requests

from .._config.configuration import Configuration
from .._http import sessions
from .._redaction import Secret

PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}


class Host(NamedTuple):
    """Where a socket goes."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


class Proxy(NamedTuple):
    """A proxy on the way, and where its URL came from."""

    host: Host
    scheme: str
    variable: Optional[str]
    """The environment variable; None if the session has it."""
    authorization: Optional[str]
    """ "name:password", which is secret."""

    @property
    def spelled(self) -> str:
        return self.variable or "the proxies of the session"


class Place(NamedTuple):
    """One of the two URLs of a client, or both if they lead to one host."""

    options: tuple[str, ...]
    """ "base_url", "auth_api_url", or both."""
    origin: str
    host: Host
    is_tls: bool
    verify: Any
    """As `requests` has it: True, False, or the path of a bundle."""
    proxy: Optional[Proxy]


def places_of(config: Configuration) -> Iterator[Place]:
    """The places of a client, each once."""
    by_origin: dict[str, list[str]] = {}
    for option in ("base_url", "auth_api_url"):
        found = urlsplit(getattr(config, option))
        by_origin.setdefault(f"{found.scheme}://{found.netloc}", []).append(option)
    session = config.session or sessions.own()
    for origin, options in by_origin.items():
        url = urlsplit(origin)
        settings = sessions.settings(session, origin)
        yield Place(
            tuple(options),
            origin,
            Host(url.hostname or "", url.port or _PORTS[url.scheme]),
            url.scheme == "https",
            settings["verify"],
            _proxy(origin, settings["proxies"], is_of_session=bool(session.proxies)),
        )


def _proxy(origin: str, proxies: Any, *, is_of_session: bool) -> Proxy | None:
    found = requests.utils.select_proxy(origin, proxies)
    if not found:
        return None
    url = urlsplit(str.__str__(found) if "://" in found else f"http://{str.__str__(found)}")
    scheme = url.scheme.lower()
    try:
        port = url.port or _PORTS.get(scheme, 80)
    except ValueError:
        port = 0
    named = Secret(f"{unquote(url.username)}:{unquote(url.password or '')}") if url.username else None
    return Proxy(Host(url.hostname or "", port), scheme, None if is_of_session else _variable(origin), named)


def _variable(origin: str) -> str | None:
    """The variable that requests reads for this origin."""
    scheme = origin.partition(":")[0].upper()
    for name in (f"{scheme}_PROXY", "ALL_PROXY"):
        for spelled in (name.lower(), name):
            if os.environ.get(spelled):
                return spelled
    return None
