"""Middleware: all reads of a request see one version of each prompt, and so may all requests of a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Optional, Union

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from scope_client import ConfigurationError, Pins
from scope_client.frameworks import (
    SESSION_KEY,
    all_of,
    client_to_pin,
    pinned_async_chunks,
    pinned_chunks,
    pins_of_request,
    token_to_keep,
)

from . import _conf as conf
from ._client import get_client

_Answer = Union[HttpResponseBase, Awaitable[HttpResponseBase]]
PINS_OF_REQUEST = "scope_pins"


class PinMiddleware:
    """Pins the reads of each request: whatever it reads twice is the same version, a promotion in between or not.

    The body of a streamed response belongs to the request. A view finds the pins as `request.scope_pins`, whose `token`
    it may hand to a task. On a site with several organisations those are the pins of the default one.

    Args:
        get_response: The rest of the site.
    """

    sync_capable: ClassVar[bool] = True
    """Whether it stands in synchronous chains."""
    async_capable: ClassVar[bool] = True
    """Whether it stands in asynchronous chains."""
    session_key: ClassVar[Optional[str]] = None
    """Under which key of the session the token is kept; None for no session."""

    def __init__(self, get_response: Callable[[HttpRequest], _Answer]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """The response of the rest of the site, read by one version of each prompt.

        Args:
            request: The request.

        Raises:
            ConfigurationError: A session is asked for, and the request has none.
        """
        if self._is_async:
            return self._answered(request)
        pins, former = self._begin(request)
        with all_of(list(pins.values())):
            response: Any = self.get_response(request)
        return self._end(request, response, pins, former)

    async def _answered(self, request: HttpRequest) -> HttpResponseBase:
        # In a thread: a client that is made may read files, and a session may be in a database.
        pins, former = await sync_to_async(self._begin, thread_sensitive=True)(request)
        with all_of(list(pins.values())):
            response: Any = await self.get_response(request)  # type: ignore[misc]  # it is asynchronous
        if self.session_key is None:
            return self._end(request, response, pins, former)
        return await sync_to_async(self._end, thread_sensitive=True)(request, response, pins, former)

    def _begin(self, request: HttpRequest) -> tuple[dict[str, Pins], dict[str, object]]:
        """The pins by organisation, and the tokens that the session had of them."""
        former: dict[str, object] = {}
        pins: dict[str, Pins] = {}
        for using in _organisations():
            client = client_to_pin(lambda using=using: get_client(using))  # type: ignore[misc]  # a default argument
            if client is None:
                continue
            if self.session_key is not None:
                former[using] = _session(request).get(_key_of(self.session_key, using))
            pins[using] = pins_of_request(client, former.get(using), _secrets())
        setattr(request, PINS_OF_REQUEST, pins.get(conf.DEFAULT))
        return pins, former

    def _end(
        self, request: HttpRequest, response: Any, pins: dict[str, Pins], former: dict[str, object]
    ) -> HttpResponseBase:
        if self.session_key is not None:
            for using, each in pins.items():
                _keep(_session(request), _key_of(self.session_key, using), former[using], each)
        # A file reads nothing, and a server may send it by itself as long as nothing is around it.
        if getattr(response, "streaming", False) and getattr(response, "file_to_stream", None) is None:
            wrap: Any = pinned_async_chunks if getattr(response, "is_async", False) else pinned_chunks
            response.streaming_content = wrap(list(pins.values()), response.streaming_content)
        return response  # type: ignore[no-any-return]  # it is the view's


class PinSessionMiddleware(PinMiddleware):
    """As PinMiddleware, for all requests of a session: what the first one has read, the others read.

    The token is kept in the session, signed with SECRET_KEY. A view that begins a new conversation deletes it:
    `request.session.pop("scope_pins", None)`. It stands behind Django's SessionMiddleware.

    Args:
        get_response: The rest of the site.
    """

    session_key: ClassVar[Optional[str]] = SESSION_KEY
    """Under which key of the session the token is kept."""


def _organisations() -> list[str]:
    try:
        return conf.organisations()
    except ConfigurationError:  # a read tells
        return []


def _key_of(session_key: str, using: str) -> str:
    return session_key if using == conf.DEFAULT else f"{session_key}:{using}"


def _session(request: HttpRequest) -> Any:
    session = getattr(request, "session", None)
    if session is None:
        raise ConfigurationError(
            "the pins of a session need one: put django.contrib.sessions.middleware.SessionMiddleware before "
            "scope_django.middleware.PinSessionMiddleware in MIDDLEWARE"
        )
    return session


def _keep(session: Any, key: str, former: object, pins: Pins) -> None:
    """Not if the view has taken the former token out, or has ended the session: the next request begins anew."""
    if former is not None and key not in session:
        return
    token = token_to_keep(pins)
    if token is not None and token != former:
        session[key] = token


def _secrets() -> list[str] | None:
    try:
        given = [settings.SECRET_KEY, *getattr(settings, "SECRET_KEY_FALLBACKS", ())]
    except ImproperlyConfigured:
        return None
    return [each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in given if each]
