"""The comments of Python that speak to the check."""

from __future__ import annotations

import pytest
from check.marked import found, places_of_marks, seen

DYNAMIC = "client.render_prompt(name, values)"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"{DYNAMIC}  # scope: uses «a(x, y)", ["a(x, y)"]),
        (f"# scope: uses «a(x), «b\n{DYNAMIC}", ["a(x)", "b"]),
        (f"# scope: uses «a\n# and more\n{DYNAMIC}", None),
        (f"# scope: uses «a label=latest\n# scope: uses «b(...)\n{DYNAMIC}", ["a@latest", "b(...)"]),
        ("client.render_prompt(\n    name,  # scope: uses «a(x)\n    values,\n)", ["a(x)"]),
        (f"# scope: uses «a\nx = 1\n«{DYNAMIC}", ["a", "?"]),
        (f"{DYNAMIC}  # scope: uses «a\nx = 1\n«{DYNAMIC}", ["a", "?"]),
        (f"# scope: uses «a\nif x:\n    «{DYNAMIC}", ["a", "?"]),
        (f"# scope: uses «a\nif {DYNAMIC}:\n    «{DYNAMIC}", ["a", "?"]),
        ('# scope: uses «a\nclient.render_prompt(«"b", {})', ["a", "b()"]),
        ('client.get_prompt_version("a", label=label)  # scope: uses «a label=latest', ["a@latest"]),
        ("x = 1  # scope: uses «a", ["a"]),
        ('x = "# scope: uses a"', []),
        ('x = """\n# scope: uses a\n"""', []),
        ("# scope: uses «é(ü)", ["é(ü)"]),
        ("x = 'é😀'  # scope: uses «a", ["a"]),
        (f"\t# scope: uses «a\n{DYNAMIC}", ["a"]),
        ("def f():\n    x = 1  # scope: uses «a\n", ["a"]),
        ("# scope: session\n", []),
        ("", []),
    ],
)
def test_a_comment_tells_of_uses(source: str, expected: list[str] | None) -> None:
    if expected is not None:
        assert found(source) == expected


def test_a_use_in_a_comment_has_the_places_of_its_variables_and_its_function() -> None:
    source = "class M:\n    def f(self):\n        # scope: uses a(«x, «yy)\n        pass\n"
    (use,) = seen(source).uses
    assert [each.place[1:] for each in use.given] == places_of_marks(source)
    assert use.in_function == "M.f"


@pytest.mark.parametrize(
    ("source", "ignored"),
    [
        ('client.render_prompt("a")  # scope: ignore[S102]', {"S102"}),
        ('client.render_prompt("a")  # scope: ignore[S102, S103]', {"S102", "S103"}),
        ('client.render_prompt("a")  # scope: ignore', None),
        ('client.render_prompt("a")  # noqa  # scope: ignore[S102]', {"S102"}),
        ('client.render_prompt("a")', set()),
        ('client.render_prompt(\n    "a",\n    {},  # scope: ignore[S102]\n)', {"S102"}),
        ('client.render_prompt(  # scope: ignore[S101]\n    "a",\n    {},\n)  # scope: ignore[S102]', {"S101", "S102"}),
        ('x = [\n    1,  # scope: ignore[S102]\n    client.render_prompt("a"),\n]', {"S102"}),
        ('if client.render_prompt("a"):  # scope: ignore[S102]\n    pass', {"S102"}),
        ('if client.render_prompt("a"):\n    pass  # scope: ignore[S102]', set()),
        ('x = 1  # scope: ignore[S102]\nclient.render_prompt("a")', set()),
        ('client.render_prompt("a")\nx = 1  # scope: ignore[S102]', set()),
        (
            'v = client.get_prompt_version("a")  # scope: ignore[S101]\nv.render(x=1)  # scope: ignore[S102]',
            {"S101", "S102"},
        ),
        ('v = client.get_prompt_version("a")\nv.render(x=1)  # scope: ignore', None),
        ('x = "# scope: ignore"; client.render_prompt("a")', set()),
        ("x = 1  # scope: uses a(x)  # scope: ignore[S102]", {"S102"}),
        ('with x as y, client.get_prompt_version("a") as z:  # scope: ignore[S101]\n    pass', {"S101"}),
        ('for x in client.render_prompt("a"):  # scope: ignore[S101]\n    pass', {"S101"}),
        ('@x(client.render_prompt("a"))  # scope: ignore[S101]\ndef f():\n    pass', {"S101"}),
        ('def f(x=client.render_prompt("a")):  # scope: ignore[S101]\n    pass', {"S101"}),
    ],
)
def test_a_comment_on_a_line_of_the_statement_ignores_codes(source: str, ignored: set[str] | None) -> None:
    (use,) = seen(source).uses
    assert use.ignored == ignored


@pytest.mark.parametrize(
    "source",
    [
        "x = 1  # scope: «ignroe[S102]",
        "# scope: ignore«[S999]",
        "def f():\n    pass  # scope: ignore« S102",
        "# scope: uses«",
    ],
)
def test_one_that_cannot_be_read_is_told_at_its_place(source: str) -> None:
    (finding,) = seen(source).findings
    assert finding.code == "S100"
    assert [finding.place[1:]] == places_of_marks(source)


@pytest.mark.parametrize("source", ["# scope: module", "x = 1  # scope: this is global", "x = '# scope: ignroe[S102]'"])
def test_somebody_elses_comment_is_not(source: str) -> None:
    assert seen(source) == ([], [])
