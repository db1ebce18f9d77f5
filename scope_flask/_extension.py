"""Scope: the extension. What an app has of it lives in `app.extensions["scope"]`."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

from flask import Flask, current_app
from jinja2 import Undefined
from werkzeug.local import LocalProxy

from scope_client import Configuration, ConfigurationError, ScopeClient
from scope_client.frameworks import Settings, TemplateFunction

from ._cli import scope_group
from ._stores import CachelibStore, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "scope"
PREFIX = "SCOPE_"


class Scope:
    """Prompts for one app or several: `scope = Scope(app)`, or `scope.init_app(app)` in a factory.

    Reads the SCOPE_* keys of `app.config` then; what is absent comes from the environment. Nothing is sent, and no
    client is made, before the first read.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Raises ConfigurationError for a key that is unknown or bad, RuntimeError on the second call for an app."""
        if NAME in app.extensions:
            raise RuntimeError(
                "Scope is set up for this app already: call Scope(app) or scope.init_app(app) once, and share that "
                "object, or use current_scope"
            )
        state = State(app)
        app.extensions[NAME] = state
        app.jinja_env.globals["scope_prompt"] = TemplateFunction(state.client, Undefined)
        app.cli.add_command(scope_group)
        weakref.finalize(app, state.close)

    @property
    def client(self) -> ScopeClient:
        """The client of the current app, made on first use and shared by its threads.

        Raises RuntimeError outside of an app context, and for an app on which init_app was not called.
        """
        return state_of_current_app().client()


class State:
    """What one app has; it does not keep the app alive."""

    def __init__(self, app: Flask) -> None:
        self.settings = _settings(app.config)
        problems = [problem for problem in self.settings.problems if problem.kind != "missing"]
        if problems:
            raise ConfigurationError("; ".join(f"{problem.message} ({problem.hint})" for problem in problems))
        cache = app.config.get(f"{PREFIX}CACHE")
        if cache is not None and app.config.get(f"{PREFIX}CACHE_STORE") is not None:
            raise ConfigurationError("SCOPE_CACHE and SCOPE_CACHE_STORE exclude each other: give one of them")
        self._store = None if cache is None else store_of(cache, app)
        self._client: ScopeClient | None = None
        _renewed(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def client(self) -> ScopeClient:
        """Raises MissingApiKeyError where there are no credentials."""
        found = self._client
        if found is None:
            with self._lock:
                found = self._client = self._client or ScopeClient(config=self.configuration())
        return found

    def configuration(self) -> Configuration:
        config = self.settings.configuration()
        if isinstance(self._store, CachelibStore):
            self._store.look()
        return config if self._store is None else config.merge(cache_store=self._store)

    def close(self) -> None:
        with self._lock:
            former, self._client = self._client, None
        if former is not None:
            former.close()


_states: weakref.WeakSet[State] = weakref.WeakSet()


def _renewed(state: State) -> None:
    state.after_fork()
    _states.add(state)


def _after_fork() -> None:
    for state in list(_states):
        state.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _settings(config: Mapping[str, object]) -> Settings:
    given = {key[len(PREFIX) :]: value for key, value in config.items() if str(key).startswith(PREFIX)}
    return Settings(given, spelled=f"{PREFIX}{{}}", also=("CACHE",))


def state_of_current_app() -> State:
    if not current_app:
        raise RuntimeError(
            "Scope needs an app context: use it in a view, a command or a template, or under `with app.app_context():`"
        )
    state = current_app.extensions.get(NAME)
    if not isinstance(state, State):
        raise RuntimeError("Scope is not set up for this app: call scope.init_app(app) where the app is made")
    return state


current_scope: ScopeClient = LocalProxy(lambda: state_of_current_app().client())  # type: ignore[assignment]
"""The client of the current app."""
