"""No bug reaches a model as text: a value is put through `str()`, and refused if it can only be a mistake."""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime
import decimal
import enum
import functools
import math
import pathlib
import types
import uuid
from collections import OrderedDict, UserList, deque
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Callable

import pytest
from django.utils.functional import SimpleLazyObject, lazy, lazystr
from django.utils.safestring import mark_safe
from markupsafe import Markup
from werkzeug.local import LocalProxy

from scope_client import PromptVersion, RenderError, ValidationError

VERSION = PromptVersion.from_api({"name": "greeting", "content": "Hello {{name}}!"})
CHAT = PromptVersion.from_api(
    {
        "name": "greeting",
        "content": [
            {"role": "user", "content": [{"type": "text", "text": "Hello {{name}}!"}]},
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"a": "{{name}}"}'}}]},
        ],
    }
)
CALL = PromptVersion.from_api(
    {
        "name": "greeting",
        "content": [{"role": "assistant", "tool_calls": [{"function": {"arguments": '{"a": "{{name}}"}'}}]}],
    }
)
EACH_WAY: list[Callable[..., object]] = [VERSION.render, VERSION.messages, CHAT.render, CHAT.messages, CALL.messages]


class User:
    def full_name(self) -> str:
        return "Ada"

    @classmethod
    def count(cls) -> int:
        return 1

    @property
    def mail(self) -> str:
        return "a@b"

    def __call__(self) -> str:
        return "called"


class Spoken(User):
    def __str__(self) -> str:
        return "spoken"


class Represented:
    def __repr__(self) -> str:
        return "<represented>"


@dataclass
class Point:
    x: int


class Colour(enum.Enum):
    RED = 1


class Waits:
    def __await__(self) -> Any:
        return iter(())


async def coroutine() -> str:
    return "Ada"


async def asynchronous_generator() -> Any:
    yield "Ada"


class Row(UserList):
    """A row of a database, say."""


class SlotsOnly:
    __slots__ = ()


REFUSED = {
    "None": (None, "None"),
    "bound method": (User().full_name, "'User.full_name'.*call it, as in full_name\\(\\)"),
    "class method": (User.count, "'User.count'.*call it"),
    "function": (coroutine, "'coroutine'.*call it"),
    "lambda": (lambda: "Ada", "call it"),
    "builtin function": (len, "'len'.*call it"),
    "builtin method": ("ada".upper, "'str.upper'.*call it"),
    "method of a type": (str.upper, "call it"),
    "slot of a type": (str.__len__, "call it"),
    "slot of an object": ("ada".__len__, "call it"),
    "partial": (functools.partial(User.full_name, User()), "'User.full_name'.*call it"),
    "static method": (staticmethod(len), "call it"),
    "property": (User.mail, "type property"),
    "class": (User, "the class 'User'"),
    "builtin class": (str, "the class 'str'"),
    "enum class": (Colour, "the class 'Colour'"),
    "module": (math, "the module 'math'"),
    "awaitable": (Waits(), "type Waits and was not awaited"),
    "generator": ((letter for letter in "Ada"), "a generator; join"),
    "asynchronous generator": (asynchronous_generator(), "a generator; join"),
    "map": (map(str, [1]), "type map"),
    "iterator": (iter([1]), "type list_iterator"),
    "bytes": (b"Ada", "type bytes; decode it"),
    "bytearray": (bytearray(b"Ada"), "type bytearray; decode it"),
    "memoryview": (memoryview(b"Ada"), "type memoryview; decode it"),
    "object": (object(), "type object, which has no text of its own"),
    "object of a class": (User(), "type User, which has no text of its own"),
    "object with slots": (SlotsOnly(), "type SlotsOnly, which has no text of its own"),
    "list of such": ([User()], "a list that holds"),
    "dict of such": ({"user": User()}, "a dict that holds"),
    "tuple in a list": ([(1, User())], "a list that holds"),
    "set of methods": ({User().full_name}, "a set that holds"),
    "future without its result": (concurrent.futures.Future(), "type Future, which has no text of its own"),
    "row of objects": (Row([User()]), "a Row that holds"),
    "deque of methods": (deque([User().full_name]), "a deque that holds"),
    "mapping of such": (MappingProxyType({"a": [User()]}), "a mappingproxy that holds"),
    "list of classes": ([User], "a list that holds"),
    "list of functions": ([len], "a list that holds"),
    "proxy for None": (LocalProxy(lambda: None), "None"),
    "lazy object for None": (SimpleLazyObject(lambda: None), "None"),
    "lazy text that is None": (lazy(lambda: None, str)(), "None"),
    "proxy for a method": (LocalProxy(lambda: User().full_name), "call it"),
    "lazy object for a class": (SimpleLazyObject(lambda: User), "the class 'User'"),
    "proxy for bytes": (LocalProxy(lambda: b"Ada"), "type bytes"),
    "proxy for an object": (LocalProxy(User), "type User, which has no text of its own"),
    "lazy object for an object": (SimpleLazyObject(User), "type User, which has no text of its own"),
}

TAKEN = {
    "empty text": ("", ""),
    "whole number": (7, "7"),
    "fraction": (1.5, "1.5"),
    "flag": (True, "True"),
    "complex": (1j, "1j"),
    "decimal": (decimal.Decimal("1.20"), "1.20"),
    "exact fraction": (Fraction(1, 3), "1/3"),
    "date": (datetime.date(2026, 1, 2), "2026-01-02"),
    "time": (datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04:00"),
    "duration": (datetime.timedelta(hours=1), "1:00:00"),
    "enum": (Colour.RED, "Colour.RED"),
    "path": (pathlib.PurePosixPath("/a/b"), "/a/b"),
    "uuid": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "markup": (Markup("<b>"), "<b>"),
    "safe text": (mark_safe("<b>"), "<b>"),
    "lazy text": (lazystr("hello"), "hello"),
    "lazy text that says None": (lazystr("None"), "None"),
    "list": ([1, "a", None], "[1, 'a', None]"),
    "dict": ({"a": 1}, "{'a': 1}"),
    "range": (range(3), "range(0, 3)"),
    "deque": (deque([1]), "deque([1])"),
    "ordered dict": (OrderedDict(), "OrderedDict()"),
    "dataclass": (Point(1), "Point(x=1)"),
    "object with a text": (Spoken(), "spoken"),
    "object with a repr": (Represented(), "<represented>"),
    "exception about an object": (ValueError("no <A object at 0x7f00>"), "no <A object at 0x7f00>"),
    "exception of such a text": (ValueError("<A object at 0x7f00>"), "<A object at 0x7f00>"),
    "list of lines of a log": (["see <main at 0xAB> now"], "['see <main at 0xAB> now']"),
    "dict of lines of a log": ({"log": "<A object at 0x7f>"}, "{'log': '<A object at 0x7f>'}"),
    "list of markup": ([Markup("<b>")], "[Markup('<b>')]"),
    "namespace": (types.SimpleNamespace(a=1), "namespace(a=1)"),
    "proxy for a text": (LocalProxy(lambda: "Ada"), "Ada"),
    "lazy object for a text": (SimpleLazyObject(lambda: "Ada"), "Ada"),
    "proxy for a number": (LocalProxy(lambda: 3), "3"),
    "proxy for what has a text": (LocalProxy(Spoken), "spoken"),
    "lazy object for what has a text": (SimpleLazyObject(Spoken), "spoken"),
}


@pytest.mark.parametrize("way", EACH_WAY, ids=["render", "messages", "chat render", "chat messages", "call"])
@pytest.mark.parametrize(("value", "said"), REFUSED.values(), ids=REFUSED)
def test_what_can_only_be_a_bug_is_refused(way: Callable[..., object], value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=f"^prompt 'greeting': the value of 'name' is .*{said}"):
        way(name=value)


@pytest.mark.parametrize(("value", "text"), TAKEN.values(), ids=TAKEN)
def test_what_has_a_text_is_put_through_str(value: object, text: str) -> None:
    assert VERSION.render(name=value) == f"Hello {text}!"
    assert VERSION.messages(name=value) == [{"role": "user", "content": f"Hello {text}!"}]
    assert type(VERSION.render(name=value)) is str
    assert CHAT.messages(name=value)[0]["content"] == [{"type": "text", "text": f"Hello {text}!"}]


def test_a_coroutine_that_was_not_awaited_is_refused() -> None:
    waiting = coroutine()
    try:
        with pytest.raises(ValidationError, match="type coroutine and was not awaited; give what `await` returns"):
            VERSION.render(name=waiting)
    finally:
        waiting.close()


def test_a_future_and_a_task_are_refused() -> None:
    async def main() -> None:
        task = asyncio.ensure_future(coroutine())
        for waiting in (task, asyncio.get_running_loop().create_future()):
            with pytest.raises(ValidationError, match="was not awaited"):
                VERSION.render(name=waiting)
        await task

    asyncio.run(main())


def test_a_proxy_that_fails_is_the_error_of_a_render() -> None:
    def fails() -> str:
        raise RuntimeError("no request")

    for proxy in (LocalProxy(fails), SimpleLazyObject(fails)):
        with pytest.raises(RenderError, match=r"^prompt 'greeting': str\(\) fails.*'name'.*no request"):
            VERSION.render(name=proxy)


def test_the_message_of_a_long_name_is_short() -> None:
    long = type("L" * 5000, (), {})
    with pytest.raises(ValidationError) as caught:
        VERSION.render(name=long())
    assert len(str(caught.value)) < 500
