"""The live prompt as a prompt template: wherever LangChain takes one, and with a fresh version at each call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import (
    BasePromptTemplate,
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
)
from langchain_core.runnables import ConfigurableField

from scope_client import ValidationError
from scope_langchain import LivePrompt, MissingInputError, ScopePromptTemplate, scope_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.clock import ManualClock

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

ANN = {"name": "Ann", "time_of_day": "day"}
HISTORY = [HumanMessage("before"), AIMessage("then")]


@pytest.fixture
def system(platform: LocalPlatform, client: ScopeClient) -> LivePrompt:
    platform.publish("system", "Use {{context}}.")
    return scope_prompt("system", client=client, role="system")


def promote(platform: LocalPlatform, client: ScopeClient, name: str, content: Any) -> None:
    platform.publish(name, content)
    client.clear_cache()


def test_it_is_a_prompt_template_with_the_variables_of_its_version(
    platform: LocalPlatform, client: ScopeClient
) -> None:
    live = scope_prompt("greeting", client=client, partial_variables={"name": "Ann"})
    assert isinstance(live, BasePromptTemplate)
    assert live.input_variables == ["time_of_day"]
    assert live.partial_variables == {"name": "Ann"}
    assert live.format(time_of_day="day") == "Good day, Ann!"
    assert live.format_prompt(time_of_day="day").to_messages() == [HumanMessage("Good day, Ann!")]
    promote(platform, client, "greeting", "Hi {{name}} {{new}}")
    assert live.input_variables == ["new"]


def test_a_chat_prompt_is_formatted_as_langchain_formats_one(client: ScopeClient) -> None:
    live = scope_prompt("chat", client=client)
    values: dict[str, Any] = {"who": "w", "history": HISTORY, "question": "q"}
    wanted = [SystemMessage("You are w."), *HISTORY, HumanMessage("q")]
    assert live.format_messages(**values) == asyncio.run(live.aformat_messages(**values)) == wanted
    assert live.format(**values) == asyncio.run(live.aformat(**values)) == live.format_prompt(**values).to_string()
    assert asyncio.run(live.aformat_prompt(**values)).to_messages() == wanted


def test_in_a_chat_template_it_is_read_at_each_call(
    platform: LocalPlatform, client: ScopeClient, system: LivePrompt
) -> None:
    template = ChatPromptTemplate.from_messages([system, MessagesPlaceholder("history"), ("human", "{question}")])
    assert template.input_variables == ["context", "history", "question"]
    values: dict[str, Any] = {"context": "{C}", "history": HISTORY, "question": "q"}
    assert template.invoke(values).to_messages() == [SystemMessage("Use {C}."), *HISTORY, HumanMessage("q")]
    promote(platform, client, "system", "Only {{context}}!")
    assert template.invoke(values).to_messages()[0] == SystemMessage("Only {C}!")
    assert asyncio.run(template.ainvoke(values)).to_messages()[0] == SystemMessage("Only {C}!")
    promote(platform, client, "system", "{{context}} {{other}}")
    with pytest.raises(MissingInputError, match=r"prompt 'system': no value was given for 'other'"):
        template.invoke(values)


def test_a_chat_prompt_in_a_chat_template_gives_its_messages(client: ScopeClient) -> None:
    template = ChatPromptTemplate.from_messages([scope_prompt("chat", client=client, role="system"), ("ai", "{last}")])
    values = {"who": "w", "history": [], "question": "q", "last": "l"}
    wanted = [SystemMessage("You are w."), HumanMessage("q"), AIMessage("l")]
    assert template.invoke(values).to_messages() == asyncio.run(template.ainvoke(values)).to_messages() == wanted


@pytest.mark.parametrize(
    ("role", "kind"), [("system", SystemMessage), ("user", HumanMessage), ("ai", AIMessage), (None, HumanMessage)]
)
def test_a_text_prompt_is_a_message_of_its_role(client: ScopeClient, role: str | None, kind: Any) -> None:
    live = scope_prompt("greeting", client=client, role=role)
    assert live.invoke(ANN).to_messages() == live.format_messages(**ANN) == [kind("Good day, Ann!")]


def test_what_is_added_follows_each_version(platform: LocalPlatform, client: ScopeClient, system: LivePrompt) -> None:
    live = system + MessagesPlaceholder("history") + [("ai", "so?")] + "{question}" + HumanMessage("{now}")
    values: dict[str, Any] = {"context": "C", "history": HISTORY, "question": "{q}"}
    rest = [*HISTORY, AIMessage("so?"), HumanMessage("{q}"), HumanMessage("{now}")]
    assert live.invoke(values).to_messages() == [SystemMessage("Use C."), *rest]
    assert sorted(live.input_variables) == ["context", "history", "question"]
    promote(platform, client, "system", "New.")
    assert asyncio.run(live.ainvoke(values)).to_messages() == [SystemMessage("New."), *rest]
    assert live.current().metadata["scope.prompt.version"] == 2


def test_text_is_added_to_text(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.publish("end", "Bye {{name}}.")
    live = scope_prompt("greeting", client=client)
    both = live + " {x} " + PromptTemplate.from_template("{y} ") + scope_prompt("end", client=client)
    values = {**ANN, "x": "{1}", "y": "2"}
    assert both.invoke(values).to_string() == "Good day, Ann! {1} 2 Bye Ann."
    platform.publish("end", "So long.")
    client.clear_cache("end")
    assert both.format(**values) == asyncio.run(both.aformat(**values)) == "Good day, Ann! {1} 2 So long."
    assert live.invoke(ANN).to_string() == "Good day, Ann!"


def test_text_becomes_a_message_once_a_message_is_added(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    wanted = [HumanMessage("Good day, Ann!"), AIMessage("a"), HumanMessage("Good day, Ann!")]
    assert (live + AIMessage("a") + live).invoke(ANN).to_messages() == wanted
    assert (ChatPromptTemplate.from_messages([("ai", "a")]) + live).invoke(ANN).to_messages() == wanted[1:]
    assert (AIMessage("a") + live).invoke(ANN).to_messages() == wanted[1:]
    with pytest.raises(TypeError, match="unsupported operand"):
        live + 5


def test_partial_takes_values_and_functions(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    counted = iter(range(9))
    partial = live.partial(name="{Ann}").partial(time_of_day=lambda: next(counted))
    assert [partial.invoke({}).to_string() for _ in range(2)] == ["Good 0, {Ann}!", "Good 1, {Ann}!"]
    assert partial.input_variables == []
    assert live.partial_variables == {}
    promote(platform, client, "greeting", "Only {{name}}")
    assert asyncio.run(partial.ainvoke({})).to_string() == "Only {Ann}"


class TestAMisspeltPartial:
    @pytest.mark.parametrize(
        "made",
        [
            lambda **more: scope_prompt("greeting", partial_variables={"nmae": "Ann"}, **more),
            lambda **more: scope_prompt("greeting", **more).partial(nmae="Ann"),
            lambda **more: scope_prompt("greeting", **more).bind(label="latest").partial(nmae="Ann"),
        ],
    )
    def test_is_an_error_that_names_the_nearest(self, made: Callable[..., LivePrompt], client: ScopeClient) -> None:
        live = made(client=client)
        for _ in range(2):
            with pytest.raises(
                ValidationError, match=r"has 'nmae'; the prompt 'greeting' knows .*: did you mean 'name'"
            ):
                live.invoke(ANN)

    def test_is_found_after_a_fallback_too(self, platform: LocalPlatform, client: ScopeClient) -> None:
        platform.fail(503)
        live = scope_prompt("greeting", client=client, fallback="Hi {{nmae}}", partial_variables={"nmae": "Ann"})
        assert live.invoke({}).to_string() == "Hi Ann"
        platform.recover()
        client.get_prompt_version("greeting")
        with pytest.raises(ValidationError, match="nmae"):
            live.invoke(ANN)

    def test_is_found_after_a_promotion(self, platform: LocalPlatform, client: ScopeClient) -> None:
        live = scope_prompt("greeting", client=client)
        live.invoke(ANN)
        with pytest.raises(ValidationError, match="nmae"):
            live.partial(nmae="Ann").invoke(ANN)

    def test_is_not_a_variable_that_a_later_version_dropped(self, platform: LocalPlatform, client: ScopeClient) -> None:
        live = scope_prompt("greeting", client=client, partial_variables={"name": "Ann"})
        chosen = live.configurable_fields(label=ConfigurableField(id="label"))
        live.invoke("day")
        promote(platform, client, "greeting", "Hi {{time_of_day}}")
        for again in (live, live.partial(), live.bind(label="latest"), chosen):
            assert again.invoke({"time_of_day": "day"}).to_string() == "Hi day"


class TestWhatItIsAskedFor:
    @pytest.mark.parametrize(
        ("options", "error", "said"),
        [
            ({"label": "prod"}, ValidationError, "label must be 'production' or 'latest', got 'prod'"),
            ({"label": ""}, ValidationError, "label must be"),
            ({"label": "latest", "version": "v_1"}, TypeError, "exclude each other"),
            ({"version": "3"}, ValidationError, "must be the ID of a version"),
            ({"role": "sytem"}, ValidationError, "role must be one of 'system'"),
            ({"role": ["system"]}, ValidationError, "role must be one of 'system'"),
            ({"name": ""}, ValidationError, "name must not be empty"),
            ({"name": 5}, ValidationError, "name must be text"),
        ],
    )
    def test_is_refused_when_it_is_made(self, options: dict[str, Any], error: Any, said: str) -> None:
        name = options.pop("name", "greeting")
        for make in (scope_prompt, LivePrompt):
            with pytest.raises(error, match=said):
                make(name, **options)

    @pytest.mark.parametrize(
        "call",
        [
            lambda live, **more: live.bind(**more).invoke({}).to_string(),
            lambda live, **more: live.invoke({}, **more).to_string(),
            lambda live, **more: asyncio.run(live.ainvoke({}, **more)).to_string(),
            lambda live, **more: live.batch([{}], **more)[0].to_string(),
            lambda live, **more: asyncio.run(live.abatch([{}], **more))[0].to_string(),
            lambda live, **more: next(live.stream({}, **more)).to_string(),
            lambda live, **more: (live | (lambda value: value.to_string())).bind(**more).invoke({}),
            lambda live, **more: live.with_retry().invoke({}, **more).to_string(),
        ],
        ids=["bind", "invoke", "ainvoke", "batch", "abatch", "stream", "a bound chain", "a retry"],
    )
    def test_may_be_other_for_one_call(self, call: Any, platform: LocalPlatform, client: ScopeClient) -> None:
        platform.publish("g", "production")
        first = client.get_prompt_version("g").id
        platform.publish("g", "promoted")
        platform.draft("g", "draft")
        client.clear_cache()
        live = scope_prompt("g", client=client)
        assert call(live) == "promoted"
        assert call(live, label="latest") == "draft"
        assert call(live, version=first) == "production"
        assert call(scope_prompt("g", client=client, version=first), label="latest") == "draft"
        assert call(live, label="latest", deadline=5, cache_ttl=5, fallback="f") == "draft"
        with pytest.raises(TypeError, match="'lable': did you mean 'label'"):
            call(live, lable="latest")
        with pytest.raises(TypeError, match="'stop'"):
            call(live, stop=["x"])
        with pytest.raises(ValidationError, match="label must be"):
            call(live, label="prod")

    def test_may_be_configured_in_a_chain(self, platform: LocalPlatform, client: ScopeClient) -> None:
        platform.draft("greeting", "draft {{name}}")
        live = scope_prompt("greeting", client=client).configurable_fields(
            label=ConfigurableField(id="label"), version=ConfigurableField(id="version")
        )
        chain = live | (lambda value: value.to_string())
        first = client.get_prompt_version("greeting").id
        assert chain.invoke(ANN) == "Good day, Ann!"
        assert chain.invoke(ANN, {"configurable": {"label": "latest"}}) == "draft Ann"
        assert asyncio.run(chain.ainvoke(ANN, {"configurable": {"version": first}})) == "Good day, Ann!"
        with pytest.raises(ValidationError, match="'prod'"):
            chain.invoke(ANN, {"configurable": {"label": "prod"}})
        with pytest.raises(TypeError, match="exclude each other"):
            chain.invoke(ANN, {"configurable": {"label": "latest", "version": first}})

    def test_may_be_another_prompt_by_configuration(self, client: ScopeClient) -> None:
        other = scope_prompt("chat", client=client)
        live = scope_prompt("greeting", client=client).configurable_alternatives(ConfigurableField(id="p"), chat=other)
        assert live.invoke(ANN).to_string() == "Good day, Ann!"
        values: Any = {"who": "w", "history": [], "question": "q"}
        assert live.invoke(values, {"configurable": {"p": "chat"}}).to_messages()[1] == HumanMessage("q")

    def test_has_a_deadline_and_an_age(self, platform: LocalPlatform, client: ScopeClient, clock: ManualClock) -> None:
        live = scope_prompt("greeting", client=client, cache_ttl=10)
        live.invoke(ANN)
        platform.publish("greeting", "New {{name}}")
        clock.passes(11)
        assert live.invoke(ANN).to_string() == "New Ann"
        with pytest.raises(ValidationError, match="deadline"):
            scope_prompt("greeting", client=client, deadline=-1).invoke(ANN)


def test_few_shot_templates_take_it(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    shots = FewShotChatMessagePromptTemplate(examples=[ANN, {**ANN, "name": "{Bob}"}], example_prompt=live)
    wanted = [HumanMessage("Good day, Ann!"), HumanMessage("Good day, {Bob}!")]
    assert shots.format_messages() == asyncio.run(shots.aformat_messages()) == wanted
    example = ScopePromptTemplate.from_scope("greeting", client=client)
    assert FewShotPromptTemplate(examples=[ANN], example_prompt=example, suffix="{q}").format(q="?").endswith("?")
    assert (live + shots + "{q}").invoke({**ANN, "q": "?"}).to_messages() == [wanted[0], *wanted, HumanMessage("?")]


def test_a_chain_knows_its_prompts(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    assert (live | FakeListChatModel(responses=["x"])).get_prompts() == [live]


def test_the_run_has_its_name_its_tags_and_its_metadata(client: ScopeClient) -> None:
    seen: list[Any] = []
    live = scope_prompt("greeting", client=client, metadata={"team": "a"}, tags=["mine"])
    live.with_listeners(on_end=seen.append).invoke(ANN)
    asyncio.run(live.with_listeners(on_end=seen.append).ainvoke(ANN))
    live.name = "renamed"
    live.with_listeners(on_end=seen.append).invoke(ANN)
    live.with_config(run_name="for once").with_listeners(on_end=seen.append).invoke(ANN)
    assert [run.name for run in seen] == ["greeting", "greeting", "renamed", "for once"]
    assert [(run.metadata["team"], run.metadata["scope.prompt.version"]) for run in seen] == [("a", 1)] * 4
    assert all({"mine", "scope:greeting", "warm"} <= set(run.tags) for run in seen)
