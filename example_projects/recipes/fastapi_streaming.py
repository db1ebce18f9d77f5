"""A site that streams the answers of a model. Its prompts are read on the event loop, before a stream begins."""

import asyncio
import contextlib
import logging
import os
from typing import Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from openai import AsyncOpenAI, OpenAIError
from pydantic import BaseModel

from scope_client import ScopeClient, ScopeError

log = logging.getLogger(__name__)
# What the metadata of a version may change.
SETTINGS = {"model": "gpt-5.4-mini", "reasoning_effort": "none", "max_completion_tokens": 500}
FALLBACK = [
    {"role": "system", "content": "You answer questions about the {{product}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]


class Said(BaseModel):
    role: Literal["user", "assistant"]
    content: str


class Question(BaseModel):
    question: str
    history: list[Said] = []


@contextlib.asynccontextmanager
async def lifespan(app):
    prompts = await asyncio.to_thread(ScopeClient, deadline=2)  # a client may read files when it is made
    report = await prompts.aprefetch(["answer"])
    for wanted, error in report.errors.items():
        log.warning("%s is not there yet: %s", wanted, error)
    async with AsyncOpenAI() as model:
        app.state.prompts, app.state.model = prompts, model
        yield
    prompts.close()


app = FastAPI(lifespan=lifespan)


def request_for(version, question):
    """What the model is sent."""
    settings = {name: version.get_metadata(name, default) for name, default in SETTINGS.items()}
    history = [said.model_dump() for said in question.history]
    return {**settings, "messages": version.messages(product="Lamp", history=history, question=question.question)}


async def words(stream):
    """Ends the model's work when the browser has left: the server then closes this generator."""
    async with stream:
        async for chunk in stream:
            for choice in chunk.choices:
                if choice.delta.content:
                    yield choice.delta.content


@app.post("/answer")
async def answer(question: Question, request: Request):
    version = await request.app.state.prompts.aget_prompt_version("answer", fallback=FALLBACK)
    with version.in_use():
        stream = await request.app.state.model.chat.completions.create(**request_for(version, question), stream=True)
    made_by = {"X-Prompt-Version": version.id or "fallback"}
    return StreamingResponse(words(stream), media_type="text/plain", headers=made_by)


@app.exception_handler(ScopeError)
@app.exception_handler(OpenAIError)
async def explain(request: Request, error: Exception):
    log.error("no answer: %s", error)
    return JSONResponse({"error": "There is no answer at the moment."}, status_code=502)


@app.get("/health")
async def health(request: Request):
    return request.app.state.prompts.status().to_dict()


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
