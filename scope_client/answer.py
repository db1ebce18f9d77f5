"""What an answer of the platform means: the JSON object it promised, or an error with its facts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import ApiError, class_for_status
from .wire import Answer

_WORTH_ANOTHER_ATTEMPT = frozenset({408, 429, 500, 502, 503, 504})
_DEEPEST = 200
_ADVICE = {
    401: "the token was not accepted",
    403: "these credentials have no right to it",
    404: "not found",
    429: "too many requests in too short a time",
}


_BODY_READ = 16_384
_SHORTEST_SECRET = 4


class _UnreadableError(Exception):
    """The body is not a JSON object; the message says what came instead."""


def read(answer: Answer, request_id: str, secrets: tuple[str, ...], wall: float) -> dict[str, Any] | ApiError:
    """The JSON object of a 200, or the error that the answer is, with no secret in it.

    `request_id` is what was sent; `wall` is the time in seconds since 1970.
    """
    try:
        body = _parsed(answer)
    except _UnreadableError as error:
        body, flaw = {}, str(error)
    else:
        if answer.status == 200:
            return body
        flaw = ""
    code, said = _said(body)
    kind, message = (
        class_for_status(answer.status),
        said or _ADVICE.get(answer.status, flaw or "no reason was given"),
    )
    if answer.status == 200:
        kind, message = ApiError, f"expected a JSON object, got {flaw}"
    elif 300 <= answer.status < 400:
        message = "the platform redirects, which is not followed: check base_url and auth_api_url"

    def scrub(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***") if len(secret) >= _SHORTEST_SECRET else text
        return text

    return kind(
        scrub(f"{message} (HTTP {answer.status}{f', code {code}' if code else ''})"),
        http_status=answer.status,
        http_body=scrub(answer.body[:_BODY_READ].decode("utf-8", "replace")),
        error_code=code and scrub(code),
        request_id=answer.headers.get("X-Request-ID") or request_id,
        retry_after=retry_after(answer.headers, wall),
    )


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
        raise _UnreadableError(answer.flaw)
    if not answer.body.strip():
        raise _UnreadableError("an empty body")
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _UnreadableError(_described(answer)) from None
    if not isinstance(value, dict):
        raise _UnreadableError(f"a JSON {type(value).__name__}")
    if answer.body.count(b"[") + answer.body.count(b"{") > _DEEPEST and _is_too_deep(value):
        raise _UnreadableError(f"JSON nested more than {_DEEPEST} deep")
    return value


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _described(answer: Answer) -> str:
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip() or "no content type"
    looks_like_html = answer.body.lstrip()[:1] == b"<"
    return f"{'HTML' if looks_like_html else 'a body that is not JSON'} ({kind[:80]})"


def _said(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The code and the message of an error body of either shape; None for what is not there."""
    inner = body.get("error")
    source = inner if isinstance(inner, dict) else body
    message = inner if isinstance(inner, str) else source.get("message")
    return _text_or_none(source.get("code")), _text_or_none(message)


def _text_or_none(value: object) -> str | None:
    return value[:500] if isinstance(value, str) and value else None
