"""The uses of LangChain's templates in Python."""

from __future__ import annotations

import pytest
from check.marked import found

IMPORTS = "from scope_langchain import *\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('scope_prompt("a", client=client)', ["a"]),
        ('scope_prompt("a", label="latest")', ["a@latest"]),
        ('scope_prompt("a").invoke({"x": 1, "y": 2})', ["a(x, y)+"]),
        ('await scope_prompt("a").ainvoke({"x": 1})', ["a(x)+"]),
        ('scope_prompt("a").invoke(input={"x": 1})', ["a(x)+"]),
        ('scope_prompt("a").invoke(values)', ["a(...)+"]),
        ('scope_prompt("a").invoke("text")', ["a(...)+"]),
        ('scope_prompt("a").stream({"x": 1})', ["a(x)+"]),
        ('scope_prompt("a").batch([{"x": 1}, {"x": 2}])', ["a(x)+", "a(x)+"]),
        ('scope_prompt("a").format(x=1)', ["a(x)+"]),
        ('await scope_prompt("a").aformat(x=1)', ["a(x)+"]),
        ('scope_prompt("a").format_messages(x=1, **values)', ["a(x, ...)+"]),
        ('scope_prompt("a").partial(x=1).invoke({"y": 1})', ["a(x, y)+"]),
        ('scope_prompt("a", partial_variables={"x": 1}).invoke({"y": 1})', ["a(x, y)+"]),
        ('p = scope_prompt("a").partial(x=1)\nq = p.partial(y=1)\nq.invoke({})', ["a(x, y)+"]),
        ('chain = scope_prompt("a") | model\nchain.invoke({"x": 1})', ["a(x)+"]),
        ('chain = scope_prompt("a") | scope_model(model) | parser\nawait chain.ainvoke({"x": 1})', ["a(x)+"]),
        ('p = scope_prompt("a")\nchain = p | model\nchain.invoke({"x": 1})', ["a(x)+"]),
        ('chain = (scope_prompt("a") | model).with_config(tags=[])\nchain.invoke({"x": 1})', ["a(x)+"]),
        ('chain = {"x": retriever, "y": passed} | scope_prompt("a") | model\nchain.invoke("q")', ["a(x, y)+"]),
        ('chain = RunnableParallel(x=retriever, y=passed) | scope_prompt("a")', ["a(x, y)+"]),
        ('chain = first | scope_prompt("a") | model\nchain.invoke({"z": 1})', ["a(...)+"]),
        ('chain = first | {"x": second} | scope_prompt("a") | model', ["a(x)+"]),
        ('(scope_prompt("a") + " {y}").invoke({"x": 1, "y": 1})', ["a"]),
        ('ChatPromptTemplate.from_messages([scope_prompt("a")]).invoke({"x": 1})', ["a"]),
        ('def f():\n    return scope_prompt("a") | model', ["a"]),
        ('LivePrompt("a").invoke({"x": 1})', ["a(x)+"]),
        ('ScopePromptTemplate.from_scope("a", client=c)', ["a[text]"]),
        ('ScopeChatPromptTemplate.from_scope("a")', ["a[chat]"]),
        ('ScopePromptTemplate.from_scope("a").format(x=1)', ["a(x)+[text]"]),
        ('ScopeChatPromptTemplate.from_scope("a").format_messages(x=1)', ["a(x)+[chat]"]),
        ('ScopePromptTemplate.from_scope("a", requires=["x"])', ["a(x)+[text]"]),
        ('ScopePromptTemplate.from_scope("a", requires=["x"], partial_variables={"y": 1})', ["a(x, y)+[text]"]),
        ('class Mine(ScopeChatPromptTemplate): pass\nMine.from_scope("a")', ["a[chat]"]),
        ('to_langchain(client.get_prompt_version("a")).invoke({"x": 1})', ["a(x)+"]),
        ('v = client.get_prompt_version("a")\nto_langchain(v).format(x=1)', ["a(x)+"]),
        ('scope_prompt_middleware("a")', ["a(messages)+"]),
        ('scope_prompt_middleware("a", values={"x": 1})', ["a(messages, x)+"]),
        ('scope_prompt_middleware("a", values=lambda request: {"x": 1})', ["a(messages, ...)+"]),
        ('scope_prompt_middleware("a", fallback="Hi")', ["a(messages)+"]),
    ],
)
def test_a_template_of_langchain_is_a_use(source: str, expected: list[str]) -> None:
    assert found(IMPORTS + source) == expected


@pytest.mark.parametrize(
    "source",
    [
        'import scope_langchain as sl\nsl.scope_prompt(«"a")',
        'from scope_langchain import scope_prompt as hosted\nhosted(«"a")',
        'from app.x import ScopePromptTemplate\nScopePromptTemplate.from_scope(«"a")',
        'import scope_langchain\nscope_langchain.ScopePromptTemplate.from_scope(«"a")',
    ],
)
def test_whichever_way_it_is_imported(source: str) -> None:
    assert [each.split("[")[0] for each in found(source)] == ["a"]
