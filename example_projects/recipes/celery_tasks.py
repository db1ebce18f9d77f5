"""A worker that answers questions with a model. Each of its processes has its prompts before its first task."""

import functools
import sys

import openai
from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_process_init

import scope_client

# What the metadata of a version may change.
SETTINGS = {"model": "gpt-5.4-mini", "reasoning_effort": "none", "max_completion_tokens": 500}
FALLBACK = [
    {"role": "system", "content": "You answer questions about the {{product}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]
PASSING = (
    *(scope_client.ServerError, scope_client.RateLimitError, scope_client.ConnectionError),
    *(openai.InternalServerError, openai.RateLimitError, openai.APIConnectionError),
)

app = Celery("celery_tasks", broker="redis://localhost:6379/0", backend="redis://localhost:6379/1")
scope_client.configure(deadline=2)  # keys and addresses: those of the environment
model = functools.cache(openai.OpenAI)  # one for each process: its connections must not be shared by a fork


@worker_process_init.connect
def warm(**_):
    """Two seconds at most: Celery kills a process that is not ready after four."""
    scope_client.client().prefetch(["answer"])


def request(version, question):
    """What the model is sent."""
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    return {**settings, "messages": version.messages(product="Lamp", history=[], question=question)}


@app.task(autoretry_for=PASSING, retry_backoff=True, max_retries=3, soft_time_limit=60, time_limit=70)
def answer(question):
    try:
        version = scope_client.client().get_prompt_version("answer", fallback=FALLBACK)
        with version.in_use():
            made = model().chat.completions.create(**request(version, question))
    except SoftTimeLimitExceeded:
        return {"answer": "That took too long. Please ask again.", "version": None}
    return {"answer": made.choices[0].message.content, "version": version.id}


if __name__ == "__main__":
    print(answer.delay(sys.argv[1]).get(timeout=90)["answer"])
