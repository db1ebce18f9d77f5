"""Sums up a letter: the prompt and the model's settings are those of the version in production."""

import sys

from anthropic import Anthropic

from scope_client import ScopeClient

SETTINGS = {"model": "claude-haiku-5-5", "max_tokens": 500}  # what the metadata may change
FALLBACK = [
    {"role": "system", "content": "You sum up letters for {{reader}}."},
    {"role": "user", "content": "{{letter}}"},
]


def request(version, letter):
    """What the model is sent. Anthropic takes the system prompt apart from the messages."""
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    messages = version.messages(reader="a busy manager", letter=letter)
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    return {**settings, "system": system, "messages": [each for each in messages if each["role"] != "system"]}


def summary(model, version, letter):
    """The words of the summary, as they come."""
    with version.in_use(), model.messages.stream(**request(version, letter)) as stream:
        yield from stream.text_stream


def main():
    with ScopeClient(deadline=2) as prompts, Anthropic() as model:  # keys and addresses: those of the environment
        version = prompts.get_prompt_version("summary", fallback=FALLBACK)
        for word in summary(model, version, sys.stdin.read()):
            print(word, end="", flush=True)
        print(f"  [{version.name}, version {version.version_number}]")


if __name__ == "__main__":
    main()
