"""What LangChain does with prompts of its own, it does with ours."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from faults.reading import reads
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.load import dumps, loads
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
    format_document,
)
from langchain_core.runnables import ConfigurableField, RunnableLambda, RunnablePassthrough

import scope_client
from scope_client import MissingApiKeyError, PromptVersion, ScopeClient, ValidationError
from scope_client.testing import PromptsClient
from scope_langchain import MissingInputError, ScopeChatPromptTemplate, ScopePromptTemplate, scope_prompt, to_langchain

if TYPE_CHECKING:
    from scope_client.local import LocalPlatform

saved = [
    pytest.mark.filterwarnings("ignore:The function `loads` is in beta"),
    pytest.mark.filterwarnings("ignore:The default value of `allowed_objects` will change"),
]


class OnlyStr:
    def __str__(self) -> str:
        return "its str"

    def __format__(self, spec: str) -> str:
        return "its format"


def text(content: str, **more: Any) -> PromptVersion:
    known = {"id": "v_7", "prompt_id": "prompt_1", "name": "p", "version_number": 7, "content": content, "type": "text"}
    return PromptVersion.from_api({**known, **more})


def chat(*messages: dict[str, Any]) -> PromptVersion:
    return PromptVersion.from_api(
        {"id": "v_7", "prompt_id": "prompt_1", "name": "p", "content": json.dumps(messages), "type": "chat"}
    )


def prompt(content: str) -> Any:
    return to_langchain(text(content))


def messages(*given: tuple[str, str]) -> Any:
    return to_langchain(chat(*({"role": role, "content": content} for role, content in given)))


GREETING = "Good {{time_of_day}}, {{name}}! {not} {{ a }} {"
GREETED = "Good day, Ann! {not} {{ a }} {"
VALUES = {"time_of_day": "day", "name": "Ann"}


def test_it_is_a_prompt_template_of_langchains(client: ScopeClient) -> None:
    found = ScopePromptTemplate.from_scope("greeting", client=client)
    assert isinstance(found, PromptTemplate)
    assert found.format(**VALUES) == "Good day, Ann!"
    assert found.input_variables == ["name", "time_of_day"]
    assert found.template_format == "f-string"
    assert found.invoke(VALUES).to_string() == "Good day, Ann!"
    assert found.format_prompt(**VALUES).to_messages() == [HumanMessage("Good day, Ann!")]


def test_a_chat_prompt_is_a_chat_prompt_template_of_langchains(client: ScopeClient) -> None:
    found = ScopeChatPromptTemplate.from_scope("chat", client=client)
    assert isinstance(found, ChatPromptTemplate)
    assert found.input_variables == ["history", "question", "who"]
    assert found.optional_variables == []
    value = found.invoke({"who": "kind", "question": "{why}?", "history": [AIMessage("before")]})
    assert value.to_messages() == [SystemMessage("You are kind."), AIMessage("before"), HumanMessage("{why}?")]


def test_every_way_to_call_it_says_the_same() -> None:
    made = prompt(GREETING)
    assert made.format(**VALUES) == asyncio.run(made.aformat(**VALUES)) == GREETED
    assert made.invoke(VALUES).text == asyncio.run(made.ainvoke(VALUES)).text == GREETED
    assert [value.text for value in made.batch([VALUES] * 2)] == [GREETED] * 2
    assert [value.text for value in asyncio.run(made.abatch([VALUES] * 2))] == [GREETED] * 2
    assert [value.text for value in made.stream(VALUES)] == [GREETED]
    assert made.format_prompt(**VALUES).text == asyncio.run(made.aformat_prompt(**VALUES)).text == GREETED


def test_every_way_to_call_a_chat_prompt_says_the_same() -> None:
    made = messages(("system", "{x} {{a}}"), ("user", "{{b}}"))
    values, wanted = {"a": "{b}", "b": "{{a}}"}, [SystemMessage("{x} {b}"), HumanMessage("{{a}}")]
    assert made.format_messages(**values) == asyncio.run(made.aformat_messages(**values)) == wanted
    assert made.invoke(values).to_messages() == asyncio.run(made.ainvoke(values)).to_messages() == wanted
    assert made.format_prompt(**values).to_messages() == wanted
    assert [value.to_messages() for value in made.batch([values] * 2)] == [wanted] * 2
    assert [value.to_messages() for value in made.stream(values)] == [wanted]
    assert made.format(**values) == "System: {x} {b}\nHuman: {{a}}"


def test_values_without_a_variable_are_left_out_as_langchain_does() -> None:
    assert prompt("{{a}}").format(a=1, b=2) == "1"
    assert prompt("{{a}}").invoke({"a": 1, "b": None}).text == "1"
    assert messages(("user", "{{a}}")).invoke({"a": 1, "b": None}).to_messages() == [HumanMessage("1")]
    assert prompt("plain").invoke({"b": 2}).text == "plain"


def test_the_only_variable_takes_a_value_that_is_no_mapping() -> None:
    assert prompt("{x} {{a}}").invoke("{b}").text == "{x} {b}"
    assert prompt("{{a}}").invoke(3).text == "3"
    spoken = messages(("user", "{{a}}"), ("placeholder", "{{h}}")).partial(h=[])
    assert spoken.invoke("one").to_messages() == [HumanMessage("one")]
    with pytest.raises(ValidationError, match="None"):
        prompt("{{a}}").invoke(None)
    with pytest.raises(TypeError):
        prompt("{{a}} {{b}}").invoke("one")


def test_it_is_an_example_of_a_few_shot_prompt() -> None:
    few = FewShotPromptTemplate(
        examples=[{"q": "%s $x", "a": "<b>"}, {"q": "", "a": OnlyStr()}],
        example_prompt=prompt("q: {{q}}, a: {{a}}"),
        prefix="P {kind}",
        suffix="S {q}",
        input_variables=["q", "kind"],
        example_separator="|",
    )
    wanted = "P K|q: %s $x, a: <b>|q: , a: its str|S {Q}"
    assert few.format(kind="K", q="{Q}") == few.invoke({"kind": "K", "q": "{Q}"}).to_string() == wanted


def test_a_chat_prompt_is_an_example_of_a_few_shot_chat_prompt() -> None:
    few = FewShotChatMessagePromptTemplate(
        examples=[{"in": "{1}", "out": "{{2}}"}], example_prompt=messages(("user", "{x}{{in}}"), ("ai", "{{out}}"))
    )
    whole = ChatPromptTemplate.from_messages([("system", "Be."), few, ("human", "{q}")])
    found = whole.invoke({"q": "?"}).to_messages()
    assert found == [SystemMessage("Be."), HumanMessage("{x}{1}"), AIMessage("{{2}}"), HumanMessage("?")]


def test_it_joins_with_a_text_a_prompt_of_langchains_and_one_of_ours() -> None:
    first = prompt("{x} {{a}}")
    assert (first + " {b}").format(a="{1}", b="{2}") == "{x} {1} {2}"
    assert (first + PromptTemplate.from_template(" {b:>3}")).format(a=1, b=2) == "{x} 1   2"
    assert (PromptTemplate.from_template("{b:>3} ") + first).format(a=1, b=2) == "  2 {x} 1"
    assert (first + prompt(" {{ {{b}} }}")).format(a="1", b="{a}") == "{x} 1 {{ {a} }}"
    assert (first + prompt("{{a}}")).format(a="1") == "{x} 11"
    assert (first.partial(a="{p}") + "{b}").format(b=1) == "{x} {p}1"
    assert isinstance(first + "", PromptTemplate)
    for other in (1, None, HumanMessage("x")):
        with pytest.raises(NotImplementedError):
            first + other


def test_joining_changes_neither_of_the_two() -> None:
    first, second = prompt("{{a}}"), prompt("{{b}}")
    joined = first + second
    joined.metadata["mine"] = 1
    joined.tags.append("mine")
    assert "mine" not in first.metadata
    assert "mine" not in first.tags
    assert (first.format(a=1), second.format(b=2)) == ("1", "2")


def test_what_was_joined_keeps_the_rules_for_values() -> None:
    joined = prompt("{{a}}") + " {b}"
    assert joined.format(a=OnlyStr(), b=1) == "its str 1"
    with pytest.raises(ValidationError, match="None"):
        joined.format(a=None, b=1)
    with pytest.raises(MissingInputError):
        joined.format(b=1)


def test_a_joined_prompt_is_traced_under_the_version_it_comes_from() -> None:
    joined = prompt("{{a}}") + " {b}"
    assert joined.metadata["scope.prompt.version_id"] == "v_7"
    assert joined.tags == ["scope:p"]


def test_a_chat_prompt_joins_with_prompts_messages_templates_and_texts() -> None:
    first = messages(("system", "{x} {{a}}"))
    assert (first + messages(("user", "{{b}}"))).format_messages(a=1, b="{2}") == [
        SystemMessage("{x} 1"),
        HumanMessage("{2}"),
    ]
    assert (first + HumanMessage("{raw}")).format_messages(a=1)[1] == HumanMessage("{raw}")
    assert (first + "{b}").format_messages(a=1, b=2)[1] == HumanMessage("2")
    pair = [("ai", "{b}")]
    assert (first + pair).format_messages(a=1, b=2)[1] == AIMessage("2")
    assert (first + MessagesPlaceholder("h")).format_messages(a=1, h=[AIMessage("x")])[1] == AIMessage("x")
    assert (first + HumanMessagePromptTemplate(prompt=prompt("{y}{{b}}"))).format_messages(a=1, b=2)[
        1
    ].content == "{y}2"
    plain = ChatPromptTemplate.from_messages([("human", "{b}")])
    assert [message.content for message in (plain + first).format_messages(a=1, b=2)] == ["2", "{x} 1"]
    assert (first.partial(a="{p}") + "{b}").format_messages(b=1)[0].content == "{x} {p}"


def test_a_joined_chat_prompt_is_traced_under_the_version_it_comes_from() -> None:
    joined = messages(("system", "{{a}}")) + "{b}"
    assert (joined.metadata or {}).get("scope.prompt.version_id") == "v_7"
    assert joined.tags == ["scope:p"]


def test_a_joined_chat_prompt_keeps_the_rules_for_values() -> None:
    joined = messages(("system", "{{a}}")) + "{b}"
    assert joined.format_messages(a=OnlyStr(), b=1)[0].content == "its str"
    with pytest.raises(ValidationError, match="None"):
        joined.format_messages(a=None, b=1)
    with pytest.raises(MissingInputError):
        joined.format_messages(b=1)


def test_it_goes_into_a_chat_prompt_of_langchains() -> None:
    inner = messages(("system", "{x} {{a}}"), ("placeholder", "{{history}}"))
    whole = ChatPromptTemplate.from_messages(
        [inner, HumanMessagePromptTemplate(prompt=prompt("{y} {{b}}")), ("ai", "{c}")]
    )
    found = whole.invoke({"a": "{1}", "b": "{2}", "c": "{3}", "history": [AIMessage("h")]}).to_messages()
    assert [message.content for message in found] == ["{x} {1}", "h", "{y} {2}", "{3}"]
    assert sorted(whole.input_variables) == ["a", "b", "c", "history"]
    assert whole.invoke({"a": 1, "b": 2, "c": 3, "history": []}).to_messages()[0].content == "{x} 1"


def test_it_says_how_a_document_is_shown() -> None:
    document = Document(page_content="{text}", metadata={"source": "{{s}}"})
    assert format_document(document, prompt("{x} {{source}}: {{page_content}}")) == "{x} {{s}}: {text}"


def test_partial_values_are_fixed_and_callables_are_asked_each_time() -> None:
    counted = iter(range(9))
    made = prompt("{x} {{a}} {{b}} {{c}}")
    partial = made.partial(a="{1}", b=lambda: next(counted))
    assert isinstance(partial, ScopePromptTemplate)
    assert partial.input_variables == ["c"]
    assert [partial.format(c=2), partial.invoke({"c": 3}).text, partial.invoke(4).text] == [
        "{x} {1} 0 2",
        "{x} {1} 1 3",
        "{x} {1} 2 4",
    ]
    assert partial.format(a="A", b="B", c="C") == "{x} A B C"
    assert partial.partial(c="C").format(b="B") == "{x} {1} B C"
    assert sorted(made.input_variables) == ["a", "b", "c"]
    assert partial.metadata == made.metadata
    assert partial.tags == made.tags


def test_a_chat_prompt_has_partial_values_too() -> None:
    made = messages(("system", "{x} {{a}}"), ("placeholder", "{{history}}"), ("user", "{{b}}"))
    partial = made.partial(a=lambda: "{1}", history=[AIMessage("kept")])
    assert isinstance(partial, ScopeChatPromptTemplate)
    found = partial.invoke("B").to_messages()
    assert found == [SystemMessage("{x} {1}"), AIMessage("kept"), HumanMessage("B")]
    assert partial.metadata == made.metadata
    assert made.format_messages(a=1, b=2, history=[]) == [SystemMessage("{x} 1"), HumanMessage("2")]


def test_partial_values_may_be_given_from_the_start(client: ScopeClient) -> None:
    found = ScopePromptTemplate.from_scope(
        "greeting", client=client, partial_variables={"name": "{Ann}", "time_of_day": lambda: "day"}
    )
    assert found.format() == found.invoke({}).text == "Good day, {Ann}!"
    assert found.format(name="Bob") == "Good day, Bob!"
    spoken = ScopeChatPromptTemplate.from_scope(
        "chat", client=client, partial_variables={"who": "{kind}", "history": []}
    )
    assert spoken.invoke("Why?").to_messages() == [SystemMessage("You are {kind}."), HumanMessage("Why?")]


def test_a_partial_value_without_a_variable_is_a_mistake(client: ScopeClient) -> None:
    for kind, name in ((ScopePromptTemplate, "greeting"), (ScopeChatPromptTemplate, "chat")):
        with pytest.raises(ValidationError, match=r"partial_variables has 'nmae'.*knows '"):
            kind.from_scope(name, client=client, partial_variables={"nmae": "Ann"})


def test_a_pickle_and_a_saved_template_name_only_places_that_stay() -> None:
    made = to_langchain(chat({"role": "critic", "name": "ann", "content": "{{a}}"}))
    for whole in (made, prompt("{{a}}")):
        assert b"scope_langchain._" not in pickle.dumps(whole)
        assert '"scope_langchain", "_' not in dumps(whole)
        assert dumps(whole).startswith('{"lc": 1, "type": "constructor", "id": ["langchain", "prompts", ')
    assert '"id": ["scope_langchain", "messages", "StoredMessagePromptTemplate"]' in dumps(made)


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_it_travels_whole(travel: Any) -> None:
    for made, values in (
        (prompt(GREETING), VALUES),
        (prompt(GREETING).partial(name="{Ann}"), {"time_of_day": "day"}),
        (
            messages(("system", GREETING), ("placeholder", "{{h}}"), ("critic", "{{name}}")),
            {**VALUES, "h": [("ai", "x")]},
        ),
        (to_langchain(chat({"role": "tool", "content": "{{a}}", "tool_call_id": "c"})), {"a": "{1}"}),
    ):
        arrived = travel(made)
        assert type(arrived) is type(made)
        assert getattr(arrived, "messages", arrived) == getattr(made, "messages", made)
        assert arrived.invoke(values) == made.invoke(values)
        assert (arrived.metadata, arrived.tags) == (made.metadata, made.tags)
        with pytest.raises(MissingInputError):
            arrived.invoke({})


class TestSaved:
    pytestmark = saved

    def test_it_is_saved_as_langchains_own_and_loaded_without_ours(self) -> None:
        for made, kind in ((prompt(GREETING), PromptTemplate), (messages(("system", GREETING)), ChatPromptTemplate)):
            kept = loads(dumps(made))
            assert type(kept) is kind
            assert kept.invoke(VALUES) == made.invoke(VALUES)
            assert kept.input_variables == made.input_variables
            assert (kept.metadata, kept.tags) == (made.metadata, made.tags)
            assert "scope_langchain" not in dumps(made)

    def test_partial_values_and_placeholders_are_saved(self) -> None:
        made = messages(("system", "{x} {{a}}"), ("placeholder", "{{h}}"), ("developer", "{{b}}"), ("critic", "{{c}}"))
        values = {"b": "{2}", "c": "{3}", "h": [AIMessage("x")]}
        assert loads(dumps(made.partial(a="{1}"))).invoke(values) == made.invoke({"a": "{1}", **values})
        assert loads(dumps(prompt("{{a}}{{b}}").partial(a="{1}"))).format(b="{2}") == "{1}{2}"

    def test_a_chain_is_saved_and_loaded(self) -> None:
        chain = prompt("{x} {{a}}") | StrOutputParser()
        assert loads(dumps(chain)).first.format(a="{1}") == "{x} {1}"


def test_a_prompt_that_was_partial_and_asked_for_nothing_needs_nothing() -> None:
    assert prompt("{{a}}").partial(a="x").invoke({}).text == "x"


def test_the_input_schema_names_the_variables() -> None:
    schema = prompt("{{b}} {{a}} {c}").get_input_schema()
    assert schema.model_json_schema()["required"] == ["a", "b"]
    assert set(prompt("{{b}} {{a}}").input_schema.model_json_schema()["properties"]) == {"a", "b"}
    spoken = messages(("placeholder", "{{h}}"), ("user", "{{q}}")).get_input_schema().model_json_schema()
    assert spoken["required"] == ["h", "q"]
    assert spoken["properties"]["h"]["type"] == "array"
    assert prompt("{{b}}").partial(b="x").get_input_schema().model_json_schema().get("required", []) == []
    for name in ("_x", "schema", "model_config", "größe", "copy"):
        assert list(prompt(f"{{{{{name}}}}}").get_input_schema().model_json_schema()["properties"]) == [name]


def test_the_graph_of_a_chain_shows_it() -> None:
    for made, name in (
        (prompt("{{a}}"), "ScopePromptTemplate"),
        (messages(("user", "{{a}}")), "ScopeChatPromptTemplate"),
    ):
        graph = (made | FakeListChatModel(responses=["x"])).get_graph()
        assert name in [node.name for node in graph.nodes.values()]
        assert name in graph.draw_mermaid()
        assert made.get_name() == name


def test_fields_may_be_configurable() -> None:
    made = prompt("{x} {{a}}").configurable_fields(template=ConfigurableField(id="template"))
    assert made.invoke({"a": "{1}"}).text == "{x} {1}"
    other = made.with_config(configurable={"template": "{{y}} {a:>3}"})
    assert other.invoke({"a": "1"}).text == "{y}   1"
    assert made.invoke({"a": "1"}).text == "{x} 1"


def test_alternatives_may_be_configurable() -> None:
    made = prompt("one {{a}}").configurable_alternatives(
        ConfigurableField(id="which"),
        default_key="one",
        two=prompt("two {{a}}"),
        three=messages(("user", "three {{a}}")),
    )
    assert made.invoke({"a": "{1}"}).to_string() == "one {1}"
    assert made.with_config(configurable={"which": "two"}).invoke({"a": "{1}"}).to_string() == "two {1}"
    assert made.invoke({"a": 1}, {"configurable": {"which": "three"}}).to_messages() == [HumanMessage("three 1")]


def test_bindings_retries_and_fallbacks_take_it() -> None:
    made = prompt("{x} {{a}}")
    assert made.with_config(run_name="named", tags=["t"]).invoke({"a": 1}).text == "{x} 1"
    assert made.with_retry(stop_after_attempt=2).invoke({"a": 1}).text == "{x} 1"
    rescued = made.with_fallbacks([RunnableLambda(lambda _: "rescued")], exceptions_to_handle=(KeyError,))
    assert rescued.invoke({}) == "rescued"
    assert made.with_types(input_type=dict).invoke({"a": 1}).text == "{x} 1"


def test_models_take_what_it_makes() -> None:
    chain = prompt("{x} {{a}}") | FakeListLLM(responses=["said"])
    assert chain.invoke({"a": 1}) == "said"
    spoken = messages(("user", "{{a}}")) | FakeListChatModel(responses=["said"]) | StrOutputParser()
    assert spoken.invoke({"a": 1}) == asyncio.run(spoken.ainvoke({"a": 1})) == "said"
    assert "".join(spoken.stream({"a": 1})) == "said"
    assert spoken.batch([{"a": 1}, {"a": 2}]) == ["said", "said"]
    assigned = RunnablePassthrough.assign(text=prompt("{x}{{a}}") | RunnableLambda(lambda value: value.text))
    assert assigned.invoke({"a": 1}) == {"a": 1, "text": "{x}1"}


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("system", SystemMessage("{x} 1")),
        ("System", SystemMessage("{x} 1")),
        ("user", HumanMessage("{x} 1")),
        ("USER", HumanMessage("{x} 1")),
        ("human", HumanMessage("{x} 1")),
        ("Human", HumanMessage("{x} 1")),
        ("assistant", AIMessage("{x} 1")),
        ("Assistant", AIMessage("{x} 1")),
        ("ai", AIMessage("{x} 1")),
        ("AI", AIMessage("{x} 1")),
        ("developer", SystemMessage("{x} 1", additional_kwargs={"__openai_role__": "developer"})),
        ("Developer", SystemMessage("{x} 1", additional_kwargs={"__openai_role__": "developer"})),
        ("critic", ChatMessage("{x} 1", role="critic")),
        ("Critic", ChatMessage("{x} 1", role="Critic")),
        ("tool", ChatMessage("{x} 1", role="tool")),
        ("function", ChatMessage("{x} 1", role="function")),
        ("", ChatMessage("{x} 1", role="")),
    ],
)
def test_each_role_becomes_the_message_of_that_role(role: str, message: Any) -> None:
    assert messages((role, "{x} {{a}}")).format_messages(a=1) == [message]


HISTORY = [
    HumanMessage(
        [{"type": "text", "text": "{x} {{a}}"}, {"type": "image_url", "image_url": {"url": "data:{}"}}], name="ann"
    ),
    AIMessage("", tool_calls=[{"name": "search", "args": {"q": "{a}"}, "id": "call_1"}], id="m_1"),
    ToolMessage("{{result}}", tool_call_id="call_1", artifact={"raw": object}),
    AIMessage("{a}", additional_kwargs={"k": "{v}"}, response_metadata={"m": "{n}"}),
]


@pytest.mark.parametrize("role", ["placeholder", "Placeholder", "PLACEHOLDER"])
def test_messages_put_into_a_placeholder_go_through_untouched(role: str) -> None:
    made = messages(("system", "{{a}}"), (role, "{{history}}"), ("user", "{{a}}"))
    for found in (
        made.format_messages(a="A", history=HISTORY),
        made.invoke({"a": "A", "history": HISTORY}).to_messages(),
        asyncio.run(made.ainvoke({"a": "A", "history": HISTORY})).to_messages(),
    ):
        assert found == [SystemMessage("A"), *HISTORY, HumanMessage("A")]
        assert all(ours is theirs for ours, theirs in zip(found[1:-1], HISTORY))


def test_a_placeholder_may_be_empty_and_may_not_be_left_out() -> None:
    made = messages(("placeholder", "{{history}}"), ("user", "{{a}}"))
    assert made.invoke({"a": 1, "history": []}).to_messages() == [HumanMessage("1")]
    for call in (lambda: made.invoke({"a": 1}), lambda: made.format_messages(a=1)):
        with pytest.raises(MissingInputError) as caught:
            call()
        assert caught.value.missing_variables == ("history",)
    assert messages(("placeholder", "{{history}}")).partial(history=[]).invoke({}).to_messages() == []


@pytest.mark.parametrize("value", ["said before", b"x", None, 5, {"role": "user", "content": "x"}, [5], [None], [{}]])
def test_a_placeholder_takes_nothing_but_a_list_of_messages(value: object) -> None:
    made = messages(("placeholder", "{{history}}"), ("user", "{{a}}"))
    with pytest.raises(ValidationError, match=r"^prompt 'p': the value of 'history' must be a list of messages"):
        made.invoke({"a": 1, "history": value})


def test_a_placeholder_takes_pairs_and_messages_without_content() -> None:
    made = messages(("placeholder", "{{history}}"))
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    given = [("human", "{a} {{b}}"), {"role": "assistant", "content": None, "tool_calls": [call]}, "{c}"]
    first, second, third = made.invoke({"history": given}).to_messages()
    assert (first, third) == (HumanMessage("{a} {{b}}"), HumanMessage("{c}"))
    assert second.tool_calls == [{"name": "f", "args": {}, "id": "call_1", "type": "tool_call"}]
    assert not second.content


def test_a_placeholder_is_in_the_place_where_the_prompt_has_it() -> None:
    made = messages(
        ("placeholder", "{{one}}"), ("user", "{{a}}"), ("placeholder", "{{two}}"), ("placeholder", "{{one}}")
    )
    found = made.invoke({"a": "a", "one": [AIMessage("1")], "two": [AIMessage("2")]}).to_messages()
    assert [message.content for message in found] == ["1", "a", "2", "1"]


@pytest.mark.parametrize(
    "content", ["", "history", "{{a}}{{b}}", "{{a}} ", " {{a}}", "{{a}}\n", "{history}", "{{ history }}"]
)
def test_a_placeholder_that_is_not_one_variable_is_refused_at_conversion(content: str) -> None:
    with pytest.raises(ValidationError, match=r"^prompt 'p': a placeholder must hold one variable"):
        messages(("placeholder", content))


def test_a_variable_is_not_both_a_placeholder_and_a_text() -> None:
    with pytest.raises(ValidationError, match="history"):
        messages(("placeholder", "{{history}}"), ("user", "So far: {{history}}")).invoke({})


def test_each_class_takes_what_it_can_hold(client: ScopeClient) -> None:
    with pytest.raises(ValidationError, match=r"'chat' is a chat prompt: use ScopeChatPromptTemplate"):
        ScopePromptTemplate.from_scope("chat", client=client)
    found = ScopeChatPromptTemplate.from_scope("greeting", client=client)
    assert found.format_messages(**VALUES) == [HumanMessage("Good day, Ann!")]


def test_label_and_version_choose_as_they_do_in_the_core(platform: LocalPlatform, client: ScopeClient) -> None:
    first = client.get_prompt_version("greeting").id
    platform.draft("greeting", "draft {{name}}")
    platform.draft("chat", [{"role": "user", "content": "draft {{q}}"}])
    assert ScopePromptTemplate.from_scope("greeting", client=client, label="latest").format(name="A") == "draft A"
    assert ScopeChatPromptTemplate.from_scope("chat", client=client, label="latest").invoke("A").to_messages() == [
        HumanMessage("draft A")
    ]
    platform.publish("greeting", "new {{name}}")
    client.clear_cache()
    assert ScopePromptTemplate.from_scope("greeting", client=client, version=first).template.startswith("Good ")
    assert ScopePromptTemplate.from_scope("greeting", client=client, label="production").format(name="A") == "new A"
    with pytest.raises(TypeError):
        ScopePromptTemplate.from_scope("greeting", client=client, label="latest", version=first)
    with pytest.raises(ValidationError):
        ScopePromptTemplate.from_scope("greeting", client=client, label="staging")


def test_a_fallback_stands_in_while_the_platform_is_down(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.fail(503)
    found = ScopePromptTemplate.from_scope("greeting", client=client, fallback="Hi {x} {{name}}")
    assert found.format(name="{A}", time_of_day="unused") == "Hi {x} {A}"
    assert found.metadata["scope.prompt.is_fallback"] is True
    spoken = ScopeChatPromptTemplate.from_scope(
        "chat", client=client, fallback=lambda: "Q: {{question}}", partial_variables={"who": "unused"}
    )
    assert spoken.invoke({"question": "{why}"}).to_messages() == [HumanMessage("Q: {why}")]
    assert ScopePromptTemplate.from_scope("greeting", client=client, fallback="").format() == ""


def test_without_a_client_the_one_of_the_process_is_used(platform: LocalPlatform) -> None:
    with pytest.raises(MissingApiKeyError):
        ScopePromptTemplate.from_scope("greeting")
    scope_client.configure(credentials=platform.credentials, base_url=platform.url, auth_api_url=platform.url)
    assert ScopePromptTemplate.from_scope("greeting").format(**VALUES) == "Good day, Ann!"
    assert ScopeChatPromptTemplate.from_scope("chat").input_variables == ["history", "question", "who"]
    assert scope_prompt("greeting").invoke(VALUES).text == "Good day, Ann!"
    assert reads(platform, "greeting") == 1


def test_the_client_for_users_own_tests_will_do() -> None:
    fake = PromptsClient({"greeting": "Hi {x} {{name}}", "chat": [{"role": "user", "content": "{{q}}"}]})
    assert ScopePromptTemplate.from_scope("greeting", client=fake).format(name="A") == "Hi {x} A"
    assert scope_prompt("greeting", client=fake).invoke("A").text == "Hi {x} A"
    assert asyncio.run(scope_prompt("chat", client=fake).ainvoke("A")).to_messages() == [HumanMessage("A")]


def test_conversion_asks_nobody(platform: LocalPlatform, client: ScopeClient) -> None:
    version = client.get_prompt_version("greeting")
    before = len(platform.requests)
    platform.stop()
    assert to_langchain(version).format(**VALUES) == "Good day, Ann!"
    assert len(platform.requests) == before


def test_a_template_once_made_stays_as_it_is_when_another_version_is_promoted(
    platform: LocalPlatform, client: ScopeClient
) -> None:
    found = ScopePromptTemplate.from_scope("greeting", client=client)
    platform.publish("greeting", "new")
    client.clear_cache()
    assert found.format(**VALUES) == "Good day, Ann!"


def test_no_secret_and_no_client_is_in_a_template(platform: LocalPlatform, client: ScopeClient) -> None:
    secret, key = platform.credentials.api_secret, platform.credentials.api_key
    for made in (
        ScopePromptTemplate.from_scope("greeting", client=client),
        ScopeChatPromptTemplate.from_scope("chat", client=client),
        ScopePromptTemplate.from_scope("greeting", client=client, partial_variables={"name": "A"}).partial(
            time_of_day="x"
        ),
    ):
        shown = [repr(made), str(made), dumps(made), repr(made.__dict__), repr(made.__pydantic_private__)]
        shown += [pickle.dumps(made).decode("latin-1"), repr(made.model_dump()), made.pretty_repr()]
        for each in shown:
            assert not any(said in each for said in (secret, key, "ScopeClient", "Credentials", platform.url))
        assert not any(isinstance(value, ScopeClient) for value in vars(made).values())


def test_what_a_chain_with_a_live_prompt_shows_has_no_secret(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    live.invoke(VALUES)
    chain = live | FakeListChatModel(responses=["x"])
    for shown in (repr(live), repr(chain), str(chain), dumps(live), dumps(chain), repr(vars(live))):
        assert platform.credentials.api_secret not in shown
        assert platform.credentials.api_key not in shown


def test_it_shows_itself_as_a_prompt_does() -> None:
    assert prompt("{x} {{a}}").pretty_repr() == PromptTemplate.from_template("{{x}} {a}").pretty_repr()
    assert "{a}" in messages(("system", "{{a}}"), ("placeholder", "{{h}}")).pretty_repr()


def test_two_conversions_of_one_version_are_equal() -> None:
    assert prompt(GREETING) == prompt(GREETING)
    assert prompt(GREETING) != prompt("other")
    assert messages(("user", GREETING)) == messages(("user", GREETING))
