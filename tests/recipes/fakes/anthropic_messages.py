"""Anthropic's messages, whole and streamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipes.fakes.answers import Answer, Body, Event


def blocks(answer: Answer) -> list[Body]:
    used = [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in answer.calls]
    return used or [{"type": "text", "text": answer.text}]


def whole(body: Body, answer: Answer) -> Body:
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "stop_reason": "tool_use" if answer.calls else "end_turn",
        "stop_sequence": None,
        "content": blocks(answer),
        "usage": {"input_tokens": answer.words_asked, "output_tokens": answer.words},
    }


def events(body: Body, answer: Answer) -> Iterator[Event]:
    for event in _events(body, answer):
        yield event["type"], event


def _events(body: Body, answer: Answer) -> Iterator[Body]:
    done = whole(body, answer)
    begun = {**done, "content": [], "stop_reason": None, "usage": {**done["usage"], "output_tokens": 0}}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(done["content"]):
        is_text = block["type"] == "text"
        empty = {"text": ""} if is_text else {"input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": {**block, **empty}}
        pieces = answer.pieces if is_text else [json.dumps(block["input"])]
        for piece in pieces:
            delta = {"type": "text_delta", "text": piece}
            if not is_text:
                delta = {"type": "input_json_delta", "partial_json": piece}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": done["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": answer.words}}
    yield {"type": "message_stop"}
