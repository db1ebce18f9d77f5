"""What an answer of the platform means: the JSON object that was asked for, or an error with its facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._foreign_text import printable, printable_values, writable
from .._prompt.jsonvalue import MAX_JSON_DEPTH, DepthError, parse
from .._redaction import heads, shown_header
from ..errors import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    ConflictError,
    NotFoundError,
    RateLimitError,
    ScopeError,
    ServerError,
)
from .failures import LONGEST_SAID_CHARACTERS, RETRIED_STATUSES

if TYPE_CHECKING:
    from .attempt import Answer, Question

_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: AuthorizationError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    429: RateLimitError,
}
_ADVICE = {
    401: "the token was not accepted",
    403: "these credentials have no right to it",
    404: "not found",
    407: "the proxy on the way refuses, check the name and the password in its URL",
    410: "it is gone",
    429: "too many requests in too short a time",
}
_EXPECTED = "expected a JSON object"


class Failure(NamedTuple):
    """How an attempt failed; `may_pass` if another one may end better."""

    error: ScopeError
    may_pass: bool


class Reply:
    """An answer and the JSON object in it, `body`, if it is a good one. It has no repr, for it may hold a secret."""

    __slots__ = ("_answer", "_question", "_retry_after", "body")

    def __init__(self, question: Question, answer: Answer, retry_after: float | None) -> None:
        self._question = question
        self._answer = answer
        self._retry_after = retry_after
        self.body: dict[str, Any] = {}

    def unfit(self, flaw: ApiError) -> ApiError:
        """The same error with the facts of this answer, whose object is not what was promised.

        To be raised when the flaw is no longer being handled, in a frame that does not hold this reply: an error keeps
        its frames alive, and shows their local variables.
        """
        return _error(type(flaw), flaw.message, None, self._question, self._answer, self._retry_after)


def understood(question: Question, answer: Answer, retry_after: float | None) -> Reply | Failure:
    """What the answer means; `retry_after` is the pause that it asks for, in seconds."""
    reply = Reply(question, answer, retry_after)
    body = _parsed(answer)
    if answer.status == 200 and isinstance(body, dict):
        reply.body = body
        return reply
    kind = _BY_STATUS.get(answer.status, ServerError if 500 <= answer.status <= 599 else ApiError)
    code, said = _said(body) if isinstance(body, dict) else (None, None)
    if 300 <= answer.status < 400:
        code, said = None, "the platform redirects, which is not followed: check base_url and auth_api_url"
    if answer.status == 200:
        advice = "" if answer.is_cut_short else "; check that base_url and auth_api_url lead to the API"
        said = f"{body}{advice}"
    error = _error(kind, said or _unexplained(answer.status, body), code, question, answer, retry_after)
    may_pass = answer.status in RETRIED_STATUSES or (answer.status == 200 and answer.is_cut_short)
    return Failure(error, may_pass)


def _error(
    kind: type[ApiError],
    message: str,
    code: str | None,
    question: Question,
    answer: Answer,
    retry_after: float | None,
) -> ApiError:
    """Cut only after what is secret was taken out: no part of a secret is left at an edge."""
    is_secret = question.is_for_a_secret and answer.status < 400
    request_id = answer.headers.get("X-Request-ID") or question.request_id
    message, code, clean_id, body = heads(question.secrets, message, code or "", request_id, answer.body)
    message, code = printable_values([message, code], LONGEST_SAID_CHARACTERS)
    if request_id != question.request_id:
        request_id = printable(clean_id, LONGEST_SAID_CHARACTERS)
    return kind(
        f"{message} (HTTP {answer.status}{f', code {code}' if code else ''})",
        http_status=answer.status,
        http_body=None if is_secret else writable(body),
        error_code=code or None,
        request_id=request_id,
        retry_after=retry_after,
    )


def _unexplained(status: int, body: dict[str, Any] | str) -> str:
    """What to say of an error that gives no reason of its own; `body` is what is wrong with its body, if it is text."""
    advice = _ADVICE.get(status, "the platform failed" if status >= 500 else "the platform refused")
    return f"{advice} ({body})" if isinstance(body, str) else f"{advice}, and gave no reason"


def _parsed(answer: Answer) -> dict[str, Any] | str:
    """The object, or what is wrong with the body that should have held one."""
    if answer.flaw:
        return f"{_EXPECTED}, got {answer.flaw}"
    if not answer.body.strip():
        return f"{_EXPECTED}, got an empty body"
    try:
        value = parse(answer.body)
    except DepthError:
        return f"{_EXPECTED}, got one nested more than {MAX_JSON_DEPTH} deep"
    except ValueError:
        return f"{_EXPECTED}, got {_described(answer)}"
    return value if isinstance(value, dict) else f"{_EXPECTED}, got a JSON {type(value).__name__}"


def _described(answer: Answer) -> str:
    kind = shown_header(answer.headers.get("Content-Type", "").split(";")[0].strip()) or "no content type"
    looks_like_html = answer.body.lstrip()[:1] == b"<"
    return f"{'HTML' if looks_like_html else 'a body that is not JSON'} ({kind})"


def _said(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The code and the message of an error body of either shape; None for what is not there."""
    inner = body.get("error")
    source = inner if isinstance(inner, dict) else body
    message = inner if isinstance(inner, str) else source.get("message")
    return _text_or_none(source.get("code")), _text_or_none(message)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
