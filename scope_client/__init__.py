"""Prompts from the Scope Platform: fetched by name, cached, filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .client import ScopeClient
from .clock import Clock
from .configuration import Configuration
from .credentials import ApiKeyCredentials, ClientCredentials, Credentials
from .default import client, configuration, configure, reset_configuration
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
from .prefetch import PrefetchReport
from .prompt import PromptVersion
from .redisstore import RedisStore
from .status import PromptStatus, Status
from .stores import CacheStore, MemoryStore
from .telemetry import CacheInfo, ErrorInfo, RequestInfo, ResponseInfo, Telemetry
from .version import __version__

if TYPE_CHECKING:
    from .options import Options
else:

    def __getattr__(name: str) -> object:
        """Brings in `Options` when it is asked for: programs that run have no use for it."""
        if name != "Options":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .options import Options

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
