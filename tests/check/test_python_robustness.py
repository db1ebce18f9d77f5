"""Whatever a file of Python holds, it is read, or refused in one of three ways."""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress

import pytest
from check.marked import FILE, found
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scope_client._check.configured_calls import configured_call
from scope_client._check.python_uses import uses_in_python

REFUSALS = (SyntaxError, ValueError, RecursionError)
CALLS = [configured_call("app.llm.ask:0/name values=** label=label"), configured_call("Prompts.get:0")]


@pytest.mark.parametrize(
    "text",
    [
        "def f(:\n",
        "client.render_prompt('a",
        "x = 1\x00",
        "\ud800",
        "(" * 1000,
        "-" * 100_000 + "1",
        "if x:\n" + "".join(f"{' ' * depth}if x:\n" for depth in range(1, 200)),
        "x = 1e",
        "print 'a'",
        "9" * 5000,
    ],
)
def test_what_cannot_be_parsed_is_refused(text: str) -> None:
    with pytest.raises(REFUSALS):
        uses_in_python(text, FILE)


@pytest.mark.parametrize("count", [500, 3000])
@pytest.mark.parametrize(
    "text",
    [
        "x = {}\nclient.render_prompt('a')",
        "client.render_prompt({})",
        "client.render_prompt('a', {{**a}} | {})",
    ],
)
def test_a_long_sum_is_read_or_refused(text: str, count: int) -> None:
    source = text.format(" + ".join(["'a'"] * count)).replace("{{", "{").replace("}}", "}")
    try:
        assert uses_in_python(source, FILE).uses
    except RecursionError:  # of the parser
        assert count == 3000


def test_a_chain_of_many_ors_pipes_and_attributes_is_read() -> None:
    chain = " | ".join(["first", *["scope_prompt('a')"] * 50])
    assert uses_in_python(f"from scope_langchain import *\nx = {chain}\nx.invoke({{}})", FILE).uses
    assert found("client.get_prompt_version(" + " or ".join(["x"] * 200) + ")") == ["?"]
    assert found("a" + ".b" * 200 + ".get_prompt_version('a')") == ["a"]
    assert found("x = " + "[" * 80 + "client.get_prompt_version('a')" + "]" * 80) == ["a"]


def test_names_that_lead_to_many_others_come_to_an_end() -> None:
    doubling = "n0 = 'a' if x else 'b'\n" + "".join(f"n{i} = n{i - 1} + n{i - 1}\n" for i in range(1, 60))
    assert found(f"{doubling}client.get_prompt_version(n59)") == ["?"]
    choosing = "n0 = 'a'\n" + "".join(f"n{i} = n{i - 1} if x else n{i - 1}\n" for i in range(1, 60))
    assert found(f"{choosing}client.get_prompt_version(n59)") in (["a"], ["?"])
    many = "".join(f"if x:\n  n = 'a{i}'\n" for i in range(500))
    assert found(f"{many}client.get_prompt_version(n)") == ["?"]
    looping = "class A(B): pass\nclass B(A): n = m\nm = A.n\nclient.get_prompt_version(A().n, label=m)"
    assert found(looping) == ["?"]
    assert found("for a in b:\n  b = a\n  a = [b for b in a]\n  client.get_prompt_version(b)") == ["?"]
    assert found("x = {**x}\nclient.render_prompt('a', x)") == ["a(...)"]
    assert found("v = v.version.render().version\nv.render(x=1)\nclient.get_prompt_version('a')") == ["a"]


def test_a_warning_of_the_parser_is_not_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found('x = "\\d"\nclient.render_prompt("a")\nassert (x, 1)\n1 is 1') == ["a()"]


def test_a_file_of_a_newer_python_is_refused_and_not_misread() -> None:
    if sys.version_info < (3, 12):
        with pytest.raises(SyntaxError):
            uses_in_python('type X = int\nclient.render_prompt("a")', FILE)


PIECES = [
    *(
        "client",
        ".",
        "get_prompt_version",
        "render_prompt",
        "prefetch",
        "read_prompt",
        "scope_prompt",
        "from_scope",
        "(",
        ")",
    ),
    *('"a"', "'b'", "{", "}", "[", "]", ":", ",", "=", "name", "version", "label", "**", "*", "x", "\n", "\n ", "\n  "),
    *(
        "def f",
        "class M",
        "for ",
        " in ",
        "if ",
        "else",
        "lambda ",
        "await ",
        "async ",
        "with ",
        " as ",
        "try",
        "except",
    ),
    *(
        "# scope: uses a(",
        "# scope: ignore[S102]",
        "import ",
        "from ",
        "global x",
        "self",
        "f'{",
        "}'",
        "|",
        " or ",
        ":=",
    ),
    *(
        "render",
        "messages",
        "invoke",
        "partial",
        "match ",
        "case ",
        "del ",
        "return ",
        "yield ",
        "Literal",
        "1",
        "\t",
        "\\",
    ),
    *(
        "\x0c",
        "\r",
        "\ufeff",
        "é",
        "\x00",
        "😀",
        "type ",
        "@",
        "...",
        ";",
        "pass",
        "Enum",
        "value",
        "+=",
        "ask",
        "prompts.get",
    ),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example("client.render_prompt('a', **{})")
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(*REFUSALS):
        uses_in_python(text, FILE, CALLS)


EXPRESSIONS = st.recursive(
    st.sampled_from(["n", "'a'", "1", "None", "x.y", "self.n", "M.N", "P.A.value", "f'{n}'", "v", "values", "NAMES"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} or {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} if x else {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} | {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}[{pair[1]}]".replace("1[", "x[")),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.tuples(inner, inner).map(lambda pair: f"{{{pair[0]}: {pair[1]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"{{**{pair[0]}, 'k': {pair[1]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"[{pair[0]} for n in {pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"client.get_prompt_version({pair[0]}, label={pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"client.render_prompt({pair[0]}, {pair[1]})"),
        inner.map(lambda each: f"client.prefetch({each})"),
        inner.map(lambda each: f"(v := {each})"),
        inner.map(lambda each: f"(lambda n={each}: n)"),
        inner.map(lambda each: f"({each}).version"),
        inner.map(lambda each: f"({each}).render(**values, n={each})"),
        inner.map(lambda each: f"dict({each})"),
    ),
    max_leaves=12,
)
STATEMENTS = st.recursive(
    st.tuples(
        st.sampled_from(["n", "v", "values", "NAMES", "self.n", "M.N", "n, v", "[n, *v]", "values['k']"]), EXPRESSIONS
    ).map(lambda pair: f"{pair[0]} = {pair[1]}\n")
    | EXPRESSIONS.map(lambda each: f"{each}\n"),
    lambda inner: st.tuples(
        st.sampled_from(
            ["if n:", "for n in NAMES:", "while v:", "def f(self, n='a', *v):", "class M(P):", "with v as n:", "try:"]
        ),
        st.lists(inner, min_size=1, max_size=3),
    ).map(
        lambda pair: (
            f"{pair[0]}\n"
            + "".join(f" {line}\n" for each in pair[1] for line in each.splitlines())
            + ("finally: pass\n" if pair[0] == "try:" else "")
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=6).map("".join))
def test_every_program_is_read(text: str) -> None:
    uses_in_python(f"import scope_client\n{text}", FILE, CALLS)
