"""One family of errors: whatever goes wrong at run time is a `ScopeError` that carries the facts."""

import builtins
from collections.abc import Iterable
from typing import Any, Callable, Optional

KEPT_BODY_CHARACTERS = 2000
LONGEST_MESSAGE_CHARACTERS = 2000


class ScopeError(Exception):
    """The root of the family; a fact that is not known is None.

    Args:
        message: What went wrong, and what to do about it; is cut after 2,000 characters.
        http_status: As the field; so are the other keywords.
        http_body: Is cut at 2,000 characters.
        error_code: As the field.
        request_id: As the field.
    """

    message: str
    """What went wrong, and what to do about it."""
    http_status: Optional[int]
    """The status of the answer, such as 404; None if there was no answer."""
    http_body: Optional[str]
    """The first 2,000 characters of the answer's body, without secrets."""
    error_code: Optional[str]
    """The platform's own code for the error, such as "prompt_not_found"."""
    request_id: Optional[str]
    """The platform's X-Request-ID, or the one that was sent if the answer has none."""

    def __init__(
        self,
        message: str = "",
        *,
        http_status: Optional[int] = None,
        http_body: Optional[str] = None,
        error_code: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> None:
        if isinstance(message, str) and len(message) > LONGEST_MESSAGE_CHARACTERS:
            message = f"{message[:LONGEST_MESSAGE_CHARACTERS]}... ({len(message):,} characters)"
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.http_body = http_body if http_body is None else http_body[:KEPT_BODY_CHARACTERS]
        self.error_code = error_code
        self.request_id = request_id

    def __reduce__(self) -> tuple[Callable[..., "ScopeError"], tuple[Any, ...]]:
        return _revive, (type(self), self.args, self.__dict__.copy())


def _revive(kind: type[ScopeError], args: tuple[Any, ...], facts: dict[str, Any]) -> ScopeError:
    """Makes a pickled error again without its `__init__`, which may be a user's own. Pickles name this function."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class ConfigurationError(ScopeError):
    """An option, a setting or a file is missing, or has a value that it must not have."""


class MissingApiKeyError(ConfigurationError):
    """The credentials were not given, or a part of them is missing."""


class ApiError(ScopeError):
    """The platform refused, failed, or sent an answer that breaks the promise of its API.

    Args:
        message: As for ScopeError; so are the `facts`.
        retry_after: As the field.
    """

    retry_after: Optional[float]
    """How many seconds the answer asks to wait, or None if it does not say."""

    def __init__(self, message: str = "", *, retry_after: Optional[float] = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after


class AuthenticationError(ApiError):
    """The platform did not accept the token (401)."""


class TokenRefreshError(AuthenticationError):
    """The token endpoint gave no token; `http_status` is that of its answer, or None if it did not answer."""


class InvalidCredentialsError(AuthenticationError):
    """The token endpoint refused the credentials (401 or 403)."""


class AuthorizationError(ApiError):
    """The credentials are good, but not for this (403)."""


class NotFoundError(ApiError):
    """The prompt or the version does not exist (404), or no longer (410)."""


class ConflictError(ApiError):
    """The request conflicts with the present state of the platform (409)."""


class RateLimitError(ApiError):
    """Too many requests (429)."""


class ServerError(ApiError):
    """The platform failed (5xx)."""


class ConnectionError(ScopeError, builtins.ConnectionError):  # noqa: A001  # both, on purpose
    """The platform could not be reached, or the connection broke; a builtin ConnectionError too."""


class TimeoutError(ConnectionError, builtins.TimeoutError):  # noqa: A001  # both, on purpose
    """The answer did not come in time; a builtin TimeoutError too.

    Args:
        message: As for ScopeError; so are the `facts`.
        is_deadline: As the field.
        is_overrun: As the field.
    """

    is_deadline: bool
    """True if the time for the whole call ran out, False if it was the time for one attempt."""
    is_overrun: bool
    """True if it ended long after its time: this process was stopped meanwhile, which says nothing of the platform."""

    def __init__(self, message: str = "", *, is_deadline: bool = False, is_overrun: bool = False, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.is_deadline = is_deadline
        self.is_overrun = is_overrun


class ResourceError(ScopeError):
    """The prompt cannot be used in the way that was asked for."""


class ValidationError(ResourceError):
    """An argument has a value that it must not have."""


class RenderError(ResourceError):
    """The values could not be filled into the content."""


class MissingVariableError(RenderError):
    """The content has variables for which the caller gave no value.

    Args:
        message: As for ScopeError; so are the `facts`.
        missing_variables: As the field.
    """

    missing_variables: tuple[str, ...]
    """The names of all variables without a value, in the order of the content."""

    def __init__(self, message: str = "", *, missing_variables: Iterable[str] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.missing_variables = tuple(missing_variables)


class NoProductionVersionError(ResourceError):
    """The prompt has no published version.

    Args:
        message: As for ScopeError; so are the `facts`.
        prompt_id: As the field.
    """

    prompt_id: Optional[str]
    """The name or ID that was asked for."""

    def __init__(self, message: str = "", *, prompt_id: Optional[str] = None, **facts: Any) -> None:
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
