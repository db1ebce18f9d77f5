"""The uses of prompts in notebooks."""

from __future__ import annotations

import contextlib
import json

import pytest
from check.marked import said
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_client._check.configured_calls import configured_call
from scope_client._check.notebook import uses_in_notebook


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "source": source, "execution_count": None}


def text(source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: object) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def found(*cells: object) -> list[tuple[str, str]]:
    seen = uses_in_notebook(notebook(*cells), "a/b.ipynb")
    assert not seen.findings
    return [(str(use.place), said(use)) for use in seen.uses]


def test_a_use_is_in_its_cell_and_line() -> None:
    cells = (
        text("# x"),
        code("x = 1\nclient.render_prompt('a')"),
        code(["import os\n", "\n", "client.render_prompt('b')\n"]),
    )
    assert found(*cells) == [("a/b.ipynb:cell 2:2:22", "a()"), ("a/b.ipynb:cell 3:3:22", "b()")]


def test_cells_are_one_module() -> None:
    cells = (
        code("from scope_client import *\nNAME = 'a'"),
        code("v = client.get_prompt_version(NAME)"),
        code("v.render(x=1)"),
    )
    assert found(*cells) == [("a/b.ipynb:cell 2:1:5", "a(x)")]


def test_a_value_is_in_the_cell_where_it_is_given() -> None:
    seen = uses_in_notebook(notebook(code("v = client.get_prompt_version('a')"), code("\nv.render(x=1)")), "b.ipynb")
    assert [str(each.place) for each in seen.uses[0].given] == ["b.ipynb:cell 2:2:10"]


@pytest.mark.parametrize(
    "source",
    [
        "!pip install x\nclient.render_prompt('a')",
        "%matplotlib inline\nclient.render_prompt('a')",
        "files = !ls\nclient.render_prompt('a')",
        "?client\nclient?\nclient.render_prompt('a')",
        "client??\nclient.render_prompt('a')",
        "client.render_prompt?  # what is it\nclient.render_prompt('a')",
        "clients[0].read??\nclient.render_prompt('a')",
        "if x:\n    !ls\nclient.render_prompt('a')",
        "%%time\nclient.render_prompt('a')",
        "%%capture out\n\nclient.render_prompt('a')",
        "x = ('%s'\n  % y)\nclient.render_prompt('a')",
        "x = '''\n!no\n'''\nclient.render_prompt('a')",
        "await x\nclient.render_prompt('a')",
        "return\nclient.render_prompt('a')",
    ],
)
def test_what_ipython_alone_understands_is_passed_over(source: str) -> None:
    ((place, use),) = found(code(source))
    assert use == "a()"
    assert place == f"a/b.ipynb:cell 1:{source.count(chr(10)) + 1}:22"


@pytest.mark.parametrize("magic", ["%time ", "%timeit ", "%timeit -n 10 "])
def test_a_timed_call_is_found_where_it_is(magic: str) -> None:
    assert found(code(f"{magic}client.render_prompt('a')")) == [(f"a/b.ipynb:cell 1:1:{len(magic) + 22}", "a()")]


@pytest.mark.parametrize(
    "source", ["%%bash\nclient.render_prompt('a')", "%%html\n<p>", "%%javascript\n!{{", "%%writefile x.py\n("]
)
def test_a_cell_in_another_language_is_passed_over(source: str) -> None:
    assert found(code(source), code("client.render_prompt('b')")) == [("a/b.ipynb:cell 2:1:22", "b()")]


def test_a_cell_that_cannot_be_read_is_a_finding_and_the_others_are_read() -> None:
    seen = uses_in_notebook(notebook(code("x = 1"), code("y\nx = ("), code("client.render_prompt('a')")), "b.ipynb")
    (finding,) = seen.findings
    assert (finding.code, finding.place.file, finding.place.line) == ("S100", "b.ipynb:cell 2", 2)
    assert [str(use.place) for use in seen.uses] == ["b.ipynb:cell 3:1:22"]


def test_a_comment_speaks_to_the_check_in_a_cell() -> None:
    assert found(code("x = 1"), code("client.render_prompt(n)  # scope: uses a(x)")) == [
        ("a/b.ipynb:cell 2:1:40", "a(x)")
    ]
    seen = uses_in_notebook(notebook(code("x = 1"), code("\n# scope: ignroe[S102]")), "b.ipynb")
    assert [str(each.place) for each in seen.findings] == ["b.ipynb:cell 2:2:10"]


def test_a_notebook_of_the_third_format_is_read() -> None:
    cells = [{"cell_type": "code", "input": ["client.render_prompt('a')"]}]
    octets = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}).encode()
    assert [str(use.place) for use in uses_in_notebook(octets, "b.ipynb").uses] == ["b.ipynb:cell 1:1:22"]


def test_configured_calls_are_found() -> None:
    octets = notebook(code("from app.llm import ask\nask('a')"))
    assert [use.name for use in uses_in_notebook(octets, "b.ipynb", [configured_call("app.llm.ask:0")]).uses] == ["a"]


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"[]", b"3", b'{"cells": 3}', b"{}", b"\xff", b'{"cells": {}}', b"[" * 100_000]
)
def test_what_is_no_notebook_is_refused(octets: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        uses_in_notebook(octets, "b.ipynb")


@pytest.mark.parametrize(
    "cells", [[], [3], [None], [{}], [{"cell_type": "code"}], [code(3)], [code([3, None])], [code(None)], [code("")]]
)
def test_odd_cells_show_nothing(cells: list[object]) -> None:
    assert uses_in_notebook(notebook(*cells), "b.ipynb").uses == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "worksheets", "cell_type", "source", "input"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_no_json_raises_anything_else(value: object) -> None:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        uses_in_notebook(json.dumps(value).encode(), "b.ipynb")
