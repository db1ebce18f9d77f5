"""The one client of the process, and its asynchronous reads."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.core.signals import setting_changed

from scope_client import CacheInfo, PromptVersion, ScopeClient, Telemetry
from scope_client.frameworks import called_like, checked_values, renew_in_children

from . import _conf as conf
from . import signals
from ._store import DjangoStore


class _Process:
    """What the process has one of; `override` is what tests put in the client's place."""

    def __init__(self) -> None:
        self.client: ScopeClient | None = None
        self.override: ScopeClient | None = None
        self.unregister: Callable[[], None] | None = None
        self.after_fork()

    def after_fork(self) -> None:
        self.lock = threading.RLock()


_process = _Process()
renew_in_children(_process)


def get_client() -> ScopeClient:
    """The client of the process, made on first use from the SCOPE settings, and again when these change.

    Raises ConfigurationError if the settings cannot be used; `manage.py check` says the same.
    """
    return _process.override or _process.client or _made()


def _made() -> ScopeClient:
    with _process.lock:
        if _process.client is None:
            config = conf.configuration()
            if isinstance(config.cache_store, DjangoStore):
                config.cache_store.check_client()
            _process.client = ScopeClient(config=config)
            _listen()
        return _process.client


def reset_client() -> None:
    """Closes the client of the process; the next `get_client()` makes another."""
    with _process.lock:
        former, _process.client = _process.client, None
        if _process.override is None:
            _stop_listening()
    if former is not None:
        former.close()


def replace_client(replacement: ScopeClient | None) -> None:
    """Puts a client in the place of the settings' own, until it is called with None. For tests."""
    with _process.lock:
        _process.override = replacement
        if replacement is not None or _process.client is not None:
            _listen()
        else:
            _stop_listening()


def _listen() -> None:
    _stop_listening()
    _process.unregister = Telemetry.on_cache(_announce)


def _stop_listening() -> None:
    unregister, _process.unregister = _process.unregister, None
    if unregister is not None:
        unregister()


def _announce(info: CacheInfo) -> None:
    signal = {"stale": signals.prompt_stale, "fallback": signals.prompt_fallback}.get(info.outcome)
    if signal is not None:
        signal.send_robust(sender=ScopeClient, prompt=info.prompt, age=info.age)


def _follow_settings(*, setting: str, **_: Any) -> None:
    if setting in (conf.SETTING, "CACHES"):
        reset_client()


setting_changed.connect(_follow_settings, dispatch_uid="scope_django.client")


_REF_KEYWORDS = ("name", "label", "version")
_READ_KEYWORDS = inspect.signature(ScopeClient.get_prompt_version).parameters.keys()


@called_like(ScopeClient.get_prompt_version)
async def aget_prompt_version(*name: Any, **asked: Any) -> PromptVersion:
    """`ScopeClient.get_prompt_version` for an event loop: a cached read stays on it, a fetch goes to a thread.

    Args:
        name: The prompt's name or ID.
        asked: What else `ScopeClient.get_prompt_version` takes.

    Returns:
        The version.

    Raises:
        ScopeError: What `get_client` and `ScopeClient.get_prompt_version` raise.
        TypeError: A label and a version are given, or an unknown keyword.
    """
    may_be_cached = asked.get("cache", True) and asked.get("cache_ttl") is None
    is_known = asked.keys() <= _READ_KEYWORDS  # for another keyword, the method raises TypeError
    if may_be_cached and is_known and (_process.override or _process.client):
        ref = {key: asked[key] for key in _REF_KEYWORDS if key in asked}
        found = get_client().get_cached_version(*name, **ref)
        if found is not None:
            return found
    read = sync_to_async(lambda: get_client().get_prompt_version(*name, **asked), thread_sensitive=False)
    return await read()


@called_like(ScopeClient.render_prompt)
async def arender_prompt(name: str, variables: Mapping[str, object] | None = None, **asked: Any) -> str:
    """`ScopeClient.render_prompt` for an event loop, which reads as `aget_prompt_version` does.

    Args:
        name: The prompt's name or ID.
        variables: The values of its variables.
        asked: What else `ScopeClient.get_prompt_version` takes.

    Returns:
        The text.

    Raises:
        ScopeError: What `aget_prompt_version` and `PromptVersion.render` raise.
        TypeError: A label and a version are given, or an unknown keyword.
    """
    values = dict(checked_values(variables))
    found = await aget_prompt_version(name, **asked)
    return found.template.render(values)
