"""Token: what is pinned as a short signed text, fit for a cookie, a header and a URL."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional, Union

from .._config.credentials import Credentials
from .._frames import hides_what_it_was_given
from .._prompt.ref import LABELS, PromptRef
from .._prompt.values import is_none, plain_text
from .._redaction import SecretBytes
from ..errors import ConfigurationError, ScopeError, ValidationError

TOKEN_FORMAT = "1"  # noqa: S105  # the first part of a token
MAX_TOKEN_CHARACTERS = 8_000  # what servers and proxies take as one header
SIGNATURE_OCTETS = 16  # half of SHA-256, which RFC 2104, 5 calls the least
_KEYS_PURPOSE = b"scope_client pins"
_FORM = re.compile(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", re.ASCII)
_PROMPT_ID_PREFIX = "prompt_"
_WHOLE_ID = "="
_ROLLOUT_MARK = "rollout"

Secrets = Union[str, Sequence[str], None]


class TokenEntry(NamedTuple):
    """One pinned version. `has_variant` if a rollout has picked it."""

    name: str
    prompt_id: Optional[str]
    label: str
    version_id: str
    has_variant: bool


class TokenKeys:
    """What tokens are signed with; the first key signs, and all of them verify. Its repr shows none.

    Args:
        credentials: Those of the client, whose organisation every token is bound to.
        secret: A text, or several. By default the secret of the credentials.

    Raises:
        ValidationError: `secret` is neither.
        ConfigurationError: There is none, and the credentials have none that could be found.
    """

    __slots__ = ("_keys",)

    @hides_what_it_was_given
    def __init__(self, credentials: Credentials, secret: Secrets) -> None:
        organisation = _octets(str(credentials.org_id))
        given = _of_credentials(credentials) if is_none(secret) else _checked(secret)
        purpose = _KEYS_PURPOSE + b"\0" + organisation
        self._keys = [SecretBytes(hmac.digest(_octets(each), purpose, "sha256")) for each in given]

    @hides_what_it_was_given
    def signature(self, text: str) -> str:
        """Of the first key."""
        return _signature(self._keys[0], text)

    @hides_what_it_was_given
    def verifies(self, text: str, signature: str) -> bool:
        """Whether one of the keys made the signature, in a time that does not tell how much of it is right."""
        return sum(hmac.compare_digest(_signature(key, text), signature) for key in self._keys) > 0


def token_of(entries: Iterable[TokenEntry], keys: TokenKeys) -> str:
    """The token; raises ValidationError if it would be too long."""
    fields = [_fields(entry) for entry in entries]
    text = f"{TOKEN_FORMAT}.{_encoded(json.dumps(fields, ensure_ascii=False, separators=(',', ':')).encode())}"
    token = f"{text}.{keys.signature(text)}"
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise ValidationError(
            f"a token has at most {MAX_TOKEN_CHARACTERS:,} characters, and the {len(fields)} pinned versions need "
            f'{len(token):,}: pin fewer prompts, by their names, as in client.pin("support-chat")'
        )
    return token


def entries_of(token: Any, keys: TokenKeys) -> list[TokenEntry]:
    """What a token says; raises ValidationError, which does not show it, for what is not a token of these keys."""
    if not isinstance(token, str):
        raise ValidationError(f"token must be text, as pins.token gives it, got {type(token).__name__}")
    token = plain_text(token)
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise ValidationError(f"token must have at most {MAX_TOKEN_CHARACTERS:,} characters, got {len(token):,}")
    marked, _, rest = token.partition(".")
    if marked != TOKEN_FORMAT or _FORM.fullmatch(rest) is None:
        raise ValidationError(
            "token is not what pins.token of this version of the library gives: pin anew, without a token"
        )
    text, _, signature = token.rpartition(".")
    if not keys.verifies(text, signature):
        raise ValidationError(
            "token was changed on its way, or signed with another secret or for another organisation: "
            "pin anew, without a token"
        )
    return _parsed(text.partition(".")[2])


def _of_credentials(credentials: Credentials) -> list[str]:
    for name in ("api_secret", "client_secret"):
        found = getattr(credentials, name, None)
        if isinstance(found, str) and found:
            return [found]
    raise ConfigurationError(
        f"{type(credentials).__name__} has no api_secret or client_secret to sign tokens with: "
        "give client.pin(..., secret=...)"
    )


def _checked(secret: Any) -> list[str]:
    given = [secret] if isinstance(secret, str) else secret
    is_listed = isinstance(given, (list, tuple)) and bool(given)
    if not is_listed or not all(isinstance(each, str) and each for each in given):
        raise ValidationError(
            "secret must be text that is not empty, or a list of such texts, of which the first one signs, "
            f"got {type(secret).__name__}"
        )
    return list(given)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _signature(key: bytes, text: str) -> str:
    return _encoded(hmac.digest(key, text.encode(), hashlib.sha256)[:SIGNATURE_OCTETS])


def _fields(entry: TokenEntry) -> list[str]:
    number = _shortened(entry.prompt_id or "")
    label = "" if entry.label == LABELS[0] else entry.label
    mark = _ROLLOUT_MARK if entry.has_variant else ""
    fields = [entry.version_id, entry.name, number, label, mark]
    while not fields[-1]:
        fields.pop()
    return fields


def _shortened(prompt_id: str) -> str:
    """Without what all IDs begin with; marked if it does not begin so."""
    if prompt_id.startswith(_PROMPT_ID_PREFIX):
        return prompt_id[len(_PROMPT_ID_PREFIX) :]
    return prompt_id and f"{_WHOLE_ID}{prompt_id}"


def _in_full(number: str) -> str | None:
    if number.startswith(_WHOLE_ID):
        return number[len(_WHOLE_ID) :]
    return f"{_PROMPT_ID_PREFIX}{number}" if number else None


def _parsed(payload: str) -> list[TokenEntry]:
    """Raises ValidationError for what this version of the library would not have written, though it is signed."""
    try:
        return [_entry(*fields) for fields in json.loads(_decoded(payload))]
    except (ValueError, TypeError, ScopeError, RecursionError):
        raise ValidationError(
            "token was written by another version of the library, which has other fields: pin anew, without a token"
        ) from None


def _entry(version_id: str, name: str, number: str = "", label: str = "", mark: str = "") -> TokenEntry:
    ref = PromptRef.of(name, label or LABELS[0])
    PromptRef.of(name, None, version_id)
    if mark not in ("", _ROLLOUT_MARK):
        raise ValueError
    assert ref.label is not None
    return TokenEntry(name, _in_full(number), ref.label, version_id, bool(mark))


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError from error
