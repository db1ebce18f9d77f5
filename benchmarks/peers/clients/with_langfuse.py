"""Langfuse, tracing off; its time to live comes from the environment, and its cache has no bound."""

from __future__ import annotations

from langfuse import Langfuse
from langfuse.model import TextPromptClient


class Reader:
    def __init__(self, url: str, ttl: int, size: int) -> None:
        self._client = Langfuse(public_key="key", secret_key="secret", base_url=url, tracing_enabled=False)
        self.read = self._client.get_prompt

    def read_fresh(self, name: str) -> TextPromptClient:
        return self._client.get_prompt(name, cache_ttl_seconds=0)

    def fill(self, name: str, values: dict[str, str]) -> str:
        return self._client.get_prompt(name).compile(**values)

    def text(self, prompt: TextPromptClient) -> str:
        return prompt.prompt
