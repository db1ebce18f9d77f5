"""Chat prompts for property tests: messages as people store them, and values for their variables."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "name", "question", "label")
HISTORIES = ("history", "earlier")

names = st.sampled_from(NAMES)
literals = st.sampled_from(["", " ", "{", "}", "{{", "}}", "{a}", "{{ a }}", '"', "\\", "\n", "é", "{% raw %}", "<b>&"])
texts = st.lists(literals | names.map("{{{{{}}}}}".format), max_size=5).map("".join)
images = st.just({"type": "image_url", "image_url": {"url": "https://x.test/{{a}}.png"}})
parts = st.lists(st.builds(lambda text: {"type": "text", "text": text}, texts) | images, min_size=1, max_size=3)
arguments = texts.map(lambda text: json.dumps({"q": text, "n": 1}))
calls = st.builds(
    lambda text: {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": text}}, arguments
)
placeholders = st.sampled_from(HISTORIES).map(lambda name: {"role": "placeholder", "content": f"{{{{{name}}}}}"})
messages = st.one_of(
    st.builds(
        lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "user", "assistant"]), texts
    ),
    st.builds(lambda content: {"role": "user", "content": content}, parts),
    st.builds(lambda call: {"role": "assistant", "content": None, "tool_calls": [call]}, calls),
    st.builds(lambda call: {"role": "assistant", "tool_calls": [call]}, calls),
    placeholders,
)
values = st.sampled_from(["", "Ada", "{{b}}", '"quoted"', "\\", "\n", "{x}", "<b>&", "é", 5, 1.5, True, ["x"]])
said = st.lists(
    st.builds(lambda text: {"role": "user", "content": text}, st.sampled_from(["{{a}}", "before", '"'])), max_size=3
)

# From here on: what LangChain knows of messages besides.
_others = st.sampled_from(
    [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "text", "text": "{{a}} {x}", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        "{{b}} and no more",
    ]
)
contents = texts | st.lists(parts.map(lambda made: made[0]) | _others, max_size=3)
_objects = texts.map(lambda text: {"q": text, "n": 1, "deep": {"texts": [text, None]}})
_calls_of_each_shape = st.one_of(
    calls,
    st.builds(
        lambda found: {"id": "call_2", "type": "function", "function": {"name": "search", "arguments": found}}, _objects
    ),
    st.builds(lambda found: {"id": "call_3", "type": "tool_call", "name": "search", "args": found}, _objects),
    st.builds(lambda found: {"id": "call_4", "name": "search", "args": found}, _objects),
)
_further: dict[str, Any] = {
    "name": st.sampled_from(["ann", "{{a}}", None]),
    "id": st.sampled_from(["m_1", None]),
    "additional_kwargs": st.sampled_from([{}, {"k": "{{a}}"}]),
    "response_metadata": st.sampled_from([{}, {"model_name": "{x}"}]),
    "refusal": st.sampled_from(["{{a}}", None]),
    "type": st.just("message"),
    "example": st.booleans(),
}
_text_fields: dict[str, Any] = {
    "role": st.sampled_from(["system", "developer", "user", "human", "assistant", "ai"]),
    "content": contents,
}
stored_messages = st.one_of(
    st.fixed_dictionaries(_text_fields),
    st.fixed_dictionaries(_text_fields, optional=_further),
    st.fixed_dictionaries(
        {"role": st.sampled_from(["assistant", "ai"]), "tool_calls": st.lists(_calls_of_each_shape, max_size=3)},
        optional={**_further, "content": contents},
    ).filter(lambda message: message.get("content") is not None or message["tool_calls"]),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": st.none(), "tool_calls": st.lists(_calls_of_each_shape, min_size=1)}
    ),
    st.fixed_dictionaries(
        {"role": st.just("tool"), "content": contents, "tool_call_id": st.just("call_{1}")},
        optional={
            **_further,
            "status": st.sampled_from(["success", "error", None]),
            "artifact": st.sampled_from([None, {"raw": ["{{a}}"]}]),
        },
    ),
    st.fixed_dictionaries({"role": st.just("function"), "content": contents, "name": st.just("{x}")}),
    placeholders,
)
