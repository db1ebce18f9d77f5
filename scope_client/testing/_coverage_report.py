"""The figures of the coverage, and the lines that show them.

The percentage is that of all prompts and all their variables together: of a prompt with two variables, which was not
rendered, three things are missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from .._foreign_text import printable
from .._wording import listed
from ._prompts_to_cover import Known


class RenderedPrompt(Protocol):
    """What was rendered of one prompt."""

    @property
    def versions(self) -> set[tuple[str | None, int | None]]:
        """Each by its ID and number."""

    @property
    def variables(self) -> set[str]:
        """For which there was a value."""


class PromptFigures(NamedTuple):
    """Of one prompt."""

    name: str
    is_rendered: bool
    rendered: tuple[str, ...]
    """The versions that were rendered and are known, as "2"."""
    missing: tuple[str, ...]
    """Those that were not."""
    variables: tuple[str, ...]
    """Those that had a value."""
    missing_variables: tuple[str, ...]
    """Those that had none."""


class Figures(NamedTuple):
    """Of a run."""

    prompts: tuple[PromptFigures, ...]
    others: tuple[str, ...]
    """The names of prompts that were rendered, and are not among those that there are."""

    @classmethod
    def of(cls, known: Iterable[Known], rendered: Mapping[str, RenderedPrompt]) -> Figures:
        versions: dict[str, list[Known]] = {}
        for each in known:
            versions.setdefault(each.name, []).append(each)
        prompts = tuple(_figures(name, versions[name], rendered.get(name)) for name in sorted(versions))
        return cls(prompts, tuple(sorted(rendered.keys() - versions.keys())))

    @property
    def percent(self) -> float:
        """Of all prompts and variables, how many were rendered; 0 if there are none."""
        return 100 * self._rendered / self._all if self._all else 0.0

    @property
    def shown_percent(self) -> str:
        """Cut, so that 99.99 is not shown as 100."""
        return f"{math.floor(self.percent * 10) / 10:.1f} %"

    @property
    def _rendered(self) -> int:
        return sum(each.is_rendered + len(each.variables) for each in self.prompts)

    @property
    def _all(self) -> int:
        return sum(1 + len(each.variables) + len(each.missing_variables) for each in self.prompts)


def _figures(name: str, known: list[Known], rendered: RenderedPrompt | None) -> PromptFigures:
    names = dict.fromkeys(variable for each in known for variable in each.variables)
    found = set() if rendered is None else rendered.variables
    ids = set() if rendered is None else rendered.versions
    is_rendered = {
        _said(each): (each.id, each.number) in ids for each in sorted(known, key=lambda each: each.number or 0)
    }
    return PromptFigures(
        name=name,
        is_rendered=rendered is not None,
        rendered=tuple(version for version, is_there in is_rendered.items() if is_there),
        missing=tuple(version for version, is_there in is_rendered.items() if not is_there),
        variables=tuple(variable for variable in names if variable in found),
        missing_variables=tuple(variable for variable in names if variable not in found),
    )


def _said(version: Known) -> str:
    return str(version.id if version.number is None else version.number)


def report_lines(figures: Figures) -> Iterator[str]:
    """A line for each prompt, and the total."""
    width = max((len(printable(each.name)) for each in figures.prompts), default=0)
    for each in figures.prompts:
        yield f"{printable(each.name).ljust(width)}  {'; '.join(_parts(each))}"
    if figures.others:
        yield f"rendered too, and not among these: {listed(figures.others, written=printable)}"
    rendered = sum(each.is_rendered for each in figures.prompts)
    variables = sum(len(each.variables) for each in figures.prompts)
    of_variables = variables + sum(len(each.missing_variables) for each in figures.prompts)
    yield (
        f"TOTAL {figures.shown_percent}: {rendered:,} of {len(figures.prompts):,} prompts, "
        f"{variables:,} of {of_variables:,} variables"
    )


def _parts(prompt: PromptFigures) -> Iterator[str]:
    if not prompt.is_rendered:
        yield "never rendered"
    if prompt.rendered:
        yield f"rendered version {_listed(prompt.rendered)}"
    elif prompt.is_rendered:
        yield "rendered in another version"
    if prompt.variables:
        yield f"variables {_listed(prompt.variables)}"
    missing = [
        *([f"version {_listed(prompt.missing)}"] if prompt.missing else []),
        *([f"variables {_listed(prompt.missing_variables)}"] if prompt.missing_variables else []),
    ]
    if missing:
        yield f"missing: {' and '.join(missing)}"


def _listed(names: tuple[str, ...]) -> str:
    return listed(names, written=printable)
