"""The comparison: uses against a catalogue, which gives three piles: checked, wrong, known only at run time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .._lock.lock_file import Lock
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._wording import MOST_WORDS_TO_COMPARE, nearest, shown
from ..errors import ScopeError
from .answer import Answer
from .braces import OPENING_BRACES
from .catalogue import Catalogue
from .drift import drift_of
from .finding import CodeFinding
from .fit import misfits
from .use import Use


class Unchecked(NamedTuple):
    """A use of which something is known only at run time."""

    use: Use
    """The use."""
    why: str
    """What is not known, in a few words."""


class Comparison(NamedTuple):
    """The three piles; a use is in one of the first two, or has findings."""

    checked: tuple[Use, ...]
    """The uses that were compared, those with findings too."""
    unchecked: tuple[Unchecked, ...]
    """The uses that could not be."""
    findings: tuple[CodeFinding, ...]
    """What is wrong, sorted by place."""
    ignored: int
    """How many findings comments ignore."""


class Against(NamedTuple):
    """What uses are compared with."""

    catalogue: Catalogue
    """What there is."""
    label: str | None = None
    """The label whose versions stand for those in production: "latest", before it is promoted."""
    lock: Lock | None = None
    """The lock that the versions in production are to be those of."""
    using: str | None = None
    """The organisation whose prompts these are, as uses name it."""


def compare(uses: Iterable[Use], against: Against) -> Comparison:
    """Raises ScopeError if the catalogue cannot answer."""
    checked: list[Use] = []
    unchecked: list[Unchecked] = []
    asked: list[tuple[Use, PromptRef]] = []
    findings: list[tuple[Use, CodeFinding]] = []
    for use in uses:
        why = _why_unknown(use, against.using)
        if why:
            unchecked.append(Unchecked(use, why))
            continue
        refused = _refused(use)
        if refused:
            checked.append(use)
            findings.append((use, refused))
        else:
            asked.append((use, _ref(use, against.label)))
    against.catalogue.prepare(ref for _, ref in asked)
    for use, ref in asked:
        answer = against.catalogue.find(ref)
        if answer.version is None and not answer.code:
            unchecked.append(Unchecked(use, answer.message))
            continue
        checked.append(use)
        findings += [(use, each) for each in _found(use, answer, against)]
    told = [finding for use, finding in findings if use.ignored is not None and finding.code not in use.ignored]
    return Comparison(tuple(checked), tuple(unchecked), in_order(told), len(findings) - len(told))


def joined(parts: Iterable[Comparison]) -> Comparison:
    """Several comparisons as one."""
    each = tuple(parts)
    return Comparison(
        tuple(use for part in each for use in part.checked),
        tuple(one for part in each for one in part.unchecked),
        in_order(finding for part in each for finding in part.findings),
        sum(part.ignored for part in each),
    )


def in_order(findings: Iterable[CodeFinding]) -> tuple[CodeFinding, ...]:
    """Each once, by file, line, column and code."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda each: (*each.place, each.code, each.subject, each.message)))


def _why_unknown(use: Use, using: str | None) -> str:
    if use.name is None:
        return "its name is known only at run time"
    if use.is_dynamic:
        return "its label or version is known only at run time"
    return "" if use.using == using else f"it is of the organisation {shown(use.using)}"


def _ref(use: Use, label: str | None) -> PromptRef:
    is_of_production = use.version is None and use.label in (None, "production")
    return PromptRef.of(use.name or "", label if is_of_production else use.label, use.version)


def _refused(use: Use) -> CodeFinding | None:
    """Why no client can ask for this, or None."""
    try:
        PromptRef.of(use.name or "")
    except ScopeError as error:
        return _finding(use, "S101", f"{_named(use)} cannot be asked for: {error.message}")
    try:
        _ref(use, None)
    except (ScopeError, TypeError) as error:
        return _finding(use, "S104", f"{_named(use)} cannot be asked for: {error}", _which(use))
    return None


def _found(use: Use, answer: Answer, against: Against) -> Iterator[CodeFinding]:
    version = answer.version
    if version is None:
        yield _absence(use, answer, against.catalogue)
        return
    is_promotion = _is_promotion(use, version, against.label)
    before = against.catalogue.find(_ref(use, None)).version if is_promotion else None
    was = {(each.code, each.subject) for each in misfits(use, before)} if before else set()
    for misfit in misfits(use, version):
        is_new = is_promotion and (misfit.code, misfit.subject) not in was
        message = misfit.of_a_promotion(use, version) if is_new else misfit.message(_named(use))
        yield CodeFinding(misfit.place, misfit.code, message, use.name, misfit.subject, use.in_function)
    drift = drift_of(use, version, against.lock) if against.lock is not None and against.label is None else ""
    if drift:
        yield _finding(use, "S106", f"{_named(use)} {drift}", version.id or "")


def _is_promotion(use: Use, version: PromptVersion, label: str | None) -> bool:
    """Whether the version would have to be promoted before this use gets it."""
    return label not in (None, "production", use.label) and use.version is None and not version.is_production


def _absence(use: Use, answer: Answer, catalogue: Catalogue) -> CodeFinding:
    guess = ""
    if answer.may_be_misspelt:
        guess = _other_name(use.name or "", catalogue.names())
        if guess and not answer.is_certain:
            guess = f"; if its name is misspelt{guess.replace(';', ':')}"
    return _finding(use, answer.code, f"{_named(use)} {answer.message}{guess}", _which(use))


def _finding(use: Use, code: str, message: str, subject: str = "") -> CodeFinding:
    return CodeFinding(use.place, code, message, use.name, subject, use.in_function)


def _named(use: Use) -> str:
    return f"prompt {shown(use.name)}{f', using {shown(use.using)},' if use.using else ''}"


def _which(use: Use) -> str:
    return use.version or use.label or ""


def _other_name(name: str, names: Iterable[str]) -> str:
    if OPENING_BRACES in name:
        return "; braces are text there: write a name of the template without quotes and braces"
    others = [each for each in names if each != name]
    alike = sorted(others, key=lambda each: (abs(len(each) - len(name)), each))[:MOST_WORDS_TO_COMPARE]
    near = nearest(name, alike)
    return "" if near is None else f"; the nearest one is {shown(near)}"
