"""Rules: what the value of an option must be, the same for a Configuration and for the arguments of a call."""

from __future__ import annotations

import math
import os
import re
from typing import Any, Callable

from .._prompt.values import plain_text
from .._stores.cache_store import STORE_METHODS, CacheStore, asynchronous_method, has_methods
from .credentials import Credentials

_URL_PATTERN = (
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[\w.-]+)(:(?P<port>[0-9]{1,5}))?(/[\w.~%!$&'()*+,;=:/-]*)?"
)
LARGEST_COUNT = 1_000_000_000
SHOWN_CHARACTERS = 200  # of a value, in a message
LONGEST_TYPO_CHARACTERS = 20  # longer text in the place of a number may be a secret
_URL_FLAGS = re.IGNORECASE | re.ASCII
_LOOPBACK_PATTERN = r"localhost|127(\.[0-9]{1,3}){3}|\[::1\]"
_HEADER_TEXT_PATTERN = r"[!-~]([ -~]*[!-~])?"
_SEGMENT_PATTERN = r"(?!\.\.?$)[A-Za-z0-9._~-]+"


class MisfitError(ValueError):
    """Says of a value what a message cannot show by the value itself."""


class Rule:
    """What a value must be, and how it is kept.

    Args:
        must_be: What follows "must be" in the message.
        accept: Returns the value as it is kept, or raises ValueError.
        from_text: Reads the value of an environment variable.
        shows_value: Whether a message may show the value.
        takes_text: Whether a good value may be text.
    """

    __slots__ = ("accept", "from_text", "must_be", "shows_value", "takes_text")

    def __init__(
        self,
        must_be: str,
        accept: Callable[[Any], Any],
        *,
        from_text: Callable[[str], Any] = str,
        shows_value: bool = True,
        takes_text: bool = True,
    ) -> None:
        self.must_be = must_be
        self.accept = accept
        self.from_text = from_text
        self.shows_value = shows_value
        self.takes_text = takes_text

    def check(self, name: str, value: object, error: type[Exception], *, shows_text: bool = True) -> Any:
        """The value as it is kept.

        Args:
            name: What the user calls the option or argument.
            value: What the user gave.
            error: The class of the error to raise.
            shows_text: Whether the message may show any text; if not, only short text in the place of a number or flag.

        Returns:
            The value, in the type that the rule promises.

        Raises:
            Exception: An `error` that names the option and what it must be.
        """
        try:
            return self.accept(value)
        except MisfitError as misfit:
            raise error(f"{name} must be {self.must_be}, got {misfit}") from None
        except (ValueError, TypeError):  # TypeError of a proxy, whose class is not its own
            raise error(f"{name} must be {self.must_be}, got {self._described(value, shows_text)}") from None

    def check_setting(self, name: str, value: object, error: type[Exception], *, is_from_json: bool) -> Any:
        """`check` for a value that may be the text of an environment variable, such as "60" or "off".

        What JSON makes of such a text, such as 0 for a flag, does too if it `is_from_json`. The message shows no text,
        but for a typo in a number or flag.
        """
        text = digits(value) if is_from_json else value
        try:
            return self.accept(value)
        except (ValueError, TypeError):
            pass
        try:
            _require(isinstance(text, str))
            return self.accept(self.from_text(plain_text(text)))
        except (ValueError, KeyError, TypeError):
            return self.check(name, value, error, shows_text=False)

    def read(self, name: str, text: str, error: type[Exception]) -> Any:
        """`check` for a value that came as text."""
        try:
            value = self.from_text(text)
        except (ValueError, KeyError):
            value = text
        return self.check(name, value, error)

    def _described(self, value: object, shows_text: bool) -> str:
        if not self.shows_value:
            return type(value).__name__
        is_typo = isinstance(value, str) and not self.takes_text and len(value) <= LONGEST_TYPO_CHARACTERS
        if isinstance(value, str) and not shows_text and not is_typo:
            return "text (not shown, because it may be a secret)"
        return _shown(value)


def is_loopback(url: str) -> bool:
    """Whether what is sent to this URL stays on this machine."""
    found = re.fullmatch(_URL_PATTERN, url, _URL_FLAGS)
    return found is not None and re.fullmatch(_LOOPBACK_PATTERN, found["host"], re.IGNORECASE) is not None


def _shown(value: object) -> str:
    if not isinstance(value, (str, int, float, type(None))):
        return type(value).__name__
    try:
        text = repr(value)
    except ValueError:
        return "a number too long to print"
    if "@" in text:
        return "a URL with a user name or password"
    if "://" in text and re.search("[?#]", text):  # which may hold a key
        return "a URL with a query or fragment"
    if re.search(r"//[^/]*:[^/]*[^/0-9\]'\"]", text):  # such as a password without its host
        return "a URL with a port that is not a number"
    return text[:SHOWN_CHARACTERS]


def digits(value: object) -> object:
    """The text of a whole number, which is what JSON was read from; any other value as it is."""
    try:
        return str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else value
    except (ValueError, TypeError):  # ValueError of Python: over 4,300 digits; TypeError of a proxy
        return value


def _require(good: bool) -> None:
    if not good:
        raise ValueError


def _number(value: Any) -> float:
    _require(isinstance(value, (int, float)) and not isinstance(value, bool))
    try:
        number = float(value)
    except (OverflowError, TypeError):  # TypeError of a proxy that stands for a number, but cannot be made one
        raise ValueError from None
    _require(math.isfinite(number))
    return number


def _seconds(value: Any) -> float:
    number = _number(value)
    _require(number >= 0)
    return number


def _positive_seconds(value: Any) -> float:
    number = _number(value)
    _require(number > 0)
    return number


def _count(value: Any) -> int:
    _require(isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT)
    return int(value)


def _positive_count(value: Any) -> int:
    _require(_count(value) > 0)
    return int(value)


def _flag(value: Any) -> bool:
    _require(isinstance(value, bool))
    return bool(value)


def _flag_of_text(text: str) -> bool:
    """As people write a flag in an environment."""
    return {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}[
        text.lower()
    ]


def _one_of(*choices: str) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        _require(isinstance(value, str) and value in choices)
        return plain_text(value)

    return accept


def _url(value: Any) -> str:
    _require(isinstance(value, str))
    url = plain_text(value)
    found = re.fullmatch(_URL_PATTERN, url, _URL_FLAGS)
    _require(found is not None and int(found["port"] or 0) <= 65535)
    scheme, rest = url.split("://", 1)
    return f"{scheme.lower()}://{rest.rstrip('/')}"


def _text_like(pattern: str) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        _require(isinstance(value, str))
        text = plain_text(value)
        _require(re.fullmatch(pattern, text) is not None)
        return text

    return accept


_ASKED_OF_CREDENTIALS = ("org_id", "token_path", "token_body")


def _credentials(value: Any) -> Credentials | None:
    _require(
        value is None or (not isinstance(value, type) and all(hasattr(value, name) for name in _ASKED_OF_CREDENTIALS))
    )
    return value  # type: ignore[no-any-return]  # it has what the Protocol names


def _optional(accept: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else accept(value)


def _folder(value: Any) -> str:
    text = _path(value)
    _require(os.path.isdir(text))
    return text


def _path(value: Any) -> str:
    _require(isinstance(value, (str, os.PathLike)))
    path = value if isinstance(value, str) else os.fspath(value)
    _require(isinstance(path, str) and path.strip() != "" and "\0" not in path)
    return plain_text(path)


def _store(value: Any) -> CacheStore:
    method = asynchronous_method(value)
    if method is not None:
        raise MisfitError(
            f"{type(value).__name__}, whose {method} is asynchronous: give the synchronous one in its place"
        )
    _require(has_methods(value, STORE_METHODS))
    return value  # type: ignore[no-any-return]  # it has what the Protocol names


_ASKED_OF_SESSION = ("send", "get_adapter", "headers", "proxies", "hooks", "merge_environment_settings")


def _session(value: Any) -> Any:
    _require(value is None or all(hasattr(value, name) for name in _ASKED_OF_SESSION))
    return value


SECONDS = Rule("a number of seconds, 0 or more", _seconds, from_text=float, takes_text=False)
POSITIVE_SECONDS = Rule("a positive number of seconds", _positive_seconds, from_text=float, takes_text=False)
COUNT = Rule(f"a whole number from 0 to {LARGEST_COUNT}", _count, from_text=int, takes_text=False)
POSITIVE_COUNT = Rule(f"a whole number from 1 to {LARGEST_COUNT}", _positive_count, from_text=int, takes_text=False)
DEADLINE = Rule(
    "a positive number of seconds, or None", _optional(_positive_seconds), from_text=float, takes_text=False
)
FOLDER = Rule("a folder that exists, or None", _optional(_folder))
FILE = Rule("the path of a file such as scope.lock, or None", _optional(_path))
STORE = Rule(
    f"a CacheStore ({', '.join(STORE_METHODS)}), such as RedisStore(url), or None",
    _optional(_store),
    shows_value=False,
    takes_text=False,
)
FLAG = Rule("True or False", _flag, from_text=_flag_of_text, takes_text=False)
EXTRA_VALUES = Rule("'error', 'warn' or 'ignore'", _one_of("error", "warn", "ignore"))
WHEN_UNFIT = Rule("'error' or 'last_fitting'", _one_of("error", "last_fitting"))
URL = Rule("an ASCII URL such as https://api.example.com, without user name, query or fragment", _url)
SEGMENT = Rule("letters, digits, '.', '_', '~' and '-', such as v1", _text_like(_SEGMENT_PATTERN))
HEADER_TEXT = Rule(
    "printable ASCII text that is not empty, without a space at either end", _text_like(_HEADER_TEXT_PATTERN)
)
CREDENTIALS = Rule(
    "ApiKeyCredentials, ClientCredentials, or an object with org_id, token_path and token_body()",
    _credentials,
    shows_value=False,
    takes_text=False,
)
SESSION = Rule("a requests.Session", _session, shows_value=False, takes_text=False)
