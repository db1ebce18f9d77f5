"""Calls that are right: a type checker has nothing to say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import anthropic
import openai

import scope_client
from scope_client import (
    ApiKeyCredentials,
    CacheInfo,
    ClientCredentials,
    Configuration,
    Credentials,
    OnErrorCallback,
    PromptVersion,
    ScopeClient,
    Telemetry,
)
from scope_client.testing import PromptsClient

client: ScopeClient = PromptsClient({"support": [{"role": "user", "content": "{{question}}"}]})
version = client.get_prompt_version("support")


def ask_openai(question: str) -> Optional[str]:
    asked = openai.OpenAI().chat.completions.create(
        model=version.get_metadata("model", "gpt-4"), messages=version.messages(question=question)
    )
    return asked.choices[0].message.content


def ask_openai_for_a_response(question: str) -> str:
    return openai.OpenAI().responses.create(model="gpt-4", input=version.messages(question=question)).output_text


async def ask_openai_and_go_on(question: str) -> Optional[str]:
    found = await client.aget_prompt_version("support")
    history = found.messages(question=question)
    history.append({"role": "assistant", "content": "Well..."})
    asked = await openai.AsyncOpenAI().chat.completions.create(
        model="gpt-4", messages=[*history, {"role": "user", "content": "More."}], stream=False
    )
    return asked.choices[0].message.content


def ask_anthropic(question: str) -> list[object]:
    asked = anthropic.Anthropic().messages.create(
        model="claude", max_tokens=100, messages=version.messages(question=question)
    )
    return list(asked.content)


def ask_anthropic_as_it_speaks(question: str) -> str:
    with anthropic.Anthropic().messages.stream(
        model="claude", max_tokens=100, messages=version.messages(question=question)
    ) as stream:
        return "".join(stream.text_stream)


async def ask_anthropic_and_go_on(question: str) -> int:
    counted = await anthropic.AsyncAnthropic().messages.count_tokens(
        model="claude", messages=version.messages(question=question)
    )
    return counted.input_tokens


def read_every_way(values: Mapping[str, object], id_or_none: Optional[str]) -> list[Optional[PromptVersion]]:
    client.render_prompt("support", values, "latest")
    client.render_prompt("support", values, label="production", cache=False)
    client.render_prompt(name="support", variables=values, version="v_1", fallback="Hi")
    client.clear_cache()
    client.clear_cache("support", label="latest")
    return [
        client.get_prompt_version("support", label=None, version=None),
        client.get_prompt_version("support", label="latest", deadline=5, requires={"question"}),
        client.get_prompt_version("support", version=id_or_none),
        client.get_cached_version("support", version="v_1"),
        client.read_prompt("support", label="latest").version,
        scope_client.client(timeout=5).get_prompt_version("support", fallback=lambda: "Hi"),
    ]


def set_up(keys: Credentials) -> Configuration:
    either: Credentials = ApiKeyCredentials.from_env()
    other = ApiKeyCredentials("org", client_id="app", client_secret="secret")
    ScopeClient(either)
    ScopeClient(other, when_unfit="last_fitting")
    ScopeClient(config=Configuration(keys, extra_values="warn"), cache_ttl=5)
    return scope_client.configure(credentials=ClientCredentials("org", "app", "secret"))


def listen(on_error: OnErrorCallback) -> bool:
    Telemetry.on_error(on_error)
    Telemetry.on_cache(lambda info: info.outcome == "changed" and info.new)
    return isinstance(ApiKeyCredentials("org", "key", "secret"), Credentials) and CacheInfo is not None


def look(found: PromptVersion) -> tuple[object, ...]:
    is_chat: bool = found.type == "chat"
    return is_chat, found["id"], found.get("name"), "id" in found, found.to_json(indent=2), found.promoted_at
