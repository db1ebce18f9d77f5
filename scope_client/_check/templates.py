"""Templates: the prompts that one names, found without an engine, its settings, or any environment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .asked import Asked, Told, Wrong
from .comments import Remarks, remarks
from .django_templates import told_by_django
from .finding import CodeFinding
from .jinja_templates import told_by_jinja
from .jinja_tokens import Expression, parts_of_jinja
from .lines import Lines, on_lines, with_plain_line_ends
from .seen import Seen
from .use import Given, Use

_ENDINGS_OF_JINJA = (".j2", ".jinja", ".jinja2")
_ENDINGS_OF_DJANGO = (".djhtml",)
_TAGS_OF_DJANGO = frozenset({"comment", "load", "scope_prompt", "verbatim"})
_MENTION_OF_A_TAG = re.compile(r"\{%[-+]?\s*(?:comment|load|scope_prompt|verbatim)\b")
_WHY_TEXT = "its fallback is text"
_WHY_CHAT = "its fallback is a list of messages"


def seen_in_template(text: str, file: str) -> Seen:
    """What a template of Django or Jinja shows. Which of the two it is, is told by its tags, and by the file's ending.

    Args:
        text: The template.
        file: Its path as places give it.
    """
    text = with_plain_line_ends(text)
    told = told_by_django(text) if is_of_django(text, file) else told_by_jinja(text)
    return _seen(told, Lines(text, file))


def is_of_django(text: str, file: str) -> bool:
    """Whether a template that mentions prompts is one of Django; else it is one of Jinja."""
    name = file.lower()
    if name.endswith(_ENDINGS_OF_JINJA) or "/jinja2/" in f"/{name}":
        return False
    if name.endswith(_ENDINGS_OF_DJANGO):
        return True
    return _MENTION_OF_A_TAG.search(text) is not None and any(
        part.tokens[0].text in _TAGS_OF_DJANGO
        for part in parts_of_jinja(text)
        if isinstance(part, Expression) and part.is_tag and part.tokens
    )


def _seen(told: Told, lines: Lines) -> Seen:
    said = [(each, remarks(each.text)) for each in told.said]
    ignored: dict[int, frozenset[str] | None] = {}
    settled: set[int] = set()  # the lines on which a comment names what a tag asks for
    uses: list[Use] = []
    findings: list[CodeFinding] = []
    for comment, remark in said:
        for line in on_lines(lines, comment.start, comment.end):
            ignored[line] = _joined(ignored.get(line, frozenset()), remark.ignored)
            if remark.uses:
                settled.update((line, line + 1))
        uses += _said_uses(remark, comment.start, lines)
        findings += [CodeFinding(lines.place(comment.start + at), "S100", what) for what, at in remark.mistakes]

    def ignored_at(each: Asked | Wrong) -> frozenset[str] | None:
        found: frozenset[str] | None = frozenset()
        for line in on_lines(lines, each.start, each.end):
            found = _joined(found, ignored.get(line, frozenset()))
        return found

    uses += [
        _use(each, lines, ignored_at(each))
        for each in told.asked
        if not (each.is_dynamic and settled.intersection(on_lines(lines, each.start, each.end)))
    ]
    for each in told.wrong:
        codes = ignored_at(each)
        if codes is not None and each.code not in codes:
            findings.append(CodeFinding(lines.place(each.start), each.code, each.message, each.prompt, each.subject))
    return Seen(sorted(uses, key=lambda use: use.place), findings)


def _joined(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other


def _use(asked: Asked, lines: Lines, ignored: frozenset[str] | None) -> Use:
    return Use(
        lines.place(asked.place),
        asked.name,
        asked.label,
        asked.version,
        is_dynamic=asked.is_dynamic,
        given=tuple(Given(each.name, lines.place(each.start), each.kind) for each in asked.given),
        is_open=asked.is_open,
        kind=asked.kind,
        why_kind="" if asked.kind is None else _WHY_TEXT if asked.kind == "text" else _WHY_CHAT,
        using=asked.using,
        ignored=ignored,
    )


def _said_uses(remark: Remarks, offset: int, lines: Lines) -> Iterator[Use]:
    for use in remark.uses:
        yield Use(
            lines.place(offset + use.start),
            use.name,
            use.label,
            use.version,
            given=tuple(Given(each.name, lines.place(offset + each.start)) for each in use.given),
            renders=use.renders,
            is_open=use.is_open,
        )
