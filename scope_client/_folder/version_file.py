"""The file of one version: Markdown with front matter in YAML."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from typing import Any

from .._extras import missing_extra
from .._fork import held_back
from .._interrupts import pass_on
from .._wording import cut, nearest, shown
from ..errors import ConfigurationError
from .record import VersionRecord, new_version, rfc3339
from .whole_file import NOT_A_FILE, FileTime, WholeFile, read_whole

FRONT_MATTER_KEYS = (
    *("status", "type", "metadata", "tags", "variables", "id", "version_id", "prompt_id", "description"),
    *("created_at", "updated_at", "promoted_at", "promoted_by", "served"),
)
MAX_ALIASES = 16
MAX_NESTED_COLLECTIONS = 50

FENCE = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
# What nobody sees on a page: spaces, line ends, control characters, and those that Unicode says may be left out.
_UNSEEN = (
    "\\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_NOTHING_SEEN = re.compile(f"[{_UNSEEN}]*")
_LIKE_A_FENCE = re.compile(f"---[{_UNSEEN}]*?(?:[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|\\Z)")
_LINE_END = re.compile(r"\r\n|\r|\n")
# YAML takes 1:30:15 for a number in base 60; reading one takes the square of its length.
_LONG_NUMBER = re.compile(r"(?<![\d:])\d+(?::\d+){20}|(?<![\d_])\d[\d_]{4000}")
_OF_A_NUMBER = re.compile("[-+0-9_:.]+")
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
# What PyYAML lets out where it builds the values of tags such as !!int almost unchecked.
_YAML_SLIPS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def read_version(
    path: str, prompt: str, number: int, default_status: str, file_time: FileTime | None = None
) -> VersionRecord:
    """The version that a file holds; `file_time` is as for `read_whole`.

    Raises:
        ConfigurationError: It says what is wrong with the file.
        UnfinishedError: Somebody is writing the file.
    """
    try:
        file = read_whole(path, file_time)
    except OSError as error:
        pass_on(error)
        if error.errno in _NOWHERE:
            raise ConfigurationError(NOT_A_FILE) from None
        raise ConfigurationError(f"cannot be read ({error.strerror}); make it a readable file, or remove it") from None
    return version_in(file, prompt, number, default_status)


def version_in(file: WholeFile, prompt: str, number: int, default_status: str) -> VersionRecord:
    """The version that these bytes are; raises ConfigurationError that says what is wrong with them."""
    front, content = parts_in(file.octets)
    at = rfc3339(file.changed_at)
    identity = front.pop("version_id", None)
    if identity is not None and front.setdefault("id", identity) != identity:
        raise ConfigurationError("id and version_id are two words for the same; keep one of them")
    return new_version(prompt, number, content, **{"status": default_status, **front}, at=at)


def parts_in(octets: bytes) -> tuple[dict[str, Any], str]:
    """The front matter of a file, and its content to the byte, except for one final newline."""
    try:
        return _parsed(_text(octets))
    except _YAML_SLIPS as error:
        pass_on(error)
        kind = type(error).__name__
        raise ConfigurationError(f"its front matter cannot be understood ({kind}); make it plainer") from None


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"is not UTF-8 (byte {error.start}); save it as UTF-8") from None


def _parsed(text: str) -> tuple[dict[str, Any], str]:
    first = text.partition("\n")[0]
    if FENCE.match(text):
        front, content = _split(text)
    else:
        _refuse_misplaced(text)
        front, content = {}, text
    if first.endswith("\r") and content.endswith("\r\n"):
        return front, content[:-2]
    return front, content[:-1] if content.endswith("\n") else content


def _refuse_misplaced(text: str) -> None:
    """Front matter that is not at the very beginning would be served as a part of the text, and a draft go live."""
    at = _after_comments(text)
    if _LIKE_A_FENCE.match(text, at) is None:
        return
    line = len(_LINE_END.findall(text, 0, at)) + 1
    advice = "remove what is before it" if at else "end the lines in line feeds, and have nothing after its ---"
    raise ConfigurationError(
        f"line {line}: front matter must begin with the first character of the file; {advice}. "
        "If this --- is a part of the text, begin the file with two more lines ---"
    )


def _after_comments(text: str) -> int:
    """Where the first thing is that can be seen, apart from HTML comments."""
    at = _end_of_unseen(text, 0)
    while text.startswith("<!--", at):
        end = text.find("-->", at)
        if end < 0:
            return at
        at = _end_of_unseen(text, end + len("-->"))
    return at


def _end_of_unseen(text: str, start: int) -> int:
    found = _NOTHING_SEEN.match(text, start)
    assert found is not None
    return found.end()


def _split(text: str) -> tuple[dict[str, Any], str]:
    try:
        with held_back():
            import yaml
            from frontmatter.default_handlers import SafeLoader, YAMLHandler
    except ImportError as error:
        needed = ("yaml", "frontmatter")
        raise ConfigurationError(missing_extra("reading front matter", needed, "local", error)) from None
    # The library's own pattern also takes the blank lines after the fence, which belong to the content.
    handler = YAMLHandler(fm_boundary=FENCE)
    if len(FENCE.findall(text)) < 2:
        raise ConfigurationError("line 1: its front matter never ends; close it with a line --- of its own")
    front, content = handler.split(text)
    try:
        front = f"\n{front}"  # for YAML to count the lines as the file does
        if "*" in front or len(front) > MAX_NESTED_COLLECTIONS or _LONG_NUMBER.search(front):
            _check_events(yaml, yaml.parse(front, Loader=SafeLoader))
        return _checked_keys(handler.load(front)), content
    except RecursionError:
        raise ConfigurationError("its front matter is nested too deeply; make it flatter") from None
    except (yaml.YAMLError, ValueError) as error:
        pass_on(error)
        raise ConfigurationError(f"its front matter is not YAML: {cut(_one_line(error))}") from None


def _check_events(yaml: Any, events: Iterable[Any]) -> None:
    """Before they are made values of, which may take more memory, or more of the stack, than there is.

    A line of aliases of a line of aliases, and so on, stands for more values than any memory can hold. Lists in lists
    may end the process: Python 3.9 does not survive each RecursionError.
    """
    aliases = depth = 0
    for event in events:
        aliases += isinstance(event, yaml.AliasEvent)
        if isinstance(event, yaml.ScalarEvent) and _may_be_a_long_number(event):
            raise ConfigurationError("its front matter has a number that is too long; put it in quotes, or shorten it")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if aliases > MAX_ALIASES:
            raise ConfigurationError(f"its front matter has more than {MAX_ALIASES} aliases (*name); write them out")
        if depth > MAX_NESTED_COLLECTIONS:
            raise ConfigurationError("its front matter is nested too deeply; make it flatter")


def _may_be_a_long_number(scalar: Any) -> bool:
    """Without quotes, or with a tag such as !!int before them."""
    is_plain, _ = scalar.implicit
    may_be_number = scalar.tag is not None or (is_plain and _OF_A_NUMBER.fullmatch(scalar.value))
    return bool(may_be_number and _LONG_NUMBER.search(scalar.value))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).replace('in "<unicode string>", ', "in ").split())


def _checked_keys(front: object) -> dict[str, Any]:
    if front is None:
        return {}
    if not isinstance(front, dict):
        raise ConfigurationError("its front matter must be lines such as 'status: published'")
    for key in front:
        if key not in FRONT_MATTER_KEYS:
            near = nearest(str(key), FRONT_MATTER_KEYS, cutoff=0.0)
            raise ConfigurationError(f"unknown front matter key {shown(key)}; the nearest one is {near!r}")
    return {key: value for key, value in front.items() if value is not None}
