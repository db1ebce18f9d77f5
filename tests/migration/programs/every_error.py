"""Every error of the table, by its name, and which it is a kind of."""

from scope_client import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    ConflictError,
    ConnectionError,
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
    TimeoutError,
    TokenRefreshError,
    ValidationError,
)

kinds = {
    ScopeError: [ConfigurationError, ApiError, ConnectionError, ResourceError],
    ConfigurationError: [MissingApiKeyError],
    ApiError: [AuthenticationError, AuthorizationError, NotFoundError, ConflictError, RateLimitError, ServerError],
    AuthenticationError: [TokenRefreshError, InvalidCredentialsError],
    ConnectionError: [TimeoutError],
    ResourceError: [ValidationError, RenderError, NoProductionVersionError],
    RenderError: [MissingVariableError],
}
print(all(issubclass(kind, parent) for parent, children in kinds.items() for kind in children))
