"""Scope: the extension. What an app has of it lives in `app.extensions["scope"]`."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Optional

from flask import Flask, current_app
from jinja2 import Undefined
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy

from scope_client import Configuration, ConfigurationError, Pins, ScopeClient
from scope_client.frameworks import (
    TEMPLATE_FUNCTION,
    CopiedAsItself,
    SettingProblem,
    Settings,
    TemplateFunction,
    follow_default,
    hides_what_it_was_given,
    renew_in_children,
)

from ._cli import scope_group
from ._pinned_requests import pin_requests, pins_of_current_request
from ._stores import CachelibStore, store_of

EXTENSION_NAME = "scope"
KEY_PREFIX = "SCOPE_"
_JSON_HINT = (
    "put it in quotes; as a variable for from_prefixed_env(), which reads JSON, write FLASK_SCOPE_{0}='\"...\"' in the "
    "shell, or SCOPE_{0}=... in its place"
)


class _Override:
    """What tests put in the place of the clients of all apps."""

    client: ScopeClient | None = None


_override = _Override()


def replace_client(replacement: ScopeClient | None) -> None:
    """Puts a client in the place of every app's own, until it is called with None. For tests."""
    _override.client = replacement


class Scope:
    """Prompts for one app or several: `scope = Scope(app)`, or `scope.init_app(app)` in a factory.

    The SCOPE_* keys of `app.config` are read then. What is absent comes from the environment. Nothing is sent, and no
    client is made, before the first read.

    Args:
        app: The app, as for `init_app`. None if `init_app` is called later.
    """

    def __init__(self, app: Optional[Flask] = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Sets one app up: the template function `scope_prompt`, the commands `flask scope`, and its client.

        Args:
            app: The app.

        Raises:
            ConfigurationError: A SCOPE_* key is unknown, or its value is wrong.
            RuntimeError: This app was set up before.
            TypeError: It is not a Flask app.
        """
        if isinstance(app, LocalProxy):  # current_app, of which there is no weak reference
            app = app._get_current_object()
        if not isinstance(app, Flask):
            raise TypeError(_refusal(app))
        if EXTENSION_NAME in app.extensions:
            raise RuntimeError(
                "Scope is set up for this app already: call Scope(app) or scope.init_app(app) once, and share that "
                "object, or use current_scope"
            )
        state = State(app)
        app.extensions[EXTENSION_NAME] = state
        app.jinja_env.globals[TEMPLATE_FUNCTION] = TemplateFunction(state.client, Undefined, (HTTPException,))
        app.cli.add_command(scope_group)
        weakref.finalize(app, state.drop_clients)

    def pin_requests(self, app: Flask, *, session_key: Optional[str] = None) -> None:
        """Pins the reads of each request: whatever it reads twice is the same version, a promotion in between or not.

        The body of a streamed response belongs to the request.

        Args:
            app: The app, after `init_app`.
            session_key: Where the token is kept in the session, such as "scope_pins", so that all requests of a session
                see what the first one has read. A view that begins a new conversation takes it out of the session.

        Raises:
            RuntimeError: `init_app` was not called for the app, or this was called before.
        """
        pin_requests(app, _state_of(app).client, session_key)

    @property
    def pins(self) -> Pins:
        """The pins of the current request, whose `token` may be handed to a task.

        Raises:
            RuntimeError: There is no request, or `pin_requests` was not called for the app.
        """
        return pins_of_current_request()

    @property
    def client(self) -> ScopeClient:
        """The client of the current app, made on first use and shared by its threads.

        Raises:
            RuntimeError: There is no app context, or `init_app` was not called for the app.
            MissingApiKeyError: Neither `app.config` nor the environment has credentials.
        """
        return state_of_current_app().client()


class State(CopiedAsItself):
    """What one app has of the extension; it does not keep the app alive."""

    @hides_what_it_was_given
    def __init__(self, app: Flask) -> None:
        self.settings = _settings(app.config)
        problems = [problem for problem in self.settings.problems if problem.kind != "missing"]
        if problems:
            raise ConfigurationError("; ".join(map(str, problems)))
        cache = app.config.get(f"{KEY_PREFIX}CACHE")
        if cache is not None and app.config.get(f"{KEY_PREFIX}CACHE_STORE") is not None:
            raise ConfigurationError("SCOPE_CACHE and SCOPE_CACHE_STORE exclude each other: give one of them")
        self._store = None if cache is None else store_of(cache, app)
        self._client: ScopeClient | None = None
        self.after_fork()
        renew_in_children(self)
        follow_default(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def client(self) -> ScopeClient:
        """The client of the app, made on first use; raises MissingApiKeyError if there are no credentials."""
        found = _override.client or self._client
        if found is None:
            with self._lock:
                found = self._client = self._client or ScopeClient(config=self.configuration())
        return found

    def problems(self) -> Sequence[SettingProblem]:
        """What is wrong with the settings; nothing while a test serves prompts in their place."""
        return () if _override.client else self.settings.problems

    def configuration(self) -> Configuration:
        """The settings of the app, with its store."""
        config = self.settings.configuration()
        if isinstance(self._store, CachelibStore):
            self._store.check_client()
        return config if self._store is None else config.merge(cache_store=self._store)

    def made_clients(self) -> list[ScopeClient]:
        return [] if self._client is None else [self._client]

    def drop_clients(self) -> None:
        """Closes the client; the next read makes another."""
        with self._lock:
            former, self._client = self._client, None
        if former is not None:
            former.close()


def _refusal(app: object) -> str:
    kinds = (app if isinstance(app, type) else type(app)).__mro__
    if any(kind.__name__ == "Quart" and kind.__module__.startswith("quart.") for kind in kinds):
        return (
            "Quart is not Flask, and prompts in its templates would stop its event loop: write "
            "await scope_client.client().arender_prompt(name, values) in the view, and give the template the text"
        )
    given = f"the class {app.__name__}" if isinstance(app, type) else type(app).__name__
    return f"Scope needs a Flask app, such as Flask(__name__), got {given}; without Flask use scope_client.client()"


def _settings(config: Mapping[str, object]) -> Settings:
    given = {key[len(KEY_PREFIX) :]: value for key, value in config.items() if str(key).startswith(KEY_PREFIX)}
    return Settings(given, spelled=f"{KEY_PREFIX}{{}}", also=("CACHE",), json_hint=_JSON_HINT)


def state_of_current_app() -> State:
    """Raises RuntimeError outside of an app context, and for an app on which init_app was not called."""
    if not current_app:
        raise RuntimeError(
            "Scope needs an app context: use it in a view, a command or a template, or under `with app.app_context():`"
        )
    return _state_of(current_app)


def _state_of(app: Flask) -> State:
    state = app.extensions.get(EXTENSION_NAME)
    if not isinstance(state, State):
        raise RuntimeError("Scope is not set up for this app: call scope.init_app(app) when you make the app")
    return state


current_scope: ScopeClient = LocalProxy(lambda: state_of_current_app().client())  # type: ignore[assignment]
"""The client of the current app, as `Scope.client`."""
