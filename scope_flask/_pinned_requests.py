"""Pinned requests: all reads of a request see one version of each prompt, and so may all requests of a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, has_request_context, request, session

from scope_client import Pins, ScopeClient
from scope_client.frameworks import client_to_pin, pinned_chunks, pins_of_request, token_to_keep

EXTENSION_OF_PINS = "scope_pins"
_IN_G = "_scope_pins"


def pin_requests(app: Flask, client: Callable[[], ScopeClient], session_key: str | None) -> None:
    """Has the requests of an app pinned; raises RuntimeError if they are already."""
    if EXTENSION_OF_PINS in app.extensions:
        raise RuntimeError("the requests of this app are pinned already: call scope.pin_requests(app) once")
    app.extensions[EXTENSION_OF_PINS] = session_key

    def begin() -> None:
        made = None if _is_of_a_file(request.endpoint) else client_to_pin(client)
        if made is not None:
            token = None if session_key is None else session.get(session_key)
            pins = pins_of_request(made, token, _secrets(app))
            setattr(g, _IN_G, (pins, token))
            pins.__enter__()

    def keep(response: Response) -> Response:
        pins, former = getattr(g, _IN_G, (None, None))
        if pins is not None:
            if session_key is not None and (former is None or session_key in session):
                _keep(session, session_key, former, token_to_keep(pins))
            if response.is_streamed:
                response.response = pinned_chunks([pins], response.response)
        return response

    def end(error: BaseException | None) -> None:
        pins, _ = g.pop(_IN_G, (None, None))
        if pins is not None:
            pins.__exit__(None, None, None)

    # Before those of the app's own, which may read; after them come the others in the reverse order.
    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request(keep)
    app.teardown_request(end)


def pins_of_current_request() -> Pins:
    """Raises RuntimeError if there are none."""
    pins = getattr(g, _IN_G, (None,))[0] if has_request_context() else None
    if not isinstance(pins, Pins):
        raise RuntimeError(
            "Scope has no pins here: call scope.pin_requests(app) after scope.init_app(app), and use them in a request"
        )
    return pins


def _is_of_a_file(endpoint: str | None) -> bool:
    """Whether nothing reads: a session that is looked at would keep the file out of shared caches."""
    return endpoint is None or endpoint.rpartition(".")[2] == "static"


def _keep(kept: Any, key: str, former: object, token: str | None) -> None:
    if token is not None and token != former:
        kept[key] = token


def _secrets(app: Flask) -> list[str] | None:
    """None, which is the secret of the credentials, for an app without one."""
    given = [app.secret_key, *(app.config.get("SECRET_KEY_FALLBACKS") or ())]
    texts = [each.decode("latin-1") if isinstance(each, bytes) else each for each in given if each]
    return texts or None
