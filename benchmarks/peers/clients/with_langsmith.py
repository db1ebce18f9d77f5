"""LangSmith, tracing off; a commit is read as it came, and is filled in as the LangChain prompt that it stands for."""

from __future__ import annotations

from langsmith import Client, configure_global_prompt_cache
from langsmith.schemas import PromptCommit


class Reader:
    def __init__(self, url: str, ttl: int, size: int) -> None:
        configure_global_prompt_cache(max_size=size, ttl_seconds=ttl, refresh_interval_seconds=min(ttl, 60))
        self._client = Client(api_url=url, api_key="key", auto_batch_tracing=False)
        self.read = self._client.pull_prompt_commit

    def read_fresh(self, name: str) -> PromptCommit:
        return self._client.pull_prompt_commit(name, skip_cache=True)

    def fill(self, name: str, values: dict[str, str]) -> str:
        return self._client.pull_prompt(name).format(**values)

    def fill_by_hand(self, name: str, values: dict[str, str]) -> str:
        return self._client.pull_prompt_commit(name).manifest["kwargs"]["template"].format(**values)

    def text(self, prompt: PromptCommit) -> str:
        return prompt.manifest["kwargs"]["template"]
