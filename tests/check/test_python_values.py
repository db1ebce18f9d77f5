"""The variables that Python gives values for."""

from __future__ import annotations

import pytest
from check.marked import MARK, found, places_of_marks, seen

MAPPINGS = [
    ('client.render_prompt("a")', ["a()"]),
    ('client.render_prompt("a", None)', ["a()"]),
    ('client.render_prompt("a", {})', ["a()"]),
    ('client.render_prompt("a", {"x": 1, "y": 2})', ["a(x, y)"]),
    ('client.render_prompt("a", variables={"x": 1})', ["a(x)"]),
    ('client.render_prompt("a", dict(x=1, y=2))', ["a(x, y)"]),
    ('client.render_prompt("a", dict({"x": 1}, y=2))', ["a(x, y)"]),
    ('client.render_prompt("a", {**b, "x": 1})', ["a(x, ...)"]),
    ('b = {"y": 1}\nclient.render_prompt("a", {**b, "x": 1})', ["a(y, x)"]),
    ('client.render_prompt("a", {"y": 1} | {"x": 1})', ["a(y, x)"]),
    ('client.render_prompt("a", b | {"x": 1})', ["a(x, ...)"]),
    ('client.render_prompt("a", {k: 1})', ["a(...)"]),
    ('K = "x"\nclient.render_prompt("a", {K: 1})', ["a(x)"]),
    ('client.render_prompt("a", {k: v for k, v in b})', ["a(...)"]),
    ('client.render_prompt("a", values)', ["a(...)"]),
    ('client.render_prompt("a", **options)', ["a@?(...)"]),
    ('client.render_prompt("a", {"x": 1}, **options)', ["a@?(x)"]),
    ('client.render_prompt("a", *rest)', ["a@?(...)"]),
    ('client.render_prompt("a", asdict(b))', ["a(...)"]),
    ('client.render_prompt("a", locals())', ["a(...)"]),
    ('client.render_prompt("a", {"x": 1} if b else {"y": 1})', ["a(x, y, ...)"]),
    ('client.render_prompt("a", b or {"y": 1})', ["a(y, ...)"]),
    ('import scope_client\nclient.render_prompt("a", x=1)', ["a(...)"]),
    ('values = {"x": 1}\nclient.render_prompt("a", values)', ["a(x)"]),
    ('values = dict(x=1)\nclient.render_prompt("a", values)', ["a(x)"]),
    ('values: dict[str, str] = {"x": 1}\nclient.render_prompt("a", values)', ["a(x)"]),
    ('def f():\n    values = {"x": 1}\n    return client.render_prompt("a", values)', ["a(x)"]),
    ('VALUES = {"x": 1}\ndef f():\n    return client.render_prompt("a", VALUES)', ["a(x)"]),
    ('VALUES = {"x": 1}\ndef f():\n    return client.render_prompt("a", {**VALUES, "y": 1})', ["a(x, y)"]),
    ('VALUES = {"x": 1}\ndef f():\n    return client.render_prompt("a", VALUES.copy())', ["a(x)"]),
    ('values = {"x": 1}\nprint(values)\nclient.render_prompt("a", values)', ["a(x)"]),
    ('values = {"x": 1}\nb = values["x"]\nclient.render_prompt("a", values)', ["a(x)"]),
    ('values = {"x": 1}\nb = values.get("x")\nclient.render_prompt("a", values)', ["a(x)"]),
    ('values = {"x": 1}\nclient.render_prompt("a", values)\nclient.render_prompt("b", values)', ["a(x)", "b(x)"]),
    # Each of several prompts may have values of its own.
    ('for n, v in [("a", {"x": 1}), ("b", {"y": 1})]:\n    client.render_prompt(n, v)', ["a(...)", "b(...)"]),
    ('if c:\n n, v = "a", {"x": 1}\nelse:\n n, v = "b", {"y": 1}\nclient.render_prompt(n, v)', ["a(...)", "b(...)"]),
    ('for n in ("a", "b"):\n    client.render_prompt(n, {"x": 1})', ["a(x)", "b(x)"]),
    # Somebody may have put more into it.
    ('values = {"x": 1}\nvalues["y"] = 2\nclient.render_prompt("a", values)', ["a(x, ...)"]),
    ('values = {"x": 1}\nvalues.update(y=2)\nclient.render_prompt("a", values)', ["a(x, ...)"]),
    ('values = {"x": 1}\nvalues |= b\nclient.render_prompt("a", values)', ["a(...)"]),
    (
        'values = {"x": 1}\nfor b in c:\n    values = {**values, "y": 2}\nclient.render_prompt("a", values)',
        ["a(x, y, ...)"],
    ),
    ('values = {}\nvalues = dict(values)\nvalues = values | values\nclient.render_prompt("a", values)', ["a()"]),
    ('values = {"x": 1, "y": 2}\ndel values["y"]\nclient.render_prompt("a", values)', ["a(...)"]),
    ('values = {"x": 1, "y": 2}\nvalues.pop("y")\nclient.render_prompt("a", values)', ["a(...)"]),
    ('values = {"x": 1, "y": 2}\nvalues.clear()\nclient.render_prompt("a", values)', ["a(...)"]),
    ('values = {"x": 1}\nfill(values)\nclient.render_prompt("a", values)', ["a(x, ...)"]),
    ('values = {"x": 1}\nother = values\nclient.render_prompt("a", values)', ["a(x, ...)"]),
    ('values = {"x": 1}\nfor b in c:\n    client.render_prompt("a", values)\n    values[b] = 1', ["a(x, ...)"]),
    ('values = {"x": 1}\ndef f():\n    values["y"] = 1\nclient.render_prompt("a", values)', ["a(x, ...)"]),
    ('values = {"x": 1}\nif b:\n    values = {"y": 1}\nclient.render_prompt("a", values)', ["a(x, y, ...)"]),
    ('class M:\n    V = {"x": 1}\n    def f(self):\n        client.render_prompt("a", self.V)', ["a(x)"]),
    (
        'class M:\n    V = {"x": 1}\n    def f(self):\n        fill(self.V)\n        client.render_prompt("a", self.V)',
        ["a(x, ...)"],
    ),
]
RENDERS = [
    ('client.get_prompt_version("a").render(x=1, y=2)', ["a(x, y)"]),
    ('client.get_prompt_version("a").render()', ["a()"]),
    ('client.get_prompt_version("a").messages(x=1)', ["a(x)"]),
    ('client.get_prompt_version("a").render(**values)', ["a(...)"]),
    ('client.get_prompt_version("a").render(x=1, **values)', ["a(x, ...)"]),
    ('client.get_prompt_version("a").render(**{"x": 1})', ["a(x)"]),
    ('values = {"x": 1}\nclient.get_prompt_version("a").render(**values)', ["a(x)"]),
    ('client.get_prompt_version("a").render(values)', ["a(...)"]),
    ('(await client.aget_prompt_version("a")).render(x=1)', ["a(x)"]),
    ('client.read_prompt("a").version.render(x=1)', ["a(x)"]),
    ('v = client.get_prompt_version("a")\nv.render(x=1)', ["a(x)"]),
    ('v = client.get_prompt_version("a")\nv.render(x=1)\nv.render(y=1)', None),
    ('v = await client.aget_prompt_version("a")\nv.messages(x=1)', ["a(x)"]),
    ('t = client.aget_prompt_version("a")\nv = await t\nv.messages(x=1)', ["a(x)"]),
    ('t = asyncio.create_task(client.aget_prompt_version("a"))\nv = await t\nv.messages(x=1)', ["a(x)"]),
    ('v = asyncio.run(client.aget_prompt_version("a"))\nv.render(x=1)', ["a(x)"]),
    ('read = client.read_prompt("a")\nread.version.render(x=1)', ["a(x)"]),
    ('v = client.read_prompt("a").version\nv.render(x=1)', ["a(x)"]),
    ('v = client.get_cached_version("a")\nif v:\n    v.render(x=1)', ["a(x)"]),
    ('if v := client.get_cached_version("a"):\n    v.render(x=1)', ["a(x)"]),
    ('if (v := client.get_cached_version("a")) and v.render(x=1): pass', ["a(x)"]),
    ('v = client.get_cached_version("a") or client.get_prompt_version("a")\nv.render(x=1)', ["a(x)", "a(x)"]),
    ('with ScopeClient() as client:\n    v = client.get_prompt_version("a")\nv.render(x=1)', ["a(x)"]),
    ('v: PromptVersion = client.get_prompt_version("a")\nv.render(x=1)', ["a(x)"]),
    ('v = client.get_prompt_version("a")\nw = v\nw.render(x=1)', ["a(x)"]),
    ('v, w = client.get_prompt_version("a"), client.get_prompt_version("b")\nw.render(x=1)', ["a", "b(x)"]),
    (
        (
            'v, w = await asyncio.gather(client.aget_prompt_version("a"), client.aget_prompt_version("b"))\n'
            "v.render(x=1)\nw.render(y=1)"
        ),
        ["a(x)", "b(y)"],
    ),
    ('for v in [client.get_prompt_version("a"), client.get_prompt_version("b")]:\n    v.render(x=1)', ["a(x)", "b(x)"]),
    ('p = {"k": client.get_prompt_version("a")}\np["k"].render(x=1)', ["a(x)"]),
    ('for n in ("a", "b"):\n    v = client.get_prompt_version(n)\n    v.render(x=1)', ["a(x)", "b(x)"]),
    (
        'if b:\n    v = client.get_prompt_version("a")\nelse:\n    v = client.get_prompt_version("b")\nv.render(x=1)',
        ["a(x)", "b(x)"],
    ),
    (
        'v = client.get_prompt_version("a")\nv.render(x=1)\nv = client.get_prompt_version("b")\nv.render(y=1)',
        ["a(x)", "b(y)"],
    ),
    ('try:\n    v = client.get_prompt_version("a")\nexcept E:\n    raise\nelse:\n    v.render(x=1)', ["a(x)"]),
    ('v = client.get_prompt_version("a")\ndef f():\n    return v.render(x=1)', ["a(x)"]),
    ('v = client.get_prompt_version("a")\nx = [v.render(x=b) for b in c]', ["a(x)"]),
    (
        (
            'class M:\n    def __init__(self):\n        self.v = client.get_prompt_version("a")\n'
            "    def f(self):\n        return self.v.render(x=1)"
        ),
        ["a(x)"],
    ),
    # Not filled in where it can be seen.
    ('def f():\n    return client.get_prompt_version("a")', ["a"]),
    ('v = client.get_prompt_version("a")\nsend(v)', ["a"]),
    ('v = client.get_prompt_version("a")\nv.content', ["a"]),
    ('v = client.get_prompt_version("a")\nv = other()\nv.render(x=1)', ["a"]),
    (
        'v = client.get_prompt_version("a")\nw = client.get_prompt_version("b")\nv, w = w, v\nv.render(x=1)',
        ["a", "b"],
    ),
    ('v = other()\nv.render(x=1)\nv = client.get_prompt_version("a")', ["a"]),
    ('def f(v):\n    v.render(x=1)\nv = client.get_prompt_version("a")', ["a"]),
    ('client.get_prompt_version("a").render', ["a"]),
    ('"{}".format(client.get_prompt_version("a"))', ["a"]),
]
REQUIRES = [
    ('client.get_prompt_version("a", requires={"x", "y"})', None),
    ('client.get_prompt_version("a", requires=["x"])', ["a(x)+"]),
    ('client.get_prompt_version("a", requires=())', ["a()+"]),
    ('R = ("x",)\nclient.get_prompt_version("a", requires=R)', ["a(x)+"]),
    ('client.get_prompt_version("a", requires=needed)', ["a"]),
    ('client.get_prompt_version("a", requires=None)', ["a"]),
    ('client.get_prompt_version("a", requires={"x", "y"}).render(x=1)', ["a(x)"]),
    ('client.get_prompt_version("a", requires=values)\nvalues = {"x": 1}', ["a"]),
]
KINDS = [
    ('client.render_prompt("a", {}, fallback="Hi {{x}}")', ["a()[text]"]),
    ('client.get_prompt_version("a", fallback="Hi {{x}}").render(x=1)', ["a(x)[text]"]),
    ('client.get_prompt_version("a", fallback="Hi {{x}}").messages(x=1)', ["a(x)"]),  # which takes either
    ('client.get_prompt_version("a", fallback="Hi {{x}}")', ["a"]),
    ('client.get_prompt_version("a", fallback=[{"role": "user", "content": "Hi"}])', ["a[chat]"]),
    ('F = [{"role": "user", "content": "Hi"}]\nclient.get_prompt_version("a", fallback=F)', ["a[chat]"]),
    ('client.get_prompt_version("a", fallback=None)', ["a"]),
    ('client.get_prompt_version("a", fallback=make)', ["a"]),
    ('client.render_prompt("a", fallback=\'[{"role": "user", "content": "Hi"}]\')', ["a()"]),
    ('client.render_prompt("a", {"h": [{"role": "user", "content": "Hi"}]})', ["a(h:messages)"]),
    ('client.render_prompt("a", {"h": []})', ["a(h)"]),
    ('client.render_prompt("a", {"h": ["x"]})', ["a(h)"]),
]


@pytest.mark.parametrize(("source", "expected"), [*MAPPINGS, *RENDERS, *REQUIRES, *KINDS])
def test_the_values_that_are_given_are_seen(source: str, expected: list[str] | None) -> None:
    if expected is not None:
        assert found(source) == expected


def test_each_render_of_a_version_is_a_use_of_its_own() -> None:
    assert sorted(found('v = client.get_prompt_version("a")\nv.render(x=1)\nv.render(y=1)')) == ["a(x)", "a(y)"]


def test_all_names_of_a_set_of_requires_count() -> None:
    (use,) = seen('client.get_prompt_version("a", requires={"x", "y"})').uses
    assert ({each.name for each in use.given}, use.renders, use.passes_extra) == ({"x", "y"}, True, True)


@pytest.mark.parametrize(
    "source",
    [
        'client.render_prompt("a", {«"x": 1, **{«"y": 2}})',
        'client.render_prompt("a", dict(«x=1))',
        'v = client.get_prompt_version("a")\nv.render(«x=1,\n    «y=2)',
        'values = {«"x": 1}\nclient.render_prompt("a", values)',
        'client.render_prompt("é", {«"ü": 1, «"ö": 2})',
        'client.render_prompt("😀", {«"ü": "😀", «"ö": 2})',
        'client.get_prompt_version("a", requires=[«"x"])',
    ],
)
def test_each_value_has_the_place_of_its_own_name(source: str) -> None:
    (use,) = seen(source).uses
    assert MARK in source
    assert [each.place[1:] for each in use.given] == places_of_marks(source)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ('"text"', "text"),
        ('f"{x}"', "text"),
        ('"a" "b"', "text"),
        ('"a" + b', "text"),
        ('"%s" % b', "text"),
        ('"{}".format(b)', "text"),
        ('", ".join(b)', "text"),
        ('[{"role": "user", "content": "x"}]', "messages"),
        ('({"role": "user"}, x)', "messages"),
        ("[]", None),
        ("3", None),
        ("x", None),
        ("x.y", None),
        ("None", None),
        ("b'x'", None),
    ],
)
def test_a_value_is_text_or_messages_where_its_literal_shows_it(value: str, kind: str | None) -> None:
    for source in (f'client.render_prompt("a", {{"x": {value}}})', f'client.get_prompt_version("a").render(x={value})'):
        ((given,),) = [use.given for use in seen(source).uses]
        assert (given.name, given.kind) == ("x", kind)


def test_mappings_that_are_made_of_each_other_twice_end_at_once() -> None:
    doubled = "".join(f"v{number + 1} = {{**v{number}, **v{number}}}\n" for number in range(60))
    assert found(f'v0 = {{"x": 1}}\n{doubled}client.render_prompt("a", v60)') == ["a(x, ...)"]


MADE_OF_ITSELF = [
    'v = {"x": 1}\nfor b in c:\n    v = {**v, "y": 2}\nclient.render_prompt("a", v)',
    'v = {"x": 1}\nfor b in c:\n    v = dict(v, y=2)\nclient.render_prompt("a", v)',
    'v = {"x": 1}\nfor b in c:\n    v = v | {"y": 2}\nclient.render_prompt("a", v)',
    'a, b = {}, {}\nfor d in c:\n    a, b = {**b}, {**a}\nclient.render_prompt("a", b)',
    'v = []\nfor b in c:\n    v = [*v, "b"]\nclient.prefetch(v)\nclient.render_prompt("a")',
    *(
        f"class M:\n    def __init__(self, w):\n        self.v = {made}\n    def f(self):\n"
        '        return client.render_prompt("a", self.v)'
        for made in ("dict(self.v)", "{**self.v}", 'self.v | {"x": 1}', "self.v.copy()", "{**(self.v or {}), **w}")
    ),
]


@pytest.mark.parametrize("source", MADE_OF_ITSELF)
def test_what_is_made_of_itself_hides_nothing_else(source: str) -> None:
    assert "b(x)" in found(f'{source}\nclient.render_prompt("b", {{"x": 1}})')


def test_so_it_is_of_a_version_that_is_read_elsewhere() -> None:
    deep = " | ".join(["v"] * 400)
    source = f'v = {{}}\np = client.get_prompt_version("a")\np.render(**({deep}))\nclient.get_prompt_version("b")'
    assert found(source) == ["a", "b"]


def test_a_value_that_is_followed_too_far_is_known_only_at_run_time() -> None:
    deep = " | ".join(["v"] * 400)
    assert "b(x)" in found(f'v = {{}}\nclient.render_prompt("a", {deep})\nclient.render_prompt("b", {{"x": 1}})')
