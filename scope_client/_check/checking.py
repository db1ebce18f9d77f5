"""Checking: what was seen of a project, compared, sifted by the baseline, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, NamedTuple

from .baseline import Baseline
from .comparison import Comparison, Unchecked, in_order
from .finding import CodeFinding
from .outcome import Outcome
from .use import Use


class Project(NamedTuple):
    """What was seen of a project, before anything is compared."""

    uses: Sequence[Use]
    """Each place that asks for a prompt."""
    findings: Sequence[CodeFinding] = ()
    """What is wrong whatever the prompts are."""
    files: int = 0
    """How many files were looked at."""
    notes: Sequence[str] = ()
    """What was not looked at."""
    covers: Callable[[str], bool] = lambda file: True
    """Whether the check looks at this file."""


class Rules(NamedTuple):
    """What counts as a finding."""

    baseline: Baseline | None = None
    """The findings that are known."""
    is_strict: bool = False
    """Whether what is known only at run time is one."""


def summed_up(
    project: Project, compared: Comparison, rules: Rules, described: str, problems: Sequence[str] = ()
) -> Outcome:
    """The outcome of a check.

    Args:
        project: What was seen.
        compared: What became of the uses.
        rules: What counts as a finding.
        described: What they were compared with, in words such as "the platform".
        problems: What is wrong with no place in a file.
    """
    unchecked = compared.unchecked
    strict: tuple[CodeFinding, ...] = ()
    ignored = compared.ignored
    if rules.is_strict:
        told = [each for each in unchecked if not _is_ignored(each.use)]
        ignored += len(unchecked) - len(told)
        unchecked, strict = (), tuple(map(_known_at_run_time, told))
    findings = in_order([*project.findings, *compared.findings, *strict])
    sifted = rules.baseline.sift(findings, project.covers) if rules.baseline else None
    return Outcome(
        findings=sifted.new if sifted else findings,
        unchecked=unchecked,
        checked=len(compared.checked),
        prompts=len({(use.using, use.name, use.label, use.version) for use in compared.checked}),
        files=project.files,
        against=described,
        ignored=ignored,
        known=sifted.known if sifted else 0,
        outdated=sifted.outdated if sifted else (),
        notes=tuple(project.notes),
        problems=tuple(problems),
    )


def _is_ignored(use: Use) -> bool:
    return use.ignored is None or "S108" in use.ignored


def _known_at_run_time(unchecked: Unchecked) -> CodeFinding:
    use = unchecked.use
    what = "a prompt" if use.name is None else f"prompt {use.name!r}"
    return CodeFinding(use.place, "S108", f"{what} is not checked: {unchecked.why}", use.name, "", use.in_function)
