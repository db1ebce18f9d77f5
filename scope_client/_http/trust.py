"""Trust: one TLS context for all connections that trust the same bundle of certificates.

To load a bundle takes a fortieth of a second and most of a megabyte, and urllib3 loads it for each connection: thirty
that open at once wait for each other.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from typing import Any

import urllib3.connection
from urllib3.util import ssl_

from .._interrupts import pass_on

MAX_TRUSTED_BUNDLES = 16
# If one of them is set, a connection needs more of its context than a bundle.
_WANTS_ITS_OWN = (
    *("ssl_context", "ca_cert_dir", "ca_cert_data", "cert_file", "key_file", "assert_hostname", "assert_fingerprint"),
    *("ssl_version", "ssl_minimum_version", "ssl_maximum_version"),
)
_OF_OPENSSL = ("ssl", "gevent")  # a context of another module may be anything: truststore's, pyOpenSSL's
_contexts: dict[tuple[object, ...], ssl.SSLContext] = {}


@contextlib.contextmanager
def shared(connection: Any) -> Iterator[None]:
    """While this lasts, a connection of urllib3's that would load a bundle has the context of those before it."""
    context = _context_for(connection)
    if context is None:
        yield
        return
    bundle = connection.ca_certs
    connection.ssl_context, connection.ca_certs = context, None
    try:
        yield
    finally:
        connection.ssl_context, connection.ca_certs = None, bundle


def _context_for(connection: Any) -> ssl.SSLContext | None:
    bundle = getattr(connection, "ca_certs", None)
    proxy = getattr(connection, "proxy", None)
    is_plain = not any(getattr(connection, name, None) for name in _WANTS_ITS_OWN)
    if not (bundle and is_plain) or getattr(proxy, "scheme", None) == "https":  # TLS to the proxy needs the bundle, too
        return None
    if ssl_.SSLContext.__module__.partition(".")[0] not in _OF_OPENSSL:
        return None
    make: Any = urllib3.connection.create_urllib3_context  # type: ignore[attr-defined]  # where urllib3 looks it up
    verify = ssl_.resolve_cert_reqs(connection.cert_reqs)
    try:
        found = os.stat(bundle)
        key = (bundle, found.st_mtime_ns, found.st_size, found.st_ino, verify, make, *_defaults())
        context = _contexts.get(key)
        if context is None:
            context = _loaded(make(cert_reqs=verify), bundle)
            if len(_contexts) >= MAX_TRUSTED_BUNDLES:
                _contexts.clear()
            _contexts[key] = context
    except OSError as error:  # urllib3 says what is wrong with it
        pass_on(error)
        return None
    return context


def _defaults() -> tuple[object, ...]:
    """What a program may have set for all of its connections."""
    return (getattr(ssl_, "DEFAULT_CIPHERS", None), *ssl_.ALPN_PROTOCOLS)


def _loaded(context: Any, bundle: str) -> Any:
    context.load_verify_locations(bundle)
    context.set_alpn_protocols(ssl_.ALPN_PROTOCOLS)
    # urllib3 sets them for each connection, and OpenSSL then frees the former ones, which a handshake may be reading.
    context.set_alpn_protocols = lambda again: None
    return context
