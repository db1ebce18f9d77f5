"""Sessions of requests: ours; what one and the environment say of proxies and certificates; a request through one."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar

from .._attribute_names import SESSION_LEFT_OUT
from .._config.rules import is_loopback
from .._fork import renew_in_children
from .._log import Log
from .._redaction import Secret
from .connections import bounded_from_the_start

MAX_IDLE_CONNECTIONS = 64
_log = Log("scope_client.http")
_looked_at: weakref.WeakSet[requests.Session] = weakref.WeakSet()


def own() -> requests.Session:
    """Of the class that is in place: a cache of answers, for one, gives all later sessions its own."""
    session = requests.Session()
    session.headers.clear()
    session.cookies = _NoCookies()
    for scheme, adapter in list(session.adapters.items()):
        if type(adapter) is HTTPAdapter:
            larger = _OwnAdapter(pool_maxsize=MAX_IDLE_CONNECTIONS)
            bounded_from_the_start(larger.poolmanager)
            session.mount(scheme, larger)
    return session


class _OwnAdapter(HTTPAdapter):
    """Asks requests for the pool of a host once: to make the same key of all settings for each request takes long."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._pools: dict[tuple[object, ...], Any] = {}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        theirs = super().get_connection_with_tls_context
        if proxies or getattr(theirs, "__globals__", None) is not vars(requests.adapters):  # a tool's
            return theirs(request, verify, proxies=proxies, cert=cert)
        key = (*str(request.url).split("/", 3)[:3], verify, cert)
        pool = self._pools.get(key)
        if getattr(pool, "pool", None) is None:  # a pool that is closed has none inside
            pool = self._pools[key] = theirs(request, verify, proxies=proxies, cert=cert)
        return pool

    def close(self) -> None:
        self._pools.clear()
        super().close()


class _NoCookies(RequestsCookieJar):
    """Keeps none, and takes no lock for it: a signal handler of the caller's may raise with a jar's lock taken."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        pass


def settings(session: requests.Session, origin: str) -> Mapping[str, Any]:
    """What `send` needs to know for this host; what the session was given wins over the environment.

    requests lets the environment win, unless the session trusts none.
    """
    merged = session.merge_environment_settings(origin, {}, None, None, None)
    proxies: Any = merged["proxies"]
    # A proxy named in the environment would take off this machine what is meant to stay on it.
    if is_loopback(origin) or requests.utils.select_proxy(origin, session.proxies) is not None:
        proxies = session.proxies
    hidden = {name: Secret(url) if isinstance(url, str) else url for name, url in proxies.items()}
    is_direct = requests.utils.select_proxy(origin, hidden) is None
    verify = _verify(session, merged["verify"]) if origin.startswith("https:") else merged["verify"]
    return {"proxies": {} if is_direct else hidden, "verify": verify, "cert": merged["cert"]}


def _verify(session: requests.Session, merged: Any) -> Any:
    given = getattr(session, "verify", True)
    if given is False or (given and given is not True):
        return given
    if merged is not True or not getattr(session, "trust_env", True):
        return merged
    folders = os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)
    folder = next(filter(os.path.isdir, folders), folders[0])  # requests takes one
    return os.environ.get("SSL_CERT_FILE") or folder or True


def answer_to(
    prepared: requests.PreparedRequest, session: requests.Session, settings: Mapping[str, Any], timeout: Any
) -> requests.Response:
    """What comes back for the request, just as it was prepared, with the headers read and the body not."""
    arrived = _Arrived()
    theirs: Any = session.hooks.get("response") or []
    hooks = theirs if isinstance(theirs, list) else [theirs]
    prepared.hooks = {"response": [arrived, *hooks, _stay]}
    options = {"stream": True, "allow_redirects": False, "timeout": timeout, **settings}
    try:
        return _sent_anew(session, prepared, options) if _is_traced(session) else session.send(prepared, **options)
    except requests.HTTPError:  # a hook of the user's raises for the status
        if not arrived.responses:
            raise
        return arrived.responses[0]
    except BaseException:  # a hook of the user's failed; the answer would stay open
        for response in arrived.responses:
            if response.raw is not None:  # as it is in one that was made by hand
                response.close()
        raise
    finally:
        prepared.hooks = {}  # a circle: the request has the hook, which has the answer, which has the request


class _Arrived:
    """The hook that holds the answer of an attempt; none is in a pickle or a copy, as a cache of answers makes one."""

    def __init__(self) -> None:
        self.responses: list[requests.Response] = []

    def __call__(self, response: requests.Response, **_: Any) -> None:
        self.responses.append(response)

    def __reduce__(self) -> tuple[type[_Arrived], tuple[()]]:
        return _Arrived, ()


def _stay(response: requests.Response, **_: Any) -> requests.Response:
    """Keeps requests from preparing to follow a redirect, for which it reads the whole body into memory."""
    response.headers.pop("Location", None)
    return response


def _is_traced(session: requests.Session) -> bool:
    """Whether a tracer, such as AWS X-Ray, has wrapped `Session.request`: that is all that it sees."""
    wrapped = getattr(getattr(type(session), "request", None), "__wrapped__", None)
    return wrapped is not None and getattr(wrapped, "__globals__", None) is vars(requests.sessions)


def _sent_anew(
    session: requests.Session, prepared: requests.PreparedRequest, options: Mapping[str, Any]
) -> requests.Response:
    """The same, though `Session.request` prepares it once more."""
    url = str(prepared.url)
    proxy = requests.utils.select_proxy(url, options["proxies"])
    return session.request(
        str(prepared.method),
        url,
        headers=prepared.headers,
        data=prepared.body,
        hooks=prepared.hooks,
        auth=_AsPrepared(prepared),
        # An empty proxy keeps those of the environment out.
        **{**options, "proxies": {url.split(":", 1)[0]: proxy or ""}},
    )


class _AsPrepared(AuthBase):
    """Undoes what `Session.request` makes of a request, but for the headers that a tracer adds."""

    def __init__(self, prepared: requests.PreparedRequest) -> None:
        self._prepared = prepared

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.pop("Cookie", None)
        request.headers.update(self._prepared.headers)
        request.url, request.body = self._prepared.url, self._prepared.body
        return request


def warn_of_what_is_left_out(session: requests.Session) -> None:
    """Once for each session of the caller's: the cookies that an answer sets in it are not the caller's doing."""
    with contextlib.suppress(TypeError):  # it cannot be in a set
        if session in _looked_at:
            return
        _looked_at.add(session)
    left_out = [name for name in ("params", "cookies", "auth") if getattr(session, name, None)]
    if left_out:
        _log.warning(
            "%s of the given session will not be sent: a request to the platform goes with the client's own token and "
            "without cookies; set what else it needs in the headers of the session",
            " and ".join(left_out),
            facts={SESSION_LEFT_OUT: left_out},
        )
