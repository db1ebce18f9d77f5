"""OpenAI's responses, whole and streamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipes.fakes.answers import Answer, Body, Event, ToolCall


def whole(body: Body, answer: Answer) -> Body:
    output = [call_item(call) for call in answer.calls] or [message(answer, answer.text)]
    return response(body, answer, output)


def response(body: Body, answer: Answer, output: list[Body]) -> Body:
    counted = {"input_tokens": answer.words_asked, "output_tokens": answer.words}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": answer.id,
        "object": "response",
        "created_at": 1,
        "model": answer.model,
        "status": "completed" if output else "in_progress",
        "output": output,
        "instructions": body.get("instructions"),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {**counted, **details, "total_tokens": sum(counted.values())} if output else None,
    }


def message(answer: Answer, text: str | None) -> Body:
    content = [] if text is None else [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    status = "in_progress" if text is None else "completed"
    return {"id": f"m_{answer.id}", "type": "message", "role": "assistant", "status": status, "content": content}


def call_item(call: ToolCall) -> Body:
    said = {"call_id": call.id, "name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": f"f_{call.id}", "type": "function_call", "status": "completed", **said}


def events(body: Body, answer: Answer) -> Iterator[Event]:
    for number, event in enumerate(_events(body, answer)):
        yield event["type"], {**event, "sequence_number": number}


def _events(body: Body, answer: Answer) -> Iterator[Body]:
    begun = response(body, answer, [])
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for place, call in enumerate(answer.calls):
        yield from _of_call(call_item(call), place)
    if not answer.calls:
        yield from _of_text(answer)
    yield {"type": "response.completed", "response": whole(body, answer)}


def _of_call(item: Body, place: int) -> Iterator[Body]:
    at = {"output_index": place, "item_id": item["id"]}
    arguments = item["arguments"]
    started = {**item, "arguments": "", "status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": place, "item": started}
    yield {"type": "response.function_call_arguments.delta", **at, "delta": arguments}
    yield {"type": "response.function_call_arguments.done", **at, "name": item["name"], "arguments": arguments}
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _of_text(answer: Answer) -> Iterator[Body]:
    done = message(answer, answer.text)
    (part,) = done["content"]
    at = {"output_index": 0, "content_index": 0, "item_id": done["id"]}
    yield {"type": "response.output_item.added", "output_index": 0, "item": message(answer, None)}
    yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
    for piece in answer.pieces:
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": answer.text, "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
