"""The one client of the process, and its asynchronous reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, overload

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import setting_changed
from django.http import Http404

from scope_client import CacheInfo, ConfigurationError, PromptVersion, ScopeClient, Telemetry
from scope_client.frameworks import (
    advise_on_a_loop,
    called_like,
    follow_default,
    made_off_the_loop,
    renew_in_children,
)

from . import _conf as conf
from . import signals
from ._store import DjangoStore

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from scope_client.frameworks import Label, ReadByLabel, ReadByVersion, ReadOptions


ANSWERED = (Http404, PermissionDenied, SuspiciousOperation, BadRequest)
"""What Django has an answer for other than 500: it stays what it is where a value raises it."""


class _Process:
    """What the process has: a client for each organisation; `override` is what tests put in the place of all."""

    def __init__(self) -> None:
        self.clients: dict[str, ScopeClient] = {}
        self.override: ScopeClient | None = None
        self.unregister: Callable[[], None] | None = None
        self.after_fork()

    def after_fork(self) -> None:
        self.lock = threading.RLock()

    def made_clients(self) -> list[ScopeClient]:
        with self.lock:
            return list(self.clients.values())

    def drop_clients(self) -> None:
        reset_client()


_process = _Process()
renew_in_children(_process)
follow_default(_process)
advise_on_a_loop("`await scope_django.arender(request, template, context)` for a page")


def get_client(using: str = conf.DEFAULT) -> ScopeClient:
    """The client of the process, made on first use from the SCOPE settings, and again when these change.

    Args:
        using: The organisation, a key of SCOPE, on a site that has several.

    Returns:
        The client.

    Raises:
        ConfigurationError: The settings cannot be used, as `manage.py check` says, or do not have this organisation.
    """
    if not isinstance(using, str):
        raise ConfigurationError(f"using must be the name of an organisation, got {type(using).__name__}")
    return _process.clients.get(using) or _made(using) if _process.override is None else _overridden(using)


def _made(using: str) -> ScopeClient:
    with _process.lock:
        if using not in _process.clients:
            config = conf.configuration(using)
            if isinstance(config.cache_store, DjangoStore):
                config.cache_store.check_client()
            _process.clients[using] = ScopeClient(config=config)
            _listen()
        return _process.clients[using]


def _overridden(using: str) -> ScopeClient:
    if using != conf.DEFAULT:
        conf.given(using)
    return _process.override or _made(using)


def reset_client() -> None:
    """Closes the clients of the process; the next `get_client()` makes another."""
    with _process.lock:
        former, _process.clients = _process.clients, {}
        if _process.override is None:
            _stop_listening()
    for client in former.values():
        client.close()


def replace_client(replacement: ScopeClient | None) -> None:
    """Puts a client in the place of the settings' own, until it is called with None. For tests."""
    with _process.lock:
        _process.override = replacement
        if replacement is not None or _process.clients:
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


async def _get_client() -> ScopeClient:
    """`get_client` for an event loop, off which a client is made."""
    return _process.override or _process.clients.get(conf.DEFAULT) or await made_off_the_loop(get_client)


@overload
async def aget_prompt_version(name: str, **asked: Unpack[ReadByLabel]) -> PromptVersion: ...


@overload
async def aget_prompt_version(name: str, **asked: Unpack[ReadByVersion]) -> PromptVersion: ...


@called_like(ScopeClient.get_prompt_version)  # type: ignore[misc]  # which is the first of its signatures to mypy
async def aget_prompt_version(*name: Any, **asked: Any) -> PromptVersion:
    """`ScopeClient.aget_prompt_version` of the client of the process, which is made off the event loop.

    Args:
        name: The prompt's name or ID.
        asked: What else `ScopeClient.get_prompt_version` takes.

    Returns:
        The version.

    Raises:
        ScopeError: What `get_client` and `ScopeClient.get_prompt_version` raise.
        TypeError: A label and a version are given, or an unknown keyword.
    """
    return await (await _get_client()).aget_prompt_version(*name, **asked)


@overload
async def arender_prompt(
    name: str,
    variables: Mapping[str, object] | None = None,
    label: Label | None = None,
    **asked: Unpack[ReadOptions],
) -> str: ...


@overload
async def arender_prompt(
    name: str, variables: Mapping[str, object] | None = None, **asked: Unpack[ReadByVersion]
) -> str: ...


@called_like(ScopeClient.render_prompt)  # type: ignore[misc]  # as above
async def arender_prompt(*name: Any, **asked: Any) -> str:
    """`ScopeClient.arender_prompt` of the client of the process, which is made off the event loop.

    Args:
        name: The prompt's name or ID, and the values of its variables.
        asked: What else `ScopeClient.get_prompt_version` takes.

    Returns:
        The text.

    Raises:
        ScopeError: What `aget_prompt_version` and `PromptVersion.render` raise.
        TypeError: A label and a version are given, or an unknown keyword.
    """
    return await (await _get_client()).arender_prompt(*name, **asked)
