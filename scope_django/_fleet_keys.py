"""The keys that a cache of Django makes of ours: one fleet's, whatever the request, the tenant or the process is."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

from django.core.cache import BaseCache
from django.core.cache.backends.base import default_key_func, memcache_key_warnings

_ANY_KEY = "scope-any-key"
_LONG_KEY = "k" * 120  # longer than any of ours
_LIBRARIES_WITH_KEYS = ("django_redis.", "django_valkey.")
_OF_AN_OBJECT = " at 0x"  # in the text of one that has no other, which is another in each process
_NOT_OF_A_FLEET = {
    *("getpid", "gethostname", "node", "get_ident", "current_thread"),
    *("time", "monotonic", "now", "today", "utcnow", "localtime", "strftime"),
    *("uuid1", "uuid4", "random", "randint", "getrandbits", "token_hex", "urandom"),
}


class FleetKeys:
    """What a backend is given to make keys with, in place of its own.

    Args:
        like: What `key_of_a_fleet` gave for it.
    """

    def __init__(self, like: str) -> None:
        self._like = like
        self.asked: Sequence[str] = ()
        """The keys of the call that is under way."""

    def put_into(self, cache: Any) -> None:
        """Also into the client of django-redis, which has a `make_key` of its own."""
        cache.make_key = self._made
        cache.key_func = self._made
        client: Any = getattr(cache, "client", None)
        for kind in type(client).__mro__:
            if kind.__module__.startswith(_LIBRARIES_WITH_KEYS) and "make_key" in vars(kind):
                client.make_key = vars(kind)["make_key"].__get__(client)
                return

    def ours(self, key: str) -> str:
        """The key without what methods of the site's own class have put around it."""
        if key in self.asked:
            return key
        return max((each for each in self.asked if each in str(key)), key=len, default=key)

    def _made(self, key: str, *_: Any, **__: Any) -> str:
        return self._like.replace(_ANY_KEY, self.ours(key))


def key_of_a_fleet(cache: Any) -> str:
    """What the cache makes of _ANY_KEY in a thread of its own, where there is no request and no tenant.

    It is as without KEY_FUNCTION and without a prefix if that fails there, is another in each process, cannot be told
    apart from the rest, or is not legal for memcached, of which Django warns in any cache.
    """
    version, prefix = vars(cache).get("version"), vars(cache).get("key_prefix")
    if _is_of_django(cache) and type(prefix) is str and type(version) in (int, str):
        return default_key_func(_ANY_KEY, prefix, version)
    made: list[str] = []
    if not (_names(cache.key_func) | _names(type(cache).make_key)) & _NOT_OF_A_FLEET:
        thread = threading.Thread(target=_make, args=(cache, made), name="scope-keys", daemon=True)
        thread.start()
        thread.join()
    if made and _is_usable(made[0]):
        return made[0]
    return default_key_func(_ANY_KEY, "", version if type(version) in (int, str) else 1)


def _make(cache: Any, made: list[str]) -> None:
    with contextlib.suppress(Exception):
        made.append(str(cache.make_key(_ANY_KEY)))


def _is_usable(made: str) -> bool:
    is_legal = not list(memcache_key_warnings(made.replace(_ANY_KEY, _LONG_KEY)))
    return is_legal and _ANY_KEY in made and _OF_AN_OBJECT not in made


def _is_of_django(cache: Any) -> bool:
    return cache.key_func is default_key_func and type(cache).make_key is BaseCache.make_key


def _names(function: Any) -> set[str]:
    """What the code of a function uses by name."""
    return set(getattr(getattr(function, "__code__", None), "co_names", ()))
