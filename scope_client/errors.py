"""One family of errors: whatever goes wrong at run time is a `ScopeError` that carries the facts."""

import builtins
from collections.abc import Iterable
from typing import Any, Callable, ClassVar, Optional, Union

KEPT_BODY_CHARACTERS = 2000
LONGEST_MESSAGE_CHARACTERS = 2000
_STATUS_OF_THE_CLASS: Any = ...


class ScopeError(Exception):
    """The root of the family; a fact that is not known is None.

    Args:
        message: What went wrong, and what to do about it, cut after 2,000 characters. By default, what the class stands
            for.
        http_status: The status of the answer. By default that of the class, such as 404 of `NotFoundError`.
        http_body: The body of the answer, cut after 2,000 characters.
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
    _said: ClassVar[str] = ""
    _status: ClassVar[Optional[int]] = None  # of an error that is made by hand
    _breaks_lock: bool = False  # the platform does not give the version that a lock names, which is its failure

    def __init__(
        self,
        message: str = "",
        *,
        http_status: Optional[int] = _STATUS_OF_THE_CLASS,
        http_body: Optional[str] = None,
        error_code: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> None:
        if http_status is _STATUS_OF_THE_CLASS:
            http_status = self._status
        message = message or (f"{self._said} (HTTP {http_status})" if http_status else self._said)
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

    _said = "an option, a setting or a file is missing, or has a value that it must not have"


class MissingApiKeyError(ConfigurationError):
    """The credentials were not given, or a part of them is missing."""

    _said = "the credentials were not given, or a part of them is missing"


class ApiError(ScopeError):
    """The platform refused, failed, or sent an answer that breaks the promise of its API.

    Args:
        message: As for `ScopeError`.
        retry_after: As the field.
        facts: The other keywords of `ScopeError`.
    """

    retry_after: Optional[float]
    """How many seconds the answer asks to wait, or None if it does not say."""
    _said = "the platform refused or failed"

    def __init__(self, message: str = "", *, retry_after: Optional[float] = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after


class AuthenticationError(ApiError):
    """The platform did not accept the token (401)."""

    _said = "the token was not accepted"
    _status: ClassVar[Optional[int]] = 401


class TokenRefreshError(AuthenticationError):
    """The token endpoint gave no token; `http_status` is that of its answer, or None if it did not answer."""

    _said = "could not get a token"
    _status: ClassVar[Optional[int]] = None


class InvalidCredentialsError(AuthenticationError):
    """The token endpoint refused the credentials (401 or 403)."""

    _said = "the credentials were refused"


class AuthorizationError(ApiError):
    """The credentials are good, but not for this (403)."""

    _said = "these credentials have no right to it"
    _status = 403


class NotFoundError(ApiError):
    """The prompt or the version does not exist (404), or no longer (410)."""

    _said = "not found"
    _status = 404


class ConflictError(ApiError):
    """The request conflicts with the present state of the platform (409)."""

    _said = "the request conflicts with the present state of the platform"
    _status = 409


class RateLimitError(ApiError):
    """Too many requests (429)."""

    _said = "too many requests in too short a time"
    _status = 429


class ServerError(ApiError):
    """The platform failed (5xx)."""

    _said = "the platform failed"
    _status = 500


class ConnectionError(ScopeError, builtins.ConnectionError):  # noqa: A001  # both, on purpose
    """The platform could not be reached, or the connection broke; a builtin ConnectionError too.

    Args:
        message: As for `ScopeError`.
        original_error: The error of the network, as if the new one was raised from it.
        facts: The other keywords of `ScopeError`.
    """

    __cause__: Optional[BaseException]
    _said = "the platform could not be reached, or the connection broke"

    def __init__(self, message: str = "", *, original_error: Optional[BaseException] = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        if original_error is not None:
            self.__cause__ = original_error

    @property
    def original_error(self) -> Optional[BaseException]:
        """The error of the network, which is the `__cause__`; a pickle and a copy leave it out."""
        return self.__cause__


class TimeoutError(ConnectionError, builtins.TimeoutError):  # noqa: A001  # both, on purpose
    """The answer did not come in time; a builtin TimeoutError too.

    Args:
        message: As for `ScopeError`.
        is_deadline: As the field.
        is_overrun: As the field.
        facts: The other keywords of `ScopeError`.
    """

    is_deadline: bool
    """True if the time for the whole call ran out, False if it was the time for one attempt."""
    is_overrun: bool
    """True if this process was kept from its time, as one is that is stopped: the attempt ended long after it, or there
    was none left when it was to begin. That says nothing of the platform."""
    _said = "the answer did not come in time"

    def __init__(self, message: str = "", *, is_deadline: bool = False, is_overrun: bool = False, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.is_deadline = is_deadline
        self.is_overrun = is_overrun


class ResourceError(ScopeError):
    """The prompt cannot be used in the way that was asked for."""

    _said = "the prompt cannot be used in the way that was asked for"


class ValidationError(ResourceError):
    """An argument has a value that it must not have.

    Args:
        message: As for `ScopeError`.
        field: As the field.
        value: As the field.
        facts: The other keywords of `ScopeError`.
    """

    field: Optional[str]
    """The name of the argument, if whoever made the error gave it; a client does not, its message has the name."""
    value: object
    """The value of the argument, likewise."""
    _said = "an argument has a value that it must not have"

    def __init__(self, message: str = "", *, field: Optional[str] = None, value: object = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.field = field
        self.value = value


class RenderError(ResourceError):
    """The values could not be filled into the content.

    Args:
        message: As for `ScopeError`.
        template: As the field.
        facts: The other keywords of `ScopeError`.
    """

    template: Optional[str]
    """The content, if whoever made the error gave it; a client does not."""
    _said = "the values could not be filled into the content"

    def __init__(self, message: str = "", *, template: Optional[str] = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.template = template


class MissingVariableError(RenderError):
    """The content has variables for which the caller gave no value.

    Args:
        message: As for `ScopeError`. The names may take its place: `MissingVariableError(["name"])`.
        facts: The other keywords of `ScopeError`.
        missing_variables: As the field.
    """

    missing_variables: tuple[str, ...]
    """The names of all variables without a value, in the order of the content."""

    _said = "a variable has no value"

    def __init__(
        self, message: Union[str, Iterable[str]] = "", *, missing_variables: Iterable[str] = (), **facts: Any
    ) -> None:
        if not isinstance(message, str):
            message, missing_variables = "", message
        names = tuple(missing_variables)
        if names and not message:
            message = f"no value was given for {', '.join(map(repr, names))}"
        super().__init__(message, **facts)
        self.missing_variables = names


class NoProductionVersionError(ResourceError):
    """The prompt has no published version.

    Args:
        message: As for `ScopeError`. A single word is taken for the `prompt_id`, and the message is made of it:
            `NoProductionVersionError("greeting")`.
        prompt_id: As the field.
        facts: The other keywords of `ScopeError`.
    """

    prompt_id: Optional[str]
    """The name or ID that was asked for."""

    _status = 404

    def __init__(self, message: str = "", *, prompt_id: Optional[str] = None, **facts: Any) -> None:
        if prompt_id is None and isinstance(message, str) and len(message.split()) == 1:
            message, prompt_id = "", message
        which = "the prompt" if prompt_id is None else f"prompt {prompt_id!r}"
        made = f"{which} has no production version: publish one, or ask for label='latest'"
        super().__init__(message or made, **facts)
        self.prompt_id = prompt_id
