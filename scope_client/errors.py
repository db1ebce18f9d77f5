"""One family of errors: whatever goes wrong at run time is a `ScopeError` that carries the facts."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any, Callable

BODY_KEPT = 2000


class ScopeError(Exception):
    """The root of the family; a fact that is not known is None.

    `http_body` holds at most its first 2,000 characters. `request_id` is the platform's X-Request-ID,
    or the one that was sent.
    """

    def __init__(
        self,
        message: str = "",
        *,
        http_status: int | None = None,
        http_body: str | None = None,
        error_code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.http_body = http_body if http_body is None else http_body[:BODY_KEPT]
        self.error_code = error_code
        self.request_id = request_id

    def __reduce__(self) -> tuple[Callable[..., ScopeError], tuple[Any, ...]]:
        return _revive, (type(self), self.args, self.__dict__.copy())


def _revive(kind: type[ScopeError], args: tuple[Any, ...], facts: dict[str, Any]) -> ScopeError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class ConfigurationError(ScopeError):
    """A setting is missing or is not what it must be."""


class MissingApiKeyError(ConfigurationError):
    """The credentials, or a part of them, were not given."""


class ApiError(ScopeError):
    """The platform refused, failed, or answered something that its API does not promise.

    `retry_after` is the pause that the answer asked for, in seconds, or None where it named none.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after


class AuthenticationError(ApiError):
    """The platform did not accept the token (401)."""


class TokenRefreshError(AuthenticationError):
    """The token endpoint gave no token; `http_status` is its own answer, or None where none came."""


class InvalidCredentialsError(AuthenticationError):
    """The token endpoint refused the credentials (401 or 403)."""


class AuthorizationError(ApiError):
    """The credentials are good, but not for this (403)."""


class NotFoundError(ApiError):
    """There is no such prompt or version (404), or no longer (410)."""


class ConflictError(ApiError):
    """The request is at odds with the state of the platform (409)."""


class RateLimitError(ApiError):
    """Too many requests (429)."""


class ServerError(ApiError):
    """The platform failed (5xx)."""


class ConnectionError(ScopeError, builtins.ConnectionError):  # noqa: A001  # both, on purpose
    """The platform could not be reached, or the connection broke; also the builtin of this name."""


class TimeoutError(ConnectionError, builtins.TimeoutError):  # noqa: A001  # both, on purpose
    """The answer was not there in time; also the builtin of this name.

    `is_deadline` tells that the time for the whole call ran out, rather than that for one attempt.
    """

    def __init__(self, message: str = "", *, is_deadline: bool = False, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.is_deadline = is_deadline


class ResourceError(ScopeError):
    """A prompt, or what was asked of it, is not usable as it is."""


class ValidationError(ResourceError):
    """An argument is not what it must be."""


class RenderError(ResourceError):
    """The content could not be filled in."""


class MissingVariableError(RenderError):
    """`missing_variables` names all that the content needs and the caller did not give, in order."""

    def __init__(self, message: str = "", *, missing_variables: Iterable[str] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.missing_variables = tuple(missing_variables)


class NoProductionVersionError(ResourceError):
    """The prompt has no published version; `prompt_id` is the name or ID that was asked for."""

    def __init__(self, message: str = "", *, prompt_id: str | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.prompt_id = prompt_id


_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: AuthorizationError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    429: RateLimitError,
}


def class_for_status(status: int) -> type[ApiError]:
    """The error class of an HTTP status that is not a success."""
    if 500 <= status <= 599:
        return ServerError
    return _BY_STATUS.get(status, ApiError)
