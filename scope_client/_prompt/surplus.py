"""Surplus: what becomes of a value for which the content has no variable."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._frozen import Frozen
from .._log import Log
from .._wording import listed, shown
from ..errors import ValidationError

_log = Log("scope_client.prompt")
MAX_WARNED_VALUES = 10_000
_warned: set[tuple[str, str]] = set()
_SPACED = re.compile(r"\{\{[ \t]*(\w+)[ \t]*\}\}")


class Surplus(Frozen):
    """The rule of one prompt: `extra_values` is as in a Configuration.

    A value for one of the `declared` variables is taken without a word. The platform knows of them, though this
    version has no use for them.
    """

    __slots__ = ("prompt", "declared", "extra_values")
    prompt: str
    declared: tuple[str, ...]
    extra_values: str

    def __init__(self, prompt: str, declared: tuple[str, ...], extra_values: str) -> None:
        self._freeze(prompt=prompt, declared=declared, extra_values=extra_values)

    def said(self, unknown: Iterable[str], content: str) -> str:
        """What is wrong with values of these names, or "" if they are taken."""
        refused = self._refused(unknown)
        if not refused:
            return ""
        known = frozenset(refused)
        spaced = [name for name in _SPACED.findall(content) if name in known]
        advice = f" (it has {{{{ {spaced[0]} }}}} with spaces: write {{{{{spaced[0]}}}}} there)" if spaced else ""
        return f"the prompt has no variable {listed(refused)}{advice}"

    def take(self, unknown: Iterable[str], variables: tuple[str, ...], content: str) -> None:
        """Raises ValidationError if a value of one of these names is not taken; or warns of it once, by the rule."""
        said = self.said(unknown, content)
        if said:
            raise ValidationError(f"{said}; its variables are: {listed(variables)}")
        if self.extra_values == "warn":
            for name in frozenset(unknown).difference(self.declared):
                self._warn_once(name)

    def _refused(self, unknown: Iterable[str]) -> list[str]:
        if self.extra_values != "error":
            return []
        declared = frozenset(self.declared)
        return [name for name in unknown if name not in declared]

    def _warn_once(self, name: str) -> None:
        once = (self.prompt, name)
        if once in _warned or len(_warned) >= MAX_WARNED_VALUES:
            return
        _warned.add(once)
        _log.warning(
            "the prompt %s has no variable %s: the value that the code gives for it is left out",
            shown(self.prompt),
            shown(name),
        )


STRICT = Surplus("", (), "error")
TOLERANT = Surplus("", (), "ignore")
