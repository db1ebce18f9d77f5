"""Libraries that call models, each with a real instrumentation that makes spans of that."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from scope_langchain import to_langchain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scope_client import PromptVersion

VALUE_SHOWN_NOWHERE = "Lamp-4711"
# Each prompt asks a model of its own, so that a span tells by its model for which prompt it is.
MODELS = {"support": "gpt-4o", "summary": "gpt-4.1", "not-there": "gpt-4o-mini"}
TOOL = "stock"
PARAMETERS: Any = {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]}
# Instrumentations that record texts unless they are told not to.
WITHOUT_TEXTS = {"TRACELOOP_TRACE_CONTENT": "false"}


def model_for(version: PromptVersion) -> str:
    return MODELS[version.name]


def rendered(version: PromptVersion) -> Any:
    return version.messages(product=VALUE_SHOWN_NOWHERE)


class Library(ABC):
    """Calls a model with the messages of a version, which it renders."""

    renders_where_it_calls = True
    """Whether it renders in the context in which it calls the model. If not, a block has to say what is in use."""
    streams_without_a_loop = True
    streams_in_turn = True
    """Whether one task may take words of two streams in turn."""

    @abstractmethod
    def instrumentor(self) -> Any:
        """What turns the instrumentation on and off."""

    @abstractmethod
    def call(self, version: PromptVersion) -> str: ...

    @abstractmethod
    def stream(self, version: PromptVersion) -> Iterator[str]: ...

    @abstractmethod
    async def acall(self, version: PromptVersion) -> str: ...

    @abstractmethod
    def astream(self, version: PromptVersion) -> AsyncIterator[str]: ...

    @abstractmethod
    def call_with_tool(self, version: PromptVersion) -> str:
        """Calls the model, the tool that it asks for, and the model again."""


class OpenAIChat(Library):
    """The client of OpenAI, and its chat completions."""

    def __init__(self, package: str) -> None:
        self._package = package

    def instrumentor(self) -> Any:
        if self._package == "openai-v2":
            from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
        else:
            from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
        return OpenAIInstrumentor()

    def call(self, version: PromptVersion) -> str:
        import openai

        with openai.OpenAI() as client:
            done = client.chat.completions.create(model=model_for(version), messages=rendered(version))
        return str(done.choices[0].message.content)

    def stream(self, version: PromptVersion) -> Iterator[str]:
        import openai

        asked = {"model": model_for(version), "messages": rendered(version), "stream": True}
        with openai.OpenAI() as client, client.chat.completions.create(**asked) as stream:
            for chunk in stream:
                yield chunk.choices[0].delta.content or ""

    async def acall(self, version: PromptVersion) -> str:
        import openai

        async with openai.AsyncOpenAI() as client:
            done = await client.chat.completions.create(model=model_for(version), messages=rendered(version))
        return str(done.choices[0].message.content)

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        import openai

        asked = {"model": model_for(version), "messages": rendered(version), "stream": True}
        async with openai.AsyncOpenAI() as client, await client.chat.completions.create(**asked) as stream:
            async for chunk in stream:
                yield chunk.choices[0].delta.content or ""

    def call_with_tool(self, version: PromptVersion) -> str:
        import openai

        tools: Any = [{"type": "function", "function": {"name": TOOL, "parameters": PARAMETERS}}]
        messages = rendered(version)
        with openai.OpenAI() as client:
            asked = client.chat.completions.create(model=model_for(version), messages=messages, tools=tools)
            called = asked.choices[0].message.model_dump(exclude_none=True)
            result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "3"}
            done = client.chat.completions.create(model=model_for(version), messages=[*messages, called, result])
        return str(done.choices[0].message.content)


class OpenAIResponses(OpenAIChat):
    """The client of OpenAI, and its responses."""

    def call(self, version: PromptVersion) -> str:
        import openai

        with openai.OpenAI() as client:
            return client.responses.create(model=model_for(version), input=rendered(version)).output_text

    def stream(self, version: PromptVersion) -> Iterator[str]:
        import openai

        asked = {"model": model_for(version), "input": rendered(version)}
        with openai.OpenAI() as client, client.responses.stream(**asked) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    yield event.delta

    async def acall(self, version: PromptVersion) -> str:
        import openai

        async with openai.AsyncOpenAI() as client:
            return (await client.responses.create(model=model_for(version), input=rendered(version))).output_text

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        import openai

        asked = {"model": model_for(version), "input": rendered(version), "stream": True}
        async with openai.AsyncOpenAI() as client, await client.responses.create(**asked) as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    yield event.delta

    def call_with_tool(self, version: PromptVersion) -> str:
        import openai

        tools: Any = [{"type": "function", "strict": False, "name": TOOL, "parameters": PARAMETERS}]
        messages = rendered(version)
        with openai.OpenAI() as client:
            asked = client.responses.create(model=model_for(version), input=messages, tools=tools)
            called: Any = asked.output[0].model_dump(exclude_none=True)
            result = {"type": "function_call_output", "call_id": called["call_id"], "output": "3"}
            return client.responses.create(model=model_for(version), input=[*messages, called, result]).output_text


class AnthropicMessages(Library):
    """The client of Anthropic."""

    def __init__(self, package: str) -> None:
        self._package = package

    def instrumentor(self) -> Any:
        if self._package == "anthropic":
            from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
        else:
            from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
        return AnthropicInstrumentor()

    def _asked(self, version: PromptVersion) -> Any:
        system, *others = rendered(version)
        return {"model": model_for(version), "max_tokens": 99, "system": system["content"], "messages": others}

    def call(self, version: PromptVersion) -> str:
        import anthropic

        with anthropic.Anthropic() as client:
            return str(client.messages.create(**self._asked(version)).content[0].text)

    def stream(self, version: PromptVersion) -> Iterator[str]:
        import anthropic

        with anthropic.Anthropic() as client, client.messages.stream(**self._asked(version)) as stream:
            yield from stream.text_stream

    async def acall(self, version: PromptVersion) -> str:
        import anthropic

        async with anthropic.AsyncAnthropic() as client:
            return str((await client.messages.create(**self._asked(version))).content[0].text)

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        import anthropic

        async with anthropic.AsyncAnthropic() as client, client.messages.stream(**self._asked(version)) as stream:
            async for word in stream.text_stream:
                yield word

    def call_with_tool(self, version: PromptVersion) -> str:
        import anthropic

        asked = {**self._asked(version), "tools": [{"name": TOOL, "input_schema": PARAMETERS}]}
        with anthropic.Anthropic() as client:
            called = client.messages.create(**asked).content[0]
            result = {"type": "tool_result", "tool_use_id": called.id, "content": "3"}
            more = [
                {"role": "assistant", "content": [called.model_dump(exclude_none=True)]},
                {"role": "user", "content": [result, {"type": "text", "text": "So?"}]},
            ]
            return str(client.messages.create(**{**asked, "messages": [*asked["messages"], *more]}).content[0].text)


class LangChain(Library):
    """A chain of a prompt and a model."""

    def __init__(self, package: str) -> None:
        self._package = package

    def instrumentor(self) -> Any:
        if self._package == "langchain":
            from opentelemetry.instrumentation.langchain import LangchainInstrumentor

            return LangchainInstrumentor()
        from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor

        return LangChainInstrumentor()

    def _chain(self, version: PromptVersion) -> Any:
        from langchain_core.output_parsers import StrOutputParser
        from langchain_openai import ChatOpenAI

        return to_langchain(version) | ChatOpenAI(model=model_for(version), max_retries=0) | StrOutputParser()

    def call(self, version: PromptVersion) -> str:
        return str(self._chain(version).invoke({"product": VALUE_SHOWN_NOWHERE}))

    def stream(self, version: PromptVersion) -> Iterator[str]:
        yield from self._chain(version).stream({"product": VALUE_SHOWN_NOWHERE})

    async def acall(self, version: PromptVersion) -> str:
        return str(await self._chain(version).ainvoke({"product": VALUE_SHOWN_NOWHERE}))

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        async for word in self._chain(version).astream({"product": VALUE_SHOWN_NOWHERE}):
            yield word

    def call_with_tool(self, version: PromptVersion) -> str:
        from langchain.agents import create_agent
        from langchain_core.tools import tool
        from langchain_openai import ChatOpenAI

        @tool
        def stock(product: str) -> int:
            """How many of a product there are."""
            return 3

        agent: Any = create_agent(ChatOpenAI(model=model_for(version), max_retries=0), [stock])
        return str(agent.invoke({"messages": rendered(version)})["messages"][-1].content)


class PydanticAI(Library):
    """An agent of Pydantic AI, which makes its spans itself, and awaits the function of its instructions."""

    streams_without_a_loop = False
    streams_in_turn = False  # its streams hold cancel scopes of anyio

    def instrumentor(self) -> Any:
        return _PydanticAIInstrumentor()

    def _agent(self, version: PromptVersion) -> Any:
        from pydantic_ai import Agent
        from pydantic_ai.models.openai import OpenAIChatModel

        agent: Any = Agent(OpenAIChatModel(model_for(version)), name=version.name)

        @agent.instructions
        async def instructions() -> str:
            return str(rendered(version)[0]["content"])

        @agent.tool_plain
        def stock(product: str) -> int:
            return 3

        return agent

    def call(self, version: PromptVersion) -> str:
        return asyncio.run(self.acall(version))  # as `run_sync` does, which leaves its loop open

    def stream(self, version: PromptVersion) -> Iterator[str]:
        raise NotImplementedError

    async def acall(self, version: PromptVersion) -> str:
        return str((await self._agent(version).run("Is it dimmable?")).output)

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        async with self._agent(version).run_stream("Is it dimmable?") as answered:
            async for word in answered.stream_text(delta=True):
                yield word

    def call_with_tool(self, version: PromptVersion) -> str:
        return self.call(version)


class _Both:
    """An instrumentation of a framework that leaves the models' spans to that of their client."""

    def __init__(self, *instrumentors: Any) -> None:
        self._instrumentors = instrumentors

    def instrument(self, tracer_provider: Any) -> None:
        for each in self._instrumentors:
            each.instrument(tracer_provider=tracer_provider)

    def uninstrument(self) -> None:
        for each in self._instrumentors:
            each.uninstrument()


class _PydanticAIInstrumentor:
    def instrument(self, tracer_provider: Any) -> None:
        from pydantic_ai import Agent, InstrumentationSettings

        Agent.instrument_all(InstrumentationSettings(tracer_provider=tracer_provider, include_content=False))

    def uninstrument(self) -> None:
        from pydantic_ai import Agent

        Agent.instrument_all(False)


class OpenAIAgents(Library):
    """An agent of the OpenAI Agents SDK, which calls the function of its instructions in a task of its own."""

    renders_where_it_calls = False
    streams_without_a_loop = False

    def instrumentor(self) -> Any:
        from agents import set_trace_processors
        from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor

        set_trace_processors([])  # the SDK's own would send the traces home
        return _Both(OpenAIAgentsInstrumentor(), OpenAIChat("genai-openai").instrumentor())

    def _agent(self, version: PromptVersion) -> Any:
        from agents import Agent, function_tool

        @function_tool
        def stock(product: str) -> int:
            return 3

        return Agent(
            name=version.name,
            instructions=lambda context, agent: rendered(version)[0]["content"],
            model=model_for(version),
            tools=[stock],
        )

    def call(self, version: PromptVersion) -> str:
        from agents import Runner

        return str(Runner.run_sync(self._agent(version), "Is it dimmable?").final_output)

    def stream(self, version: PromptVersion) -> Iterator[str]:
        raise NotImplementedError

    async def acall(self, version: PromptVersion) -> str:
        from agents import Runner

        return str((await Runner.run(self._agent(version), "Is it dimmable?")).final_output)

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        from agents import Runner

        async for event in Runner.run_streamed(self._agent(version), "Is it dimmable?").stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                yield event.data.delta

    def call_with_tool(self, version: PromptVersion) -> str:
        return self.call(version)


class LlamaIndex(Library):
    """A model of LlamaIndex."""

    def instrumentor(self) -> Any:
        from opentelemetry.instrumentation.genai.llama_index import LlamaIndexInstrumentor

        return _Both(LlamaIndexInstrumentor(), OpenAIChat("genai-openai").instrumentor())

    def _asked(self, version: PromptVersion) -> tuple[Any, Any]:
        from llama_index.core.llms import ChatMessage
        from llama_index.llms.openai import OpenAI

        model = OpenAI(model=model_for(version), api_base=os.environ["OPENAI_BASE_URL"], max_retries=0)
        return model, [ChatMessage(**message) for message in rendered(version)]

    def call(self, version: PromptVersion) -> str:
        model, messages = self._asked(version)
        return str(model.chat(messages).message.content)

    def stream(self, version: PromptVersion) -> Iterator[str]:
        model, messages = self._asked(version)
        for chunk in model.stream_chat(messages):
            yield chunk.delta

    async def acall(self, version: PromptVersion) -> str:
        model, messages = self._asked(version)
        return str((await model.achat(messages)).message.content)

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        model, messages = self._asked(version)
        async for chunk in await model.astream_chat(messages):
            yield chunk.delta

    def call_with_tool(self, version: PromptVersion) -> str:
        from llama_index.core.tools import FunctionTool

        def stock(product: str) -> int:
            """How many of a product there are."""
            return 3

        model, messages = self._asked(version)
        answered = model.predict_and_call([FunctionTool.from_defaults(stock)], chat_history=messages)
        assert str(answered) == "3"
        return self.call(version)


class LiteLLM(Library):
    """LiteLLM, which calls the client of OpenAI."""

    def instrumentor(self) -> Any:
        from opentelemetry.instrumentation.litellm import LiteLLMInstrumentor

        return LiteLLMInstrumentor()

    def _asked(self, version: PromptVersion, **more: Any) -> Any:
        return {"model": f"openai/{model_for(version)}", "messages": rendered(version), **more}

    def call(self, version: PromptVersion) -> str:
        import litellm

        return str(litellm.completion(**self._asked(version)).choices[0].message.content)

    def stream(self, version: PromptVersion) -> Iterator[str]:
        import litellm

        for chunk in litellm.completion(**self._asked(version, stream=True)):
            yield chunk.choices[0].delta.content or ""

    async def acall(self, version: PromptVersion) -> str:
        import litellm

        return str((await litellm.acompletion(**self._asked(version))).choices[0].message.content)

    async def astream(self, version: PromptVersion) -> AsyncIterator[str]:
        import litellm

        async for chunk in await litellm.acompletion(**self._asked(version, stream=True)):
            yield chunk.choices[0].delta.content or ""

    def call_with_tool(self, version: PromptVersion) -> str:
        import litellm

        tools: Any = [{"type": "function", "function": {"name": TOOL, "parameters": PARAMETERS}}]
        asked = self._asked(version, tools=tools)
        called = litellm.completion(**asked).choices[0].message.model_dump(exclude_none=True)
        result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "3"}
        more = [*asked["messages"], called, result]
        return str(litellm.completion(**{**asked, "messages": more}).choices[0].message.content)


LIBRARIES: dict[str, Library] = {
    "openai-v2": OpenAIChat("openai-v2"),
    "anthropic": AnthropicMessages("anthropic"),
    "langchain": LangChain("langchain"),
    "pydantic-ai": PydanticAI(),
}
# In the environment apart.
LIBRARIES_APART: dict[str, Library] = {
    "genai-openai": OpenAIChat("genai-openai"),
    "genai-openai-responses": OpenAIResponses("genai-openai"),
    "genai-anthropic": AnthropicMessages("genai-anthropic"),
    "genai-langchain": LangChain("genai-langchain"),
    "genai-openai-agents": OpenAIAgents(),
    "genai-llama-index": LlamaIndex(),
    "litellm": LiteLLM(),
}
