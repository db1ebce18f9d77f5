"""What an error of a store says, and what to do about it."""

from __future__ import annotations

import re

from .._redaction import Redaction

PERCENT_ENCODED = (
    "with a number as its port, and its user name and password percent-encoded: / is %2F, ? is %3F, # is %23, @ is %40"
)
_CLASSES = ("MovedError", "AskError", "ClusterCrossSlotError")  # of redis-py and valkey-py
_BEGINNINGS = ("MOVED ", "ASK ", "CROSSSLOT ")  # of the server's own text, in older versions of them


def is_of_a_node(error: BaseException) -> bool:
    """Whether one node of a cluster was asked as if it had everything."""
    return type(error).__name__ in _CLASSES or str(error).startswith(_BEGINNINGS)


def reason(error: BaseException) -> str:
    if is_of_a_url(error):
        return f"{type(error).__name__}: the URL of its server cannot be read; write it {PERCENT_ENCODED}"
    said = Redaction(()).text(f"{type(error).__name__}: {error}")
    if is_of_a_node(error):
        return f"{said} (this is one node of a cluster: use a redis.RedisCluster, or RedisStore with a URL)"
    return said


def is_of_a_url(error: BaseException) -> bool:
    """Whether a URL could not be taken apart. The error would show a part of it, which may be one of a password."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    is_of_urllib = last is not None and last.tb_frame.f_globals.get("__name__") == "urllib.parse"
    return isinstance(error, ValueError) and is_of_urllib


def has_password_in_the_open(url: str) -> bool:
    """Whether a part of a password stands where it is taken for a host, a path, an option or a fragment.

    A password with a slash, a question mark or a hash in it ends the part of the URL that it belongs to.
    """
    scheme, _, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    path, _, options = rest[len(authority) :].partition("#")[0].partition("?")
    names = [option.partition("=")[0] for option in options.split("&")]
    in_path = "@" in path and (bool(host) or scheme.lower() != "unix")
    in_options = any("@" in name for name in names) or ("@" in options and host.startswith(":"))
    return in_path or in_options or "@" in rest.partition("#")[2]
