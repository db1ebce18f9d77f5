"""scope-client, as its README has it."""

from __future__ import annotations

from scope_client import ApiKeyCredentials, PromptVersion, ScopeClient


class Reader:
    def __init__(self, url: str, ttl: int, size: int) -> None:
        keys = ApiKeyCredentials("org", "key", "secret")
        self._client = ScopeClient(credentials=keys, base_url=url, auth_api_url=url, cache_ttl=ttl, cache_max_size=size)
        self.read = self._client.get_prompt_version

    def read_fresh(self, name: str) -> PromptVersion:
        return self._client.get_prompt_version(name, cache=False)

    def fill(self, name: str, values: dict[str, str]) -> str:
        return self._client.render_prompt(name, values)

    def text(self, prompt: PromptVersion) -> str:
        return prompt.content
