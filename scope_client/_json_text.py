"""JSON text, through the `json` of the standard library: imported with the first of it, as `requests` brings it."""

from __future__ import annotations

import functools
from typing import Any

from ._fork import held_back


@functools.cache
def json_library() -> Any:
    """The module `json`."""
    with held_back():
        import json

    return json


def json_text(value: object, **options: Any) -> str:
    """What `json.dumps` makes of it, with the letters of all alphabets as they are."""
    return json_library().dumps(value, ensure_ascii=False, **options)  # type: ignore[no-any-return]  # it is text
