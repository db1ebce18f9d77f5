"""Moved report: what has moved on, for people, for programs, for a pull request and for GitHub's log."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._check.counts import counted
from .._check.formats.github import annotations_of_a_kind, command
from .._check.formats.repository import repository_root
from .._check.outcome import notebook_and_cell
from .._foreign_text import printable
from .._wording import cut
from .impact import Impact
from .lock_place import LockPlace
from .locked_files import paths_in
from .marked_text import Mark, as_code, fenced, in_brackets, indented, marked
from .moved import ABSENT, Difference, Moved

LONGEST_DIFF_CHARACTERS = 10_000
LONGEST_VALUE_CHARACTERS = 500
LONGEST_MARKDOWN_CHARACTERS = 60_000  # GitHub takes 65,536 in a pull request or a comment
MOVED_FORMAT = 1
_PLAIN_FIELDS = ("id", "prompt_id", "name", "type")
_NOUNS = {"variables": "variable", "tags": "tag", "id": "ID", "prompt_id": "ID of the prompt"}


class MovedReport(NamedTuple):
    """What is told."""

    place: LockPlace
    """The lock, and where its files are."""
    moved: tuple[Moved, ...]
    """The prompts."""
    summary: str
    """One sentence on all of them."""
    same: int = 0
    """How many versions are the same."""
    flaws: tuple[str, ...] = ()
    """What is wrong with files of the folder, a line for each."""
    impacts: Mapping[tuple[str, str], Impact] | None = None
    """By name and label, what each does to the code; None if nobody looked."""
    notes: tuple[str, ...] = ()
    """What else is to be said."""

    def impact(self, moved: Moved) -> Impact | None:
        """What one of them does to the code; None if that is not known."""
        return None if self.impacts is None else self.impacts.get((moved.name, moved.label))


def headline(moved: Moved) -> str:
    """Which prompt, from which version to which."""
    label = "" if moved.label == "production" else f" ({moved.label})"
    return f"{printable(moved.name)}{label}: {_step(moved)}"


def _step(moved: Moved) -> str:
    was = None if moved.locked is None else _number(moved.locked.version_number, moved.locked.version_id)
    if moved.new is None:
        return f"{was} is locked, and the platform has none any more"
    now = _number(moved.new.version_number, moved.new.id)
    if was is None:
        return f"{now} is new"
    return f"{now} has changed" if was == now else f"{was} -> {now}"


def _number(number: int | None, version_id: str | None) -> str:
    return printable(str(version_id)) if number is None else f"v{number}"


def text_of_report(report: MovedReport, mark: Mark = in_brackets) -> str:
    """Lines for people.

    Args:
        report: What is told.
        mark: Marks the words that went or came.
    """
    lines: list[str] = []
    for moved in report.moved:
        lines += [headline(moved), *(f"  {fact}" for fact in facts(moved)), *_told_impact(report, moved)]
        diff = _diff(moved, mark)
        lines += [*indented(diff, "  | ")] if diff else []
        lines.append("")
    return "\n".join([*lines, *report.flaws, *map(printable, report.notes), report.summary])


def facts(moved: Moved) -> Iterator[str]:
    """What is different apart from the text, a line for each."""
    if moved.why:
        yield printable(moved.why)
    if moved.new is not None and moved.locked is not None and moved.old is None:
        yield "nobody knows any more what was locked"
    for each in moved.differences:
        if each.field != "version_number":
            yield f"{_subject(each)}{_change(each)}"
    if moved.is_text_same:
        yield "the text is the same"


def _subject(each: Difference) -> str:
    if each.field == "metadata":
        return f"metadata {printable(each.key)}"
    return _NOUNS.get(each.field, each.field.replace("_", " "))


def _change(each: Difference) -> str:
    if each.field in ("variables", "tags"):
        return f" {'removed' if each.new is ABSENT else 'added'}: {printable(each.key)}"
    if each.old is ABSENT:
        return f" added: {_value(each.new, each.field)}"
    return (
        f" removed: {_value(each.old, each.field)}"
        if each.new is ABSENT
        else f": {_value(each.old, each.field)} -> {_value(each.new, each.field)}"
    )


def _value(value: Any, field: str) -> str:
    if field in _PLAIN_FIELDS:
        return printable(str(value))
    return printable(json.dumps(value, ensure_ascii=False), LONGEST_VALUE_CHARACTERS)


def _told_impact(report: MovedReport, moved: Moved) -> list[str]:
    impact = report.impact(moved)
    return [] if impact is None else [f"  {line}" for line in impact.lines]


def _diff(moved: Moved, mark: Mark = in_brackets) -> str:
    return cut(marked(moved.text, mark), LONGEST_DIFF_CHARACTERS)


def data_of_report(report: MovedReport) -> dict[str, Any]:
    """The report as one JSON object; later versions may add keys, and take none away."""
    return {
        "format": MOVED_FORMAT,
        "moved": [_data(report, moved) for moved in report.moved],
        "files": list(report.flaws),
        "same": report.same,
        "notes": list(report.notes),
        "summary": report.summary,
    }


def _data(report: MovedReport, moved: Moved) -> dict[str, Any]:
    impact = report.impact(moved)
    locked, new = moved.locked, moved.new
    return {
        "name": moved.name,
        "label": moved.label,
        "old": locked and {"version_id": locked.version_id, "version_number": locked.version_number},
        "new": new and {"version_id": new.id, "version_number": new.version_number},
        "gone": moved.why or None,
        "differences": [_difference(each) for each in moved.differences],
        "text": [list(piece) for piece in moved.text],
        **({} if impact is None else impact.to_dict()),
    }


def _difference(each: Difference) -> dict[str, Any]:
    values = {key: value for key, value in (("old", each.old), ("new", each.new)) if value is not ABSENT}
    return {"field": each.field, "key": each.key, **values}


def markdown_of_report(report: MovedReport) -> str:
    """For a pull request: what prompts say stands in code alone, where it means nothing."""
    first = [f"- {as_code(line)}" for line in (*report.flaws, *report.notes)]
    parts = [f"## {_plain(report.summary)}", *(["\n".join(first)] if first else [])]
    heads = len(parts)
    size = 0
    for moved in report.moved:
        part = _markdown(report, moved, has_diff=True)
        if size + len(part) > LONGEST_MARKDOWN_CHARACTERS:
            part = _markdown(report, moved, has_diff=False)
        size += len(part)
        if size > LONGEST_MARKDOWN_CHARACTERS:
            rest = counted(len(report.moved) - len(parts) + heads, "more prompt")
            return "\n\n".join([*parts, f"{rest}: too much for one report"])
        parts.append(part)
    return "\n\n".join(parts)


def _markdown(report: MovedReport, moved: Moved, *, has_diff: bool) -> str:
    label = "" if moved.label == "production" else f" ({moved.label})"
    lines = [f"### {as_code(moved.name)}{label}: {_plain(_step(moved))}", ""]
    if moved.why:
        lines.append(f"- {as_code(moved.why)}")
    if moved.new is not None and moved.locked is not None and moved.old is None:
        lines.append("- nobody knows any more what was locked")
    lines += [f"- {_markdown_fact(each)}" for each in moved.differences if each.field != "version_number"]
    impact = report.impact(moved)
    lines += [] if impact is None else [line if line.startswith(" ") else f"- {line}" for line in impact.markdown_lines]
    diff = _diff(moved) if has_diff else ""
    if diff:
        return "\n".join([*lines, "", fenced(diff)])
    return "\n".join([*lines, *(["- the text is the same"] if moved.is_text_same else [])])


def _markdown_fact(each: Difference) -> str:
    if each.field in ("variables", "tags"):
        return f"{_NOUNS[each.field]} {as_code(each.key)} {'removed' if each.new is ABSENT else 'added'}"
    subject = f"metadata {as_code(each.key)}" if each.field == "metadata" else _subject(each)
    if each.old is ABSENT:
        return f"{subject} added: {as_code(_value(each.new, each.field))}"
    if each.new is ABSENT:
        return f"{subject} removed: {as_code(_value(each.old, each.field))}"
    return f"{subject}: {as_code(_value(each.old, each.field))} → {as_code(_value(each.new, each.field))}"


def _plain(text: str) -> str:
    """A sentence of ours, in which an arrow reads as one."""
    return text.replace("->", "→")


def github_of_report(report: MovedReport) -> Iterator[str]:
    """Annotations of the prompts' files; of a lock, where there is no file yet."""
    kinds: dict[str, list[tuple[str, str, str]]] = {"error": [], "warning": []}
    for flaw in report.flaws:
        kinds["error"].append(("error", command("error", {}, flaw), flaw))
    paths = paths_in(report.place.versions)
    root = repository_root(os.getcwd())
    for moved in report.moved:
        level = "error" if moved.new is None else "warning"
        path = None if moved.locked is None else paths.get(moved.locked)
        at = report.place.lock_path if path is None else os.path.join(report.place.folder_path, *path.split("/"))
        where = os.path.relpath(at, root).replace(os.sep, "/")
        told = "\n".join([headline(moved), *facts(moved), *_told_impact(report, moved), _diff(moved)]).rstrip()
        annotation = command(level, {"file": where, "line": "1", "title": "Prompt has moved on"}, told)
        kinds[level].append((level, annotation, headline(moved)))
        kinds["error"] += _broken(moved, report.impact(moved), root)
    for each in kinds.values():
        yield from annotations_of_a_kind(each)
    yield from map(printable, (*report.notes, report.summary))


def _broken(moved: Moved, impact: Impact | None, root: str) -> Iterator[tuple[str, str, str]]:
    """Annotations of the calls that it breaks."""
    for each in () if impact is None else impact.broken:
        file, _ = notebook_and_cell(each.place.file)
        where = {"file": os.path.relpath(os.path.abspath(file), root).replace(os.sep, "/")}
        if file == each.place.file:
            where.update(line=str(each.place.line), col=str(each.place.column))
        told = f"{headline(moved)}: {'; '.join(each.messages)}"
        yield (
            "error",
            command("error", {**where, "title": "New version breaks this call"}, told),
            f"{each.place}: {told}",
        )
