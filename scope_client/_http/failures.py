"""The border: what the network raises becomes an error of ours, all else goes through; no secret is left in either."""

from __future__ import annotations

import builtins
import http.client
import re
import socket
import ssl
import traceback
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from urllib3._collections import HTTPHeaderDict
from urllib3.util.ssl_match_hostname import CertificateError

from .._foreign_text import printable
from .._frames import shows_environment
from .._interrupts import chain, interrupt_in, pass_on
from .._redaction import Redaction, Secret
from ..errors import ConfigurationError, ConnectionError, ScopeError, TimeoutError

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_SAID_CHARACTERS = 500
MAX_SHOWN_DEPTH = 5  # so far do error trackers unfold a value
_TOOLS = ("requests", "urllib3", "http", "ssl", "socket", "encodings", "idna")
_OF_THE_NETWORK = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException)
_NO_FILE = ", invalid path: "  # as requests says it
# Its file has no such thing, its key is another one's, or the server does not take it.
_OF_A_CLIENT_CERTIFICATE = re.compile(r"\[SSL\] PEM lib|KEY_VALUES_MISMATCH|_ALERT_\w*(CERTIFICATE|UNKNOWN_CA)")
_OF_TEXTS = (ValueError, OverflowError)  # addresses, headers, the lengths of chunks


def layers(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that requests and urllib3 wrapped into it; each once."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting.extend(reversed([getattr(each, "reason", None), *each.args]))


def is_of_the_network(error: BaseException, redaction: Redaction, *kinds: type[BaseException]) -> bool:
    """Whether the network, the platform, or an address that cannot be used has ended an attempt.

    It was not, if a hook of the user's failed, or what replaces a part of requests. Then `error` is to be raised as it
    is; the frames that may hold what is secret are taken out of it. Raises the interrupt that it is or wraps, if any.
    `kinds` are of the network too, if a tool of ours raised them.
    """
    is_it = interrupt_in(error) is None and _is_of_the_network(error, (*_OF_TEXTS, *kinds))
    try:
        if not is_it:
            _hide_secrets(error, redaction)
            pass_on(error)
    finally:
        del error  # a circle: its traceback has this frame
    return is_it


def _hide_secrets(error: BaseException, redaction: Redaction) -> None:
    interrupt, errors = interrupt_in(error), chain(error)
    # Such as the KeyError of a look-up by a proxy's headers, in whose handling an interrupt struck.
    telling = [each for each in errors if each not in (error, interrupt) and _says_a_secret(each, redaction)]
    for each in errors:
        if each.__context__ in telling:
            each.__context__ = None
        if each.__cause__ in telling:
            each.__cause__ = None
        if each is not interrupt:  # which loses all its frames but those of the handler
            each.__traceback__ = _without_secrets(each.__traceback__, redaction)


def _says_a_secret(error: BaseException, redaction: Redaction) -> bool:
    try:
        said = str(error)
    except Exception as failure:  # noqa: BLE001  # of a class of anybody's
        pass_on(failure)
        return True
    return redaction.text(said) != said


def unusable(error: BaseException, host: str, redaction: Redaction) -> ConfigurationError:
    """The error for a host, or for a proxy on the way to it, whose address or settings cannot be used."""
    why = _cleaned(error, redaction)
    return ConfigurationError(f"nothing can be sent to {host}, check the URL and the proxies ({why})")


def translated(
    error: BaseException, host: str, timeout: float, redaction: Redaction, *, open_timeout: float, was_connecting: bool
) -> ScopeError:
    """The error for an attempt that `error`, which is of the network, ended.

    `timeout` is the seconds that it had, of which `open_timeout` to connect.
    """
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return unusable(error, host, redaction)
    wrapped = list(layers(error))
    is_patched_late = _is_patched_late(error)
    why = _cleaned(error, redaction)
    if is_patched_late:
        return ConnectionError(
            f"TLS with {host} failed: gevent has patched ssl too late; call gevent.monkey.patch_all() before anything "
            f"else is imported, with preload_app at the top of gunicorn.conf.py ({why})"
        )
    advice = _advice_on_tls(wrapped)
    if advice:
        return ConnectionError(f"TLS with {host} failed, check {advice} ({why})")
    status = _status_of_a_proxy(wrapped)
    if status is not None:
        advice = ", check the name and the password in its URL" if status == 407 else ""
        return ConnectionError(f"the proxy on the way to {host} refuses{advice} ({why})")
    if _is_timeout(wrapped) and (was_connecting or is_any(wrapped, urllib3.exceptions.ConnectTimeoutError)):
        which = " (open_timeout)" if open_timeout < timeout else ""
        return TimeoutError(f"no connection to {host} within {min(open_timeout, timeout):.3g} seconds{which}")
    if _is_timeout(wrapped):
        return TimeoutError(f"{host} did not answer in full within {timeout:.3g} seconds")
    return ConnectionError(f"{host} could not be reached, or broke off: check the URL, and that it is up ({why})")


def _cleaned(error: BaseException, redaction: Redaction) -> str:
    """The root of an error, in the operating system's own words if it said anything; no secret is left in either."""
    wrapped = chain(error)
    for each in wrapped:
        redaction.error(each)
        each.__traceback__ = None  # whose frames hold the headers and the body; debug pages show them
        if isinstance(each, requests.RequestException):
            each.request = each.response = None  # they hold the token
        if type(each) is http.client.BadStatusLine:  # which holds what the server sent, and so does its context
            each.args, each.__dict__["line"], each.__context__ = ("what came is not HTTP",), "", None
    spoken = [each for each in wrapped if isinstance(each, OSError)]
    root = (spoken or wrapped)[-1]
    return printable(redaction.text(f"{type(root).__name__}: {root}"), LONGEST_SAID_CHARACTERS)


def _is_of_the_network(error: BaseException, kinds_of_the_tools: tuple[type[BaseException], ...]) -> bool:
    if isinstance(error, requests.exceptions.InvalidJSONError):  # of a hook that reads the answer
        return False
    frames = list(traceback.walk_tb(error.__traceback__))
    is_of_the_tools = bool(frames) and _package(frames[-1][0]) in _TOOLS
    is_of_a_kind = isinstance(error, _OF_THE_NETWORK) or (is_of_the_tools and isinstance(error, kinds_of_the_tools))
    return is_of_a_kind or _is_patched_late(error)


def _is_patched_late(error: BaseException) -> bool:
    """Whether a property of `ssl.SSLContext` set itself without end, as it does if gevent patches it after its import.

    A program that comes near the limit by itself has each line of `ssl` on its stack once.
    """
    if not isinstance(error, RecursionError):
        return False
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__) if _package(frame) == "ssl"]
    return any(code is following for code, following in zip(codes, codes[1:]))


def _without_secrets(trace: TracebackType | None, redaction: Redaction) -> TracebackType | None:
    """What is left of a traceback without our frames, those of the tools, and those that show what is secret."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    for each in reversed(entries):
        frame = each.tb_frame
        is_ours = _package(frame) in (*_TOOLS, "scope_client") or shows_environment(frame)
        if not is_ours and not _tells(frame.f_locals.values(), redaction):
            trace = TracebackType(trace, frame, each.tb_lasti, each.tb_lineno)
    return trace


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _tells(values: Iterable[Any], redaction: Redaction) -> bool:
    """Whether local variables show what is secret. No repr is asked for: that of a lazy object may do work."""
    level, seen = list(values), set[int]()
    for _ in range(MAX_SHOWN_DEPTH):
        if any(_is_secret(each, redaction) for each in level):
            return True
        level = [held for each in level for held in _held_by(each, seen)]
    return False


def _is_secret(value: Any, redaction: Redaction) -> bool:
    text = value.decode("latin-1") if issubclass(type(value), bytes) else value
    return isinstance(text, str) and type(value) is not Secret and redaction.text(text) != text


def _held_by(value: Any, seen: set[int]) -> Iterable[Any]:
    """What is in a list or a mapping; nothing the second time: lists of one list may unfold to any number of values."""
    kind = type(value)
    if id(value) in seen or not issubclass(kind, (list, tuple, dict, CaseInsensitiveDict, HTTPHeaderDict)):
        return ()
    seen.add(id(value))
    return value if issubclass(kind, (list, tuple)) else [*value.keys(), *value.values()]


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
    is_refused = _status_of_a_proxy(layers(cause)) not in {None, *RETRIED_STATUSES}
    return not (is_no_ca_bundle or is_refused or _is_tls(layers(cause)))


def _status_of_a_proxy(errors: Iterable[BaseException]) -> int | None:
    """What a proxy answered that makes no tunnel to the host; http.client tells it in the text of an error alone."""
    for each in errors:
        refusal = re.match(r"Tunnel connection failed: (\d{3})\b", str(each)) if isinstance(each, OSError) else None
        if refusal is not None:
            return int(refusal[1])
    return None


def _advice_on_tls(errors: Iterable[BaseException]) -> str:
    """What to check; nothing if it was not TLS that failed."""
    of_files = [each for each in errors if type(each) is OSError and _NO_FILE in str(each)]
    if of_files:
        return "the path of the CA bundle, or of the client certificate"
    if not _is_tls(errors):
        return ""
    is_of_ours = any(_OF_A_CLIENT_CERTIFICATE.search(str(each)) for each in errors if isinstance(each, ssl.SSLError))
    return "the client certificate and its key" if is_of_ours else "the URL and the CA bundle"


def _is_tls(errors: Iterable[BaseException]) -> bool:
    return is_any(errors, requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError, CertificateError)


def is_any(errors: Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(error, kinds) for error in errors)


def count_of_bytes(error: Exception, read: int) -> int:
    """How many bytes of the body came: http.client has those of the last read, urllib3 the count of all."""
    counts = [read]
    for each in layers(error):
        partial = getattr(each, "partial", None)
        counts.append(partial if isinstance(partial, int) else read + len(partial or b""))
    return max(counts)


def is_cut_short(error: Exception) -> bool:
    """Whether the body ended early in good order, and not by a reset or a time-out."""
    return not any(isinstance(each, (builtins.ConnectionError, socket.timeout)) for each in layers(error))
