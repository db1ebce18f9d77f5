"""PromptRef: which prompt is asked for, and in which version."""

from __future__ import annotations

import re
from typing import Optional, Union

from .._frozen import Frozen, set_slot
from .._wording import nearest, shown
from ..errors import ValidationError
from .values import is_none, plain_text

LABELS = ("production", "latest")
EXAMPLE_ID = "v_01J9ZK3Q"
CacheKey = Union[str, tuple[str, Optional[str], Optional[str]]]


class PromptRef(Frozen):
    """A prompt's name or ID, with either a label or a version ID.

    `key` stands for the three in dicts: for production, which is what most callers ask for, it is the name alone.
    """

    __slots__ = ("name", "label", "version", "key")
    _derived = ("key",)
    name: str
    label: str | None
    version: str | None
    key: CacheKey

    def __init__(self, name: str, label: str | None = "production", version: str | None = None) -> None:
        set_slot(self, "name", name)
        set_slot(self, "label", label)
        set_slot(self, "version", version)
        set_slot(self, "key", name if label == "production" else (name, label, version))

    @classmethod
    def of(cls, name: str, label: str | None = None, version: str | None = None) -> PromptRef:
        """The ref of arguments that come from a user.

        Args:
            name: The prompt's name or ID.
            label: "production" or "latest"; None is production, unless there is a version.
            version: The ID of a version.

        Raises:
            ValidationError: An argument cannot be asked for.
            TypeError: Both a label and a version were given.
        """
        # A proxy for None is none of these texts, and is not None either.
        has_label = label is not None and not is_none(label)
        has_version = version is not None and not is_none(version)
        if has_label and has_version:
            raise TypeError("label and version exclude each other: give one of them")
        name = _segment_text("name", name)
        if has_version:
            _refuse_number(version)
            return cls(name, None, _segment_text("version", version))
        if not has_label:
            return cls(name)
        if not isinstance(label, str) or label not in LABELS:
            raise ValidationError(f"label must be {' or '.join(map(repr, LABELS))}, got {shown(label)}{_advice(label)}")
        return cls(name, LABELS[LABELS.index(label)])

    @classmethod
    def of_key(cls, key: CacheKey) -> PromptRef:
        """The ref that has this key."""
        return cls(key) if isinstance(key, str) else cls(*key)

    @property
    def path(self) -> str:
        """What follows /api/{api_version} in the URL."""
        which = self.label if self.version is None else f"versions/{path_segment('version', self.version)}"
        return f"/prompts/{path_segment('name', self.name)}/{which}"


def check_ref(name: str, label: Optional[str] = None, version: Optional[str] = None) -> None:
    """Raises what a read of these raises before anything is sent; see `PromptRef.of`.

    Args:
        name: The prompt's name or ID.
        label: "production" or "latest".
        version: The ID of a version.

    Raises:
        ValidationError: An argument cannot be asked for.
        TypeError: Both a label and a version were given.
    """
    PromptRef.of(name, label, version)


def _refuse_number(version: object) -> None:
    text = plain_text(version) if isinstance(version, str) else ""
    if isinstance(version, int) or re.fullmatch(r"\s*[0-9]+\s*", text):
        raise ValidationError(
            f"version must be the ID of a version, such as {EXAMPLE_ID!r}, and not its number, got {shown(version)}: "
            "the `id` of a version has it, and the platform shows it"
        )


def _advice(label: object) -> str:
    """What may have been meant by a label that is not one."""
    text = plain_text(label) if isinstance(label, str) else ""
    if isinstance(label, int) or re.fullmatch(r"\s*[vV#]?[0-9]+\s*", text):
        return f": a version is asked for by its ID, such as version={EXAMPLE_ID!r}, and not by its number"
    if re.match(r"v(er(sion)?)?[_-]", text):
        return ": the ID of a version goes into version="
    near = nearest(text.strip().lower(), LABELS, cutoff=0.5)
    return f": the nearest one is {near!r}" if near else ""


def path_segment(what: str, value: object) -> str:
    """The value as exactly one percent-encoded segment (RFC 3986, 3.3), or ValidationError if it cannot be one."""
    octets = _segment_text(what, value).encode()
    return re.sub(rb"[^A-Za-z0-9._~-]", lambda found: b"%%%02X" % found[0][0], octets).decode()


def _segment_text(what: str, value: object) -> str:
    """The value as plain text, or ValidationError if it cannot be one segment of a path."""
    if not isinstance(value, str):
        raise ValidationError(f"{what} must be text, got {type(value).__name__}")
    text = value if type(value) is str else plain_text(value)
    if text in ("", ".", ".."):
        raise ValidationError(f"{what} must not be empty, '.' or '..', got {shown(text)}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationError(f"{what} must be text that UTF-8 can hold, got {shown(text)}") from None
    return text
