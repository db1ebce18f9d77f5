"""An agent of Pydantic AI: its instructions, its model and its settings are those of the version in production."""

import asyncio
from dataclasses import dataclass

from pydantic_ai import Agent, RunContext

from scope_client import PromptVersion, ScopeClient

MODEL = "gpt-5.4-mini"
SETTINGS = {"max_tokens": 500}  # what the metadata may change, beside the model
FALLBACK = "You answer questions about the {{product}}."


@dataclass
class Shop:
    """What one run of the agent knows."""

    version: PromptVersion
    product: str


agent = Agent(deps_type=Shop)


@agent.instructions
async def instructions(run: RunContext[Shop]) -> str:
    return run.deps.version.render(product=run.deps.product)


@agent.tool_plain
def stock(product: str) -> int:
    """How many of a product there are."""
    return {"Lamp": 3}.get(product, 0)


async def answer(version, history, question):
    """The words of the answer, as they come; the history is longer by this exchange then."""
    model = f"openai:{version.get_metadata('model', MODEL)}"
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    run = agent.run_stream(
        question, deps=Shop(version, "Lamp"), model=model, model_settings=settings, message_history=history
    )
    with version.in_use():
        async with run as answered:
            async for word in answered.stream_text(delta=True):
                yield word
    history += answered.new_messages()


async def main():
    history = []
    with ScopeClient(deadline=2) as prompts:  # keys and addresses: those of the environment
        await prompts.aprefetch(["shop-agent"])
        while True:
            try:
                question = await asyncio.to_thread(input, "> ")
            except EOFError:
                break
            version = await prompts.aget_prompt_version("shop-agent", fallback=FALLBACK)
            async for word in answer(version, history, question):
                print(word, end="", flush=True)
            print(f"  [{version.name}, version {version.version_number}]")


if __name__ == "__main__":
    asyncio.run(main())
