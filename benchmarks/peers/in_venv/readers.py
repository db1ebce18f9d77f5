"""Each client as its README has it, in one form; tracing is off."""

from __future__ import annotations

import os
from typing import Any, Callable, NamedTuple

ROOM = 20_000  # prompts that a cache holds, if that is an option


class Reader(NamedTuple):
    """`read` may answer from the cache and `read_fresh` does not; `text` is a prompt's template."""

    read: Callable[[str], Any]
    read_fresh: Callable[[str], Any]
    fill: Callable[[str, dict[str, str]], str]
    text: Callable[[Any], str]


def scope(url: str, ttl: int) -> Reader:
    from scope_client import ApiKeyCredentials, ScopeClient

    keys = ApiKeyCredentials("org", "key", "secret")
    client = ScopeClient(credentials=keys, base_url=url, auth_api_url=url, cache_ttl=ttl, cache_max_size=ROOM)
    read = client.get_prompt_version
    return Reader(read, lambda name: read(name, cache=False), client.render_prompt, lambda prompt: prompt.content)


def langfuse(url: str, ttl: int) -> Reader:
    """The time to live comes from the environment, and the cache has no bound."""
    os.environ["LANGFUSE_PROMPT_CACHE_DEFAULT_TTL_SECONDS"] = str(ttl)
    from langfuse import Langfuse

    read = Langfuse(public_key="key", secret_key="secret", base_url=url, tracing_enabled=False).get_prompt
    return Reader(
        read,
        lambda name: read(name, cache_ttl_seconds=0),
        lambda name, values: read(name).compile(**values),
        lambda prompt: prompt.prompt,
    )


def langsmith(url: str, ttl: int) -> Reader:
    """A commit is read as it came, and filled in as the LangChain prompt that it stands for."""
    os.environ["LANGSMITH_TRACING"] = "false"
    from langsmith import Client, configure_global_prompt_cache

    configure_global_prompt_cache(max_size=ROOM, ttl_seconds=ttl, refresh_interval_seconds=min(ttl, 60))
    client = Client(api_url=url, api_key="key", auto_batch_tracing=False)
    read = client.pull_prompt_commit
    return Reader(
        read,
        lambda name: read(name, skip_cache=True),
        lambda name, values: client.pull_prompt(name).format(**values),
        lambda prompt: prompt.manifest["kwargs"]["template"],
    )


def langsmith_by_hand(url: str, ttl: int) -> Reader:
    """The commit's template, filled in by `str.format`."""
    usual = langsmith(url, ttl)
    return usual._replace(fill=lambda name, values: usual.text(usual.read(name)).format(**values))


def promptlayer(url: str, ttl: int) -> Reader:
    """The cache is off unless it has a time to live, so a second client reads afresh."""
    from promptlayer import PromptLayer

    read = PromptLayer(api_key="key", base_url=url, cache_ttl_seconds=ttl).templates.get

    def text(prompt: Any) -> str:
        return prompt["prompt_template"]["content"][0]["text"]

    return Reader(
        read,
        PromptLayer(api_key="key", base_url=url).templates.get,
        lambda name, values: text(read(name, {"input_variables": values})),
        text,
    )


def by_hand(url: str, ttl: int) -> Reader:
    """The plain thing beside which a fetch is held: a kept-alive connection of http.client, and json.loads."""
    import http.client
    import json

    connection = http.client.HTTPConnection(url.partition("//")[2])

    def fetch(name: str) -> Any:
        connection.request("GET", f"/api/v1/prompts/{name}/production")
        return json.loads(connection.getresponse().read())

    return Reader(fetch, fetch, lambda name, values: "", lambda prompt: prompt["content"])
