"""Where uses are, and what is around them, whatever the file is like."""

from __future__ import annotations

import sys

import pytest
from check.marked import FILE, found, places_of_marks, seen

from scope_client._check.python_uses import may_use_prompts, uses_in_python
from scope_client._check.source_text import source_text


@pytest.mark.parametrize(
    "source",
    [
        'x = "é"; client.render_prompt(«"a")',
        'x = "😀😀"; client.render_prompt(«"a")',
        'ünï = client.render_prompt(«"a")',
        '\tclient.render_prompt(«"a")'.strip(),
        'if x:\n\tclient.render_prompt(«"a")',
        'client.render_prompt(\n    # é\n    «"a",\n)',
        'x = """é\né"""; client.render_prompt(«"a")',
        'x = 1; client \\\n  .render_prompt(«"a")',
        "«client \\\n  .render_prompt(n)",
        "x = 1\n\x0cclient.render_prompt(«'a')",
        'x = "\x0c\x1c\u2028\x85"\nclient.render_prompt(«"a")',
        "x = f\"é{client.render_prompt(«'a')}\"",
        # Python 3.9 does not know the columns in an f-string of several lines.
        *(['x = f"""\né {client.render_prompt(«\'a\')}\n"""'] if sys.version_info >= (3, 10) else []),
        'x = (f"é"\n  f"b{client.render_prompt(«\'a\')}")',
        "x = f\"{x!r:>{client.render_prompt(«'a')}}\"",
        "x = f\"{client.render_prompt(«'a')} {client.render_prompt(«'b')}\"",
        "x = f\"{{}} {client.render_prompt(«'a', {'x': 1})}\"",
    ],
)
def test_a_place_counts_characters_from_1(source: str) -> None:
    assert [each.split("(")[0] for each in found(source)] in (["a"], ["?"], ["a", "b"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_count_as_one(end: str) -> None:
    source = 'x = 1\n\nclient.render_prompt(«"a", {\n  «"x": 1})'
    text = source.replace("«", "").replace("\n", end)
    (use,) = uses_in_python(text, FILE).uses
    assert [use.place[1:], use.given[0].place[1:]] == places_of_marks(source)


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b'\xef\xbb\xbfclient.render_prompt("a")', "a"),
        ('# coding: latin-1\nclient.render_prompt("é")'.encode("latin-1"), "é"),
        ('#!/usr/bin/env python\n# -*- coding: cp1251 -*-\nclient.render_prompt("ж")'.encode("cp1251"), "ж"),
        ('client.render_prompt("é")'.encode(), "é"),
        (b'\xef\xbb\xbf# coding: utf-8\r\nclient.render_prompt("a")\r\n', "a"),
    ],
)
def test_a_file_is_read_in_the_encoding_that_it_names(octets: bytes, name: str) -> None:
    (use,) = uses_in_python(source_text(octets), FILE).uses
    assert use.name == name
    assert use.place.column == 22


@pytest.mark.parametrize(
    "octets",
    [
        b"# coding: klingon\n",
        b"\xff\xfe",
        b"# coding: utf-8\n\xff",
        b"# coding: base64\n",
        b"\xef\xbb\xbf# coding: latin-1\n",
    ],
)
def test_what_has_no_encoding_is_a_syntax_error_or_a_value_error(octets: bytes) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        source_text(octets)


@pytest.mark.parametrize(
    ("source", "within"),
    [
        ('client.render_prompt("a")', ""),
        ('def f():\n client.render_prompt("a")', "f"),
        ('async def f():\n await client.arender_prompt("a")', "f"),
        ('class M:\n x = client.render_prompt("a")', "M"),
        ('class M:\n def f(self):\n  client.render_prompt("a")', "M.f"),
        ('def f():\n def g():\n  client.render_prompt("a")', "f.g"),
        ('def f():\n return lambda: client.render_prompt("a")', "f"),
        ('def f():\n return [client.render_prompt("a") for x in y]', "f"),
        ('def f():\n class M:\n  def g(self):\n   client.render_prompt("a")', "f.M.g"),
        ('@d(client.render_prompt("a"))\ndef f(): pass', ""),
        ('def f(x=client.render_prompt("a")): pass', ""),
    ],
)
def test_a_use_says_the_function_around_it(source: str, within: str) -> None:
    (use,) = seen(source).uses
    assert use.in_function == within


def test_uses_come_in_the_order_of_the_file() -> None:
    source = 'def f():\n client.render_prompt("b")\nclient.render_prompt("a"), client.render_prompt("c")'
    assert found(source) == ["b()", "a()", "c()"]


@pytest.mark.parametrize(
    ("source", "using"),
    [
        ('get_client("shop").render_prompt("a")', "shop"),
        ('get_client(using="shop").render_prompt("a")', "shop"),
        ('c = get_client("shop")\nc.render_prompt("a")', "shop"),
        ('get_client().render_prompt("a")', None),
        ('get_client("default").render_prompt("a")', None),
    ],
)
def test_the_organisation_of_a_django_site_is_told(source: str, using: str | None) -> None:
    (use,) = seen(f"from scope_django import get_client\n{source}").uses
    assert use.using == using


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"client.render_prompt('a')", True),
        (b"await c.aget_prompt_version(x)", True),
        (b"# scope: uses a", True),
        (b"x = 1  #  SCOPE: ignore", True),
        (b"scope: int = 1", False),
        (b"x = {'scope': 1}", False),
        (b"import os", False),
        (b"", False),
    ],
)
def test_a_file_that_mentions_nothing_is_not_worth_a_look(octets: bytes, expected: bool) -> None:
    assert may_use_prompts(octets) is expected
