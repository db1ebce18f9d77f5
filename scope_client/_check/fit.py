"""Fit: what of a use does not fit the version that answers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .._prompt.chat_template import ChatTemplate, Placeholder
from .._prompt.prompt_version import PromptVersion
from .._wording import listed, nearest, shown
from .use import Place, Use

MAX_TYPOS_OF_A_USE = 20


class Misfit(NamedTuple):
    """One thing that does not fit."""

    code: str
    """One of `CODES`."""
    place: Place
    """Where it is written."""
    subject: str
    """The variable, or the variables; the type that is needed."""
    said: str
    """What follows the prompt's name in a sentence."""
    said_of_promotion: str
    """What follows "promoting v8 breaks src/a.py:12:"."""
    advice: str = ""
    """With a semicolon before it."""

    def message(self, prompt: str) -> str:
        """One sentence.

        Args:
            prompt: How the prompt is named in it.
        """
        return f"{prompt} {self.said}{self.advice}"

    def of_a_promotion(self, use: Use, version: PromptVersion) -> str:
        """One sentence on what happens once this version is promoted.

        Args:
            use: The use that breaks.
            version: The version that is not yet in production.
        """
        which = "the latest version" if version.version_number is None else f"v{version.version_number}"
        where = f"{use.place.file}:{use.place.line}"
        return f"promoting {which} breaks {where}: {self.said_of_promotion} (prompt {shown(use.name)}){self.advice}"


def misfits(use: Use, version: PromptVersion) -> Iterator[Misfit]:
    """What is wrong with a use if this version answers it: the type, each variable that is unknown, those that lack.

    A variable that is declared may be given, whether the content has it or not.
    """
    for each in _misfits(use, version):
        yield each._replace(advice=f"; {use.remedy}") if use.remedy else each


def _misfits(use: Use, version: PromptVersion) -> Iterator[Misfit]:
    if use.kind is not None and use.kind != version.type:
        why = use.why_kind or f"the code needs a {use.kind} prompt"
        said = f"is a {version.type} prompt, and {why}"
        yield Misfit("S105", use.place, use.kind, said, f"it is a {version.type} prompt, and {why}")
    if not use.passes_extra:
        yield from _unknown(use, version)
    yield from _wrong_kinds(use, version)
    given = frozenset(each.name for each in use.given)
    missing = [variable for variable in version.variables if variable not in given]
    if missing and use.renders and not use.is_open:
        names = listed(missing)
        yield Misfit("S103", use.place, ",".join(missing), f"is given no value for {names}", f"needs {names}")


def _unknown(use: Use, version: PromptVersion) -> Iterator[Misfit]:
    known = dict.fromkeys(version.to_dict()["variables"])
    unknown = [each for each in use.given if each.name not in known]
    for each in unknown[:MAX_TYPOS_OF_A_USE]:
        near = nearest(each.name, known)
        advice = f"; it knows {listed(known)}" if near is None else f"; the nearest one is {near!r}"
        name = shown(each.name)
        yield Misfit("S102", each.place, each.name, f"has no variable {name}", f"it does not know {name}", advice)
    rest = [each.name for each in unknown[MAX_TYPOS_OF_A_USE:]]
    if rest:
        names = listed(rest)
        said = f"has no variables {names} either"
        yield Misfit("S102", use.place, ",".join(rest), said, f"it does not know {names} either")


def _wrong_kinds(use: Use, version: PromptVersion) -> Iterator[Misfit]:
    template = version.template
    parts = template.parts if isinstance(template, ChatTemplate) else ()
    placeholders = {name for part in parts if isinstance(part, Placeholder) for name in part.variables}
    variables = frozenset(version.variables)
    for each in use.given:
        if each.name not in variables or each.kind is None:
            continue
        takes = "messages" if each.name in placeholders else "text"
        if each.kind != takes:
            name = shown(each.name)
            said = f"takes a list of messages for {name}, and is given text"
            if takes == "text":
                said = f"takes text for {name}, which is not a placeholder, and is given a list of messages"
            yield Misfit("S105", each.place, each.name, said, f"it {said}")
