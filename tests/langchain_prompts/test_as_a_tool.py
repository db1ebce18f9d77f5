"""The client's methods as tools of a model, which LangChain makes of their signatures."""

from __future__ import annotations

import asyncio

from langchain_core.tools import StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from scope_client.testing import PromptsClient

ASKED = {"name": "greeting", "variables": {"name": "Ada"}}


def test_a_render_is_a_tool_of_which_a_model_is_told_what_it_needs() -> None:
    client = PromptsClient({"greeting": "Hi {{name}}"})
    tool = StructuredTool.from_function(func=client.render_prompt, coroutine=client.arender_prompt)
    assert tool.invoke(ASKED) == asyncio.run(tool.ainvoke(ASKED)) == "Hi Ada"
    told = convert_to_openai_tool(tool)["function"]["parameters"]
    assert told["required"] == ["name"]
    assert {"variables", "label", "version", "deadline"} <= {*told["properties"]}
