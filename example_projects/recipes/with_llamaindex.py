"""A chat about documents with LlamaIndex: both prompts, their models and settings are those of production."""

from llama_index.core import Document, PromptTemplate, SummaryIndex
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI

from scope_client import ScopeClient

MODEL = "gpt-5.4-mini"
SETTINGS = {"max_tokens": 500}  # what the metadata may change, beside the model
REWRITE_FALLBACK = [
    {"role": "system", "content": "You make a question clear without what was said before it."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]
ANSWER_FALLBACK = "Answer from these documents:\n\n{{documents}}\n\n{{question}}"


def model_of(version):
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    return OpenAI(model=version.get_metadata("model", MODEL), **settings)


def rewritten(version, history, question):
    """The question, clear without what was said before. A chat prompt becomes messages of LlamaIndex."""
    messages = [ChatMessage(**message) for message in version.messages(history=history, question=question)]
    with version.in_use():
        return model_of(version).chat(messages).message.content


def template_of(version):
    """A text prompt as the template of a query engine, which calls the variables context_str and query_str."""

    def filled(context_str="", query_str="", **_):
        return version.render(documents=context_str, question=query_str)

    return PromptTemplate("{filled}", function_mappings={"filled": filled})


def answer(index, version, question):
    """The words of the answer, as they come."""
    engine = index.as_query_engine(llm=model_of(version), text_qa_template=template_of(version), streaming=True)
    with version.in_use():
        yield from engine.query(question).response_gen


def main():
    index = SummaryIndex.from_documents([Document(text="The lamp is dimmable."), Document(text="It costs 20 euros.")])
    history = []
    with ScopeClient(deadline=2) as prompts:  # keys and addresses: those of the environment
        prompts.prefetch(["rewrite-question", "answer-from"])
        while True:
            try:
                question = input("> ")
            except EOFError:
                break
            if history:
                version = prompts.get_prompt_version("rewrite-question", fallback=REWRITE_FALLBACK)
                question = rewritten(version, history, question)
            version = prompts.get_prompt_version("answer-from", fallback=ANSWER_FALLBACK)
            said = []
            for word in answer(index, version, question):
                said.append(word)
                print(word, end="", flush=True)
            print(f"  [{version.name}, version {version.version_number}]")
            history += [{"role": "user", "content": question}, {"role": "assistant", "content": "".join(said)}]


if __name__ == "__main__":
    main()
