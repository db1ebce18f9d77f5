"""A model that costs nothing."""

from __future__ import annotations


class FakeModel:
    def complete(self, messages: list[dict[str, str]], temperature: float) -> str:
        return f"You said, at a temperature of {temperature}: {messages[-1]['content']}"
