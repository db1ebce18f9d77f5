"""LeanAdapter: what requests and urllib3 do for any request, without what a short JSON exchange has no use for."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from . import bounds

_Plain = http.client.HTTPConnection


class LeanAdapter(HTTPAdapter):
    """The steps of `HTTPAdapter.send`, made short. Whoever replaces or wraps `send` itself is heard.

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
        response.reason = resp.reason
        response.raw = resp
        response.url = str(req.url)
        response.request = req
        return response


def host(request: requests.PreparedRequest) -> str:
    """Scheme, host and port."""
    return "/".join(str(request.url).split("/", 3)[:3])


class _Lean:
    """A pool that hands the answer of http.client on as it is: nothing is decoded, followed, or tried again."""

    def urlopen(self: Any, method: str, url: str, body: Any, headers: Mapping[str, str], **options: Any) -> _Raw:
        connection = self._get_conn()
        try:
            if connection.sock is None:
                connection.timeout = options["timeout"].connect_timeout
                self._validate_conn(connection)  # which connects where there is TLS
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(bounds.left())
            _Plain.putrequest(connection, method, url, skip_accept_encoding=True)
            for name, value in headers.items():
                _Plain.putheader(connection, name, value)
            with contextlib.suppress(BrokenPipeError):  # there may be an answer that says why
                _Plain.endheaders(connection, body)
            return _Raw(_Plain.getresponse(connection), connection, self)
        except BaseException:
            connection.close()
            self._put_conn(connection)
            raise


class _LeanPool(_Lean, HTTPConnectionPool):  # type: ignore[misc]  # it takes no less than is sent here
    pass


class _LeanTlsPool(_Lean, HTTPSConnectionPool):  # type: ignore[misc]  # it takes no less than is sent here
    pass


class _Raw:
    """What a requests.Response reads from; the connection is free for others once it is closed."""

    def __init__(self, answer: http.client.HTTPResponse, connection: Any, pool: Any) -> None:
        self.status = answer.status
        self.reason = answer.reason
        self.msg = answer.msg
        self.headers = _headers(answer.msg.items())
        self._answer = answer
        self._connection = connection
        self._pool = pool

    def stream(self, amount: int, decode_content: bool = False) -> Iterator[bytes]:
        while chunk := self._answer.read(amount):
            yield chunk

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._answer.will_close or not self._answer.isclosed():
            self._answer.close()
            connection.close()
        self._pool._put_conn(connection)

    release_conn = close  # what is called where all was read


def _headers(fields: list[tuple[str, str]]) -> CaseInsensitiveDict[str]:
    """Fields of one name become one, their values in order (RFC 9110, 5.3)."""
    headers = CaseInsensitiveDict(fields)
    if len(headers) < len(fields):
        headers.clear()
        for name, value in fields:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if len(set(headers.get("Content-Length", "").split(", "))) > 1:
            raise http.client.HTTPException("an answer of two lengths")
    return headers
