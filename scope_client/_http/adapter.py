"""LeanAdapter: what requests and urllib3 do for any request, without what a short JSON exchange has no use for."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import connectionpool
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from . import limits as bounds

_Plain = http.client.HTTPConnection


class LeanAdapter(HTTPAdapter):
    """The steps of `HTTPAdapter.send`, made short. Whoever replaces or wraps `send`, or urllib3's `urlopen`, is heard.

    Through a proxy they are those of requests.
    """

    def __init__(self, *, connections: int) -> None:
        self._pools: dict[Any, Any] = {}
        super().__init__(pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _LeanPool, "https": _LeanTlsPool}

    def close(self) -> None:
        self._pools.clear()
        super().close()

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        if proxies:
            return super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        key = (host(request), verify, cert)
        pool = self._pools.get(key)
        if pool is None or pool.pool is None:
            pool = self._pools[key] = super().get_connection_with_tls_context(request, verify, cert=cert)
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Once a pool, since all requests that come here agree on it."""
        if getattr(conn, "verified_with", None) != (verify, cert):
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # it has no types there
            conn.verified_with = (verify, cert)

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        if proxies:
            return super().request_url(request, proxies)
        return "/" + str(request.url).split("/", 3)[3]

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        if not isinstance(resp, _Raw):
            return super().build_response(req, resp)
        response = requests.Response()
        response.status_code = resp.status
        response.headers = resp.headers
        response.encoding = get_encoding_from_headers(resp.headers)
        response.reason = resp.reason
        response.raw = resp
        response.url = str(req.url)
        response.request = req
        response.connection = self
        return response


def host(request: requests.PreparedRequest) -> str:
    """Scheme, host and port."""
    return "/".join(str(request.url).split("/", 3)[:3])


class _Lean:
    """A pool that hands the answer of http.client on as it is: nothing is decoded, followed, or tried again."""

    def urlopen(self: Any, method: str, url: str, body: Any, headers: Mapping[str, str], **options: Any) -> Any:
        if not (issubclass(self.ConnectionCls, _Plain) and _is_urllib3s_own(HTTPConnectionPool.urlopen)):
            return super().urlopen(method, url, body=body, headers=headers, **options)  # type: ignore[misc]  # of a pool
        connection = self._get_conn()
        try:
            _connect(self, connection, options["timeout"].connect_timeout)
            connection.sock.settimeout(bounds.left())
            _Plain.putrequest(connection, method, url, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                _Plain.putheader(connection, name, value)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # there may be an answer that says why
                _Plain.endheaders(connection, body)
            return _Raw(_Plain.getresponse(connection), connection, self)
        except BaseException:
            connection.close()
            self._put_conn(connection)
            raise


def _is_urllib3s_own(function: Any) -> bool:
    return type(function) is FunctionType and function.__globals__ is vars(connectionpool)


def _connect(pool: Any, connection: Any, timeout: float) -> None:
    """Anew where TLS holds bytes that nobody asked for: the next answer would begin with them."""
    if connection.sock is not None and getattr(connection.sock, "pending", _nothing)():
        connection.close()
    if connection.sock is None:
        connection.timeout = timeout
        pool._validate_conn(connection)  # which connects where there is TLS
    if connection.sock is None:
        connection.connect()


def _nothing() -> int:
    return 0


class _LeanPool(_Lean, HTTPConnectionPool):  # type: ignore[misc]  # it takes no less than is sent here
    pass


class _LeanTlsPool(_Lean, HTTPSConnectionPool):  # type: ignore[misc]  # it takes no less than is sent here
    pass


class _Raw:
    """What a requests.Response reads from; the connection is free for others once it was read to its end."""

    def __init__(self, answer: http.client.HTTPResponse, connection: Any, pool: Any) -> None:
        self._answer = answer
        self.status = answer.status
        self.reason = answer.reason
        self.msg = answer.msg
        self.headers = _headers(answer.msg.items())
        self._connection = connection
        self._pool = pool
        self._is_whole = False

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked of it, by tools that look into answers."""
        return getattr(self._answer, name)

    def stream(self, amount: int, decode_content: bool = False) -> Iterator[bytes]:
        while chunk := self._answer.read(amount):
            yield chunk
        self._is_whole = self._answer.isclosed() and not self._answer.will_close

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if not self._is_whole:
            self._answer.close()
            connection.close()
        self._pool._put_conn(connection)

    release_conn = close  # what is called where all was read


def _headers(fields: list[tuple[str, str]]) -> CaseInsensitiveDict[str]:
    """Fields of one name become one, their values in order (RFC 9110, 5.3); a folded value becomes one line."""
    if any("\n" in value for _, value in fields):
        fields = [(name, " ".join(map(str.strip, value.splitlines()))) for name, value in fields]
    headers = CaseInsensitiveDict(fields)
    if len(headers) < len(fields):
        headers.clear()
        for name, value in fields:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        _agree_on_length(headers)
    return headers


def _agree_on_length(headers: CaseInsensitiveDict[str]) -> None:
    lengths = {length.strip() for length in headers.get("Content-Length", "").split(",")}
    if len(lengths) == 1 and "Content-Length" in headers:
        headers["Content-Length"] = lengths.pop()
    elif len(lengths) > 1 and "Transfer-Encoding" not in headers:
        raise http.client.HTTPException("an answer of two lengths")
