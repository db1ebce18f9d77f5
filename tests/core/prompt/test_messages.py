"""The messages of a chat prompt are what a model's API takes: parts, tool calls, and the caller's own messages."""

from __future__ import annotations

import json
from collections import UserList, deque
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.local import LocalProxy

from scope_client import ApiError, MissingVariableError, PromptVersion, ValidationError

SAID = [{"role": "user", "content": 'hi {{q}} "quoted"'}, {"role": "assistant", "content": "said before", "x": [1]}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"city": "{{city}}"}'}}


def chat(*messages: Any) -> PromptVersion:
    return PromptVersion.from_api({"name": "support", "content": list(messages), "type": "chat"})


HISTORY = chat(
    {"role": "system", "content": "S {{x}}"},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{q}}"},
)


def test_messages_take_the_place_of_a_placeholder_untouched() -> None:
    found = HISTORY.messages(x=1, q="why?", history=SAID)
    assert found == [{"role": "system", "content": "S 1"}, *SAID, {"role": "user", "content": "why?"}]
    assert found[1] is SAID[0]
    assert json.loads(HISTORY.render(x=1, q="why?", history=SAID)) == found
    assert HISTORY.variables == ("x", "history", "q")


@pytest.mark.parametrize("none", [[], (), deque(), UserList()])
def test_an_empty_list_is_no_message(none: Any) -> None:
    assert [each["role"] for each in HISTORY.messages(x=1, q="q", history=none)] == ["system", "user"]


@pytest.mark.parametrize(
    "value",
    [
        *(
            "said before",
            b"x",
            5,
            True,
            None,
            {"role": "user", "content": "x"},
            {1},
            (each for each in SAID),
            iter(SAID),
        ),
        *(["said before"], [None], [5], [[]], [SAID], [b"x"], [{}], [{"role": 5}], [dict], [len], [str.upper]),
        *(LocalProxy(lambda: "text"), LocalProxy(lambda: None), [LocalProxy(lambda: None)]),
    ],
)
def test_what_is_no_list_of_messages_is_an_error_that_says_what_to_give(value: Any) -> None:
    for way in (HISTORY.messages, HISTORY.render):
        with pytest.raises(
            ValidationError, match=r"^prompt 'support': the value of 'history' must be a list of messages such as \{"
        ):
            way(x=1, q="q", history=value)


def test_the_item_that_is_no_message_is_named() -> None:
    with pytest.raises(ValidationError, match="item 2 is one of the type str"):
        HISTORY.messages(x=1, q="q", history=[SAID[0], "x"])
    with pytest.raises(ValidationError, match="item 1 is a mapping without a role"):
        HISTORY.messages(x=1, q="q", history=[{"content": "x"}])


def test_a_missing_list_is_a_missing_variable() -> None:
    for way in (HISTORY.messages, HISTORY.render):
        with pytest.raises(
            MissingVariableError, match=r"^prompt 'support': no value was given for 'history'"
        ) as caught:
            way(x=1, q="q")
        assert caught.value.missing_variables == ("history",)


@pytest.mark.parametrize("given_as", [tuple, deque, UserList, lambda each: LocalProxy(lambda: each)])
def test_every_kind_of_list_is_one(given_as: Any) -> None:
    assert HISTORY.messages(x=1, q="q", history=given_as(SAID))[1:3] == SAID


def test_messages_of_a_model_library_go_through_and_cannot_be_written_as_json() -> None:
    message = SimpleNamespace(role="user", content="x")
    assert HISTORY.messages(x=1, q="q", history=[message])[1] is message
    with pytest.raises(
        ValidationError, match=r"^prompt 'support': a message of the type SimpleNamespace.*messages\(\)"
    ):
        HISTORY.render(x=1, q="q", history=[message])
    frozen = MappingProxyType(SAID[0])
    assert json.loads(HISTORY.render(x=1, q="q", history=[frozen]))[1] == SAID[0]
    with pytest.raises(ValidationError, match="cannot be written as JSON"):
        HISTORY.render(x=1, q="q", history=[{"role": "user", "content": float("nan")}])


@pytest.mark.parametrize("role", ["placeholder", "Placeholder", "PLACEHOLDER"])
def test_the_role_is_known_in_any_case(role: str) -> None:
    assert chat({"role": role, "content": "{{h}}"}).messages(h=SAID) == SAID


def test_two_placeholders_may_share_a_name() -> None:
    twice = chat(*[{"role": "placeholder", "content": "{{h}}"}] * 2)
    assert twice.messages(h=SAID) == [*SAID, *SAID]


@pytest.mark.parametrize("content", ["", "history", "{{a}}{{b}}", "{{a}} ", " {{a}}", "{{ a }}", ["{{a}}"]])
def test_a_placeholder_that_is_not_one_variable_is_read_and_cannot_be_filled_in(content: Any) -> None:
    version = chat({"role": "placeholder", "content": content}, {"role": "user", "content": "{{q}}"})
    values = {name: [] for name in version.variables}
    for way in (version.messages, version.render):
        with pytest.raises(ValidationError, match=r"^prompt 'support': a placeholder must hold one variable"):
            way(**values)


def test_a_name_is_not_both_a_placeholder_and_a_text() -> None:
    version = chat({"role": "placeholder", "content": "{{h}}"}, {"role": "user", "content": "So far: {{h}}"})
    with pytest.raises(ValidationError, match=r"^prompt 'support': 'h' is a placeholder for messages and is in a text"):
        version.messages(h=[])


def test_text_parts_are_filled_in_and_others_stay() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x.test/{{who}}.png"}}
    parts = [{"type": "text", "text": "For {{who}}", "cache_control": {"type": "x{{who}}"}}, image, "and {{what}}"]
    version = chat({"role": "user", "content": parts})
    assert version.variables == ("who", "what")
    assert version.messages(who="Ann", what="all")[0]["content"] == [
        {"type": "text", "text": "For Ann", "cache_control": {"type": "x{{who}}"}},
        image,
        "and all",
    ]


@pytest.mark.parametrize("kind", ["text", "input_text", "output_text"])
def test_each_kind_of_text_part_is_one(kind: str) -> None:
    version = chat({"role": "user", "content": [{"type": kind, "text": "{{a}}"}]})
    assert version.messages(a="1")[0]["content"] == [{"type": kind, "text": "1"}]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"c": "{{city}}"}'}},
        {"role": "assistant", "content": None, "refusal": "no"},
        {"role": "assistant", "audio": {"id": "a"}},
        {"role": "function", "name": "f", "content": None},
        {"role": "assistant", "content": []},
        {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "{{x}}"}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {"a": "{{x}}"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text"}]}]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {"role": "developer", "content": [{"type": "text", "text": "x"}]},
        {"role": "user", "content": "x", "name": "{{n}}"},
        {"role": "assistant", "thinking": "first {{x}}"},
        {"role": "assistant", "content": None, "reasoning_content": "first"},
        {"role": "user", "parts": [{"text": "{{x}}"}]},
        {"type": "function_call_output", "call_id": "1", "output": "{{x}}"},
    ],
)
def test_what_a_models_api_takes_is_read_and_comes_out_with_the_same_keys(message: dict[str, Any]) -> None:
    version = chat(message)
    (found,) = version.messages(**dict.fromkeys(version.variables, "x"))
    assert found.keys() == message.keys()
    assert found.get("content") == message.get("content")
    assert json.loads(version.render(**dict.fromkeys(version.variables, "x"))) == [found]


@pytest.mark.parametrize("content", [None, 5, {}, True, [5], [None], [[]]])
def test_a_message_without_anything_to_say_is_an_api_error(content: Any) -> None:
    with pytest.raises(ApiError, match="expected message 1 of a chat prompt"):
        chat({"role": "assistant", "content": content, "tool_calls": []})


@given(st.text())
def test_a_value_cannot_break_the_json_of_a_tool_call(value: str) -> None:
    version = chat({"role": "assistant", "tool_calls": [CALL]})
    arguments = version.messages(city=value)[0]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"city": value}


def test_the_arguments_of_a_tool_call_keep_their_bytes_but_for_the_values() -> None:
    text = '{ "a" : "{{x}}é\\u00e9", "{{x}}":[1.50, "\\"{{y}}\\""] }'
    version = chat({"role": "assistant", "tool_calls": [{"function": {"name": "{{x}}", "arguments": text}}]})
    (found,) = version.messages(x="X", y='"')
    assert version.variables == ("x", "y")
    assert found["tool_calls"][0]["function"] == {
        "name": "{{x}}",
        "arguments": '{ "a" : "Xé\\u00e9", "X":[1.50, "\\"\\"\\""] }',
    }


def test_a_variable_outside_of_a_text_does_not_keep_others_from_being_escaped() -> None:
    for arguments, filled in (
        ('{"q": "{{q}}", "n": {{n}}}', {"q": 'say "hi"', "n": 5}),
        ('{"n": {{n}}, "q": "\\"{{q}}\\" \\\\"}', {"n": 5, "q": '"say "hi"" \\'}),
        ('{"q": "{{q}}", "x": 1e999}', {"q": 'say "hi"', "x": float("inf")}),
    ):
        version = chat({"role": "assistant", "tool_calls": [{"function": {"arguments": arguments}}]})
        values = {name: {"q": 'say "hi"', "n": 5}[name] for name in version.variables}
        assert json.loads(version.messages(**values)[0]["tool_calls"][0]["function"]["arguments"]) == filled


def test_a_value_outside_of_a_text_stays_as_it_is() -> None:
    version = chat({"role": "assistant", "tool_calls": [{"function": {"arguments": '{"o": {{o}}, "t": "{{o}}"}'}}]})
    arguments = version.messages(o='{"a": 1}')[0]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"o": {"a": 1}, "t": '{"a": 1}'}


def test_parts_without_a_kind_and_parts_under_another_name_are_filled_in() -> None:
    bedrock = chat({"role": "user", "content": [{"text": "Hi {{name}}"}]})
    assert bedrock.messages(name="Ada")[0]["content"] == [{"text": "Hi Ada"}]
    gemini = chat({"role": "user", "parts": [{"text": "Hi {{name}}"}, {"inline_data": {"data": "{{x}}"}}]})
    assert gemini.messages(name="Ada")[0]["parts"] == [{"text": "Hi Ada"}, {"inline_data": {"data": "{{x}}"}}]
    call = chat({"type": "function_call", "name": "f", "arguments": '{"a": "{{x}}"}'})
    assert call.messages(x='"')[0]["arguments"] == '{"a": "\\""}'


def test_what_json_cannot_name_is_an_error() -> None:
    with pytest.raises(ValidationError, match="cannot be written as JSON"):
        HISTORY.render(x=1, q="q", history=[{"role": "user", "content": "x", ("a",): 1}])


def test_arguments_that_are_no_json_are_filled_in_as_text() -> None:
    version = chat({"role": "assistant", "tool_calls": [{"function": {"arguments": '{"n": {{n}}}'}}]})
    assert version.messages(n=5)[0]["tool_calls"][0]["function"]["arguments"] == '{"n": 5}'


def test_arguments_as_an_object_are_filled_in_to_the_last_text() -> None:
    call = {"name": "f{{x}}", "args": {"a": ["{{x}}", {"b": "{{y}}"}], "c": 1}, "id": "{{x}}"}
    version = chat({"role": "assistant", "content": "", "tool_calls": [call]})
    assert version.messages(x='"X"', y=2)[0]["tool_calls"] == [
        {"name": "f{{x}}", "args": {"a": ['"X"', {"b": "2"}], "c": 1}, "id": "{{x}}"}
    ]
    custom = {"type": "custom", "custom": {"name": "t", "input": "say {{x}}"}}
    assert chat({"role": "assistant", "tool_calls": [custom]}).messages(x='"')[0]["tool_calls"][0]["custom"] == {
        "name": "t",
        "input": 'say "',
    }


def test_odd_tool_calls_stay_as_they_are() -> None:
    for odd in (5, "x {{y}}", {"a": 1}, [5, None, "{{y}}"]):
        assert chat({"role": "assistant", "content": "x", "tool_calls": odd}).messages()[0]["tool_calls"] == odd


def test_a_caller_who_changes_parts_changes_them_for_nobody_else() -> None:
    version = chat({"role": "user", "content": [{"type": "image", "source": {"url": "u"}}], "tool_calls": [CALL]})
    mine = version.messages(city="x")
    mine[0]["content"][0]["source"]["url"] = "changed"
    mine[0]["tool_calls"][0]["function"]["name"] = "changed"
    again = version.messages(city="x")
    assert again[0]["content"][0]["source"]["url"] == "u"
    assert again[0]["tool_calls"][0]["function"]["name"] == "search"


def test_a_variable_is_named_in_the_order_of_the_messages() -> None:
    version = chat(
        {"tool_calls": [CALL], "role": "assistant", "content": "{{first}}"},
        {"role": "placeholder", "content": "{{then}}"},
        {"role": "user", "content": ["{{last}}"]},
    )
    assert version.variables == ("first", "city", "then", "last")


def test_a_message_that_names_its_type_in_place_of_its_role_is_filled_in() -> None:
    version = chat({"type": "human", "content": "Hi {{name}}", "name": "{{name}}"})
    assert version.messages(name="Ada") == [{"type": "human", "content": "Hi Ada", "name": "{{name}}"}]
