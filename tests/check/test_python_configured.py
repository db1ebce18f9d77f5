"""The calls that a project configures."""

from __future__ import annotations

import pytest
from check.marked import found

from scope_client import ConfigurationError
from scope_client._check.configured_calls import ConfiguredCall, configured_call
from scope_client._check.python_uses import may_use_prompts


@pytest.mark.parametrize(
    ("call", "source", "expected"),
    [
        ("app.llm.prompt:0", 'from app.llm import prompt\nprompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'from app.llm import prompt as p\np(«"a")', ["a"]),
        ("app.llm.prompt:0", 'import app.llm\napp.llm.prompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'import app.llm as llm\nllm.prompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'from app import llm\nllm.prompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'from . import llm\nllm.prompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'from .llm import prompt\nprompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'from ..app.llm import prompt\nprompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'from src.app.llm import prompt\nprompt(«"a")', ["a"]),
        ("app.mail.prompt:0", 'def prompt(name): ...\nprompt(«"a")', ["a"]),
        ("app.llm.prompt:0", 'from app.other import prompt\nprompt("a")', []),
        ("app.llm.prompt:0", 'def prompt(name): ...\nprompt("a")', []),
        ("app.llm.prompt:0", 'llm.prompt("a")', []),
        ("app.llm.prompt:0", 'prompt("a")', []),
        ("app.llm.prompt:0", "from app.llm import prompt\n«prompt(name)", ["?"]),
        ("app.llm.prompt:0", "from app.llm import prompt\n«prompt()", ["?"]),
        ("app.llm.prompt:0", "from app.llm import prompt\n«prompt(*names)", ["?"]),
        ("app.llm.prompt:1", 'from app.llm import prompt\nprompt("x", «"a")', ["a"]),
        ("app.llm.ask:name", 'from app.llm import ask\nask("x", name=«"a")', ["a"]),
        ("app.llm.ask:name", 'from app.llm import ask\n«ask("x")', ["?"]),
        ("app.llm.ask:0/name", 'from app.llm import ask\nask(name=«"a")\nask(«"b")', ["a", "b"]),
        ("app.llm.ask:0", 'from app.llm import ask\nN = "a"\n«ask(N)', ["a"]),
        ("app.llm.ask:0", 'from app.llm import ask\nask([«"a", «"b"])', ["a", "b"]),
        ("app.llm.ask:0", 'from app.llm import ask\nask(«"a").render(x=1)', ["a(x)"]),
        ("app.llm.ask:0", 'from app.llm import ask\nv = await ask(«"a")\nv.messages(x=1)', ["a(x)"]),
        ("app.llm.ask:0", 'from app.llm import ask\nask(«"a", {"x": 1})', ["a"]),
        ("app.llm.ask:0 values=1", 'from app.llm import ask\nask(«"a", {"x": 1})', ["a(x)"]),
        ("app.llm.ask:0 values=1", 'from app.llm import ask\nask(«"a")', ["a()"]),
        ("app.llm.ask:0 values=1", 'from app.llm import ask\nask(«"a", values)', ["a(...)"]),
        ("app.llm.ask:0 values=1/given", 'from app.llm import ask\nask(«"a", given={"x": 1})', ["a(x)"]),
        ("app.llm.ask:0 values=**", 'from app.llm import ask\nask(«"a", x=1, y=2)', ["a(x, y)"]),
        ("app.llm.ask:0 values=**", 'from app.llm import ask\nask(«"a", **values)', ["a(...)"]),
        ("app.llm.ask:name values=**", 'from app.llm import ask\nask(name=«"a", x=1)', ["a(x)"]),
        (
            "app.llm.ask:0 values=** label=label",
            'from app.llm import ask\nask(«"a", x=1, label="latest")',
            ["a@latest(x)"],
        ),
        ("app.llm.ask:0 label=1", 'from app.llm import ask\nask(«"a", "latest")', ["a@latest"]),
        ("app.llm.ask:0 version=version", 'from app.llm import ask\nask(«"a", version="v_1")', ["a#v_1"]),
        ("app.llm.ask:0 label=label", 'from app.llm import ask\nask(«"a", label=label)', ["a@?"]),
        ("Prompts.get:prompt", 'self.prompts.get(prompt=«"a")', ["a"]),
        ("Prompts.get:0", 'prompts.get(«"a")', ["a"]),
        ("Prompts.get:0", 'self._prompts.get(«"a")', ["a"]),
        ("Prompts.get:0", 'from app.x import Prompts\nPrompts().get(«"a")', ["a"]),
        ("Prompts.get:0", 'from app.x import Prompts\nPrompts.get(«"a")', ["a"]),
        ("Prompts.get:0", 'from app.x import Prompts\ndef f(p: Prompts):\n    p.get(«"a")', ["a"]),
        ("Prompts.get:0", 'from app.x import Prompts\np = Prompts(1)\np.get(«"a")', ["a"]),
        ("Prompts.get:0", 'class Prompts:\n    def get(self, n): ...\n    def f(self):\n        self.get(«"a")', ["a"]),
        ("PromptStore.get:0", 'prompt_store.get(«"a")', ["a"]),
        ("app.store.Prompts.get:0", 'self.prompts.get(«"a")', ["a"]),
        ("app.store.Prompts.get:0", 'from app.store import Prompts\nPrompts().get(«"a")', ["a"]),
        ("Prompts.get:0", 'prompts = {}\nprompts.get("a")', []),
        ("Prompts.get:0", 'd.get("a")', []),
        ("Prompts.get:0", 'from other import Texts\nprompts = Texts()\nprompts.get("a")', []),
        ("app.deps.prompts.get:0", 'from app.deps import prompts\nprompts.get(«"a")', ["a"]),
        ("prompt:0", 'prompt(«"a")', ["a"]),
        ("prompt:0", 'from app.llm import prompt\nprompt(«"a")', ["a"]),
        ("langfuse.get_prompt:0", 'from langfuse import get_prompt\nget_prompt(«"a")', ["a"]),
    ],
)
def test_a_configured_call_is_found(call: str, source: str, expected: list[str]) -> None:
    assert found(source, [call]) == expected


def test_a_package_imports_relative_to_itself() -> None:
    source = 'from .llm import prompt\nprompt("a")'
    assert found(source, ["app.llm.prompt:0"], "src/app/__init__.py") == ["a"]
    assert found(source, ["app.llm.prompt:0"], "src/app/sub/__init__.py") == []
    assert found(source.replace(".llm", "..llm"), ["app.llm.prompt:0"], "src/app/sub/mail.py") == ["a"]


def test_a_file_with_a_configured_call_is_worth_a_look() -> None:
    assert may_use_prompts(b"ask('a')", [configured_call("app.llm.ask:0")])
    assert not may_use_prompts(b"tell('a')", [configured_call("app.llm.ask:0")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app.llm.prompt:0", ConfiguredCall(("app", "llm", "prompt"), (0,))),
        (" a.b:name ", ConfiguredCall(("a", "b"), ("name",))),
        ("a:0/name values=** label=2/label", ConfiguredCall(("a",), (0, "name"), ("**",), (2, "label"))),
        ("a.b:0  version=version", ConfiguredCall(("a", "b"), (0,), version=("version",))),
        ("é.ü:ß", ConfiguredCall(("é", "ü"), ("ß",))),
    ],
)
def test_a_configured_call_is_read(text: str, expected: ConfiguredCall) -> None:
    assert configured_call(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a",
            "a:",
            ":0",
            "a.b",
            "a..b:0",
            ".a:0",
            "a.:0",
            "a:0:1",
            "a:-1",
            "a:0.5",
            "a b:0",
            "a-b:0",
            "a:1a",
            "3a:0",
        ),
        *("a:0 values", "a:0 values=", "a:0 values=**x", "a:0 label=**", "a:0 colour=1", "a:0 values=1 values=2"),
        *("a:0 values =1", "a:0,1", "a:0/", "a:/0", "a\n:0", "a:**"),
        *(3, None, ["a:0"], b"a:0"),
    ],
)
def test_a_bad_one_is_one_sentence_with_an_example(text: object) -> None:
    with pytest.raises(ConfigurationError, match=r'such as "app\.llm\.prompt:0".*got ') as caught:
        configured_call(text)  # type: ignore[arg-type]  # on purpose
    assert repr(text)[:10] in str(caught.value) or "values" in str(caught.value) or "label" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "source", "expected"),
    [
        ("app.mail.ask:0", "def ask(name):\n    return client.render_prompt(name, {})", []),
        ("ask:name", "async def ask(*, name):\n    return await client.arender_prompt(name, {})", []),
        ("Prompts.get:0", "class Prompts:\n    def get(self, n):\n        return client.get_prompt_version(n)", []),
        ("app.mail.ask:0", "def ask(name):\n    return client.render_prompt('a', {})", ["a()"]),
        ("app.mail.ask:0", "def tell(name):\n    return client.render_prompt(name, {})", ["?"]),
        ("app.mail.ask:0", "def ask(name):\n    name = other()\n    return client.render_prompt(name, {})", ["?"]),
    ],
)
def test_the_body_of_a_configured_function_asks_for_what_its_callers_do(
    call: str, source: str, expected: list[str]
) -> None:
    assert found(source, [call]) == expected
