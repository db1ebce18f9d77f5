"""A stored message becomes what LangChain itself makes of it, once its values are filled in."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, Callable

import pytest
from faults.chats import HISTORIES, NAMES, said, stored_messages, values
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.load import dumpd, dumps, load, loads
from langchain_core.load.mapping import SERIALIZABLE_MAPPING
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import (
    ChatPromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
    SystemMessagePromptTemplate,
)
from langchain_core.runnables import RunnablePassthrough, RunnablePick, RunnableSequence

from scope_client import PromptVersion, ValidationError
from scope_client.testing import PromptsClient
from scope_langchain import MissingInputError, scope_prompt, to_langchain
from scope_langchain.messages import StoredMessagePromptTemplate

EXAMPLES = int(os.environ.get("SCOPE_TEST_EXAMPLES", "300"))


def stored(*messages: dict[str, Any]) -> PromptVersion:
    return PromptVersion.from_api({"name": "p", "content": json.dumps(messages), "type": "chat"})


def as_langchain_reads(messages: list[Any]) -> list[BaseMessage]:
    """LangChain asks for a content, also beside tool calls."""
    return convert_to_messages([{"content": None, **message} for message in messages])


def openai_call(arguments: object) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(stored_messages, max_size=4),
    st.fixed_dictionaries({**dict.fromkeys(NAMES, values), **dict.fromkeys(HISTORIES, said)}),
)
def test_each_message_is_the_one_that_langchain_makes(chat: list[dict[str, Any]], drawn: dict[str, Any]) -> None:
    version = stored(*chat)
    known = {name: drawn[name] for name in version.variables}
    wanted = as_langchain_reads(list(version.messages(**known)))
    template = to_langchain(version)
    assert template.invoke(known).to_messages() == wanted
    assert template.partial(**known).format_messages() == wanted
    live = scope_prompt("p", client=PromptsClient({"p": chat}))
    assert live.invoke(known).to_messages() == wanted


def test_the_examples_are_of_each_kind() -> None:
    """Or the test above could agree on little."""
    seen: set[object] = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(stored_messages)
    def look(message: dict[str, Any]) -> None:
        version = stored(message)
        for found in as_langchain_reads(list(version.messages(**{name: [] for name in version.variables}))):
            seen.add(type(found))
            seen.update(field for field, value in found if value)

    look()
    assert seen >= {HumanMessage, AIMessage, SystemMessage, ToolMessage, FunctionMessage}
    assert seen >= {"content", "name", "id", "tool_calls", "tool_call_id", "status", "artifact"}
    assert seen >= {"additional_kwargs", "response_metadata"}


loading = [
    pytest.mark.filterwarnings("ignore:The function `loads?` is in beta"),
    pytest.mark.filterwarnings("ignore:The default value of `allowed_objects` will change"),
]


# LangChain itself loses `example` between dumps and loads.
kept_messages = stored_messages.filter(lambda message: not message.get("example"))


NEEDS_NOTHING = tuple(RunnablePick.lc_id()) in SERIALIZABLE_MAPPING  # in langchain-core from 1.6 on
ALLOWED = [StoredMessagePromptTemplate, ChatPromptTemplate, PromptTemplate, MessagesPlaceholder, AIMessage]
ALLOWED += [SystemMessagePromptTemplate, HumanMessagePromptTemplate, RunnableSequence, RunnablePassthrough]


def loaded(saved: str) -> Any:
    """Without special arguments, or as the README says for what an older LangChain has no classes of."""
    if NEEDS_NOTHING or "scope_langchain" not in saved:
        assert "scope_langchain" not in saved
        return loads(saved)
    return loads(saved, allowed_objects=ALLOWED, valid_namespaces=["scope_langchain"])


class TestSaved:
    pytestmark = loading

    @settings(max_examples=EXAMPLES // 3, deadline=None)
    @given(kept_messages, st.fixed_dictionaries({**dict.fromkeys(NAMES, values), **dict.fromkeys(HISTORIES, said)}))
    def test_what_langchain_loads_makes_the_same_messages(self, message: dict[str, Any], drawn: dict[str, Any]) -> None:
        template = to_langchain(stored({"role": "system", "content": "{x} {{b}}"}, message))
        known = {name: drawn[name] for name in template.input_variables}
        assert loaded(dumps(template)).invoke(known) == template.invoke(known)

    @pytest.mark.parametrize(
        "message",
        [
            {"role": "critic", "name": "ann", "content": "{x} {{a}}"},
            {"role": "assistant", "tool_calls": [openai_call('{"n": {{a}}}')]},
            {"role": "assistant", "tool_calls": [openai_call({"q": [["{{a}}"]]})]},
            {"role": "assistant", "function_call": {"name": "f", "arguments": '{"q": "{{a}}"}'}},
        ],
    )
    def test_what_langchain_has_no_classes_for_is_loaded_if_ours_is_allowed(self, message: dict[str, Any]) -> None:
        made = to_langchain(stored(message))
        kept = loads(dumps(made), allowed_objects=ALLOWED, valid_namespaces=["scope_langchain"])
        assert type(kept.messages[0]) is StoredMessagePromptTemplate
        assert kept.invoke({"a": 1}) == made.invoke({"a": 1})

    def test_so_is_a_message_whose_values_were_given_in_advance(self) -> None:
        made = to_langchain(stored({"role": "tool", "tool_call_id": "c", "content": "{{a}}{{b}}"})).partial(a='"')
        kept = loads(dumps(made), allowed_objects=ALLOWED, valid_namespaces=["scope_langchain"])
        assert kept.invoke({"b": 1}) == made.invoke({"b": 1})


CALLED = [{"name": "f", "args": {"x": 1}, "id": "c", "type": "tool_call"}]


@pytest.mark.parametrize(
    "call",
    [
        {"name": "f", "args": {"x": 1}, "id": "c", "type": "tool_call"},
        {"name": "f", "args": {"x": 1}, "id": "c"},
        openai_call('{"x": 1}'),
        openai_call({"x": 1}),
    ],
)
@pytest.mark.parametrize("content", ["", None, "thinking", [{"type": "text", "text": "thinking"}]])
def test_a_tool_call_is_read_in_langchains_form_and_in_openais(call: dict[str, Any], content: object) -> None:
    found = to_langchain(stored({"role": "assistant", "content": content, "tool_calls": [call]})).format_messages()
    assert found == [AIMessage(content or "", tool_calls=CALLED)]  # type: ignore[arg-type]  # as a content may be


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ({"role": "user", "name": "ann"}, HumanMessage("{x} 1", name="ann")),
        ({"role": "user", "id": "m_1"}, HumanMessage("{x} 1", id="m_1")),
        ({"role": "System", "name": "rules"}, SystemMessage("{x} 1", name="rules")),
        (
            {"role": "developer", "name": "rules"},
            SystemMessage("{x} 1", name="rules", additional_kwargs={"__openai_role__": "developer"}),
        ),
        ({"role": "assistant", "refusal": "no"}, AIMessage("{x} 1", additional_kwargs={"refusal": "no"})),
        ({"role": "ai", "response_metadata": {"m": 1}}, AIMessage("{x} 1", response_metadata={"m": 1})),
        ({"role": "ai", "additional_kwargs": {"k": 1}}, AIMessage("{x} 1", additional_kwargs={"k": 1})),
        ({"role": "function", "name": "f"}, FunctionMessage("{x} 1", name="f")),
        ({"role": "tool", "tool_call_id": "c"}, ToolMessage("{x} 1", tool_call_id="c")),
        (
            {"role": "TOOL", "tool_call_id": "c", "status": "error", "artifact": {"raw": 1}, "name": "f"},
            ToolMessage("{x} 1", tool_call_id="c", status="error", artifact={"raw": 1}, name="f"),
        ),
    ],
)
def test_each_field_of_a_message_is_in_its_place(message: dict[str, Any], wanted: BaseMessage) -> None:
    made = to_langchain(stored({**message, "content": "{x} {{a}}"}))
    assert made.format_messages(a=1) == asyncio.run(made.aformat_messages(a=1)) == [wanted]


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage("{x} {{a}}", name="ann"),
        AIMessage("{x} {{a}}", tool_calls=[{"name": "f", "args": {"q": "{{a}}"}, "id": "c"}]),
        ToolMessage("{x} {{a}}", tool_call_id="c", status="error", artifact={"k": "{x}"}),
    ],
)
def test_a_message_that_langchain_wrote_is_read(message: BaseMessage) -> None:
    version = stored(message.model_dump())
    made = to_langchain(version)
    assert made.format_messages(a="1") == as_langchain_reads(list(version.messages(a="1")))
    assert made.format_messages(a="1")[0].content == "{x} 1"
    assert type(made.format_messages(a="1")[0]) is type(message)


def test_an_item_that_is_no_message_for_langchain_is_refused_when_the_template_is_made() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    with pytest.raises(ValidationError, match=r"^prompt 'p': LangChain takes no message without a role"):
        to_langchain(stored(call))


@pytest.mark.parametrize(
    "call", [openai_call("not JSON"), {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}]
)
def test_a_tool_call_that_langchain_cannot_read_stays_with_the_assistant(call: dict[str, Any]) -> None:
    (found,) = to_langchain(stored({"role": "assistant", "content": "", "tool_calls": [call]})).format_messages()
    assert isinstance(found, AIMessage)
    assert found.additional_kwargs == {"tool_calls": [call]}


def test_a_message_of_a_role_that_langchain_does_not_know_keeps_it() -> None:
    made = to_langchain(stored({"role": "Critic", "name": "ann", "content": "{{a}}"}))
    assert made.format_messages(a=1) == [ChatMessage("1", role="Critic", additional_kwargs={"name": "ann"})]


def test_variables_within_the_arguments_of_a_call_are_filled_in() -> None:
    calls = [
        openai_call('{"q": "{{a}}"}'),
        openai_call({"q": "{{a}}"}),
        {"id": "c", "name": "f", "args": {"q": ["{{a}}"]}},
    ]
    (found,) = to_langchain(stored({"role": "ai", "tool_calls": calls})).format_messages(a='"{{b}}"')
    assert [call["args"] for call in found.tool_calls] == [{"q": '"{{b}}"'}, {"q": '"{{b}}"'}, {"q": ['"{{b}}"']}]  # type: ignore[attr-defined]  # of an AIMessage


HISTORY = [{"role": "placeholder", "content": "{{history}}"}]
CONVERSATION = [
    {"role": "system", "content": "You are {{who}}."},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:{x}"}}, "{x}"], "name": "ann"},
    {"role": "assistant", "content": None, "tool_calls": [openai_call({"q": "{x}"})]},
    {"role": "tool", "tool_call_id": "c", "content": "{x}", "status": "error", "artifact": {"raw": 1}},
    {"role": "function", "name": "f", "content": "{x}"},
    {"role": "critic", "id": "m_1", "content": "{x}"},
    {"role": "user", "content": "{x} {{q}}"},
]


@pytest.mark.filterwarnings("ignore:The function `loads?` is in beta")
@pytest.mark.filterwarnings("ignore:The default value of `allowed_objects` will change")
def test_a_conversation_with_a_tool_is_saved_as_langchains_own_and_loaded_without_ours() -> None:
    made, values_ = to_langchain(stored(*CONVERSATION)), {"who": "{kind}", "q": "{why}"}
    assert "scope_langchain" not in dumps(made)
    for kept in (loads(dumps(made)), loads(dumps(made | StrOutputParser())).first, load(dumpd(made))):
        assert type(kept) is ChatPromptTemplate
        assert kept.invoke(values_) == made.invoke(values_)
        assert kept.input_variables == made.input_variables


@pytest.mark.filterwarnings("ignore:The function `loads?` is in beta")
@pytest.mark.filterwarnings("ignore:The default value of `allowed_objects` will change")
@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "tool_call_id": "c_{1}", "content": "{x} {{a}}", "status": "error", "artifact": {"{x}": 1}},
        {"role": "Tool", "tool_call_id": "c", "content": "{{a}}{{b}}"},
        {"role": "user", "name": "ann", "content": "{{a}}"},
        {"role": "user", "content": [{"type": "text", "text": "{x} {{a}}", "cache_control": {"type": "{x}"}}, "{{b}}"]},
        {"role": "assistant", "content": "{{b}}", "tool_calls": [openai_call('{"q": "{x} {{a}}", "n": 1}')]},
        {"role": "assistant", "content": None, "tool_calls": [openai_call({"q": ["{{a}}"], "n": None})]},
        {"role": "assistant", "tool_calls": [{"name": "f", "args": {"q": "{{a}}"}, "id": "c"}]},
        {"role": "function", "name": "f", "content": "{{a}}"},
        {"role": "assistant", "refusal": "{{x}}", "content": "{{a}}"},
    ],
)
def test_a_message_with_variables_is_loaded_without_ours(message: dict[str, Any]) -> None:
    made = to_langchain(stored({"role": "system", "content": "{{b}} {x}"}, message, CONVERSATION[-1], *HISTORY))
    given_ = {"a": '"{{b}}" {c}', "b": "\\{}", "q": "?", "history": [AIMessage("{a}")]}
    wanted = made.invoke(given_)
    assert loaded(dumps(made)).invoke(given_) == loaded(json.dumps(dumpd(made))).invoke(given_) == wanted
    late = {name: given_.pop(name) for name in ("q", "history")}
    assert loaded(dumps(made.partial(**late))).invoke(given_) == wanted
    chain = made | RunnablePassthrough()
    assert loaded(dumps(chain)).invoke({**given_, **late}) == wanted


ALONE: dict[str, Callable[[Any], Any]] = {
    "on its own": lambda made: made.messages[0].format_messages(),
    "in a template of LangChain's": lambda made: ChatPromptTemplate.from_messages(made.messages).format_messages(),
}


@pytest.mark.parametrize("call", ALONE.values(), ids=ALONE)
@pytest.mark.parametrize(
    "message",
    [{"role": "placeholder", "content": "{{a}}"}, {"role": "tool", "tool_call_id": "c", "content": "{{a}}"}],
    ids=["placeholder", "tool"],
)
def test_a_message_without_its_values_says_so_wherever_it_is(message: dict[str, Any], call: Any) -> None:
    with pytest.raises(KeyError, match=r"'?a'?"):
        call(to_langchain(stored(message)))
    with pytest.raises(MissingInputError, match="'a'"):
        to_langchain(stored(message)).messages[0].format_messages()


@pytest.mark.parametrize("given_", [{"histroy": [("ai", "x")], "q": "?"}, {"q": "?"}])
def test_a_misspelt_history_is_an_error_that_names_the_right_one(given_: dict[str, Any]) -> None:
    chat = [{"role": "placeholder", "content": "{{history}}"}, {"role": "user", "content": "{{q}}"}]
    live = scope_prompt("p", client=PromptsClient({"p": chat}))
    made = to_langchain(stored(*chat))
    calls: list[Callable[[], Any]] = [
        lambda: live.invoke(given_),
        lambda: asyncio.run(live.ainvoke(given_)),
        lambda: made.invoke(given_),
        lambda: made.format_messages(**given_),
        lambda: made.partial(q="?").invoke({k: v for k, v in given_.items() if k != "q"}),
    ]
    for call in calls:
        with pytest.raises(MissingInputError, match="'history'") as raised:
            call()
        assert raised.value.missing_variables == ("history",)


def test_messages_that_a_caller_changes_are_the_callers_own() -> None:
    made = to_langchain(stored({"role": "ai", "content": "x", "additional_kwargs": {"k": [1]}, "tool_calls": CALLED}))
    first = made.format_messages()[0]
    first.additional_kwargs["k"].append(2)
    first.tool_calls[0]["args"]["x"] = 2  # type: ignore[attr-defined]  # of an AIMessage
    assert made.format_messages() == [AIMessage("x", additional_kwargs={"k": [1]}, tool_calls=CALLED)]


def test_none_within_a_stored_message_is_refused_by_the_prompts_name() -> None:
    made = to_langchain(stored({"role": "user", "name": "ann", "content": "{{a}}"}))
    with pytest.raises(ValidationError, match=r"^prompt 'p': the value of 'a' is None"):
        made.invoke({"a": None})
