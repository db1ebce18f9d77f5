"""Errors as a program's own tests make them."""

from scope_client import (
    ConnectionError,
    MissingVariableError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    RenderError,
    ScopeError,
    TimeoutError,
    ValidationError,
)


def fails(error):
    raise error


for error in (
    NoProductionVersionError("greeting"),
    MissingVariableError(["name"]),
    RateLimitError(retry_after=60),
    NotFoundError("no such prompt"),
    ConnectionError(original_error=OSError("no route")),
    TimeoutError("too slow"),
    ValidationError("no", field="label", value="prod"),
    RenderError("no", template="Hi {{name}}"),
    NoProductionVersionError(),
    MissingVariableError(),
    RateLimitError(),
):
    try:
        fails(error)
    except ScopeError as caught:  # noqa: PERF203  # one after another, on purpose
        facts = ("prompt_id", "missing_variables", "retry_after", "original_error", "field", "value", "template")
        shown = {fact: getattr(caught, fact) for fact in facts if getattr(caught, fact, None)}
        print(type(caught).__name__, caught.http_status, shown)
