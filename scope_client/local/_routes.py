"""The routes of the local platform: its HTTP API as a Flask app."""

from __future__ import annotations

import functools
import hmac
import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Union
from urllib.parse import unquote, unquote_to_bytes

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from .._config.credentials import ApiKeyCredentials, ClientCredentials
from .._log import Log
from .._wording import cut, listed, shown
from ._bodies import as_json, error_body, version_body
from ._face import FACE, add_face

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .._folder.record import VersionRecord
    from ._faults import Faults
    from ._gate import Gate
    from ._journal import Journal
    from ._library import Library
    from ._switches import FaultSwitches
    from ._token_issuer import TokenIssuer

_log = Log("scope_client.local")
Keys = Union[ApiKeyCredentials, ClientCredentials]

_PROMPT = "/api/<api_version>/prompts/<prompt>"
_REFUSALS = {
    "missing_token": "Send the token as 'Authorization: Bearer ...'",
    "token_expired": "The token has expired; get a new one",
    "invalid_token": "This token is not one of this platform's",
}
CLIENT_GONE = 499  # nginx's word for it; for the journal, since nobody is left to get it
_LOG_IN = "Log in with the API key: its ID is the name, its secret the password"


class Behind(NamedTuple):
    """What is behind the routes; `environ` gives the variables of a program, once the port is known."""

    gate: Gate
    library: Library
    issuer: TokenIssuer
    faults: Faults
    journal: Journal
    keys: tuple[ApiKeyCredentials, ClientCredentials]
    generation: str
    switches: FaultSwitches
    environ: Callable[[], Mapping[str, str]]
    has_face: bool


class Refusal(Exception):  # noqa: N818  # it is an answer, not an error of ours
    """Ends a request with an error answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def create_app(behind: Behind) -> WSGIApplication:
    """The app. Its routes see the path as it was sent, so that an encoded slash stays a part of the name."""
    site = Flask(__name__, static_folder=None)
    site.url_map.merge_slashes = False
    views = _Views(behind)
    site.before_request(views.receive)
    site.after_request(views.send)
    site.register_error_handler(Refusal, views.refuse)
    site.register_error_handler(HTTPException, views.refuse_http)
    site.register_error_handler(Exception, views.fail)
    route = functools.partial(site.add_url_rule, provide_automatic_options=False)
    for keys in behind.keys:
        route(keys.token_path, keys.token_path, views.token_view(keys), methods=["POST"])
    route(f"{_PROMPT}/production", "production", views.production)
    route(f"{_PROMPT}/latest", "latest", views.latest)
    route(f"{_PROMPT}/versions/<version>", "version", views.version)
    if behind.has_face:
        add_face(site, behind)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = _target(environ).partition("?")[0]
        # Flask would drop a second slash at the front, and so hide a caller's mistake.
        environ["PATH_INFO"] = f"/%2F{path[2:]}" if path.startswith("//") else path
        return site(environ, start_response)

    return app


class _Views:
    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    def receive(self) -> Response | None:
        g.started = time.perf_counter()
        g.request_id = _request_id()
        g.target, g.note = _target(request.environ), ""
        if request.blueprint == FACE:
            return self._receive_for_face()
        g.number = self._behind.journal.arrived(request.method, g.target, dict(request.headers), g.request_id)
        objection = self._behind.gate.objection(request.environ)
        if objection is not None:
            raise Refusal(*objection)
        if self._behind.faults.pause(request.environ["scope.is_gone"]):
            return self._gone()
        return self._faulty()

    def _faulty(self) -> Response | None:
        """The answer that a fault demands, if there is one for this request."""
        hit = self._behind.faults.next("auth" if request.path.startswith("/v1/auth/") else "api")
        if hit is None:
            return None
        if hit.fault.status is None:
            with request.environ["scope.holding"]():
                has_gone = self._behind.faults.hold(hit, request.environ["scope.is_gone"])
            return self._gone() if has_gone else None
        answer = self._error(hit.fault.status, hit.fault.code, hit.fault.message)
        if hit.fault.retry_after is not None:
            answer.headers["Retry-After"] = hit.fault.retry_after
        return answer

    def _gone(self) -> Response:
        return self._error(CLIENT_GONE, "client_gone", "The client has gone")

    def _receive_for_face(self) -> Response | None:
        """Pages go through no fault, and are not on record."""
        objection = self._behind.gate.objection_to_a_page(request.environ)
        if objection is not None:
            raise Refusal(*objection)
        if self._behind.gate.is_own_loopback(request.environ) or self._has_a_key():
            return None
        answer = self._error(401, "key_needed", _LOG_IN)
        answer.headers["WWW-Authenticate"] = 'Basic realm="Scope Platform", charset="UTF-8"'
        return answer

    def _has_a_key(self) -> bool:
        given = request.authorization
        if given is None or given.type != "basic":
            return False
        keys, _ = self._behind.keys
        is_key = _same(given.username or "", keys.api_key)
        return _same(given.password or "", keys.token_body()["key_secret"]) and is_key

    def send(self, answer: Response) -> Response:
        if request.blueprint == FACE:
            return answer
        elapsed_ms = (time.perf_counter() - g.started) * 1000
        answer.headers["X-Request-ID"] = g.request_id
        self._behind.journal.answered(g.number, answer.status_code, elapsed_ms, g.note)
        self._behind.journal.tell(request.method, _asked_for(), answer.status_code, elapsed_ms, g.note)
        return answer

    def refuse(self, refusal: Refusal) -> Response:
        return self._error(refusal.status, refusal.code, refusal.message)

    def refuse_http(self, error: HTTPException) -> Response:
        """The error of a path or a method that the routes do not know."""
        code = re.sub(r"\W+", "_", error.name.lower())
        answer = self._error(error.code or 500, code, f"{error.name}: {cut(request.method)} {cut(g.target)}")
        for name, value in error.get_headers(request.environ):
            if name == "Allow":
                answer.headers[name] = value
        return answer

    def fail(self, error: Exception) -> Response:
        """What the platform cannot help, or a bug. Flask would print a traceback."""
        _log.exception("the local platform failed to answer")
        self._behind.journal.warn(f"{request.method} {g.target} failed: {type(error).__name__}: {error}")
        return self._error(500, "internal_server_error", f"The local platform failed: {type(error).__name__}")

    def token_view(self, keys: Keys) -> Callable[[], Response]:
        expected = keys.token_body()

        def token() -> Response:
            given = _read_fields(tuple(expected))
            if not all(_same(given[name], expected[name]) for name in expected):
                raise Refusal(401, "invalid_credentials", "These credentials are not valid")
            return _json(200, {"access_token": self._issue(expected), "expires_in": self._behind.issuer.ttl, **_BEARER})

        return token

    def _issue(self, body: dict[str, str]) -> str:
        org, subject, _ = body.values()
        return self._behind.issuer.issue(subject, org)

    def production(self, api_version: str, prompt: str) -> Response:
        versions = self._find(prompt)
        for version in versions:
            if version.status == "published":
                return self._answer(version)
        raise self._not_there(
            "no_production_version", f"{shown(versions[-1].prompt)} has no production version", prompt
        )

    def latest(self, api_version: str, prompt: str) -> Response:
        return self._answer(self._find(prompt)[-1])

    def version(self, api_version: str, prompt: str, version: str) -> Response:
        wanted = _decoded(version)
        for found in self._find(prompt):
            if found.id == wanted:
                return self._answer(found)
        raise self._not_there("version_not_found", f"{shown(_decoded(prompt))} has no version {shown(wanted)}", prompt)

    def _find(self, prompt: str) -> tuple[VersionRecord, ...]:
        name = _decoded(prompt)
        objection = self._behind.issuer.objection(request.headers.get("Authorization", ""))
        if objection is not None:
            raise Refusal(401, objection, _REFUSALS[objection])
        versions = self._behind.library.find(name)
        if not versions:
            raise self._not_there("prompt_not_found", f"Prompt {shown(name)} was not found", prompt)
        return versions

    def _not_there(self, code: str, message: str, prompt: str) -> Refusal:
        """A 404 that names the files because of which a version may be missing."""
        flaws = self._behind.library.flaws(_decoded(prompt))
        return Refusal(
            404, code, f"{message}; in the folder: {listed(flaws, written=str, joint='; ')}" if flaws else message
        )

    def _answer(self, version: VersionRecord) -> Response:
        g.note = f"v{version.number}"
        return _json(200, version_body(version, self._behind.generation))

    def _error(self, status: int, code: str, message: str) -> Response:
        g.note = code
        return _json(status, error_body(code, message, self._behind.generation))


_BEARER = {"token_type": "Bearer"}


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(as_json(body), status, mimetype="application/json")


def _target(environ: WSGIEnvironment) -> str:
    """The text of the request line: elsewhere in the environ, leading slashes may have been merged."""
    return str(environ["scope.target"])


def _asked_for() -> str:
    """What a person calls this request: the prompt and its label or version, or else the path."""
    route = request.view_args or {}
    if "prompt" not in route:
        return str(g.target)
    return unquote(f"{route['prompt']} {route.get('version', request.endpoint)}")


def _decoded(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise Refusal(400, "invalid_path", "The path is not percent-encoded UTF-8") from None


def _request_id() -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if given and given.isascii() and given.isprintable() else str(uuid.uuid4())


def _read_fields(names: tuple[str, ...]) -> dict[str, str]:
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_json", "The body is not JSON") from None
    if not isinstance(body, dict):
        raise Refusal(422, "invalid_request", "The body must be a JSON object")
    wrong = [name for name in names if not isinstance(body.get(name), str)]
    if wrong:
        raise Refusal(422, "invalid_request", f"The body needs, as text: {', '.join(wrong)}")
    return body


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
