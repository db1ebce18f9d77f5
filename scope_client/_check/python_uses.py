"""The uses of prompts in one file of Python, read without running or importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Callable, Optional

from .configured_calls import ConfiguredCall
from .seen import Seen
from .use import Place, Use

Constants = Mapping[str, tuple[str, ...]]
"""The constants of a module: the texts that each name may be, such as {"GREETING": ("greeting",)}."""
ConstantsOf = Callable[[str], Optional[Constants]]
"""Gives the constants of an imported module, by its dotted name; None for one that is not known."""

_CALLED = (
    *("get_prompt_version", "render_prompt", "read_prompt", "prefetch", "get_cached_version", "clear_cache"),
    *("from_scope", "scope_prompt"),
)
_MAY_USE = re.compile(rb"%b|#[ \t]*scope[ \t]*:" % b"|".join(method.encode() for method in _CALLED))


def may_use_prompts(octets: bytes, calls: Sequence[ConfiguredCall] = ()) -> bool:
    """Whether a file may ask for prompts. Takes microseconds, and spares most files of a project the reading.

    Args:
        octets: The file: Python or a notebook.
        calls: The calls that a project configures.
    """
    return _MAY_USE.search(octets) is not None or any(call.last_name.encode() in octets for call in calls)


def uses_in_python(
    text: str, file: str, calls: Sequence[ConfiguredCall] = (), constants_of: ConstantsOf | None = None
) -> Seen:
    """What one file of Python shows.

    Args:
        text: The file. See `source_text` for what the octets of a file mean.
        file: Its path as places give it, relative with forward slashes; relative imports are resolved by it.
        calls: The calls that a project configures.
        constants_of: Gives the constants of the modules that the file imports. Without it, an imported name is known
            only at run time.

    Raises:
        SyntaxError: It is not Python that this interpreter reads.
        ValueError: It holds what no source may hold, such as NUL.
        RecursionError: It is nested too deeply.
    """
    tree = ast.parse(text)
    uses = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLED:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                uses.append(Use(Place(file, first.lineno, first.col_offset + 1), first.value, renders=False))
    return Seen(uses, [])
