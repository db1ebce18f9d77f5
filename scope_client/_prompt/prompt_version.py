"""PromptVersion: one state of a prompt, as the platform sent it, frozen."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .._frozen import Frozen
from ..errors import ApiError
from .jsonvalue import copied
from .ref import PromptRef
from .template import ChatTemplate, Template, TolerantChatTemplate, TolerantTemplate


class PromptVersion(Frozen):
    """One state of a prompt, frozen because all its readers share it.

    `variables` are in order of appearance; `type` is "text" or "chat"; `status` "draft", "published" or "archived".
    Times are text as the platform sent it. What it did not send is None. The `content` of a chat prompt is the JSON
    text of its messages. `template` is the content, parsed. `is_fallback` tells of a stand-in for what the platform
    could not give; it takes values that it has no variable for, since what it stands in for may have one.
    """

    __slots__ = (
        "_content",
        "_metadata",
        "_more",
        "_template",
        "created_at",
        "id",
        "is_fallback",
        "is_production",
        "name",
        "prompt_id",
        "status",
        "tags",
        "type",
        "updated_at",
        "version_number",
    )
    created_at: str | None
    id: str | None
    is_fallback: bool
    is_production: bool
    name: str
    prompt_id: str | None
    status: str | None
    tags: tuple[str, ...]
    type: str
    updated_at: str | None
    version_number: int | None
    _content: str | None
    _metadata: tuple[Any, ...]
    _more: tuple[Any, ...]
    _template: Template | ChatTemplate | None

    def __init__(self, body: Mapping[str, Any], ref: PromptRef | None = None, *, is_fallback: bool = False) -> None:
        content, kind = _read_content(body)
        status = _known(body, str, "status")
        status = _STATUSES.get(status, status)
        name = _known(body, str, "name")
        said = _known(body, bool, "is_production")
        self._freeze(
            created_at=_known(body, str, "created_at"),
            id=_known(body, str, "id", "version_id"),
            is_fallback=is_fallback,
            is_production=status == "published" if said is None else said,
            name=ref.name if ref and (not name or name == ref.name) else name or "",
            prompt_id=_known(body, str, "prompt_id"),
            status=status,
            tags=tuple([tag for tag in _known(body, list, "tags") or () if isinstance(tag, str)]),
            type=kind,
            updated_at=_known(body, str, "updated_at"),
            version_number=_known(body, int, "version_number", "version"),
            _metadata=_packed(_known(body, dict, "metadata") or {}),
            _more=_packed({name: body[name] for name in body if name not in _READ}),
            _content=content,
            _template=None,
        )
        if kind == "chat":  # whose messages must be known to be some
            self._parse()

    @classmethod
    def from_api(cls, body: Mapping[str, Any], ref: PromptRef | None = None) -> PromptVersion:
        """Reads an answer of either generation of the API; ApiError where it breaks the API's promise."""
        return cls(body, ref)

    @property
    def content(self) -> str:
        content = self._content
        return self.template.content if content is None else content

    @property
    def template(self) -> Template | ChatTemplate:
        return self._template or self._parse()

    @property
    def variables(self) -> tuple[str, ...]:
        return self.template.variables

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Read-only; what lies deeper is the caller's own copy."""
        return MappingProxyType(_unpacked(self._metadata))

    @property
    def is_draft(self) -> bool:
        return self.status == "draft"

    @property
    def is_published(self) -> bool:
        return self.status == "published"

    @property
    def is_archived(self) -> bool:
        return self.status == "archived"

    def get_metadata(self, key: str, default: Any = None) -> Any:
        """One value of the metadata, the caller's own copy; `default` where there is none."""
        found = dict(zip(self._metadata[::2], self._metadata[1::2]))
        return copied(found[key]) if key in found else default

    def render(self, /, **variables: object) -> str:
        """The content with its variables filled in; a chat prompt gives the JSON text of its messages.

        Values are put through `str()`. Raises MissingVariableError, ValidationError for a variable that
        the prompt does not have or a value that is None, RenderError for a value without text.
        """
        return (self._template or self._parse()).render(variables)

    def messages(self, /, **variables: object) -> list[dict[str, Any]]:
        """The messages to send to a model, `{"role": ..., "content": ...}` each; a text prompt is one of the user's.

        Raises what `render` raises.
        """
        return self.template.messages(variables)

    def to_dict(self) -> dict[str, Any]:
        """All that the platform sent, fields that this class does not know included; fit for JSON."""
        return {
            "id": self.id,
            "prompt_id": self.prompt_id,
            "name": self.name,
            "version_number": self.version_number,
            "content": self.content,
            "variables": list(self.variables),
            "status": self.status,
            "is_production": self.is_production,
            "type": self.type,
            "metadata": _unpacked(self._metadata),
            "tags": list(self.tags),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            **_unpacked(self._more),
        }

    def _parse(self) -> Template | ChatTemplate:
        """Keeps the text once: from here on it is the template that has it. Threads may do it at the same time."""
        kind = _TEMPLATES[self.type, self.is_fallback]
        template = kind(self.content)
        self._freeze(_template=template)
        self._freeze(_content=None)
        return template

    def __repr__(self) -> str:
        which = f"name={self.name!r}, id={self.id!r}, version_number={self.version_number!r}"
        return f"PromptVersion({which}, type={self.type!r}, variables={self.variables!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PromptVersion):
            return NotImplemented
        return self.is_fallback == other.is_fallback and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.prompt_id, self.id, self.version_number, self.content))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.to_dict(), self.is_fallback)


_TEMPLATES: dict[tuple[str, bool], type[Template | ChatTemplate]] = {
    ("text", False): Template,
    ("text", True): TolerantTemplate,
    ("chat", False): ChatTemplate,
    ("chat", True): TolerantChatTemplate,
}


_READ = frozenset(
    (
        *("id", "version_id", "prompt_id", "name", "version_number", "version", "content", "variables", "status"),
        *("is_production", "prompt_type", "type", "metadata", "tags", "created_at", "updated_at"),
    )
)


_STATUSES = {status: status for status in ("draft", "published", "archived")}  # one text for all versions


def _packed(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Names and values by turns: half of what a dict takes of the memory, for what is seldom read."""
    return tuple([each for name, value in values.items() for each in (_once(name), copied(value))])


def _once(name: Any) -> Any:
    """One object for a name that many versions have."""
    return sys.intern(name) if type(name) is str else name


def _unpacked(packed: tuple[Any, ...]) -> dict[str, Any]:
    return {name: copied(value) for name, value in zip(packed[::2], packed[1::2])}


def _revive(kind: type[PromptVersion], body: dict[str, Any], is_fallback: bool) -> PromptVersion:
    return kind(body, is_fallback=is_fallback)


def _known(body: Mapping[str, Any], kind: type, name: str, other_name: str = "") -> Any:
    """The first of these fields that is there and of its kind: a field that is not is as good as absent."""
    value = body.get(name)
    if type(value) is kind:
        return value
    return _known(body, kind, other_name) if other_name else None


def _read_content(body: Mapping[str, Any]) -> tuple[str, str]:
    content = body.get("content")
    kind = body.get("prompt_type", body.get("type")) or ("chat" if isinstance(content, list) else "text")
    if kind not in ("text", "chat"):
        raise ApiError(f"expected a prompt of the type text or chat, got {kind!r}")
    if kind == "chat" and isinstance(content, list):
        content = json.dumps(content, ensure_ascii=False)
    if not isinstance(content, str):
        raise ApiError(f"expected a prompt version with its content as text, got {_described(content)}")
    return content, kind


def _described(content: object) -> str:
    return "none" if content is None else f"content of the type {type(content).__name__}"
