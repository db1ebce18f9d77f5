"""What requests, urllib3 and the system raise, translated into errors of ours; no secret is left in it."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterable, Iterator

import requests
import urllib3
from urllib3.util.ssl_match_hostname import CertificateError

from .._redaction import Redaction
from ..errors import ConfigurationError, ConnectionError, ScopeError, TimeoutError


def layers(error: BaseException, seen: frozenset[int] = frozenset()) -> Iterator[BaseException]:
    """An exception and those that requests and urllib3 wrapped into it."""
    yield error
    for inner in (getattr(error, "reason", None), *error.args):
        if isinstance(inner, BaseException) and id(inner) not in seen:
            yield from layers(inner, seen | {id(error), id(inner)})


def _chain(error: BaseException) -> list[BaseException]:
    """An exception with all that it wraps, that caused it, and in whose handling it was raised; each once."""
    found: dict[int, BaseException] = {}
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in found:
            found[id(each)] = each
            waiting += [each.__cause__, each.__context__, *each.args]
    return list(found.values())


def unusable(error: Exception, host: str) -> ConfigurationError:
    """The error for a host, or for a proxy on the way to it, whose address or settings cannot be used."""
    redaction = Redaction(())
    for each in _chain(error):
        redaction.error(each)
        each.__traceback__ = None
    why = redaction.text(_root(error))
    return ConfigurationError(f"nothing can be sent to {host}, check the URL and the proxies ({why})")


def translated(
    error: Exception, host: str, timeout: float, redaction: Redaction, *, open_timeout: float, was_connecting: bool
) -> ScopeError:
    """The error for an attempt that `error` ended; `timeout` is the seconds that it had, to connect `open_timeout`."""
    wrapped = list(layers(error))
    for each in _chain(error):
        redaction.error(each)
        each.__traceback__ = None  # whose frames hold the headers and the body; debug pages show them
        if isinstance(each, requests.RequestException):
            each.request = each.response = None  # they hold the token
        if isinstance(each, http.client.BadStatusLine):
            each.__dict__["line"] = ""  # which holds what the server sent, whole
    why = redaction.text(_root(wrapped[-1]))
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return unusable(error, host)
    if _is_tls(wrapped):
        return ConnectionError(f"TLS with {host} failed, check the URL and the CA bundle ({why})")
    if _is_timeout(wrapped) and (was_connecting or is_any(wrapped, urllib3.exceptions.ConnectTimeoutError)):
        which = " (open_timeout)" if open_timeout < timeout else ""
        return TimeoutError(f"no connection to {host} within {min(open_timeout, timeout):.3g} seconds{which}")
    if _is_timeout(wrapped):
        return TimeoutError(f"{host} did not answer in full within {timeout:.3g} seconds")
    return ConnectionError(f"{host} could not be reached, or broke off: check the URL, and that it is up ({why})")


def _root(error: BaseException) -> str:
    """The operating system's own words, if it said anything."""
    spoken = [each for each in _chain(error) if isinstance(each, OSError)]
    root = spoken[-1] if spoken else error
    return f"{type(root).__name__}: {root}"


def _is_timeout(errors: Iterable[BaseException]) -> bool:
    """urllib3 counts a refused connection among its connect time-outs, which it is not."""
    kinds = (requests.Timeout, urllib3.exceptions.TimeoutError, socket.timeout)
    refused = urllib3.exceptions.NewConnectionError
    return any(isinstance(error, kinds) and not isinstance(error, refused) for error in errors)


def may_pass(error: ScopeError) -> bool:
    """Whether another attempt may end better: not if the request cannot be sent at all, or if TLS fails."""
    cause = error.__cause__
    if isinstance(error, ConfigurationError) or not isinstance(cause, _OF_THE_NETWORK):
        return False
    is_no_ca_bundle = type(cause) is OSError and cause.errno is None
    return not (is_no_ca_bundle or _is_tls(layers(cause)))


_OF_THE_NETWORK = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException)


def _is_tls(errors: Iterable[BaseException]) -> bool:
    return is_any(errors, requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError, CertificateError)


def is_any(errors: Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(error, kinds) for error in errors)
