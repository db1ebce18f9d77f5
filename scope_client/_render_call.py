"""Render call: what `render_prompt` was given, sorted into the name, the values and the options of the read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._config.near_misses import meant
from ._config.options import NOT_GIVEN
from ._config.read_options import KEYWORDS_OF_READS
from ._prompt.values import is_none
from ._wording import nearest, shown
from .errors import ValidationError

LIKE_A_KEYWORD = 0.75


def sorted_call(
    method: str, name: Any, variables: Any, label: Any, keywords: dict[str, Any]
) -> tuple[str, Any, dict[str, Any]]:
    """The name, the values and the options of a call.

    Args:
        method: What the user called.
        name: The name, if it came by position, or NOT_GIVEN.
        variables: The values, likewise.
        label: The label, likewise.
        keywords: All keywords.

    Returns:
        The three, whichever way they came.

    Raises:
        TypeError: A keyword is not one of the method, as if it was the value of a variable.
    """
    options = dict(keywords)
    by_position = {"name": name, "variables": variables, "label": label}
    found = {key: options.pop(key, NOT_GIVEN) if value is NOT_GIVEN else value for key, value in by_position.items()}
    if found["name"] is NOT_GIVEN:
        raise TypeError(f'{method} needs the name of a prompt: {method}("greeting", {{"name": "Ada"}})')
    for key in options:
        if key not in KEYWORDS_OF_READS or (key == "label" and label is not NOT_GIVEN):
            raise TypeError(_advice(method, found["name"], key))
    if found["label"] is not NOT_GIVEN:
        options["label"] = found["label"]
    return found["name"], None if found["variables"] is NOT_GIVEN else found["variables"], options


def values_of(variables: object) -> dict[str, Any]:
    """A copy of the values, each as the mapping itself gives it; raises ValidationError for what is not a mapping.

    A copy by `dict` of one that is a dict too, such as Django's QueryDict, would have the lists that are inside it.
    """
    if is_none(variables):
        return {}
    if not isinstance(variables, Mapping):
        raise ValidationError(f"variables must be a mapping of names to values, got {type(variables).__name__}")
    return {name: variables[name] for name in variables}


def _advice(method: str, name: object, key: str) -> str:
    if key in ("name", "variables", "label"):
        said = f"{method} got {key} twice, by position and as a keyword"
    else:
        near = meant(key, KEYWORDS_OF_READS) or nearest(key, KEYWORDS_OF_READS, cutoff=LIKE_A_KEYWORD)
        said = f"{method} has no option {shown(key)}{f'; the nearest one is {near!r}' if near else ''}"
    return f"{said}. The values of variables go into a mapping: {method}({shown(name)}, {{{shown(key)}: ...}})"
