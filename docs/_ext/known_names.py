"""In a docstring, `ScopeClient` is a link if that is a public name, and code if not."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PUBLIC_MODULES = (
    *("scope_client", "scope_client.testing", "scope_client.local"),
    *("scope_django", "scope_flask", "scope_langchain"),
)
_IN_BACKTICKS = re.compile(r"(?<![`:\w])`([A-Za-z_][\w.]*)`(?!`)")


def _addresses() -> dict[str, str]:
    found: dict[str, str] = {}
    for module in PUBLIC_MODULES:
        for name in importlib.import_module(module).__all__:
            if name[0] != "_":
                found.setdefault(name, f"{module}.{name}")
    return found


def link_known_names(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    addresses = _addresses()

    def linked(found: re.Match[str]) -> str:
        first, _, rest = found.group(1).partition(".")
        if first not in addresses or not first[0].isupper():
            return found.group(0)
        target = addresses[first] + (f".{rest}" if rest else "")
        if target == name:
            return found.group(0)
        return f":py:obj:`{found.group(1)} <{target}>`"

    lines[:] = [_IN_BACKTICKS.sub(linked, line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    # Before Napoleon, which takes the lines apart.
    app.connect("autodoc-process-docstring", link_known_names, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
