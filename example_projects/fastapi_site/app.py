"""An app that reads its prompts on the event loop, and streams the answers of a model."""

import asyncio
import contextlib

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from model import FakeModel
from pydantic import BaseModel

from scope_client import MissingVariableError, ScopeClient, ScopeError, ValidationError

SHOP = "Lamps & Co"
model = FakeModel()


class Asked(BaseModel):
    question: str


@contextlib.asynccontextmanager
async def lifespan(app):
    """One client for the whole process, made in a thread: a client may read files when it is made."""
    app.state.scope = await asyncio.to_thread(ScopeClient, deadline=2)
    await app.state.scope.aprefetch(["greeting", "support-chat"])
    yield
    app.state.scope.close()


app = FastAPI(lifespan=lifespan)


@app.get("/", response_class=PlainTextResponse)
async def home(request: Request, name: str = "stranger"):
    return await request.app.state.scope.arender_prompt("greeting", {"time_of_day": "morning", "name": name})


@app.post("/answer/{prompt}")
async def answer(request: Request, prompt: str, asked: Asked):
    """Streams the answer word by word. Nothing is read any more once it has begun, so that an error has its status."""
    version = await request.app.state.scope.aget_prompt_version(prompt)
    messages = version.messages(shop=SHOP, question=asked.question)
    words = model.stream(messages, temperature=version.get_metadata("temperature", 0.0))
    return StreamingResponse(words, media_type="text/plain", headers={"X-Prompt-Version": str(version.version_number)})


@app.exception_handler(ScopeError)
async def explain(request: Request, error: ScopeError):
    is_bad_request = isinstance(error, (MissingVariableError, ValidationError))
    return JSONResponse({"error": str(error)}, status_code=400 if is_bad_request else 502)
