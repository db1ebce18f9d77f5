"""Error facts: what a log record and a span say of an error, beside its message."""

from __future__ import annotations

from ._attribute_names import ERROR_CODE, ERROR_TYPE, REQUEST_ID, STATUS


def error_type(error: BaseException) -> str:
    """The canonical name of its class (https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/)."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def error_facts(error: BaseException) -> dict[str, object]:
    """By name; None for what is not known."""
    return {
        ERROR_TYPE: error_type(error),
        STATUS: getattr(error, "http_status", None),
        ERROR_CODE: getattr(error, "error_code", None),
        REQUEST_ID: getattr(error, "request_id", None),
    }
