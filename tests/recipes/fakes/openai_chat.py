"""OpenAI's chat completions, whole and streamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipes.fakes.answers import Answer, Body, Event


def usage(answer: Answer) -> Body:
    counted = {"prompt_tokens": answer.words_asked, "completion_tokens": answer.words}
    return {**counted, "total_tokens": sum(counted.values())}


def calls(answer: Answer) -> list[Body]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}
        for call in answer.calls
    ]


def whole(body: Body, answer: Answer) -> Body:
    message: Body = {"role": "assistant", "content": None if answer.calls else answer.text, "refusal": None}
    if answer.calls:
        message["tool_calls"] = calls(answer)
    choice = {"index": 0, "finish_reason": "tool_calls" if answer.calls else "stop", "message": message}
    head = {"id": answer.id, "object": "chat.completion", "created": 1, "model": answer.model}
    return {**head, "choices": [{**choice, "logprobs": None}], "usage": usage(answer)}


def events(body: Body, answer: Answer) -> Iterator[Event]:
    head = {"id": answer.id, "object": "chat.completion.chunk", "created": 1, "model": answer.model}

    def chunk(delta: Body, finish: str | None = None) -> tuple[None, Body]:
        return None, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    if answer.calls:
        yield chunk({"role": "assistant", "content": None})
        for index, call in enumerate(calls(answer)):
            yield chunk({"tool_calls": [{"index": index, **call}]})
        yield chunk({}, "tool_calls")
    else:
        yield chunk({"role": "assistant", "content": ""})
        for piece in answer.pieces:
            yield chunk({"content": piece})
        yield chunk({}, "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield None, {**head, "choices": [], "usage": usage(answer)}
    yield None, "[DONE]"
