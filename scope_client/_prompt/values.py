"""Values: what a caller puts in the place of a variable, as text. What can only be a bug is refused."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Mapping, Sequence, Set
from typing import Any

from .._interrupts import pass_on
from .._wording import LONGEST_SHOWN_VALUE, cut, shown
from ..errors import RenderError, ValidationError

_PLAIN = frozenset((int, float, bool, complex))
_METHODS = (
    *(types.MethodType, types.BuiltinMethodType, types.MethodWrapperType, types.WrapperDescriptorType),
    *(types.MethodDescriptorType, types.ClassMethodDescriptorType, types.FunctionType, functools.partial),
    *(staticmethod, classmethod),
)
_GENERATORS = (types.GeneratorType, types.AsyncGeneratorType)
_BYTES = (bytes, bytearray, memoryview)
MAX_LOOK_DEPTH = 5
_NONE = "None; give text, or '' to leave it empty"
_DEFAULT_TEXT = r"(?s)<.+ at 0x[0-9A-Fa-f]+[^<>]*>+"


def as_text(name: str, value: object) -> str:
    """What `str()` makes of the value of a variable.

    Raises:
        ValidationError: The value can only be a bug, such as None or a method that was not called.
        RenderError: `str()` fails.
    """
    try:
        if type(value) in _PLAIN:
            return str(value)
        # A proxy has the class of what it stands for, which `isinstance` asks for; `type` and `is` do not see it.
        flaw = flaw_of(value)
        if flaw is None:
            text = str(value)
            flaw = None if isinstance(value, str) else _flaw_of_text(value, text)
            if flaw is None:
                return text
    except Exception as error:
        pass_on(error)
        if _equals_none(value):  # a lazy text of Django 4.2, say, cannot be written if it is None
            raise ValidationError(f"the value of {shown(name)} is {_NONE}") from None
        said = cut(_said(error))
        raise RenderError(f"str() fails for the value of {shown(name)}, a {type(value).__name__}: {said}") from error
    raise ValidationError(f"the value of {shown(name)} is {flaw}")


def plain_text(value: Any) -> str:
    """The text itself, of a subclass of `str` or of a proxy for text, as neither `str()` nor `format` would change it.

    `str()` of a member of an Enum that is text, say, is its name.
    """
    text = value if issubclass(type(value), str) else value[:]
    return str.__str__(text)


def is_none(value: object) -> bool:
    """Whether it is None, or a proxy for None."""
    return isinstance(value, type(None))


def flaw_of(value: object) -> str | None:
    """What is wrong with a value by its kind, and what to do about it; None if nothing is."""
    if isinstance(value, str):
        return None
    if is_none(value):
        return _NONE
    if isinstance(value, _BYTES):
        return f"of the type {_kind(value)}; decode it, as in bytes(value).decode()"
    if isinstance(value, type):
        return f"the class {shown(_name(value))}; give an object of it, or text"
    if isinstance(value, _METHODS):
        return f"{shown(_name(value))}, a function or method that was not called; call it, as in {_called(value)}"
    if isinstance(value, types.ModuleType):
        return f"the module {shown(_name(value))}; give text"
    if isinstance(value, _GENERATORS):
        return "a generator; join what it yields, as in ', '.join(...)"
    return None


def is_callable(value: object) -> bool:
    """By what it stands for: every LocalProxy can be called by itself."""
    kind = value.__class__
    return callable(value) and (kind is type(value) or any("__call__" in vars(each) for each in kind.__mro__))


def is_awaitable(value: object) -> bool:
    """By what it stands for: every LocalProxy can be awaited by itself."""
    return hasattr(value.__class__, "__await__")


def _flaw_of_text(value: Any, text: str) -> str | None:
    # After `str()`, which fails for a proxy without an object: its class is its own then.
    if is_awaitable(value):
        return f"of the type {_kind(value)} and was not awaited; give what `await` returns for it"
    if text == "None" and _equals_none(value):
        return _NONE
    if "<" not in text or isinstance(value, BaseException):
        return None
    if _holds_a_bug(value):
        return f"a {_kind(value)} that holds something without a text of its own; give text in its place"
    if re.fullmatch(_DEFAULT_TEXT, text):
        return f"of the type {_kind(value)}, which has no text of its own; give an attribute of it, or define __str__"
    return None


def _holds_a_bug(value: Any, depth: int = MAX_LOOK_DEPTH) -> bool:
    """Whether a list, a mapping or a set holds a method that was not called, say, or an object without a text."""
    if depth == 0 or isinstance(value, str) or not isinstance(value, (Sequence, Set, Mapping)):
        return False
    for item in value.values() if isinstance(value, Mapping) else value:
        if isinstance(item, (str, BaseException)) or type(item) in _PLAIN or is_none(item):
            continue
        if isinstance(item, (*_METHODS, type, types.ModuleType, *_GENERATORS)) or _holds_a_bug(item, depth - 1):
            return True
        if not isinstance(item, (Sequence, Set, Mapping)) and re.fullmatch(_DEFAULT_TEXT, repr(item)):
            return True
    return False


def _equals_none(value: Any) -> bool:
    """A lazy value does not say of what class it is, but compares as what it stands for."""
    try:
        return bool(value == None)  # noqa: E711  # `is` does not see through it
    except Exception as error:  # noqa: BLE001  # of the value's own comparison
        pass_on(error)
        return False


def _kind(value: object) -> str:
    return cut(value.__class__.__name__, LONGEST_SHOWN_VALUE)


def _name(value: Any) -> str:
    named = getattr(value, "func", value)  # of a partial
    return cut(str(getattr(named, "__qualname__", None) or getattr(named, "__name__", type(value).__name__)))


def _called(value: Any) -> str:
    return f"{_name(value).rpartition('.')[2]}()"


def _said(error: Exception) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001  # the exception of a broken value may be broken too
        pass_on(broken)
        return type(error).__name__
