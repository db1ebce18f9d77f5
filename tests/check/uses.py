"""Uses that are made by hand, for tests of what is found out about them."""

from __future__ import annotations

from typing import Any

from scope_client._check.use import Given, Place, Use

FILE = "src/app.py"


def use(
    name: str | None, *given: str, line: int = 3, column: int = 8, kinds: dict[str, str] | None = None, **more: Any
):
    """One on this line; its variables follow, ten characters each."""
    kinds = kinds or {}
    variables = tuple(
        Given(each, Place(FILE, line, column + 10 * number), kinds.get(each)) for number, each in enumerate(given, 1)
    )
    return Use(Place(FILE, line, column), name, given=variables, **more)
