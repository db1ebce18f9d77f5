"""Redaction: secrets are taken out of what is shown, even if the platform sends them back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

REDACTED = "***"
SHORTEST_SECRET_CHARACTERS = 4  # a shorter one would blank half of any text
TELLING_CHARACTERS = 8  # so much of a secret is as bad as all of it
LONGEST_CLEANED = 65_536  # characters, or bytes
LONGEST_FOREIGN_TEXT = 1_000  # of an exception
LONGEST_SHOWN_HEADER_CHARS = 60
_SMALL_LETTERS = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_USERINFO = r"//[^\s\"'<>]{0,256}@"  # a password may have a slash in it, or an @


class Secret(str):
    """Text whose repr is ***, and that of its parts, so that a traceback or log that shows variables shows neither.

    `str(secret)` opens it, and so does text that it is put into.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(REDACTED)


class SecretBytes(bytes):
    """What a Secret is as bytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(REDACTED.encode())


_OPERATORS = ("__add__", "__format__", "__getitem__", "__mod__", "__mul__", "__rmod__", "__rmul__")


def _closed(method: Any) -> Any:
    def of_a_secret(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _secret(method(self, *args, **kwargs))

    return of_a_secret


def _secret(value: Any) -> Any:
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, bytes):
        return SecretBytes(value)
    return type(value)(map(_secret, value)) if isinstance(value, (list, tuple)) else value


def _close(kind: Any, plain: Any) -> None:
    """Whatever text or bytes a method of `kind` returns is secret too."""
    for name in dir(plain):
        is_part = name in _OPERATORS or not name.startswith("_")
        if is_part and name not in ("maketrans", "fromhex"):  # which have no self
            setattr(kind, name, _closed(getattr(plain, name)))
    kind.__radd__ = lambda self, left: _secret(plain.__add__(left, self))


_close(Secret, str)
_close(SecretBytes, bytes)


class Redaction:
    """Takes some secrets out of texts, in every form in which a server may echo them."""

    __slots__ = ("_known_forms", "_secrets")

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self._known_forms: list[Secret] | None = None

    @property
    def _forms(self) -> list[Secret]:
        """In small letters, the longest first, because one may contain another; made when there is a text to clean."""
        if self._known_forms is None:
            known = (secret for secret in self._secrets if len(secret) >= SHORTEST_SECRET_CHARACTERS)
            forms = {Secret(_in_small_letters(form)) for secret in known for form in _forms(secret)}
            self._known_forms = sorted(forms, key=len, reverse=True)
        return self._known_forms

    def text(self, text: str) -> str:
        """The text without the secrets, and without the user name and password of any URL."""
        text = re.sub(_USERINFO, f"//{REDACTED}@", text)
        # Not one expression for all: at each place of the text it would try each secret, to where they differ.
        for form in self._forms:
            text = _without(form, text)
        return text

    def head(self, whole: str | bytes) -> str:
        """The first 65,536 characters or bytes as clean text, less what may be the start of a secret at the cut."""
        start = whole[:LONGEST_CLEANED]
        clean = self.text(start.decode("utf-8", "replace") if isinstance(start, bytes) else start)
        longest = max(map(len, self._forms), default=0)
        return clean[: max(0, len(clean) - longest)] if len(whole) > LONGEST_CLEANED else clean

    def headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """A clean copy of the headers, in the same type."""
        clean: Any = {name: self.text(value) for name, value in headers.items()}
        return type(headers)(clean)  # type: ignore[call-arg]  # a mapping made of another

    def error(self, error: BaseException) -> None:
        """Takes the secrets out of the texts of a foreign exception, which may have cut a secret in two."""
        error.args = tuple(self._whole(said) if isinstance(said, str) else said for said in error.args)
        texts = {name: said for name, said in vars(error).items() if isinstance(said, str)}
        error.__dict__.update({name: self._whole(said) for name, said in texts.items()})

    def _whole(self, text: str) -> str:
        clean = self.head(text)[:LONGEST_FOREIGN_TEXT]
        small = _in_small_letters(clean)
        parts = {small[place : place + TELLING_CHARACTERS] for place in range(len(small) - TELLING_CHARACTERS + 1)}
        return REDACTED if any(part in form for form in self._forms for part in parts) else clean


def heads(secrets: Iterable[Iterable[str]], *texts: str | bytes) -> list[str]:
    """`Redaction.head` of each text; `secrets` are lists of them."""
    redaction = Redaction(chain.from_iterable(secrets))
    return [redaction.head(text) for text in texts]


def shown_header(value: str) -> str:
    """The value, unless it is so odd that it may be the secret that was asked for."""
    is_word = len(value) <= LONGEST_SHOWN_HEADER_CHARS and re.fullmatch(r"[a-zA-Z/+.,\s-]*", value)
    return value if is_word else "something odd"


def _without(form: str, text: str) -> str:
    small = _in_small_letters(text)
    kept, end, place = [], 0, small.find(form)
    while place >= 0:
        kept.append(text[end:place])
        end = place + len(form)
        place = small.find(form, end)
    return REDACTED.join([*kept, text[end:]])


def _in_small_letters(text: str) -> str:
    """As long as before. Only the letters of ASCII matter, because escapes such as %C3 may be written with either."""
    return text.lower() if text.isascii() else text.translate(_SMALL_LETTERS)


def secrets_in_url(url: str) -> list[Secret]:
    """What would give away the user name and the password of a URL; a short user name would not."""
    from base64 import b64encode
    from urllib.parse import unquote

    userinfo = Secret(url).rpartition("@")[0].split("//", 1)[-1]
    user, _, password = userinfo.partition(":")
    basic = Secret(b64encode(unquote(userinfo).encode("latin-1", "replace")).decode())
    parts = [userinfo, password, basic, *([user] if len(user) >= TELLING_CHARACTERS else [])]
    return [Secret(form) for part in parts for form in (part, unquote(part))]


def _forms(secret: str) -> Iterable[str]:
    """How a server may write the secret: wrongly decoded, as a Python literal, in JSON (in JSON), in HTML, in a URL."""
    from urllib.parse import quote

    octets = secret.encode("utf-8", "surrogatepass")
    for plain in (secret, octets.decode("latin-1"), octets.decode("ascii", "replace")):
        yield from (plain, repr(str.__str__(plain))[1:-1])
    for in_json in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (in_json, json.dumps(in_json)[1:-1], in_json.replace("/", "\\/"))
    in_html = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield from (in_html, in_html.replace('"', "&quot;").replace("'", "&#x27;"), quote(octets), quote(octets, safe=""))
