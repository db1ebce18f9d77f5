"""Surplus: what becomes of a value for which the content has no variable."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._attribute_names import PROMPT_NAME, VARIABLES
from .._frozen import Frozen
from .._log import Log
from .._wording import listed, shown
from ..errors import ValidationError

_log = Log("scope_client.prompt")
MAX_WARNED_VALUES = 10_000
_warned: set[tuple[str, str]] = set()
_WITH_SPACES = " (it has {{{{ {0} }}}} with spaces: write {{{{{0}}}}} there)"
_NOT_IN_A_TEXT = " ({{{{{0}}}}} is in a part that is not text, where nothing is filled in)"
_UNFILLED = r"\{\{(\w+)\}\}"
_SPACED = r"\{\{(?=[ \t]|\w+[ \t])[ \t]*(\w+)[ \t]*\}\}"


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
        if self.extra_values != "error":
            return ""
        spaced, unfilled = (frozenset(re.findall(pattern, content)) for pattern in (_SPACED, _UNFILLED))
        # The platform may declare a variable because it has read more into the content than is filled in.
        taken = frozenset(self.declared).difference(spaced, unfilled)
        refused = [name for name in unknown if name not in taken]
        advice = next((_WITH_SPACES.format(name) for name in refused if name in spaced), "")
        advice = advice or next((_NOT_IN_A_TEXT.format(name) for name in refused if name in unfilled), "")
        return f"the prompt has no variable {listed(refused)}{advice}" if refused else ""

    def take(self, unknown: Iterable[str], variables: tuple[str, ...], content: str) -> None:
        """Raises ValidationError if a value of one of these names is not taken; or warns of it once, by the rule."""
        said = self.said(unknown, content)
        if said:
            raise ValidationError(f"{said}; its variables are: {listed(variables)}")
        if self.extra_values == "warn":
            for name in frozenset(unknown).difference(self.declared):
                self._warn_once(name)

    def _warn_once(self, name: str) -> None:
        once = (self.prompt, name)
        if once in _warned or len(_warned) >= MAX_WARNED_VALUES:
            return
        _warned.add(once)
        _log.warning(
            "the prompt %s has no variable %s: the value that the code gives for it is left out",
            shown(self.prompt),
            shown(name),
            facts={PROMPT_NAME: self.prompt, VARIABLES: [name]},
        )


STRICT = Surplus("", (), "error")
TOLERANT = Surplus("", (), "ignore")
