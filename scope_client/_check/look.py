"""Look: what one file shows to the check, whatever kind of file it is, and whatever is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Optional

from .._foreign_text import printable
from .._interrupts import pass_on
from .configured_calls import ConfiguredCall
from .files import File
from .finding import CodeFinding
from .imported_constants import ConstantsOf
from .kinds import NOTEBOOK, TEMPLATE
from .modules import MAX_PYTHON_BYTES
from .notebook import uses_in_notebook
from .octets import octets
from .python_uses import may_use_prompts, parsed, uses_in_python
from .seen import Seen
from .source_text import source_text
from .templates import seen_in_template
from .use import Place, Use

_MENTION_IN_A_TEMPLATE = re.compile(rb"scope_prompt|(?i:scope:[ \t]*(?:uses|ignore))")


class Looked(NamedTuple):
    """What a file showed."""

    uses: tuple[Use, ...] = ()
    findings: tuple[CodeFinding, ...] = ()
    left_out: Optional[str] = None
    """Why it was not looked at, if it mentions prompts or could not be opened."""


def look(file: File, calls: Sequence[ConfiguredCall] = (), constants_of: Optional[ConstantsOf] = None) -> Looked:
    """What a file shows.

    Args:
        file: The file.
        calls: The calls that a project configures.
        constants_of: As for `uses_in_python`.
    """
    reasons: list[str] = []
    content = octets(file.path, lambda _, reason: reasons.append(reason))
    if content is None:
        return _not_read(file, reasons[0] if reasons else "it has vanished")
    if file.kind == TEMPLATE:
        return _look_into_template(file, content)
    if len(content) > MAX_PYTHON_BYTES and file.kind != NOTEBOOK:
        is_needed = file.is_named or may_use_prompts(content, calls)
        return _not_read(file, f"over {MAX_PYTHON_BYTES // 1_000_000} MB") if is_needed else Looked()
    return _look_into_python(file, content, calls, constants_of)


def _look_into_template(file: File, content: bytes) -> Looked:
    if _MENTION_IN_A_TEMPLATE.search(content) is None:
        is_binary = file.is_named and b"\0" in content
        return _not_read(file, "it is not text") if is_binary else Looked()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _not_read(file, "it is not text in UTF-8")
    if "\0" in text:
        return _not_read(file, "it is not text")
    seen = seen_in_template(text, file.shown)
    return Looked(tuple(seen.uses), tuple(seen.findings))


def _look_into_python(
    file: File, content: bytes, calls: Sequence[ConfiguredCall], constants_of: Optional[ConstantsOf]
) -> Looked:
    try:
        seen = _seen_in_python(file, content, calls, constants_of)
    except (SyntaxError, ValueError) as error:
        pass_on(error)
        return Looked(findings=(_cannot_be_read(file, _placed(error, content)),))
    except RecursionError:
        return _not_read(file, "it is nested too deeply", is_finding=True)
    return Looked(tuple(seen.uses), tuple(seen.findings))


def _seen_in_python(
    file: File, content: bytes, calls: Sequence[ConfiguredCall], constants_of: Optional[ConstantsOf]
) -> Seen:
    if file.kind == NOTEBOOK:
        return uses_in_notebook(content, file.shown, calls, constants_of)
    if may_use_prompts(content, calls):
        return uses_in_python(source_text(content), file.shown, calls, constants_of)
    parsed(source_text(content))  # what cannot be read may be what was meant to ask for a prompt
    return Seen([], [])


def _not_read(file: File, why: str, *, is_finding: bool = False) -> Looked:
    if is_finding or file.is_named or file.kind != TEMPLATE:
        return Looked(findings=(CodeFinding(Place(file.shown, 1, 1), "S100", f"the file cannot be read: {why}"),))
    return Looked(left_out=why)


def _placed(error: Exception, content: bytes) -> Exception:
    """The error, with its line if octets are wrong: neither `tokenize` nor a decoder names it."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error
    try:
        content.decode(error.encoding if isinstance(error, UnicodeDecodeError) else "utf-8")
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start].decode(wrong.encoding, "replace")
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        return SyntaxError(said, (None, line, column, None))
    return error


def _cannot_be_read(file: File, error: Exception) -> CodeFinding:
    shown, line, column = file.shown, 1, 1
    what = str(error)
    if isinstance(error, SyntaxError):
        shown = error.filename if error.filename and error.filename.startswith(f"{file.shown}:") else file.shown
        line, column = max(error.lineno or 1, 1), max(error.offset or 1, 1)
        what = error.msg
    return CodeFinding(Place(shown, line, column), "S100", f"the file cannot be read: {printable(what, 200)}")
