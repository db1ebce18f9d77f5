"""Calls of functions that `scope types` made which are right: a type checker has nothing to say of them."""

from __future__ import annotations

from typing import Any

from anthropic import Anthropic
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from prompts import agreeting, aqa_v2, await_, greeting, odd, qa_v2, wait

from scope_client import ScopeClient

said: str = greeting(name="Ada", time_of_day="morning")
number: str = greeting(name=3, time_of_day=0.5, client=ScopeClient())
history: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]
messages = qa_v2(history=history, q="Why?")
OpenAI().chat.completions.create(model="m", messages=messages)
OpenAI().chat.completions.create(model="m", messages=qa_v2(history=[{"role": "user", "content": "Hi"}], q="Why?"))
Anthropic().messages.create(model="m", max_tokens=1, messages=qa_v2(history=[], q="Why?"))
odd(name="Ada", values={"class": "x", "1": 2})
odd(name="Ada", tone="kind", values={"class": "x", "1": 2, "return": 3})
nothing: str = wait()


async def main() -> None:
    one: str = await agreeting(name="Ada", time_of_day="morning")
    two: list[Any] = await aqa_v2(history=messages, q="Why?")
    OpenAI().chat.completions.create(model="m", messages=two)
    print(one, await await_(client=None))
