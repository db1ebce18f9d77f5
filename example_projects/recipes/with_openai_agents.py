"""An agent of the OpenAI Agents SDK: instructions, model and settings are those of the version in production."""

import asyncio
from dataclasses import dataclass

from agents import Agent, ModelSettings, RunConfig, RunContextWrapper, Runner, function_tool

from scope_client import PromptVersion, ScopeClient

MODEL = "gpt-5.4-mini"
SETTINGS = {"max_tokens": 500}  # what the metadata may change, beside the model
FALLBACK = "You answer questions about the {{product}}."


@dataclass
class Shop:
    """What one run of the agent knows."""

    version: PromptVersion
    product: str


def instructions(run: RunContextWrapper[Shop], agent: Agent[Shop]) -> str:
    return run.context.version.render(product=run.context.product)


@function_tool
def stock(product: str) -> int:
    """How many of a product there are."""
    return {"Lamp": 3}.get(product, 0)


agent = Agent[Shop](name="Shop", instructions=instructions, tools=[stock])


def config_of(version):
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    return RunConfig(model=version.get_metadata("model", MODEL), model_settings=ModelSettings(**settings))


async def answer(version, history, question):
    """The words of the answer, as they come; the history is longer by this exchange then."""
    asked = [*history, {"role": "user", "content": question}]
    with version.in_use():
        run = Runner.run_streamed(agent, asked, context=Shop(version, "Lamp"), run_config=config_of(version))
        async for event in run.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                yield event.data.delta
    history[:] = run.to_input_list()


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
