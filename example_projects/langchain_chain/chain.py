"""A chain that looks up notes, fills in a chat prompt with history, and asks a model. A promotion reaches it."""

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnablePassthrough

from scope_client.local import LocalPlatform
from scope_langchain import ScopeCallbackHandler, model_options, scope_prompt, trace_metadata

NAME = "support-answer"
NOTES = {"lamp": "The lamp is dimmable. It takes {E27} bulbs.", "chair": "The chair holds 120 kg."}
FIRST = [
    {"role": "system", "content": "Answer from these notes alone:\n{{notes}}"},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]
SECOND = [{"role": "system", "content": "Be brief. Notes:\n{{notes}}"}, *FIRST[1:]]
HISTORY = [HumanMessage("Do you sell lamps?"), AIMessage("We do.")]


def retrieve(asked):
    return "\n".join(note for word, note in NOTES.items() if word in asked["question"])


class Show(BaseCallbackHandler):
    """Prints each run as it starts, and the prompt version that it carries."""

    def on_chain_start(self, serialized, inputs, *, parent_run_id=None, metadata=None, **kwargs):
        if parent_run_id is None or kwargs.get("run_type") == "prompt":
            self.show(kwargs.get("run_type") or "root", metadata)

    def on_chat_model_start(self, serialized, messages, *, metadata=None, **kwargs):
        self.show("model", metadata)
        print(f"  the model reads: {messages[0][0].content!r} and {len(messages[0]) - 1} messages more")

    def show(self, kind, metadata):
        print(f"  {kind:<6} scope.prompt.version_id={(metadata or {}).get('scope.prompt.version_id')}")


def ask(chain, client, question):
    version = client.get_prompt_version(NAME)
    print(f"{question} (version {version.version_number}, options {model_options(version)})")
    config = {"callbacks": [ScopeCallbackHandler(), Show()], "metadata": trace_metadata(version)}
    print(f"  {chain.invoke({'question': question, 'history': HISTORY}, config=config)}")


def main():
    metadata = {"model": "gpt-4o", "temperature": 0.2, "owner": "support"}
    with LocalPlatform() as platform:
        platform.publish(NAME, FIRST, metadata=metadata)
        client = platform.client()
        model = FakeListChatModel(responses=["Yes, it is.", "120 kg."])
        prompt = scope_prompt(NAME, client=client)
        chain = RunnablePassthrough.assign(notes=retrieve) | prompt | model | StrOutputParser()
        ask(chain, client, "Is the lamp dimmable?")
        platform.publish(NAME, SECOND, metadata=metadata)
        client.clear_cache()
        print("--- version 2 is in production; the chain is the same object")
        ask(chain, client, "What does the chair hold?")


if __name__ == "__main__":
    main()
