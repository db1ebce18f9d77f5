"""Which calls of Python ask for prompts, and which have only the same name."""

from __future__ import annotations

import sys

import pytest
from check.marked import found

OURS = [
    ('client.get_prompt_version(«"a")', ["a"]),
    ('await client.aget_prompt_version(«"a")', ["a"]),
    ('client.read_prompt(«"a")', ["a"]),
    ('client.get_cached_version(«"a")', ["a"]),
    ('client.get_prompt_version(«"a", key=user.id)', ["a"]),
    ('client.render_prompt(«"a", {"x": 1}, key=user.id)', ["a(x)"]),
    ('client.clear_cache(«"a")', ["a"]),
    ("client.clear_cache()", []),
    ("client.clear_cache(None)", []),
    ('client.render_prompt(«"a")', ["a()"]),
    ('await client.arender_prompt(«"a", {"x": 1})', ["a(x)"]),
    ('client.render_prompt(name=«"a", variables={"x": 1}, label="latest")', ["a@latest(x)"]),
    ('self.scope.render_prompt(«"a")', ["a()"]),
    ('request.app.state.scope.render_prompt(«"a")', ["a()"]),
    ('self._client.get_prompt_version(«"a")', ["a"]),
    ('deps["client"].get_prompt_version(«"a")', ["a"]),
    ('get_client().get_prompt_version(«"a")', ["a"]),
    ('import scope_client\nscope_client.client().render_prompt(«"a")', ["a()"]),
    ('import scope_client as sc\nsc.client(timeout=5).read_prompt(«"a")', ["a"]),
    ('from scope_client import client\nclient().prefetch([«"a"])', ["a"]),
    ('from scope_client import ScopeClient\nScopeClient().clear_cache(«"a")', ["a"]),
    ('from scope_client import ScopeClient\nwith ScopeClient() as c:\n    c.read_prompt(«"a")', ["a"]),
    ('from scope_client import ScopeClient\ndef f(c: ScopeClient):\n    c.read_prompt(«"a")', ["a"]),
    ('from scope_client import ScopeClient\ndef f(c: "ScopeClient | None" = None):\n    c.clear_cache(«"a")', ["a"]),
    (
        (
            "from scope_client import ScopeClient\nclass M:\n    def __init__(self, c: ScopeClient):\n"
            "        self.c = c\n"
            '    def f(self):\n        self.c.read_prompt(«"a")'
        ),
        ["a"],
    ),
    (
        (
            "from scope_client import ScopeClient\n@dataclass\nclass M:\n    c: ScopeClient\n"
            '    def f(self):\n        self.c.prefetch([«"a"])'
        ),
        ["a"],
    ),
    (
        (
            "from scope_client import ScopeClient\nclass Mine(ScopeClient):\n"
            '    def f(self):\n        return self.render_prompt(«"a")'
        ),
        ["a()"],
    ),
    ('from scope_flask import current_scope\ncurrent_scope.read_prompt(«"a")', ["a"]),
    ('from scope_flask import Scope\nscope = Scope(app)\nscope.client.read_prompt(«"a")', ["a"]),
    ('from scope_django import get_client\nget_client().prefetch((«"a", «"b"))', ["a", "b"]),
    ('from scope_django import arender_prompt\nawait arender_prompt(«"a", {"x": 1})', ["a(x)"]),
    ('from scope_django import aget_prompt_version as read\nv = await read(«"a")\nv.render(x=1)', ["a(x)"]),
    ('import scope_django\nawait scope_django.arender_prompt(«"a")', ["a()"]),
    ('from scope_django import *\nawait arender_prompt(«"a")', ["a()"]),
    ('from scope_django.jinja2 import scope_prompt\nscope_prompt(«"a", x=1, label="latest")', ["a@latest(x)"]),
    ('from scope_django.jinja2 import scope_prompt\nscope_prompt(«"a", variables={"y": 1}, x=1)', ["a(x, y)"]),
    ('from scope_django.jinja2 import scope_prompt\nscope_prompt(«"a", fallback="f", x=1)', ["a(x)[text]"]),
    ("from functools import partial\nask = partial(client.render_prompt, «\"a\")\nask({'x': 1})", ["a(...)"]),
    ('functools.partial(client.get_prompt_version, «"a")', ["a"]),
    ('await asyncio.to_thread(client.render_prompt, «"a", {"x": 1})', ["a(x)"]),
    ('pool.submit(client.render_prompt, «"a", {"x": 1})', ["a(x)"]),
    ('await loop.run_in_executor(None, client.render_prompt, «"a", {"x": 1})', ["a(x)"]),
    ('await sync_to_async(client.render_prompt)(«"a", {"x": 1})', ["a(x)"]),
    ('async_to_sync(client.arender_prompt)(«"a")', ["a()"]),
    ('list(map(client.get_prompt_version, [«"a", «"b"]))', ["a", "b"]),
    ('ask = client.render_prompt\nask(«"a", {"x": 1})', ["a(x)"]),
    ('getattr(client, "render_prompt")("a")', []),
    ('@decorated(client.get_prompt_version(«"a"))\ndef f(): pass', ["a"]),
    ('def f(v=client.get_prompt_version(«"a")): pass', ["a"]),
    ('class M:\n    v = client.get_prompt_version(«"a")', ["a"]),
    ('x = {k: client.render_prompt(«"a") for k in y}', ["a()"]),
    ("x = f\"{client.render_prompt(«'a')}!\"", ["a()"]),
    ('assert client.render_prompt(«"a") == "x"', ["a()"]),
    ('with client.get_prompt_version(«"a") as v: pass', ["a"]),
    ('async def f():\n    async for x in client.render_prompt(«"a"): yield x', ["a()"]),
    ('try:\n    x()\nexcept client.get_prompt_version(«"a"): pass', ["a"]),
    ('global x\nx = client.get_prompt_version(«"a")', ["a"]),
    ('x[client.render_prompt(«"a")] = 1', ["a()"]),
    ('x.y(client.render_prompt(«"a")).z = 1', ["a()"]),
    ('del x[client.render_prompt(«"a")]', ["a()"]),
    ('x += client.render_prompt(«"a")', ["a()"]),
    ('x: client.get_prompt_version(«"a") = 1', ["a"]),
    ('raise E(client.render_prompt(«"a"))', ["a()"]),
    ('def f():\n    yield from client.render_prompt(«"a")', ["a()"]),
    ('print(*client.render_prompt(«"a"), sep=client.render_prompt(«"b"))', ["a()", "b()"]),
]
OF_PYTHON_3_10 = [
    ('match client.render_prompt(«"a"):\n    case "x": pass', ["a()"]),
    ('match x:\n    case 1 if client.render_prompt(«"a"): pass', ["a()"]),
    ('match x:\n    case {"a": n, **rest}: «client.render_prompt(n)', ["?"]),
    ('n = "a"\nmatch x:\n    case [n, *_]: «client.render_prompt(n)', ["?"]),
    ('n = "a"\nmatch x:\n    case 1: n = "b"\n«client.get_prompt_version(n)', ["a", "b"]),
    ('n = "a"\nmatch x:\n    case str() as n: pass\n«client.get_prompt_version(n)', ["a", "?"]),
    (
        'def f(n: Literal["a", "b"]):\n match n:\n  case "a":\n   return «client.get_prompt_version(n)',
        ["?"],
    ),
]
OF_PYTHON_3_12 = [
    ('type Name = Literal["a", "b"]\ndef f(n: Name):\n    «client.get_prompt_version(n)', ["a", "b"]),
    ("def f[T: str](n: T):\n    «client.get_prompt_version(n)", ["?"]),
    ('class M[T]:\n    N = "a"\n    def f(self):\n        «client.get_prompt_version(self.N)', ["a"]),
    ("x = f'{client.render_prompt(«'a')}'", ["a()"]),
    ('x = f"{f"{client.render_prompt(«"a")}"}"', ["a()"]),
    ('try:\n    n = "a"\nexcept* E:\n    n = "b"\n«client.get_prompt_version(n)', ["a", "b"]),
]
PREFETCH = [
    ('client.prefetch([«"a", («"b", "latest"), («"c", None, "v_1")])\nimport scope_client', ["a", "b@latest", "c#v_1"]),
    ('await client.aprefetch([«"a"])', ["a"]),
    ('import scope_client\nclient.prefetch(prompts=[«"a"])', ["a"]),
    ('import scope_client\nclient.prefetch({«"a"})', ["a"]),
    ('import scope_client\nN = ["a", ("b", "latest")]\n«client.prefetch(N)', ["a", "b@latest"]),
    ('import scope_client\nN = ["a"]\n«client.prefetch([*N, «"b"])', ["a", "b"]),
    ("import scope_client\n«client.prefetch(names)", ["?"]),
    ('import scope_client\nN = ["a"]\nN.append(n)\n«client.prefetch(N)', ["a", "?"]),
    ("import scope_client\n«client.prefetch([name])", ["?"]),
    ('import scope_client\nclient.prefetch([(«"a", label)])', ["a@?"]),
    ('import scope_client\n«client.prefetch([n for n in ("a", "b")])', ["a", "b"]),
    ('import scope_client\n«client.prefetch([(n, "latest") for n in ("a", "b")])', ["a@latest", "b@latest"]),
    ('import scope_client\nclass P(StrEnum):\n    A = "a"\n    B = "b"\n«client.prefetch(P)', ["a", "b"]),
    ('import scope_client\nclass P(StrEnum):\n    A = "a"\n«client.prefetch(list(P))', ["a"]),
    ('import scope_client\nclass P(Enum):\n    A = "a"\n«client.prefetch(p.value for p in P)', ["a"]),
    ('import scope_client\nP = {"x": "a"}\n«client.prefetch(P.values())', ["a"]),
    ("import scope_client\nclient.prefetch([])", []),
    # Somebody else's.
    ('qs.prefetch("author")', []),
    ('loader.prefetch(["a", "b"])', []),
    ("import scope_client\nloader.prefetch(ids)", []),
    ("import scope_client\nloader.prefetch([1, 2])", []),
    ("import scope_client\ndataset.prefetch(2)", []),
    ("import scope_client\ndataset.prefetch(buffer_size=2)", []),
    ("dataset.prefetch(AUTOTUNE)", []),
]
NOT_OURS = [
    'def render_prompt(name): ...\nrender_prompt("a")',
    'from app.prompts import render_prompt\nrender_prompt("a")',
    'from .prompts import get_prompt_version\nget_prompt_version("a")',
    'import mlflow\nmlflow.MlflowClient().get_prompt_version("a")',
    'from mlflow import MlflowClient\nc = MlflowClient()\nc.get_prompt_version("a", "1")',
    'client.get_prompt_version("a", "1")',
    'client.get_prompt_version("a", project="x")',
    'class M:\n    def render_prompt(self, t): ...\n    def f(self):\n        self.render_prompt("a")',
    'class M(Base):\n    def f(self):\n        self.render_prompt("a")',
    'service.render_prompt("Hello {name}!", {})',
    'service.render_prompt("greeting.j2", {})',
    'read_prompt("a.txt")',
    'files.read_prompt("a")',
    'files.read_prompt("prompts/a.txt")',
    "ui.read_prompt()",
    'cache.clear_cache("a")',
    "cache.clear_cache()",
    'ContentType.objects.clear_cache("a")',
    'Stack.from_scope("a")',
    'd.from_scope("a")',
    'scope_prompt("a")',
    'from app.x import scope_prompt\nscope_prompt("a")',
    'client.get_prompt("a")',
    "client.get_prompt_version",
    "def get_prompt_version(self, name): ...",
    "x = \"client.get_prompt_version('a')\"",
    "# client.get_prompt_version('a')",
    '"""client.get_prompt_version("a")"""',
    'from scope_client.testing import PromptsClient\nPromptsClient({"a": "x"}).render_prompt("a")',
    'from scope_django.test import override_prompts\nwith override_prompts({"a": "x"}) as c:\n    c.render_prompt("a")',
    'from scope_flask.test import override_prompts\nwith override_prompts({"a": "x"}) as c:\n    c.render_prompt("a")',
    '"".render_prompt("a")',
    'from unittest.mock import Mock\nc = Mock()\nc.render_prompt("a")',
    'def test_x(scope_prompts, client):\n    scope_prompts("a", "x")\n    client.render_prompt("a")',
    'def test_x(scope_platform):\n    make(scope_platform).render_prompt("a")',
    "import scope_client\nscope_client.client().clear_cache(name)",
    '{}.clear_cache("a")',
    'client.other.render_prompt_now("a")',
]


NEWER = [
    *(OF_PYTHON_3_10 if sys.version_info >= (3, 10) else []),
    *(OF_PYTHON_3_12 if sys.version_info >= (3, 12) else []),
]


@pytest.mark.parametrize(("source", "expected"), [*OURS, *PREFETCH, *NEWER])
def test_a_call_that_asks_for_a_prompt_is_found(source: str, expected: list[str]) -> None:
    assert found(source) == expected


@pytest.mark.parametrize("source", NOT_OURS)
def test_what_only_has_the_same_name_is_left_alone(source: str) -> None:
    assert found(source) == []


OWN_CLASS = "class Prompts{}:\n    def render_prompt(self, name, values):\n        return name\n"


@pytest.mark.parametrize("use", ['Prompts().render_prompt("a", {})', 'p = Prompts()\np.render_prompt("a", {})'])
def test_a_method_of_a_class_of_ones_own_asks_for_nothing(use: str) -> None:
    assert found(f"from scope_client import ScopeClient\n{OWN_CLASS.format('')}{use}") == []


def test_that_of_a_class_which_is_a_client_does() -> None:
    source = f"from scope_client import ScopeClient\n{OWN_CLASS.format('(ScopeClient)')}"
    assert found(f'{source}Prompts().render_prompt("a", {{}})') == ["a()"]
