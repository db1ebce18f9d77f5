"""VersionRecord: a version of a prompt as it is kept in a folder, or in the memory of the local platform."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

from .._prompt.chat_template import ChatTemplate
from .._prompt.jsonvalue import is_number, well_formed
from .._prompt.template import Template
from .._wording import cut, shown
from ..errors import ApiError, ConfigurationError

STATUSES = ("draft", "published", "archived")
TYPES = ("text", "chat")
MAX_METADATA_VALUES = 100_000
MAX_METADATA_CHARACTERS = 10_000_000

_ULID = "[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}"
_PROMPT_ID = re.compile(f"prompt_{_ULID}")


class VersionRecord(NamedTuple):
    """One version of a prompt, as it is kept; times are RFC 3339 text in UTC."""

    prompt: str
    """The prompt's name."""
    number: int
    """1 for the first version, and so on."""
    content: str
    """The text with its `{{variables}}`; for a chat prompt the JSON text of its messages."""
    status: str
    """"draft", "published" or "archived"."""
    type: str
    """"text" or "chat"."""
    metadata: Mapping[str, Any]
    """What is kept with the version, such as the model; read-only down to the last mapping."""
    tags: tuple[str, ...]
    """The tags, in their order."""
    id: str
    """The ID of the version."""
    created_at: str
    """When the version was made."""
    updated_at: str
    """When the version was last changed."""
    declared: tuple[str, ...] = ()
    """The variables that are declared, whether the content has them or not."""

    @property
    def prompt_id(self) -> str:
        """The ID of the prompt."""
        return prompt_id(self.prompt)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables: those of the content in order of appearance, then those that are declared."""
        template = (ChatTemplate if self.type == "chat" else Template)(self.content)
        return tuple(dict.fromkeys((*template.variables, *self.declared)))

    def to_body(self) -> dict[str, Any]:
        """The fields that both generations of the API call the same, fit for JSON."""
        return {
            "prompt_id": self.prompt_id,
            "name": self.prompt,
            "content": self.content,
            "status": self.status,
            "is_production": self.status == "published",
            "prompt_type": self.type,
            "variables": list(self.variables),
            "metadata": thawed(self.metadata),
            "tags": list(self.tags),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


def is_prompt_id(text: object) -> bool:
    """Whether the platform takes this for a prompt's ID: `prompt_` and a ULID, in upper or lower case."""
    return isinstance(text, str) and _PROMPT_ID.fullmatch(text) is not None


def prompt_id(name: str) -> str:
    """The ID of a prompt by its name; it is the same wherever the prompt is kept."""
    return f"prompt_{_ulid(name)}"


def version_id(name: str, number: int) -> str:
    """The ID of a version whose front matter does not give one."""
    return f"v_{_ulid(f'{number}:{name}')}"


def rfc3339(seconds: float) -> str:
    """Seconds since 1970 as a UTC time to the millisecond."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_version(
    prompt: str,
    number: int,
    content: str,
    *,
    status: str,
    type: str = "text",  # noqa: A002  # the front matter's own word
    metadata: Optional[Mapping[str, Any]] = None,
    tags: Iterable[str] = (),
    variables: Iterable[str] = (),
    id: Optional[str] = None,  # noqa: A002  # the front matter's own word
    at: str,
) -> VersionRecord:
    """A version that was checked; raises ConfigurationError that names the part that is wrong."""
    _check_name(prompt)
    _check_choice("status", status, STATUSES)
    _check_choice("type", type, TYPES)
    _check_content(content, type)
    identity = version_id(prompt, number) if id is None else _checked_id(id)
    frozen = _frozen_metadata({} if metadata is None else metadata)
    names = _checked_names(variables)
    return VersionRecord(prompt, number, content, status, type, frozen, _checked_tags(tags), identity, at, at, names)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or name in ("", ".", ".."):
        raise ConfigurationError(f"a prompt's name must be text other than '', '.' and '..', got {shown(name)}")
    if is_prompt_id(name):
        raise ConfigurationError(f"the name {shown(name)} looks like a prompt's ID; choose another")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"a prompt's name must be text that UTF-8 can hold, got {shown(name)}") from None


def _check_choice(what: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{what} must be one of {', '.join(choices)}, got {shown(value)}")


def _check_content(content: object, kind: str) -> None:
    if not isinstance(content, str):
        raise ConfigurationError(f"the content of a {kind} prompt must be text, got {type(content).__name__}")
    try:
        if kind == "chat":
            ChatTemplate(content)
    except ApiError as error:
        raise ConfigurationError(error.message) from None


def _checked_id(value: object) -> str:
    if not isinstance(value, str) or value in ("", ".", ".."):
        raise ConfigurationError(f"id must be text other than '', '.' and '..', got {shown(value)}")
    return well_formed(value)


def _checked_tags(tags: object) -> tuple[str, ...]:
    if not isinstance(tags, (list, tuple)) or not all(isinstance(tag, str) for tag in tags):
        raise ConfigurationError(f"tags must be a list of text, got {shown(tags)}")
    return tuple(map(well_formed, tags))


def _checked_names(variables: object) -> tuple[str, ...]:
    if not isinstance(variables, (list, tuple)) or not all(map(_is_variable, variables)):
        raise ConfigurationError(f"variables must be a list of names such as [name, tone], got {shown(variables)}")
    return tuple(dict.fromkeys(variables))


def _is_variable(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"\w+", name) is not None


def _frozen_metadata(metadata: object) -> Mapping[str, Any]:
    if not isinstance(metadata, Mapping):
        raise ConfigurationError(f"metadata must be a mapping such as {{model: gpt-4}}, got {shown(metadata)}")
    try:
        frozen: Mapping[str, Any] = _Freezer().frozen(_Place(None, "metadata"), metadata)
    except RecursionError:
        raise ConfigurationError("metadata is nested too deeply; make it flatter") from None
    return frozen


class _Place(NamedTuple):
    """Where a value is; written out only if it is wrong, because the names on the way to it may be long."""

    within: Optional["_Place"]
    step: str

    def __str__(self) -> str:
        steps: list[str] = []
        place: Optional[_Place] = self
        while place is not None:
            steps.append(place.step)
            place = place.within
        return cut("".join(reversed(steps)))


class _Freezer:
    """Counts what it freezes: a few values that contain each other's may unfold to any number of them."""

    def __init__(self) -> None:
        self._values = self._characters = 0

    def frozen(self, where: _Place, value: object) -> Any:
        """The value as JSON will hold it, read-only down to the last mapping; dates become ISO text."""
        self._values += 1
        self._characters += len(value) if isinstance(value, str) else 0
        if self._values > MAX_METADATA_VALUES or self._characters > MAX_METADATA_CHARACTERS:
            raise ConfigurationError(f"metadata must have at most {MAX_METADATA_VALUES:,} values; make it smaller")
        if isinstance(value, str):
            return well_formed(value)
        if value is None or is_number(value):
            return value
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Mapping):
            return MappingProxyType(
                {_text_key(where, key): self.frozen(_Place(where, f".{key}"), each) for key, each in value.items()}
            )
        if isinstance(value, (list, tuple)):
            return tuple([self.frozen(_Place(where, f"[{place}]"), each) for place, each in enumerate(value)])
        raise ConfigurationError(f"{where} must be a value that JSON can hold, got {shown(value)}")


def thawed(value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: thawed(each) for key, each in value.items()}
    return [thawed(each) for each in value] if isinstance(value, tuple) else value


def _text_key(where: _Place, key: object) -> str:
    if not isinstance(key, str):
        raise ConfigurationError(f"the keys of {where} must be text, got {shown(key)}; put it in quotes")
    return well_formed(key)


def _ulid(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "".join(digits[number >> shift & 31] for shift in range(125, -1, -5))
