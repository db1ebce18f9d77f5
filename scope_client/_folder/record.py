"""VersionRecord: a version of a prompt as it is kept in a folder, or in the memory of the local platform."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

from .._prompt.chat_template import ChatTemplate
from .._prompt.jsonvalue import well_formed
from .._prompt.template import Template
from .._wording import shown
from ..errors import ApiError, ConfigurationError
from .held import held, thawed

STATUSES = ("draft", "published", "archived")
TYPES = ("text", "chat")

_KEYS_OF_THEIR_OWN = {
    "content": "it below the front matter",
    **{key: f"a key {key!r} of its own" for key in ("metadata", "tags", "type")},
    "prompt_type": "a key 'type' of its own",
    "version_id": "served.id",
    "version": "served.version_number",
}
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
    prompt_id: str
    """The ID of the prompt."""
    created_at: str
    """When the version was made."""
    updated_at: str
    """When the version was last changed."""
    declared: tuple[str, ...] = ()
    """The variables that are declared, whether the content has them or not."""
    description: Optional[str] = None
    """What the version is for, in the words of who wrote it."""
    promoted_at: Optional[str] = None
    """When the version went into production, if it says so."""
    promoted_by: Optional[str] = None
    """Who put it there, if it says so."""
    dated: tuple[str, ...] = ()
    """Which of "created_at" and "updated_at" the version says itself; the others are those of its file."""
    served: Mapping[str, Any] = MappingProxyType({})
    """Fields of an answer that are not as the rest would make them, or that this package does not know; None for one
    that is not sent."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables: those of the content in order of appearance, then those that are declared."""
        return tuple(dict.fromkeys((*self.content_variables, *self.declared)))

    @property
    def content_variables(self) -> tuple[str, ...]:
        """The names of the variables of the content, in order of appearance."""
        return (ChatTemplate if self.type == "chat" else Template)(self.content).variables

    def to_body(self) -> dict[str, Any]:
        """The fields of an answer, in the words of the older generation of the API; fit for JSON."""
        declares_all = set(self.declared).issuperset(self.content_variables)
        return {
            "id": self.id,
            "prompt_id": self.prompt_id,
            "name": self.prompt,
            "version_number": self.number,
            "content": self.content,
            "status": self.status,
            "is_production": self.status == "published",
            "prompt_type": self.type,
            "variables": list(self.declared if declares_all else self.variables),
            "metadata": thawed(self.metadata),
            "tags": list(self.tags),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "promoted_at": self.promoted_at,
            "promoted_by": self.promoted_by,
            **({} if self.description is None else {"description": self.description}),
            **thawed(self.served),
        }


def is_prompt_id(text: object) -> bool:
    """Whether the platform takes this for a prompt's ID: `prompt_` and a ULID, in upper or lower case."""
    return isinstance(text, str) and _PROMPT_ID.fullmatch(text) is not None


def prompt_id(name: str) -> str:
    """The ID of a prompt by its name; it is the same wherever the prompt is kept."""
    return f"prompt_{_ulid(name)}"


_made_up_id = prompt_id


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
    prompt_id: Optional[str] = None,
    description: Optional[str] = None,
    created_at: Optional[str] = None,
    updated_at: Optional[str] = None,
    promoted_at: Optional[str] = None,
    promoted_by: Optional[str] = None,
    served: Optional[Mapping[str, Any]] = None,
    at: str,
) -> VersionRecord:
    """A version that was checked; raises ConfigurationError that names the part that is wrong."""
    _check_name(prompt, prompt_id)
    _check_choice("status", status, STATUSES)
    _check_choice("type", type, TYPES)
    _check_content(content, type)
    said = {"created_at": created_at, "updated_at": updated_at}
    answer = _checked_answer({} if served is None else served)
    return VersionRecord(
        prompt=prompt,
        number=number,
        content=content,
        status=status,
        type=type,
        metadata=held("metadata", {} if metadata is None else metadata, "{model: gpt-4}"),
        tags=_checked_tags(tags),
        id=version_id(prompt, number) if id is None else _checked_id("id", id),
        prompt_id=_made_up_id(prompt) if prompt_id is None else _checked_id("prompt_id", prompt_id),
        created_at=_or(_time("created_at", created_at), at),
        updated_at=_or(_time("updated_at", updated_at), at),
        declared=tuple(dict.fromkeys(answer.get("variables") or _checked_names(variables))),
        description=_text("description", description),
        promoted_at=_time("promoted_at", promoted_at),
        promoted_by=_text("promoted_by", promoted_by),
        dated=tuple(field for field, time in said.items() if time is not None),
        served=answer,
    )


def _check_name(name: object, identity: Optional[str]) -> None:
    if not isinstance(name, str) or (identity is None and name in ("", ".", "..")):
        raise ConfigurationError(f"a prompt's name must be text other than '', '.' and '..', got {shown(name)}")
    if identity is None and is_prompt_id(name):
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


def _checked_id(what: str, value: object) -> str:
    if not isinstance(value, str) or value in ("", ".", ".."):
        raise ConfigurationError(f"{what} must be text other than '', '.' and '..', got {shown(value)}")
    return well_formed(value)


def _text(what: str, value: object) -> Optional[str]:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(f"{what} must be text, got {shown(value)}; put it in quotes")
    return well_formed(value)


def _time(what: str, value: object) -> Optional[str]:
    """Times that have no quotes in YAML are no text any more."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return aware.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else _text(what, value)


def _or(text: Optional[str], other: str) -> str:
    return other if text is None else text


def _checked_answer(served: object) -> Mapping[str, Any]:
    answer = held("served", served, "{plan: pro}")
    for key in answer:
        if key in _KEYS_OF_THEIR_OWN:
            raise ConfigurationError(f"served.{key} is in the wrong place; write {_KEYS_OF_THEIR_OWN[key]}")
    names = answer.get("variables", ())
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"served.variables must be a list of text, got {shown(thawed(names))}")
    return answer


def _checked_tags(tags: object) -> tuple[str, ...]:
    if not isinstance(tags, (list, tuple)) or not all(isinstance(tag, str) for tag in tags):
        raise ConfigurationError(f"tags must be a list of text, got {shown(tags)}")
    return tuple(map(well_formed, tags))


def _checked_names(variables: object) -> tuple[str, ...]:
    if not isinstance(variables, (list, tuple)) or not all(map(is_variable, variables)):
        raise ConfigurationError(f"variables must be a list of names such as [name, tone], got {shown(variables)}")
    return tuple(dict.fromkeys(variables))


def is_variable(name: object) -> bool:
    """Whether the front matter may list this as a variable."""
    return isinstance(name, str) and re.fullmatch(r"\w+", name) is not None


def _ulid(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "".join(digits[number >> shift & 31] for shift in range(125, -1, -5))
