"""Prompts from the Scope Platform: fetched by name, cached, filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._cache.memory_store import MemoryStore
from ._cache.redis_store import RedisStore
from ._client import ScopeClient
from ._clock import Clock
from ._config.cache_store import CacheStore
from ._config.configuration import Configuration
from ._config.credentials import ApiKeyCredentials, ClientCredentials, Credentials
from ._prefetch import PrefetchReport
from ._process import client, configuration, configure, reset_configuration
from ._prompt.prompt_version import PromptVersion
from ._status import PromptStatus, Status
from ._telemetry import CacheInfo, ErrorInfo, RequestInfo, ResponseInfo, Telemetry
from ._version import __version__
from .errors import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    ConflictError,
    InvalidCredentialsError,
    MissingApiKeyError,
    MissingVariableError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    RenderError,
    ResourceError,
    ScopeError,
    ServerError,
    TokenRefreshError,
    ValidationError,
)
from .errors import (
    ConnectionError as ConnectionError,
)
from .errors import (
    TimeoutError as TimeoutError,
)

if TYPE_CHECKING:
    from ._config.options import Options
else:

    def __getattr__(name: str) -> object:
        """Brings in `Options` when it is asked for: programs that run have no use for it."""
        if name != "Options":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ._config.options import Options

        return Options


# ConnectionError and TimeoutError are public too, but left out: a star import must not hide the builtins.
__all__ = [
    "ApiError",
    "ApiKeyCredentials",
    "AuthenticationError",
    "AuthorizationError",
    "CacheInfo",
    "CacheStore",
    "ClientCredentials",
    "Clock",
    "Configuration",
    "ConfigurationError",
    "ConflictError",
    "Credentials",
    "ErrorInfo",
    "InvalidCredentialsError",
    "MemoryStore",
    "MissingApiKeyError",
    "MissingVariableError",
    "NoProductionVersionError",
    "NotFoundError",
    "Options",
    "PrefetchReport",
    "PromptStatus",
    "PromptVersion",
    "RateLimitError",
    "RedisStore",
    "RenderError",
    "RequestInfo",
    "ResourceError",
    "ResponseInfo",
    "ScopeClient",
    "ScopeError",
    "ServerError",
    "Status",
    "Telemetry",
    "TokenRefreshError",
    "ValidationError",
    "__version__",
    "client",
    "configuration",
    "configure",
    "reset_configuration",
]
