"""PromptLayer, tracing off; its cache is on where it has a time to live, and a second client does without."""

from __future__ import annotations

from typing import Any

from promptlayer import PromptLayer


class Reader:
    def __init__(self, url: str, ttl: int, size: int) -> None:
        self._client = PromptLayer(api_key="key", base_url=url, cache_ttl_seconds=ttl)
        self._uncached = PromptLayer(api_key="key", base_url=url)
        self.read = self._client.templates.get

    def read_fresh(self, name: str) -> dict[str, Any]:
        return self._uncached.templates.get(name)

    def fill(self, name: str, values: dict[str, str]) -> str:
        return self.text(self._client.templates.get(name, {"input_variables": values}))

    def text(self, prompt: dict[str, Any]) -> str:
        return prompt["prompt_template"]["content"][0]["text"]
