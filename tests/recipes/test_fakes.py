"""The real clients of OpenAI and Anthropic understand the fake models: whole answers, streams and calls of tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
from faults.clock import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipes.fakes.server import ModelServer

SYSTEM = "You answer questions about the Lamp, and briefly."
QUESTION = "Is it dimmable?"
ANSWER = "You answer questions about the: Is it dimmable?"
MESSAGES: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
PARAMETERS = {"type": "object", "properties": {"name": {"type": "string"}}}
TOOL = {"name": "stock", "description": "How many there are.", "parameters": PARAMETERS}


def openai_client(models: ModelServer) -> Any:
    return openai.OpenAI(base_url=models.openai_url, api_key="not-one", max_retries=0)


def anthropic_client(models: ModelServer) -> Any:
    return anthropic.Anthropic(base_url=models.url, api_key="not-one", max_retries=0)


def chat(models: ModelServer, **more: Any) -> Any:
    with openai_client(models) as client:
        return client.chat.completions.create(model="gpt-4o", messages=MESSAGES, **more)


def test_a_chat_completion_repeats_the_first_words_of_the_system_prompt(models: ModelServer) -> None:
    answer = chat(models)
    assert answer.choices[0].message.content == ANSWER
    assert (answer.model, answer.usage.completion_tokens) == ("gpt-4o", 8)
    assert models.bodies == [{"model": "gpt-4o", "messages": MESSAGES}]
    assert models.asked[0].headers["authorization"] == "Bearer not-one"


def test_a_chat_completion_is_streamed_word_by_word(models: ModelServer) -> None:
    with openai_client(models) as client:
        chunks = list(
            client.chat.completions.create(
                model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
            )
        )
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert (len(pieces), "".join(pieces)) == (8, ANSWER)
    assert chunks[-1].usage.total_tokens > 8


def test_a_response_is_whole_or_streamed(models: ModelServer) -> None:
    with openai_client(models) as client:
        whole = client.responses.create(model="gpt-4o", instructions=SYSTEM, input=QUESTION)
        with client.responses.stream(model="gpt-4o", input=MESSAGES) as stream:
            pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
            streamed = stream.get_final_response()
    assert whole.output_text == streamed.output_text == "".join(pieces) == ANSWER


def test_a_message_of_anthropics_is_whole_or_streamed(models: ModelServer) -> None:
    asked: Any = {"model": "claude-x", "max_tokens": 99, "system": SYSTEM, "messages": MESSAGES[1:]}
    with anthropic_client(models) as client:
        whole = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            pieces = list(stream.text_stream)
            streamed = stream.get_final_message()
    assert whole.content[0].text == streamed.content[0].text == "".join(pieces) == ANSWER
    assert (streamed.stop_reason, streamed.usage.output_tokens) == ("end_turn", 8)


def called_in_chat(models: ModelServer, stream: bool) -> tuple[str, Any]:
    with openai_client(models) as client:
        asked: Any = {"model": "gpt-4o", "messages": MESSAGES, "tools": [{"type": "function", "function": TOOL}]}
        if stream:
            with client.chat.completions.stream(**asked) as events:
                answer = events.get_final_completion()
        else:
            answer = client.chat.completions.create(**asked)
    call = answer.choices[0].message.tool_calls[0].function
    return call.name, json.loads(call.arguments)


def called_in_a_response(models: ModelServer, stream: bool) -> tuple[str, Any]:
    with openai_client(models) as client:
        asked: Any = {"model": "gpt-4o", "input": MESSAGES, "tools": [{"type": "function", "strict": False, **TOOL}]}
        if stream:
            with client.responses.stream(**asked) as events:
                answer = events.get_final_response()
        else:
            answer = client.responses.create(**asked)
    return answer.output[0].name, json.loads(answer.output[0].arguments)


def called_by_anthropic(models: ModelServer, stream: bool) -> tuple[str, Any]:
    tools = [{"name": "stock", "input_schema": PARAMETERS}]
    with anthropic_client(models) as client:
        asked: Any = {"model": "claude-x", "max_tokens": 99, "messages": MESSAGES[1:], "tools": tools}
        if stream:
            with client.messages.stream(**asked) as events:
                answer = events.get_final_message()
        else:
            answer = client.messages.create(**asked)
    return answer.content[0].name, answer.content[0].input


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("called", [called_in_chat, called_in_a_response, called_by_anthropic])
def test_a_tool_is_called_as_the_script_says(
    called: Callable[[ModelServer, bool], tuple[str, Any]], is_streamed: bool, models: ModelServer
) -> None:
    models.will_call("stock", name="Lamp")
    assert called(models, is_streamed) == ("stock", {"name": "Lamp"})


def test_a_call_waits_for_a_request_that_offers_its_tool(models: ModelServer) -> None:
    models.will_call("stock", name="Lamp")
    assert chat(models).choices[0].message.content == ANSWER
    assert called_in_chat(models, False) == ("stock", {"name": "Lamp"})


def test_a_failure_is_an_error_of_the_client(models: ModelServer) -> None:
    models.fail(503)
    with pytest.raises(openai.InternalServerError, match="told to answer 503"):
        chat(models)
    assert chat(models).choices[0].message.content == ANSWER


def test_a_held_stream_sends_a_word_when_it_is_told_to(models: ModelServer) -> None:
    models.hold_streams()
    with openai_client(models) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        words = (chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content)
        for word in ("You ", "answer "):
            models.let_word_go()
            assert next(words) == word
        models.let_go()
        assert "".join(words) == "questions about the: Is it dimmable?"
    assert models.streams_cut == 0


def test_a_reader_that_leaves_a_held_stream_is_noticed(models: ModelServer) -> None:
    models.hold_streams()
    asked: Any = {"model": "gpt-4o", "messages": MESSAGES, "stream": True}
    with openai_client(models) as client, client.chat.completions.create(**asked) as stream:
        models.let_word_go()
        assert next(chunk for chunk in stream if chunk.choices[0].delta.content)
    eventually(lambda: models.streams_cut == 1, 10.0)


def test_models_are_listed_and_texts_embedded(models: ModelServer) -> None:
    with openai_client(models) as client:
        assert [model.id for model in client.models.list()] == ["gpt-4o"]
        assert len(client.embeddings.create(model="e", input=["a", "b"]).data) == 2
