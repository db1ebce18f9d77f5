"""Redaction: what is secret is taken out of what is shown, even where the platform sends it back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

REDACTED = "***"
_SHORTEST = 4
_TELLING = 12
_HEAD = 65_536
_USERINFO = r"//[^/@\s]*@"


class Secret(str):
    """A text like any other, but for its repr: it shows in no traceback, log or collection by accident."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(REDACTED)


class Redaction:
    """Knows some secrets, in every form in which a server echoes them. It has no repr, for it holds them."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)

    @property
    def _forms(self) -> list[str]:
        """The longest first; made when there is something to clean, which is seldom."""
        forms = {form for secret in self._secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        return sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        text = re.sub(_USERINFO, f"//{REDACTED}@", text)
        forms = "|".join(map(re.escape, self._forms))
        return re.sub(forms, REDACTED, text, flags=re.IGNORECASE) if forms else text

    def head(self, octets: bytes) -> str:
        """The first of a long text, without what may be the start of a secret at its edge."""
        clean = self.text(octets[:_HEAD].decode("utf-8", "replace"))
        longest = max(map(len, self._forms), default=0)
        return clean[: len(clean) - longest] if len(octets) > _HEAD else clean

    def headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """A clean copy, of the same type."""
        clean: Any = {name: self.text(value) for name, value in headers.items()}
        return type(headers)(clean)  # type: ignore[call-arg]  # a mapping made of another

    def error(self, error: BaseException) -> None:
        """Takes the secrets out of what a foreign exception says, which may have cut one in two."""
        error.args = tuple(self._whole(said) if isinstance(said, str) else said for said in error.args)

    def _whole(self, text: str) -> str:
        clean = self.text(text)
        return REDACTED if any(form[:_TELLING] in clean for form in self._forms) else clean


def _forms(secret: str) -> Iterable[str]:
    from urllib.parse import quote

    octets = secret.encode("utf-8", "surrogatepass")
    for plain in (secret, octets.decode("latin-1"), octets.decode("ascii", "replace")):
        yield from (plain, repr(str.__str__(plain))[1:-1])
    for in_json in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (in_json, json.dumps(in_json)[1:-1], in_json.replace("/", "\\/"))
    in_html = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield from (in_html, in_html.replace('"', "&quot;").replace("'", "&#x27;"), quote(octets), quote(octets, safe=""))
