"""An AWS Lambda function that answers a question. Its prompts stay in memory from one call to the next."""

import json
import sys
from pathlib import Path

from openai import OpenAI

from scope_client import ScopeClient

# What the metadata of a version may change.
SETTINGS = {"model": "gpt-5.4-mini", "reasoning_effort": "none", "max_completion_tokens": 500}

# Once for each process, before its first call. The folder is shipped with the function.
prompts = ScopeClient(deadline=2, prompt_dir=Path(__file__).with_name("prompts"))
prompts.prefetch(["answer"])
model = OpenAI(timeout=20)


def request(version, question):
    """What the model is sent."""
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    return {**settings, "messages": version.messages(product="Lamp", history=[], question=question)}


def handler(event, context):
    question = json.loads(event["body"])["question"]
    version = prompts.get_prompt_version("answer")
    with version.in_use():
        made = model.chat.completions.create(**request(version, question))
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain; charset=utf-8", "X-Prompt-Version": version.id or "fallback"},
        "body": made.choices[0].message.content,
    }


if __name__ == "__main__":  # one call on your machine
    print(handler({"body": json.dumps({"question": sys.argv[1]})}, None)["body"])
