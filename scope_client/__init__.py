"""Prompts from the Scope Platform: fetched by name, cached, filled in."""

from . import _public_names as _public
from ._client import ScopeClient
from ._clock import Clock
from ._config.configuration import Configuration
from ._config.credentials import ApiKeyCredentials, ClientCredentials, Credentials
from ._config.options import Options
from ._config.process_wide import configuration
from ._pins.pins import Pins
from ._prefetch import PrefetchReport
from ._process import client, configure, reset_configuration
from ._prompt.prompt_read import PromptRead
from ._prompt.prompt_version import PromptVersion
from ._status import PromptStatus, Status
from ._stores.cache_store import CacheStore
from ._stores.memory_store import MemoryStore
from ._stores.redis_store import RedisStore
from ._telemetry import (
    CacheInfo,
    ErrorInfo,
    OnCacheCallback,
    OnErrorCallback,
    OnRequestCallback,
    OnResponseCallback,
    RequestInfo,
    ResponseInfo,
    Telemetry,
)
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

CredentialsProtocol = Credentials
"""Another name of `Credentials`, which the platform's own SDK uses."""
Resource = PromptVersion
"""Another name of `PromptVersion`, which the platform's own SDK uses."""
VERSION: str = __version__
"""The version of this package, such as "0.2.0"; `__version__` is the same."""

# ConnectionError and TimeoutError are public too, but left out: a star import must not hide the builtins.
__all__ = [
    "VERSION",
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
    "CredentialsProtocol",
    "ErrorInfo",
    "InvalidCredentialsError",
    "MemoryStore",
    "MissingApiKeyError",
    "MissingVariableError",
    "NoProductionVersionError",
    "NotFoundError",
    "OnCacheCallback",
    "OnErrorCallback",
    "OnRequestCallback",
    "OnResponseCallback",
    "Options",
    "Pins",
    "PrefetchReport",
    "PromptRead",
    "PromptStatus",
    "PromptVersion",
    "RateLimitError",
    "RedisStore",
    "RenderError",
    "RequestInfo",
    "Resource",
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

_public.publish(__name__, (*__all__, "ConnectionError", "TimeoutError"))
