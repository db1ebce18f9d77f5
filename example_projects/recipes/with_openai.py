"""A chat in the terminal: the prompt and the model's settings are those of the version in production."""

from openai import OpenAI

from scope_client import ScopeClient

# What the metadata of a version may change.
SETTINGS = {"model": "gpt-5.4-mini", "reasoning_effort": "none", "max_completion_tokens": 500}
FALLBACK = [
    {"role": "system", "content": "You answer questions about the {{product}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]


def request(version, history, question):
    """What the model is sent."""
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    return {**settings, "messages": version.messages(product="Lamp", history=history, question=question)}


def answer(model, version, history, question):
    """The words of the answer, as they come."""
    with version.in_use(), model.chat.completions.create(**request(version, history, question), stream=True) as stream:
        for chunk in stream:
            for choice in chunk.choices:
                yield choice.delta.content or ""


def main():
    history = []
    with ScopeClient(deadline=2) as prompts, OpenAI() as model:  # keys and addresses: those of the environment
        prompts.prefetch(["answer"])
        while True:
            try:
                question = input("> ")
            except EOFError:
                break
            version = prompts.get_prompt_version("answer", fallback=FALLBACK)
            said = []
            for word in answer(model, version, history, question):
                said.append(word)
                print(word, end="", flush=True)
            print(f"  [{version.name}, version {version.version_number}]")
            history += [{"role": "user", "content": question}, {"role": "assistant", "content": "".join(said)}]


if __name__ == "__main__":
    main()
