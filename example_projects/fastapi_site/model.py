"""A model that costs nothing."""

import asyncio


class FakeModel:
    async def stream(self, messages, temperature):
        for word in f"You said, at a temperature of {temperature}: {messages[-1]['content']}".split():
            yield f"{word} "
            await asyncio.sleep(0.1)
