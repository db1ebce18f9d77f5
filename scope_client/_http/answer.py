"""What an answer of the platform means: the JSON object it promised, or an error with its facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Callable

from .._prompt.jsonvalue import DEEPEST, DepthError, parse
from .._redaction import Redaction
from ..errors import ApiError, class_for_status
from .attempt import Answer

_WORTH_ANOTHER_ATTEMPT = frozenset({408, 429, 500, 502, 503, 504})
_ADVICE = {
    401: "the token was not accepted",
    403: "these credentials have no right to it",
    404: "not found",
    429: "too many requests in too short a time",
}
_EXPECTED = "expected a JSON object"
_LONGEST_MESSAGE = 500


class Asked:
    """What was asked for: `make` reads the JSON object of a good answer, `redaction` cleans what an error shows.

    The body of an answer `with_secrets`, one that was to be a token, is in no error.
    """

    __slots__ = ("make", "redaction", "request_id", "with_secrets")

    def __init__(
        self,
        request_id: str,
        redaction: Redaction,
        make: Callable[[dict[str, Any]], Any],
        *,
        with_secrets: bool = False,
    ) -> None:
        self.request_id = request_id
        self.redaction = redaction
        self.make = make
        self.with_secrets = with_secrets

    def read(self, answer: Answer, wall: float) -> Any | ApiError:
        """What `make` made, or the error that the answer is; `wall` is the time in seconds since 1970."""
        try:
            return self._made(answer)
        except ApiError as error:
            return self._with_facts(error, answer, wall)

    def _made(self, answer: Answer) -> Any:
        if answer.status != 200:
            raise _refusal(answer)
        return self.make(_parsed(answer))

    def _with_facts(self, error: ApiError, answer: Answer, wall: float) -> ApiError:
        """Cut only after what is secret was taken out: no part of a secret is left at an edge."""

        def clean(text: str) -> str:
            return _printable(self.redaction.text(text))

        is_shown = not (self.with_secrets and answer.status < 400)
        code = error.error_code and clean(error.error_code)[:_LONGEST_MESSAGE]
        return type(error)(
            f"{clean(error.message)[:_LONGEST_MESSAGE]} (HTTP {answer.status}{f', code {code}' if code else ''})",
            http_status=answer.status,
            http_body=_printable(self.redaction.head(answer.body)) if is_shown else None,
            error_code=code,
            request_id=clean(answer.headers.get("X-Request-ID") or self.request_id),
            retry_after=retry_after(answer.headers, wall),
        )


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _refusal(answer: Answer) -> ApiError:
    kind = class_for_status(answer.status)
    if 300 <= answer.status < 400:
        return kind("the platform redirects, which is not followed: check base_url and auth_api_url")
    try:
        code, said = _said(_parsed(answer))
        flaw = "no reason was given"
    except ApiError as error:
        code, said, flaw = None, None, error.message
    return kind(said or _ADVICE.get(answer.status, flaw), error_code=code)


def is_passing(answer: Answer) -> bool:
    """Whether another attempt may end better."""
    return answer.status in _WORTH_ANOTHER_ATTEMPT or (answer.status == 200 and answer.is_cut_short)


def retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds to wait by the Retry-After header (RFC 9110, 10.2.3), None where it says nothing that can be read.

    A date is held against the platform's own Date, so that a clock that is wrong here does not matter.
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    until = _timestamp(text)
    if until is None:
        return None
    now = _timestamp(headers.get("Date", ""))
    return max(0.0, until - (wall if now is None else now))


def _timestamp(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _parsed(answer: Answer) -> dict[str, Any]:
    if answer.flaw:
        raise ApiError(f"{_EXPECTED}, got {answer.flaw}")
    if not answer.body.strip():
        raise ApiError(f"{_EXPECTED}, got an empty body")
    try:
        value = parse(answer.body)
    except DepthError:
        raise ApiError(f"{_EXPECTED}, got one nested more than {DEEPEST} deep") from None
    except ValueError:
        raise ApiError(f"{_EXPECTED}, got {_described(answer)}") from None
    if not isinstance(value, dict):
        raise ApiError(f"{_EXPECTED}, got a JSON {type(value).__name__}")
    return value


def _described(answer: Answer) -> str:
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip() or "no content type"
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
