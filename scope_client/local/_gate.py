"""The gate of the local platform: programs may ask it, and pages of other sites in a browser may not.

A browser says by which name it found the platform (Host), and which site's page asks (Origin, Sec-Fetch-Site). A site
whose name was made to lead to this machine (DNS rebinding) gives itself away by that name.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from .._wording import shown
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed.wsgi import WSGIEnvironment

LOOPBACK_HOST = "127.0.0.1"
DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{1,5}))?", re.IGNORECASE | re.ASCII)
_OWN_SITE = (None, "none", "same-origin")  # "none": a person typed the address
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OF_PROXIES = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP")
_READ_ONLY_FROM_HERE = (
    "What a page changes must come from that page, in a browser on the machine of this platform, "
    "under http://127.0.0.1 or http://localhost"
)
_FOREIGN_HOST = (
    "The Host {said} is not a name of this platform, which answers to localhost:{port} and 127.0.0.1:{port}. "
    "If the name is yours, allow it: scope serve --allow-host, or LocalPlatform(allowed_hosts=...)"
)


class Authority(NamedTuple):
    """A name in lower case, or an address in its usual form; and the port, or None if none was said."""

    name: str
    port: int | None


class Objection(NamedTuple):
    """Why a request is refused, as the parts of the answer."""

    status: int
    code: str
    message: str


class Gate:
    """Lets in who asks by a name of the loopback, by the host that is listened on, or by an allowed name.

    Args:
        host: What is listened on, checked by `checked_host`. Any address is a good name if it stands for all of them.
        allowed: More names or addresses; without a port, any port will do. None for any name; the page of a site does
            not get a token under one, because a browser says whose page asks for it.

    Raises:
        ConfigurationError: One of the allowed is not a name or an address.
    """

    def __init__(self, host: str, allowed: Sequence[str] | None) -> None:
        self._own = {"localhost", _usual(host)}
        self._is_on_all_addresses = means_all_addresses(host)
        self._takes_any_name = allowed is None
        self._allowed = {_checked(each) for each in _checked_list(() if allowed is None else allowed)}

    def objection(self, environ: WSGIEnvironment) -> Objection | None:
        """What is wrong with where a request comes from; None if it is let in."""
        return self._objection(environ, takes_any_name=self._takes_any_name)

    def objection_to_a_page(self, environ: WSGIEnvironment) -> Objection | None:
        """The same for a page, which needs no token: never under any name, and to write only on its own loopback."""
        objection = self._objection(environ, takes_any_name=False, takes_links=True)
        if objection is not None or environ["REQUEST_METHOD"] in SAFE_METHODS:
            return objection
        may_write = self.is_own_loopback(environ) and environ.get("HTTP_ORIGIN") is not None
        return None if may_write else Objection(403, "read_only_from_here", _READ_ONLY_FROM_HERE)

    def is_own_loopback(self, environ: WSGIEnvironment) -> bool:
        """Whether a request comes from this machine, for a name of the loopback; and from its page, if it says whose.

        One that a proxy passed on does not, wherever the proxy is.
        """
        if any(header in environ for header in _OF_PROXIES) or not _is_loopback(environ.get("REMOTE_ADDR", "")):
            return False
        port = int(environ["SERVER_PORT"])
        host = _parsed(environ.get("HTTP_HOST", "").strip())
        if host is None or not _is_loopback(host.name) or (host.port or DEFAULT_PORTS["http"]) != port:
            return False
        if environ.get("HTTP_SEC_FETCH_SITE") not in _OWN_SITE and not _follows_a_link(environ):
            return False
        origin = environ.get("HTTP_ORIGIN")
        scheme, _, rest = (origin or "").partition("://")
        return origin is None or (scheme == "http" and _parsed(rest) == host)

    def _objection(
        self, environ: WSGIEnvironment, *, takes_any_name: bool, takes_links: bool = False
    ) -> Objection | None:
        port = int(environ["SERVER_PORT"])
        said = environ.get("HTTP_HOST", "").strip()
        host = _parsed(said)
        if host is None:
            return Objection(400, "bad_host", "The request needs one Host header: a name or an address, and the port")
        if not (takes_any_name or self._is_ours(host, "http", port)):
            message = _FOREIGN_HOST.format(said=shown(said), port=port)
            return Objection(421, "foreign_host", message)
        site = "none" if takes_links and _follows_a_link(environ) else environ.get("HTTP_SEC_FETCH_SITE")
        if not self._is_our_page(environ.get("HTTP_ORIGIN"), site, port):
            return Objection(403, "foreign_origin", "A page of another site may not ask this platform")
        return None

    def _is_our_page(self, origin: str | None, site: str | None, port: int) -> bool:
        if site not in _OWN_SITE:
            return False
        if origin is None:
            return True
        scheme, _, rest = origin.partition("://")
        authority = _parsed(rest)
        return scheme in DEFAULT_PORTS and authority is not None and self._is_ours(authority, scheme, port)

    def _is_ours(self, asked: Authority, scheme: str, port: int) -> bool:
        asked_port = DEFAULT_PORTS[scheme] if asked.port is None else asked.port
        if {(asked.name, asked_port), (asked.name, None)} & self._allowed:
            return True
        return asked_port == port and self._is_own_name(asked.name)

    def _is_own_name(self, name: str) -> bool:
        """An address is never what a site was rebound from: the page's name would be that address."""
        address = _address(name)
        return name in self._own or (address is not None and (self._is_on_all_addresses or address.is_loopback))


def checked_host(host: str) -> str:
    """The name or address to listen on; raises ConfigurationError if it is not one."""
    authority = _authority(host)
    if authority is None or authority.port is not None:
        raise ConfigurationError(
            f"host must be a name or an address without a port, such as 0.0.0.0, got {shown(host)}"
        )
    return host


def means_all_addresses(host: str) -> bool:
    """Whether it is 0.0.0.0, or its like in IPv6."""
    address = _address(host)
    return address is not None and address.is_unspecified


def _checked_list(allowed: Sequence[str]) -> Sequence[str]:
    if isinstance(allowed, str):
        raise ConfigurationError(f"allowed_hosts must be a list of names, got text: [{shown(allowed)}]?")
    return allowed


def _checked(text: str) -> Authority:
    authority = _authority(text)
    if authority is None:
        raise ConfigurationError(
            f"an allowed host must be a name or an address, such as scope or scope:8750, got {shown(text)}"
        )
    return authority


def _authority(text: object) -> Authority | None:
    """As in a URL; an IPv6 address may lack the brackets."""
    if not isinstance(text, str):
        return None
    return _parsed(text) if _address(text) is None else Authority(_usual(text), None)


def _parsed(text: str) -> Authority | None:
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None
    bracketed, name, port = found.groups()
    return Authority(_usual(bracketed or name), None if port is None else int(port))


def _usual(name: str) -> str:
    address = _address(name)
    return name.lower() if address is None else str(address)


def _follows_a_link(environ: WSGIEnvironment) -> bool:
    """Whether a person goes to a page, wherever the link was: that other site does not get to see the page."""
    how = environ.get("HTTP_SEC_FETCH_MODE"), environ.get("HTTP_SEC_FETCH_DEST")
    return environ["REQUEST_METHOD"] in SAFE_METHODS and how == ("navigate", "document")


def _is_loopback(name: str) -> bool:
    address = _address(name)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return name == "localhost" if mapped is None else bool(mapped.is_loopback)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
