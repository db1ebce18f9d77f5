"""A chat through LiteLLM: a promotion of the prompt may bring another model, and another provider of models."""

import litellm

from scope_client import ScopeClient

SETTINGS = {"model": "openai/gpt-5.4-mini", "max_tokens": 500}  # what the metadata may change
FALLBACK = [
    {"role": "system", "content": "You answer questions about the {{product}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]


def request(version, history, question):
    """What the model is sent. LiteLLM drops a setting that the model does not have."""
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    messages = version.messages(product="Lamp", history=history, question=question)
    return {**settings, "messages": messages, "drop_params": True}


def answer(version, history, question):
    """The words of the answer, as they come."""
    with version.in_use():
        for chunk in litellm.completion(**request(version, history, question), stream=True):
            for choice in chunk.choices:
                yield choice.delta.content or ""


def main():
    history = []
    with ScopeClient(deadline=2) as prompts:  # keys and addresses: those of the environment
        prompts.prefetch(["any-model"])
        while True:
            try:
                question = input("> ")
            except EOFError:
                break
            version = prompts.get_prompt_version("any-model", fallback=FALLBACK)
            said = []
            for word in answer(version, history, question):
                said.append(word)
                print(word, end="", flush=True)
            print(f"  [{version.name}, version {version.version_number}]")
            history += [{"role": "user", "content": question}, {"role": "assistant", "content": "".join(said)}]


if __name__ == "__main__":
    main()
