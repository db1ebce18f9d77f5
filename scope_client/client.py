"""ScopeClient: the rooms wired together."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable

from . import rules, telemetry
from .cache import PromptCache
from .clock import Clock
from .configuration import Configuration
from .errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    MissingApiKeyError,
    ScopeError,
    TokenRefreshError,
    ValidationError,
)
from .prompt import PromptRef, PromptVersion
from .tokens import Token, Tokens

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Unpack

    from .configuration import Options
    from .transport import Transport

_CLOCK = Clock()


class ScopeClient:
    """Reads prompts; one client serves all threads of a process. Nothing is sent before the first read.

    Takes a Configuration, its options as keywords, or both: the keywords win.
    Raises ConfigurationError (MissingApiKeyError without credentials), TypeError for an unknown option.
    """

    def __init__(
        self, *, config: Configuration | None = None, clock: Clock = _CLOCK, **options: Unpack[Options]
    ) -> None:
        if config is not None and not isinstance(config, Configuration):
            raise ConfigurationError(f"config must be a Configuration, got {type(config).__name__}")
        self._config = Configuration(**options) if config is None else config.merge(**options)
        if self._config.credentials is None:
            raise MissingApiKeyError(
                "a client needs credentials: pass credentials=ApiKeyCredentials.from_env(), "
                "which reads SCOPE_ORG_ID, SCOPE_API_KEY and SCOPE_API_SECRET"
            )
        self._credentials = self._config.credentials
        self._clock = clock
        self._now = clock.now
        self._cache = PromptCache(ttl=self._config.cache_ttl, max_size=self._config.cache_max_size, clock=clock)
        self._entries = self._cache.entries
        self._tokens = Tokens(self._buy_token, buffer=self._config.token_refresh_buffer, clock=clock)
        self._lock = threading.Lock()
        self._transport: Transport | None = None

    @property
    def config(self) -> Configuration:
        return self._config

    def get_prompt_version(
        self,
        name: str,
        *,
        label: str | None = None,
        version: str | None = None,
        cache: bool = True,
        cache_ttl: float | None = None,
    ) -> PromptVersion:
        """The production version of a prompt, or the one that `label` ("production", "latest") or `version` asks for.

        `name` is the prompt's name or ID. `cache=False` asks the platform and leaves the cache as it is.
        `cache_ttl`, in seconds, is how old the answer may be and how long it is kept, for this call in place of the
        Configuration's.

        Raises NoProductionVersionError, NotFoundError and the rest of ApiError for what the platform answers,
        ConnectionError where it does not, ValidationError for an argument that cannot be, TypeError for a label
        and a version together.
        """
        if cache and cache_ttl is None and type(name) is str:
            key = name if label is None and version is None else (name, label, version)
            try:
                entry = self._entries.get(key)
            except TypeError:
                entry = None
            if entry is not None:
                now = self._now()
                if now < entry.expires_at:
                    entry.read_at = now
                    return entry.version
        return self._read(PromptRef.of(name, label, version), cache, cache_ttl)

    def render_prompt(
        self,
        name: str,
        variables: Mapping[str, object] | None = None,
        *,
        label: str | None = None,
        version: str | None = None,
        cache: bool = True,
        cache_ttl: float | None = None,
    ) -> str:
        """`get_prompt_version` and `PromptVersion.render` in one; raises what they raise."""
        if variables is not None and not isinstance(variables, Mapping):
            raise ValidationError(f"variables must be a mapping of names to values, got {type(variables).__name__}")
        found = self.get_prompt_version(name, label=label, version=version, cache=cache, cache_ttl=cache_ttl)
        return found.template.render(dict(variables or {}))

    def clear_cache(self) -> None:
        """Forgets every cached version; a fetch that is under way now does not bring an old one back."""
        self._cache.clear()

    def close(self) -> None:
        """Closes the connections; a later read opens new ones. A session that was passed in stays open."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def __enter__(self) -> ScopeClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        org_id = getattr(self._config.credentials, "org_id", None)
        return f"ScopeClient(base_url={self._config.base_url!r}, org_id={org_id!r})"

    def _read(self, ref: PromptRef, cache: bool, cache_ttl: float | None) -> PromptVersion:
        ttl = None if cache_ttl is None else rules.SECONDS.check("cache_ttl", cache_ttl, ValidationError)
        if not (cache and self._config.cache_enabled):
            return self._fetch(ref)
        return self._cache.get(ref, lambda: self._fetch(ref), ttl)

    def _fetch(self, ref: PromptRef) -> PromptVersion:
        transport = self._open()
        request_id = transport.new_request_id()
        started = self._now()
        try:
            return self._ask(transport, ref, request_id)
        except ScopeError as failure:
            error = ref.explain(failure) if isinstance(failure, ApiError) else failure
            error.request_id = error.request_id or request_id
            if self._config.telemetry_enabled and telemetry.errors:
                telemetry.errors.emit(telemetry.ErrorInfo(request_id, error, (self._now() - started) * 1000))
            if error is failure:
                raise
            raise error from failure

    def _ask(self, transport: Transport, ref: PromptRef, request_id: str) -> PromptVersion:
        """One exchange, repeated once with a new token where the platform does not take the present one."""
        url = f"{self._config.base_url}/api/{self._config.api_version}{ref.path}"
        make = functools.partial(PromptVersion.from_api, ref=ref)
        token = self._tokens.get(request_id)
        try:
            return transport.get(url, request_id, token=token, make=make)
        except AuthenticationError:
            self._tokens.discard(token)
            return transport.get(url, request_id, token=self._tokens.get(request_id), make=make)

    def _buy_token(self, request_id: str, make: Callable[[Mapping[str, Any]], Token]) -> Token:
        kind = type(self._credentials).__name__
        try:
            path, body = self._credentials.token_path, dict(self._credentials.token_body())
        except Exception as error:  # credentials may be the user's own
            raise TokenRefreshError(f"{kind} gave no token request: {type(error).__name__}") from error
        if not all(isinstance(text, str) for text in (path, *body, *body.values())):
            raise TokenRefreshError(f"{kind} must give token_path as text and token_body() as texts by name")
        if not path.startswith("/"):
            raise TokenRefreshError(f"{kind} must give a token_path that starts with a slash")
        return self._open().post(f"{self._config.auth_api_url}{path}", request_id, body=body, make=make)

    def _open(self) -> Transport:
        """The transport, made with the first fetch: it brings `requests` in, which takes longer than all the rest."""
        with self._lock:
            if self._transport is None:
                from .transport import Transport

                self._transport = Transport(self._config, self._clock)
            return self._transport
