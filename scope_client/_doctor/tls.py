"""TLS: the bundles of certificates that this machine trusts, and the handshake with each host."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from .._foreign_text import printable
from .._interrupts import pass_on
from .check import Check, Said, at_once, failed, ok, timed, warning
from .network import TunnelError, opened
from .places import Place
from .setup import Setup

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
SOON_DAYS = 7
_SECONDS_A_DAY = 86_400
# OpenSSL's numbers for why a certificate is not trusted.
_EXPIRED, _NOT_YET_VALID, _OTHER_HOSTS = 10, 9, (62, 64)


def bundle_checks() -> Iterator[Check]:
    """A check for each variable that names certificates."""
    named = [name for name in BUNDLE_VARIABLES if os.environ.get(name)]
    if not named:
        yield at_once("certificates", ok(f"those of certifi ({DEFAULT_CA_BUNDLE_PATH})"))
    yield from (timed(f"certificates {name}", partial(_bundle, name)) for name in named)


def _bundle(variable: str) -> Said:
    path = os.environ[variable]
    shown, advice = printable(path), f"correct {variable}, or unset it"
    if variable == "SSL_CERT_DIR":
        folders = path.split(os.pathsep)
        return ok(shown) if any(map(os.path.isdir, folders)) else failed(f"there is no folder {shown}", advice)
    if not os.path.exists(path):
        return failed(f"there is no file {shown}", advice)
    if os.path.isdir(path):
        return ok(f"{shown}, a folder")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        pass_on(error)
        why = "no certificate in the form PEM" if isinstance(error, ssl.SSLError) else error_text(error)
        return failed(f"{shown} cannot be used ({why})", advice)
    return ok(shown)


def handshake(setup: Setup, place: Place) -> Said:
    """What the certificate of a place says, or why it is not trusted."""
    name = place.host.name
    try:
        context = _context(place.verify)
    except (OSError, ValueError) as error:
        pass_on(error)
        return failed(f"the certificates to trust cannot be read ({error_text(error)})", _other_bundle())
    try:
        with opened(setup, place) as sock, context.wrap_socket(sock, server_hostname=name) as tls:
            return _trusted(name, tls, place.verify)
    except ssl.SSLCertVerificationError as error:
        return _untrusted(setup, place, error)
    except TunnelError as error:
        return failed(f"the proxy refuses ({error.said})", "see the check of the tunnel")
    except ssl.SSLError as error:
        whose = " and ".join(map(setup.spelled, place.options))
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
            return failed(f"what listens at {place.host} does not speak TLS", f"correct the port in {whose}")
        return failed(f"the handshake fails ({printable(str(error.reason or error))})", f"ask who runs {place.host}")
    except socket.timeout:
        return failed("the handshake does not end", f"ask who runs {place.host}, or the firewall on the way")
    except OSError as error:
        pass_on(error)
        return failed(
            f"the connection breaks off ({error_text(error)})", "ask who runs the firewall or proxy on the way"
        )


def error_text(error: BaseException) -> str:
    return printable(getattr(error, "strerror", None) or str(error))


def _context(verify: Any) -> ssl.SSLContext:
    """As urllib3 makes it, which may be stricter than Python is by itself."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_NONE if verify is False else ssl.CERT_REQUIRED)
    if verify is False:
        return context
    context.check_hostname = True  # urllib3 1.26 compares the names by itself
    bundle = DEFAULT_CA_BUNDLE_PATH if verify is True else str(verify)
    if os.path.isdir(bundle):
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context


def _trusted(name: str, tls: ssl.SSLSocket, verify: Any) -> Said:
    if verify is False:
        return warning(
            f"{tls.version()}, and the certificate is not checked, since the session has verify=False",
            "take verify=False out of the code: whoever is on the way can read the secret",
        )
    shown: Any = tls.getpeercert() or {}
    issuer = printable(", ".join(value for part in shown.get("issuer", ()) for key, value in part if "Name" in key))
    ends_at = ssl.cert_time_to_seconds(shown["notAfter"])
    days = (ends_at - time.time()) / _SECONDS_A_DAY
    said = f"{tls.version()}, issued by {issuer}, valid for {days:.0f} more days"
    if days < SOON_DAYS:
        return warning(said, f"renew the certificate of {name}")
    return ok(said)


def _untrusted(setup: Setup, place: Place, error: ssl.SSLCertVerificationError) -> Said:
    name = place.host.name
    said = f"the certificate of {name} is not trusted ({printable(error.verify_message)})"
    if error.verify_code == _EXPIRED:
        return failed(said, f"renew the certificate of {name}, and check the clock of this machine")
    if error.verify_code == _NOT_YET_VALID:
        return failed(said, "set the clock of this machine")
    if error.verify_code in _OTHER_HOSTS:
        whose = " and ".join(map(setup.spelled, place.options))
        return failed(said, f"correct the host in {whose}: the certificate is of another one")
    return failed(said, _other_bundle())


def _other_bundle() -> str:
    used = next((name for name in BUNDLE_VARIABLES if os.environ.get(name)), None)
    if used is not None:
        return f"have {used} name a PEM file with the authority that signed it, or unset it"
    return "set REQUESTS_CA_BUNDLE to a PEM file with the authority that signed it, such as your company's proxy"
