"""The text format: a line for each finding, and a last line that counts the piles."""

from __future__ import annotations

from collections.abc import Iterator

from ..counts import counted
from ..outcome import Outcome


def text_lines(outcome: Outcome, *, is_verbose: bool = False) -> Iterator[str]:
    """What is printed.

    Args:
        outcome: What was found.
        is_verbose: Whether what is known only at run time is listed.
    """
    yield from outcome.problems
    yield from map(str, outcome.findings)
    if is_verbose:
        yield from (f"{each.use.place} not checked: {each.why}" for each in outcome.unchecked)
    yield summary(outcome, is_verbose=is_verbose)
    yield from further_notes(outcome)


def summary(outcome: Outcome, *, is_verbose: bool = False) -> str:
    """One line with the three piles."""
    wrong = len(outcome.findings) + len(outcome.problems)
    if not (wrong or outcome.checked or outcome.unchecked or outcome.known or outcome.ignored):
        return f"{counted(outcome.files, 'file')}, no prompt used"
    uses = f"{counted(outcome.checked, 'use')} of {counted(outcome.prompts, 'prompt')}"
    verdict = f"{counted(wrong, 'finding')} in {uses}" if wrong else f"{uses} fit {outcome.against}"
    parts = [verdict if wrong or outcome.checked != 1 else f"{uses} fits {outcome.against}"]
    if outcome.unchecked:
        parts.append(count_of_unchecked(outcome, is_verbose=is_verbose))
    parts += counts_of_known(outcome)
    return "; ".join(parts)


def count_of_unchecked(outcome: Outcome, *, is_verbose: bool) -> str:
    """Such as "2 more are known only at run time"."""
    are = "is" if len(outcome.unchecked) == 1 else "are"
    return f"{len(outcome.unchecked)} more {are} known only at run time{'' if is_verbose else ' (-v lists them)'}"


def counts_of_known(outcome: Outcome) -> Iterator[str]:
    """What is not told, because it is in the baseline, or because a comment ignores it."""
    if outcome.known:
        yield f"{counted(outcome.known, 'finding')} in the baseline"
    if outcome.ignored:
        yield f"{outcome.ignored} ignored by comments"


def further_notes(outcome: Outcome) -> Iterator[str]:
    """What follows the summary."""
    if outcome.outdated:
        number = counted(len(outcome.outdated), "entry", "entries")
        entries = ", ".join(map(str, outcome.outdated))
        verb = "applies" if len(outcome.outdated) == 1 else "apply"
        yield f"{number} of the baseline no longer {verb}: {entries}; --write-baseline leaves them out"
    yield from outcome.notes
