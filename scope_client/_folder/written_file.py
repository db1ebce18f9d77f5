"""A version as the bytes of its file: all of them anew, or the same with another status."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._extras import missing_extra
from .._fork import held_back
from .._wording import shown
from ..errors import ConfigurationError
from .held import thawed
from .record import VersionRecord, prompt_id, version_id
from .version_file import FENCE, parts_in, version_in
from .whole_file import MAX_FILE_BYTES, WholeFile

MOST_LEVELS_OF_YAML = 40
LONGEST_YAML_CHARACTERS = 50_000
_BY_HAND = "change the line 'status:' of its front matter in an editor"


def octets_of(version: VersionRecord) -> bytes:
    """The file that holds this version, to the byte of its content, apart from the times that it does not say itself.

    Raises ConfigurationError for one that no file can hold.
    """
    try:
        octets = f"---\n{_yaml_of(_front_of(version))}---\n{version.content}\n".encode()
    except UnicodeEncodeError:
        raise ConfigurationError("the content has half of a surrogate pair, which no file can hold") from None
    _check_same(octets, version)
    return octets


def _front_of(version: VersionRecord) -> dict[str, Any]:
    front: dict[str, Any] = {"status": version.status}
    if version.type != "text":
        front["type"] = version.type
    if version.prompt_id != prompt_id(version.prompt):
        front["prompt_id"] = version.prompt_id
    if version.id != version_id(version.prompt, version.number):
        front["version_id"] = version.id
    texts = {
        "description": version.description,
        "created_at": version.created_at if "created_at" in version.dated else None,
        "updated_at": version.updated_at if "updated_at" in version.dated else None,
        "promoted_at": version.promoted_at,
        "promoted_by": version.promoted_by,
    }
    front.update({key: text for key, text in texts.items() if text is not None})
    declared = () if "variables" in version.served else version.declared
    more = {
        "metadata": _plain(version.metadata),
        "tags": list(version.tags),
        "variables": list(declared),
        "served": _plain(version.served),
    }
    front.update({key: value for key, value in more.items() if value})
    return front


def _plain(values: Mapping[str, Any]) -> Any:
    """As YAML; as the text of JSON what YAML is too slow for, or that is nested more deeply than a reader takes."""
    if not values:
        return None
    if _depth(values) <= MOST_LEVELS_OF_YAML:
        text = json.dumps(thawed(values), ensure_ascii=False)
        return thawed(values) if len(text) <= LONGEST_YAML_CHARACTERS else text
    return json.dumps(thawed(values), ensure_ascii=False)


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [child for each in level for child in _children(each)]
    return depth


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, tuple) else ()


def _check_same(octets: bytes, version: VersionRecord) -> None:
    if len(octets) > MAX_FILE_BYTES:
        raise ConfigurationError(f"a version's file may have {MAX_FILE_BYTES:,} bytes; make it shorter")
    read = version_in(WholeFile(octets, 0.0), version.prompt, version.number, version.status)
    of_the_file = {field: getattr(version, field) for field in ("created_at", "updated_at") if field not in read.dated}
    for field, was, comes_back in zip(version._fields, version, read._replace(**of_the_file)):
        if was != comes_back:
            raise ConfigurationError(f"its {field} would come back from a file as {shown(comes_back)}; change it")


def with_status(octets: bytes, status: str, at: str | None = None) -> bytes:
    """The same file with this status, and every other byte as it was.

    Args:
        octets: The file.
        status: Its new status.
        at: The time of the change, for a file that says when it was changed, or promoted, and by whom.

    Raises:
        ConfigurationError: Its front matter is written in a way that this cannot change.
    """
    front, content = parts_in(octets)
    if front.get("status") == status:
        return octets
    changes = {"status": status, **({} if at is None else _times_of(front, status, at))}
    changed = octets
    for key, text in changes.items():
        changed = _with_line(changed, key, text)
    try:
        is_changed = parts_in(changed) == ({**front, **changes}, content)
    except ConfigurationError:
        is_changed = False
    if not is_changed:
        raise ConfigurationError(f"its front matter cannot be changed without writing it anew; {_BY_HAND}")
    return changed


def _times_of(front: Mapping[str, Any], status: str, at: str) -> dict[str, str]:
    served = front.get("served")
    for key in ("status", "is_production"):
        if isinstance(served, Mapping) and served.get(key) is not None:
            raise ConfigurationError(f"its key 'served' says {key} in another way; remove {key} there, and try again")
    times = {"updated_at": at}
    if status == "published":
        times.update(promoted_at=at, promoted_by="local")
    return {key: text for key, text in times.items() if front.get(key) is not None}


def _with_line(octets: bytes, key: str, text: str) -> bytes:
    bom = codecs.BOM_UTF8 if octets.startswith(codecs.BOM_UTF8) else b""
    whole = octets[len(bom) :].decode()
    line = f"{key}: {text}" if key == "status" else f"{key}: '{text}'"
    return bom + (_with_changed_front(whole, line) if FENCE.match(whole) else _with_front(whole, line)).encode()


def _with_front(text: str, line: str) -> str:
    """The reader takes a last line end in the manner of the first off the content."""
    end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return f"---{end}{line}{end}---{end}{text}"


def _with_changed_front(text: str, line: str) -> str:
    first, second, *_ = FENCE.finditer(text)
    end = "\r\n" if first[0].endswith("\r\n") else "\n"
    front = text[first.end() : second.start()]
    start, stop, new = _change(front, line, end)
    return "".join([text[: first.end()], front[:start], new, front[stop:], text[second.start() :]])


class _Change(NamedTuple):
    start: int
    stop: int
    new: str


def _change(front: str, line: str, end: str) -> _Change:
    """Which characters of front matter to replace by what, so that it has the line."""
    with held_back():
        import yaml
    try:
        node = yaml.compose(front, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        raise ConfigurationError(f"its front matter cannot be followed; {_BY_HAND}") from None
    if not isinstance(node, yaml.MappingNode):
        return _Change(0, 0, f"{line}{end}")
    for key, value in reversed(node.value):
        if key.value == line.partition(":")[0]:
            start, stop = value.start_mark.index, value.end_mark.index
            return _Change(start, stop, line.partition(":")[2] if start == stop else line.partition(" ")[2])
    first = node.value[0][0].start_mark if node.value else node.start_mark
    if node.flow_style:
        at = node.start_mark.index + 1
        return _Change(at, at, f"{line}, " if node.value else line)
    at = first.index - first.column
    return _Change(at, at, f"{front[at : first.index]}{line}{end}")


def _yaml_of(front: dict[str, Any]) -> str:
    try:
        with held_back():
            import yaml
    except ImportError as error:
        raise ConfigurationError(missing_extra("writing front matter", ("yaml",), "local", error)) from None

    class Lines(dict[str, Any]):
        pass

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

        def represent_text(self, text: str) -> Any:
            # Between single quotes PyYAML writes U+0085 so that it comes back as a space.
            style = None if text.isprintable() else '"'
            return self.represent_scalar("tag:yaml.org,2002:str", text, style)

        def represent_lines(self, lines: Lines) -> Any:
            node = self.represent_dict(lines)
            node.flow_style = False
            return node

    Plain.add_representer(str, Plain.represent_text)
    Plain.add_representer(Lines, Plain.represent_lines)
    try:
        manner: dict[str, Any] = {
            "allow_unicode": True,
            "sort_keys": False,
            "default_flow_style": None,
            "width": MAX_FILE_BYTES,
        }
        return str(yaml.dump(Lines(front), Dumper=Plain, **manner))
    except RecursionError:
        raise ConfigurationError("metadata is nested too deeply; make it flatter") from None
