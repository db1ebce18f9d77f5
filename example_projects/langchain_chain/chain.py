"""A chain, and an agent with a hosted system prompt. A promotion reaches both while they run, with its options."""

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnablePassthrough
from langchain_core.tools import tool

from scope_client.local import LocalPlatform
from scope_langchain import scope_model, scope_prompt, scope_prompt_middleware

NOTES = {"lamp": "The lamp is dimmable. It takes {E27} bulbs.", "chair": "The chair holds 120 kg."}
ANSWER = [
    {"role": "system", "content": "Answer from these notes alone:\n{{notes}}"},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]
BRIEF_ANSWER = [{"role": "system", "content": "Be brief. Notes:\n{{notes}}"}, *ANSWER[1:]]
HISTORY = [HumanMessage("Do you sell lamps?"), AIMessage("We do.")]
LOOKS_IT_UP = AIMessage("", tool_calls=[{"name": "stock", "args": {"of": "lamps"}, "id": "1"}])


def retrieve(asked):
    return "\n".join(note for word, note in NOTES.items() if word in asked["question"])


class Show(BaseCallbackHandler):
    """Prints what each prompt's run and each model's run carries."""

    def on_chain_start(self, serialized, inputs, *, metadata=None, **kwargs):
        if kwargs.get("run_type") == "prompt":
            self.show("prompt", metadata)

    def on_chat_model_start(self, serialized, messages, *, metadata=None, **kwargs):
        temperature = (kwargs.get("invocation_params") or {}).get("temperature")
        self.show("model", metadata, f" temperature={temperature}")
        print(f"  the model reads: {messages[0][0].content!r} and {len(messages[0]) - 1} messages more")

    def show(self, kind, metadata, more=""):
        print(f"  {kind:<6} scope.prompt.version={(metadata or {}).get('scope.prompt.version')}{more}")


class AgentModel(FakeMessagesListChatModel):
    """Costs nothing, and says what it was told to say."""

    def bind_tools(self, tools, **options):
        return self.bind(**options)


def run_chain(platform, client):
    platform.publish("support-answer", ANSWER, metadata={"temperature": 0.2})
    model = scope_model(FakeListChatModel(responses=["Yes, it is.", "120 kg."]), options=["temperature"])
    prompt = scope_prompt("support-answer", client=client)
    chain = RunnablePassthrough.assign(notes=retrieve) | prompt | model | StrOutputParser()
    for question in ("Is the lamp dimmable?", "What does the chair hold?"):
        print(question)
        print(f"  {chain.invoke({'question': question, 'history': HISTORY}, {'callbacks': [Show()]})}")
        platform.publish("support-answer", BRIEF_ANSWER, metadata={"temperature": 0.8})
        client.clear_cache()


def run_agent(platform, client):
    try:
        from langchain.agents import create_agent
    except ImportError:
        print('  agents need LangChain 1.0: pip install "langchain>=1.0"')
        return
    platform.publish("shop-agent", "You sell lamps.", metadata={"temperature": 0.1})

    @tool
    def stock(of: str) -> str:
        """How many there are; meanwhile somebody promotes another version."""
        platform.publish("shop-agent", "You sell lamps, in one sentence.", metadata={"temperature": 0.9})
        client.clear_cache()
        return f"3 {of}"

    model = AgentModel(responses=[LOOKS_IT_UP, AIMessage("Three.")])
    hosted = scope_prompt_middleware("shop-agent", client=client, options=["temperature"])
    agent = create_agent(model, tools=[stock], middleware=[hosted])
    print("How many lamps are there?")
    said = agent.invoke({"messages": [HumanMessage("How many lamps are there?")]}, {"callbacks": [Show()]})
    print(f"  {said['messages'][-1].content}")


def main():
    with LocalPlatform() as platform:
        client = platform.client()
        print("--- a chain; version 2 is promoted between two questions")
        run_chain(platform, client)
        print("--- an agent; version 2 is promoted while its tool runs")
        run_agent(platform, client)


if __name__ == "__main__":
    main()
