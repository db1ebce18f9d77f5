"""scope_prompt: each call has the version that is there now, and an event loop never waits for it."""

from __future__ import annotations

import asyncio
import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from faults.crowd import crowd
from faults.reading import reads
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import StringPromptValue
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import RunnableBranch, RunnableLambda, RunnableParallel, RunnablePassthrough

import scope_client
from scope_client import MissingApiKeyError, ServerError, ValidationError
from scope_langchain import MissingInputError, scope_prompt

if TYPE_CHECKING:
    from pathlib import Path

    from faults.clock import ManualClock

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

ANN = {"name": "Ann", "time_of_day": "day"}
to_text = RunnableLambda(lambda value: value.to_string())


class CountingExecutor(ThreadPoolExecutor):
    """What an event loop gives its threads from; counts what it is given."""

    given = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.given += 1
        return super().submit(*args, **kwargs)


def test_a_promotion_reaches_a_running_chain_once_the_cache_is_cleared(
    platform: LocalPlatform, client: ScopeClient
) -> None:
    chain = scope_prompt("greeting", client=client) | to_text
    assert chain.invoke(ANN) == "Good day, Ann!"
    platform.publish("greeting", "New {x} {{name}}")
    assert chain.invoke(ANN) == "Good day, Ann!"
    client.clear_cache()
    assert chain.invoke(ANN) == asyncio.run(chain.ainvoke(ANN)) == "New {x} Ann"


def test_a_promotion_reaches_a_running_chain_once_the_cached_version_is_old(
    platform: LocalPlatform, client: ScopeClient, clock: ManualClock
) -> None:
    chain = scope_prompt("greeting", client=client) | to_text
    assert chain.invoke(ANN) == "Good day, Ann!"
    platform.publish("greeting", "New {{name}}")
    clock.passes(50)
    assert (chain.invoke(ANN), reads(platform)) == ("Good day, Ann!", 1)
    clock.passes(51)
    assert chain.invoke(ANN) == "New Ann"
    platform.publish("greeting", "Newer {{name}}")
    clock.passes(101)
    assert asyncio.run(chain.ainvoke(ANN)) == "Newer Ann"
    assert reads(platform) == 3


def test_a_promotion_may_change_the_variables_and_the_type(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    live.invoke(ANN)
    platform.publish(
        "greeting", [{"role": "system", "content": "{{who}}"}, {"role": "placeholder", "content": "{{h}}"}]
    )
    client.clear_cache()
    found = live.invoke({"who": "{x}", "h": [AIMessage("y")]}).to_messages()
    assert found == [SystemMessage("{x}"), AIMessage("y")]
    with pytest.raises(MissingInputError):
        live.invoke(ANN)


def test_a_cached_version_is_converted_once(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    assert live.current() is live.current() is asyncio.run(live.acurrent())


def test_making_it_asks_nobody_and_needs_no_credentials_yet() -> None:
    live = scope_prompt("greeting")
    chain = live | FakeListChatModel(responses=["x"])
    assert chain.get_graph().draw_mermaid()
    with pytest.raises(MissingApiKeyError):
        chain.invoke({})
    with pytest.raises(MissingApiKeyError):
        asyncio.run(chain.ainvoke({}))


def test_a_look_at_the_chain_asks_nobody(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    chain = {"name": RunnablePassthrough(), "time_of_day": lambda _: "day"} | live | FakeListChatModel(responses=["x"])
    for each in (live, chain):
        each.get_graph().draw_mermaid()
        each.get_input_schema().model_json_schema()
        each.get_output_schema()
        each.config_schema()
        assert each.input_schema
        assert repr(each)
    assert live.get_name() == "greeting"
    assert live.get_input_schema().model_json_schema()["type"] == "object"
    assert not platform.requests


def test_the_process_wide_client_is_the_one_of_each_call(platform: LocalPlatform) -> None:
    live = scope_prompt("greeting")
    for number in range(2):
        with type(platform)({"greeting": f"{number} {{{{name}}}}"}) as other:
            scope_client.configure(credentials=other.credentials, base_url=other.url, auth_api_url=other.url)
            assert live.invoke("A").text == asyncio.run(live.ainvoke("A")).text == f"{number} A"


@pytest.mark.parametrize("way", ["ainvoke", "abatch", "astream", "in a chain"])
def test_no_way_holds_up_the_loop(way: str, platform: LocalPlatform, client: ScopeClient) -> None:
    platform.latency = 0.3
    live = scope_prompt("greeting", client=client)

    async def call() -> Any:
        if way == "ainvoke":
            return await live.ainvoke(ANN)
        if way == "abatch":
            return (await live.abatch([ANN]))[0]
        if way == "astream":
            return await live.astream(ANN).__anext__()
        return await ({"name": lambda _: "Ann", "time_of_day": lambda _: "day"} | live).ainvoke({})

    async def main() -> tuple[Any, int]:
        ticks = 0
        reading = asyncio.ensure_future(call())
        while not reading.done():
            await asyncio.sleep(0.005)
            ticks += 1
        return reading.result(), ticks

    value, ticks = asyncio.run(main())
    assert value.text == "Good day, Ann!"
    assert ticks >= 10


def test_a_fetch_leaves_the_loop_its_threads_and_a_cached_read_stays_on_it(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client, label="latest", partial_variables={"name": "Ann"})

    async def main() -> None:
        executor = CountingExecutor(2)
        asyncio.get_running_loop().set_default_executor(executor)
        await live.ainvoke("day")
        assert executor.given == 0
        for _ in range(5):
            await live.ainvoke("day")
            await live.abatch(["day", "night"])
            assert [value async for value in live.astream("day")]
        assert executor.given == 0
        client.clear_cache()
        await live.abatch(["day"] * 5)
        assert executor.given == 0

    asyncio.run(main())


def test_a_partial_a_fallback_and_a_renewal_ahead_keep_a_cached_read_on_the_loop(
    platform: LocalPlatform, client: ScopeClient, clock: ManualClock
) -> None:
    live = scope_prompt("greeting", client=client, fallback=lambda: "never")
    live.invoke(ANN)

    async def main() -> None:
        executor = CountingExecutor(2)
        asyncio.get_running_loop().set_default_executor(executor)
        clock.passes(95)
        assert (await live.ainvoke(ANN)).text == "Good day, Ann!"
        assert executor.given == 0

    asyncio.run(main())


def test_thirty_two_cold_calls_at_once_make_one_request(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.latency = 0.1
    live = scope_prompt("greeting", client=client)

    async def main() -> list[Any]:
        return await asyncio.gather(*(live.ainvoke({**ANN, "name": f"{{{number}}}"}) for number in range(32)))

    assert [value.text for value in asyncio.run(main())] == [f"Good day, {{{number}}}!" for number in range(32)]
    assert reads(platform) == 1


def test_thirty_two_cold_threads_at_once_make_one_request(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.latency = 0.1
    live = scope_prompt("greeting", client=client)
    assert {value.text for value in crowd(32, lambda: live.invoke(ANN))} == {"Good day, Ann!"}
    assert reads(platform) == 1


def test_a_batch_reads_once_and_is_of_one_version(platform: LocalPlatform) -> None:
    with platform.client(cache_enabled=False) as client:
        live = scope_prompt("greeting", client=client)
        inputs = [{**ANN, "name": str(number)} for number in range(20)]
        wanted = [f"Good day, {number}!" for number in range(20)]
        assert [value.text for value in live.batch(inputs)] == wanted
        assert reads(platform) == 1
        assert [value.text for value in asyncio.run(live.abatch(inputs))] == wanted
        assert reads(platform) == 2
        assert [value.text for value in (live | RunnablePassthrough()).batch(inputs)] == wanted
        assert reads(platform) == 3


def test_a_batch_under_way_keeps_its_version_while_another_is_promoted(
    platform: LocalPlatform, client: ScopeClient
) -> None:
    def promote() -> str:
        platform.publish("greeting", "New {{name}} {{time_of_day}}")
        client.clear_cache()
        return "day"

    live = scope_prompt("greeting", client=client, partial_variables={"time_of_day": promote})
    found = live.batch([{"name": "Ann"}] * 5, {"max_concurrency": 1})
    assert {value.text for value in found} == {"Good day, Ann!"}
    assert live.invoke("Ann").text == "New Ann day"


def test_an_empty_batch_asks_nobody(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    assert live.batch([]) == asyncio.run(live.abatch([])) == []
    assert not platform.requests


def test_a_batch_gives_each_input_its_own_error(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    for found in (
        live.batch([ANN, {}, ANN], return_exceptions=True),
        asyncio.run(live.abatch([ANN, {}, ANN], return_exceptions=True)),
    ):
        assert [isinstance(each, StringPromptValue) for each in found] == [True, False, True]
        assert isinstance(found[1], MissingInputError)
    with pytest.raises(MissingInputError):
        live.batch([ANN, {}])


def test_a_batch_that_cannot_be_read_gives_its_error_for_each_input_where_that_is_asked_for(
    platform: LocalPlatform, client: ScopeClient
) -> None:
    platform.fail(503)
    live = scope_prompt("greeting", client=client)
    for found in (
        live.batch([ANN, ANN], return_exceptions=True),
        asyncio.run(live.abatch([ANN, ANN], return_exceptions=True)),
    ):
        assert [type(each) for each in found] == [ServerError, ServerError]


def test_a_batch_has_a_config_for_each_input(client: ScopeClient) -> None:
    seen: list[Any] = []
    live = scope_prompt("greeting", client=client)
    listening = live.with_listeners(on_start=lambda run: seen.append(run.metadata["n"]))
    configs: list[Any] = [{"metadata": {"n": number}} for number in range(3)]
    listening.batch([ANN] * 3, configs)
    assert sorted(seen) == [0, 1, 2]
    asyncio.run(listening.abatch([ANN] * 3, configs))
    assert sorted(seen) == [0, 0, 1, 1, 2, 2]
    found = dict(live.batch_as_completed([ANN] * 2, configs[:2]))
    assert [found[place].text for place in (0, 1)] == ["Good day, Ann!"] * 2


def test_streams_give_the_one_value(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    assert [value.text for value in live.stream(ANN)] == ["Good day, Ann!"]

    async def main() -> list[str]:
        return [value.text async for value in live.astream(ANN)]

    assert asyncio.run(main()) == ["Good day, Ann!"]


def test_a_chain_streams_what_the_model_says(client: ScopeClient) -> None:
    chain = scope_prompt("greeting", client=client) | FakeListChatModel(responses=["said"]) | StrOutputParser()
    assert list(chain.stream(ANN)) == list("said")

    async def main() -> tuple[list[str], list[Any]]:
        return [part async for part in chain.astream(ANN)], [e async for e in chain.astream_events(ANN, version="v2")]

    parts, events = asyncio.run(main())
    assert parts == list("said")
    (begun,) = [event for event in events if event["event"] == "on_prompt_start"]
    assert begun["metadata"]["scope.prompt.version"] == 1


def test_a_fallback_serves_while_the_platform_is_down_and_the_real_one_after(
    platform: LocalPlatform, client: ScopeClient, clock: ManualClock
) -> None:
    platform.fail(503)
    live = scope_prompt("greeting", client=client, fallback="Hi {x} {{name}}", partial_variables={"time_of_day": "day"})
    assert live.invoke("{A}").text == asyncio.run(live.ainvoke("{A}")).text == "Hi {x} {A}"
    assert [value.text for value in live.batch(["A", "B"])] == ["Hi {x} A", "Hi {x} B"]
    assert live.current().metadata["scope.prompt.is_fallback"] is True
    platform.recover()
    clock.passes(3600)
    client.clear_cache()
    client.get_prompt_version("greeting")
    assert live.invoke("Ann").text == "Good day, Ann!"


def test_the_last_known_good_version_serves_while_the_platform_is_down(
    platform: LocalPlatform, client: ScopeClient, clock: ManualClock
) -> None:
    live = scope_prompt("greeting", client=client)
    live.invoke(ANN)
    platform.fail(503)
    clock.passes(1000)
    assert live.invoke(ANN).text == asyncio.run(live.ainvoke(ANN)).text == "Good day, Ann!"


def test_label_and_version_are_those_of_each_call(platform: LocalPlatform, client: ScopeClient) -> None:
    first = client.get_prompt_version("greeting").id
    pinned, latest = (
        scope_prompt("greeting", client=client, version=first),
        scope_prompt("greeting", client=client, label="latest"),
    )
    platform.draft("greeting", "draft {{name}}")
    assert latest.invoke({"name": "A"}).text == "draft A"
    platform.publish("greeting", "new {{name}}")
    client.clear_cache()
    assert pinned.invoke(ANN).text == asyncio.run(pinned.ainvoke(ANN)).text == "Good day, Ann!"
    assert latest.invoke({"name": "A"}).text == asyncio.run(latest.ainvoke({"name": "A"})).text == "new A"


def test_partial_values_are_asked_at_each_call(platform: LocalPlatform, client: ScopeClient) -> None:
    counted = iter(range(9))
    live = scope_prompt(
        "greeting", client=client, partial_variables={"name": "{Ann}", "time_of_day": lambda: next(counted)}
    )
    assert [live.invoke({}).text for _ in range(2)] == ["Good 0, {Ann}!", "Good 1, {Ann}!"]
    assert live.invoke({"name": "Bob"}).text == "Good 2, Bob!"
    platform.publish("greeting", "New {{name}} {{time_of_day}}")
    client.clear_cache()
    assert live.invoke({}).text == "New {Ann} 3"
    assert asyncio.run(live.ainvoke({})).text == "New {Ann} 4"


def test_a_partial_value_without_a_variable_is_a_mistake(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client, partial_variables={"nmae": "Ann"})
    with pytest.raises(ValidationError, match="nmae"):
        live.invoke(ANN)


def test_partial_values_given_at_the_start_are_those_of_then(client: ScopeClient) -> None:
    given = {"name": "Ann"}
    live = scope_prompt("greeting", client=client, partial_variables=given)
    given["name"] = "Bob"
    assert live.invoke("day").text == "Good day, Ann!"


def test_it_is_part_of_every_kind_of_chain(client: ScopeClient) -> None:
    live, chat = scope_prompt("greeting", client=client), scope_prompt("chat", client=client)
    both = RunnableParallel(a=live, b=chat)
    values = {**ANN, "who": "kind", "history": [], "question": "{why}"}
    assert both.invoke(values)["a"].text == asyncio.run(both.ainvoke(values))["a"].text == "Good day, Ann!"
    assert both.invoke(values)["b"].to_messages() == [SystemMessage("You are kind."), HumanMessage("{why}")]
    branch = RunnableBranch((lambda given: "name" in given, live), chat)
    assert branch.invoke(ANN).to_string() == "Good day, Ann!"
    assert asyncio.run(branch.ainvoke({"who": "w", "history": [], "question": "q"})).to_messages()[0] == SystemMessage(
        "You are w."
    )
    assigned = RunnablePassthrough.assign(prompt=live | to_text)
    assert assigned.invoke(ANN) == {**ANN, "prompt": "Good day, Ann!"}
    assert live.map().invoke([ANN, ANN])[1].text == "Good day, Ann!"
    inside = RunnableLambda(lambda given: live)
    assert inside.invoke(ANN).text == asyncio.run(inside.ainvoke(ANN)).text == "Good day, Ann!"


def test_bindings_retries_and_fallbacks_take_it(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    assert live.with_config(run_name="named").invoke(ANN).text == "Good day, Ann!"
    rescued = scope_prompt("missing", client=client).with_fallbacks([live])
    assert rescued.invoke(ANN).text == asyncio.run(rescued.ainvoke(ANN)).text == "Good day, Ann!"
    assert live.bind().invoke(ANN).text == "Good day, Ann!"
    platform.fail(503, times=1)
    client.clear_cache()
    again = live.with_retry(retry_if_exception_type=(ServerError,), wait_exponential_jitter=False)
    assert again.invoke(ANN).text == "Good day, Ann!"


def test_it_gives_what_a_plain_prompt_gives(platform: LocalPlatform, client: ScopeClient) -> None:
    plain = PromptTemplate.from_template("Good {time_of_day}, {name}!")
    assert scope_prompt("greeting", client=client).invoke(ANN) == plain.invoke(ANN)
    spoken = ChatPromptTemplate.from_messages([("system", "You are {who}."), ("human", "{question}")])
    values = {"who": "a", "question": "b"}
    assert scope_prompt("chat", client=client).invoke({**values, "history": []}) == spoken.invoke(values)
    assert scope_prompt("greeting", client=client, partial_variables={"name": "A"}).invoke("day").text == "Good day, A!"
    with pytest.raises(TypeError):
        scope_prompt("greeting", client=client).invoke("no mapping")


def test_its_name_is_for_traces_and_the_prompt_stays_the_one_it_was_made_for(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    live.name = "what the trace calls it"
    assert live.get_name() == "what the trace calls it"
    assert live.invoke(ANN).text == "Good day, Ann!"


def test_a_copy_is_as_good(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    live.invoke(ANN)
    for copied in (copy.copy, copy.deepcopy):
        assert copied(live).invoke(ANN).text == "Good day, Ann!"
        assert copied(live | str).invoke(ANN) == "text='Good day, Ann!'"
    assert len(platform.requests) == 2


def test_threads_see_whole_versions_while_others_are_promoted(platform: LocalPlatform, client: ScopeClient) -> None:
    contents = [f"{letter} {{{{name}}}} {letter}" for letter in "abc"]
    platform.publish("busy", contents[0])
    live = scope_prompt("busy", client=client)
    ended = threading.Event()

    def read() -> set[str]:
        seen = set()
        while not ended.is_set():
            seen.add(live.invoke("{x}").text)
            seen.add(asyncio.run(live.ainvoke("{x}")).text)
        return seen

    def promote() -> set[str]:
        try:
            for _ in range(5):
                for content in contents:
                    platform.publish("busy", content)
                    client.clear_cache()
                    live.invoke("{x}")
        finally:
            ended.set()
        return set()

    turns = iter([promote, read, read, read])
    lock = threading.Lock()

    def act() -> set[str]:
        with lock:
            turn = next(turns)
        return turn()

    outcomes = crowd(4, act)
    assert all(isinstance(seen, set) for seen in outcomes), outcomes
    assert set().union(*outcomes) <= {content.replace("{{name}}", "{x}") for content in contents}


def test_a_process_wide_client_is_made_off_the_loop_once_for_all_tasks(
    platform: LocalPlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greeting.md").write_text("from a file")
    scope_client.configure(
        credentials=platform.credentials, base_url=platform.url, auth_api_url=platform.url, prompt_dir=tmp_path
    )
    makers: list[str] = []
    make = scope_client.ScopeClient.__init__

    def watched(self: Any, **options: Any) -> None:
        makers.append(threading.current_thread().name)
        make(self, **options)

    monkeypatch.setattr(scope_client.ScopeClient, "__init__", watched)
    live = scope_prompt("greeting")

    async def main() -> list[Any]:
        return await asyncio.gather(*(live.ainvoke(ANN) for _ in range(20)))

    assert {value.text for value in asyncio.run(main())} == {"Good day, Ann!"}
    assert makers == ["scope-async-read"]
