"""The live prompt as it is shown, copied and saved, and on the other side."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.load import dumpd, dumps, loads
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda

import scope_client
from scope_langchain import LivePrompt, scope_prompt

if TYPE_CHECKING:
    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

ANN = {"name": "Ann", "time_of_day": "day"}
GREETED = "Good day, Ann!"
ADVICE = "its client holds secrets. Make it without client=, and call scope_client.configure(...) where it is used"


def loaded(text: str) -> Any:
    """What `loads` makes of it if it may load our class."""
    more: Any = {"allowed_objects": [LivePrompt, ChatPromptTemplate, MessagesPlaceholder]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a beta
        return loads(text, valid_namespaces=["scope_langchain"], **more)


@pytest.fixture
def live(platform: LocalPlatform) -> LivePrompt:
    """Of the client of the process."""
    scope_client.configure(credentials=platform.credentials, base_url=platform.url, auth_api_url=platform.url)
    return scope_prompt("greeting", label="latest", partial_variables={"name": "Ann"}, metadata={"team": "a"})


def test_it_shows_what_it_asks_for_and_nothing_secret(client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client)
    assert repr(live) == "LivePrompt('greeting')"
    more = scope_prompt(
        "greeting", label="latest", role="system", partial_variables={"key": "s3cret"}, fallback="s3cret"
    )
    shown = "LivePrompt('greeting', label='latest', role='system', partial_variables=['key'])"
    assert repr(more) == str(more) == more.pretty_repr() == shown
    assert repr(scope_prompt("greeting", version="v_1") + "x") == "LivePrompt('greeting', version='v_1', added=1)"
    assert "s3cret" not in f"{more} {more!r} {more | RunnableLambda(str)!r}"
    secret = client.config.credentials.api_secret  # type: ignore[union-attr]  # it has some
    assert str(secret) not in f"{live} {live!r} {dumps(live)} {live.model_dump()}"


def test_a_copy_reads_as_the_original_does(platform: LocalPlatform, client: ScopeClient) -> None:
    live = scope_prompt("greeting", client=client, partial_variables={"name": "Ann"}) + "!"
    for made in (live, copy.copy(live), copy.deepcopy(live), live.model_copy(), copy.deepcopy([live])[0]):
        assert made.client is client
        assert made.invoke("day").to_string() == "Good day, Ann!!"
    platform.publish("greeting", "New")
    client.clear_cache()
    assert copy.deepcopy(live).invoke({}).to_string() == "New!"


@pytest.mark.parametrize("is_read", [False, True])
def test_it_is_pickled_without_what_it_has_read(is_read: bool, live: LivePrompt) -> None:
    if is_read:
        live.invoke("day")
    assert "Good" not in repr(pickle.dumps(live))
    made = pickle.loads(pickle.dumps(live))
    assert repr(made) == repr(live)
    assert made.invoke("day").to_string() == GREETED
    assert made.get_name() == "greeting"


def test_another_process_reads_it_with_its_own_client(
    platform: LocalPlatform, live: LivePrompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in platform.environ.items():
        monkeypatch.setenv(name, value)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
        assert other.submit(live.format, time_of_day="day").result() == GREETED


def test_it_is_saved_and_loaded(live: LivePrompt) -> None:
    live.invoke("day")
    made = loaded(dumps(live))
    assert repr(made) == repr(live)
    assert made == live
    assert made.invoke("day").to_string() == asyncio.run(made.ainvoke("day")).to_string() == GREETED
    assert dumpd(made) == dumpd(live)


def test_what_is_added_and_what_it_is_in_are_saved_with_it(platform: LocalPlatform, live: LivePrompt) -> None:
    platform.publish("system", "Use {{context}}.")
    system = scope_prompt("system", role="system")
    for template in (
        system + MessagesPlaceholder("history") + live,
        ChatPromptTemplate.from_messages([system, MessagesPlaceholder("history"), live]),
    ):
        made = loaded(dumps(template))
        values: Any = {"context": "C", "history": [], "time_of_day": "day"}
        assert [each.content for each in made.invoke(values).to_messages()] == ["Use C.", GREETED]


@pytest.mark.parametrize("wrapped", [lambda live: live, lambda live: scope_prompt("a") + live, lambda live: [live]])
def test_with_a_client_of_its_own_one_sentence_says_what_to_do(wrapped: Any, client: ScopeClient) -> None:
    made = wrapped(scope_prompt("greeting", client=client))
    with pytest.raises(TypeError) as raised:
        pickle.dumps(made)
    assert str(raised.value) == f"LivePrompt('greeting') cannot be pickled: {ADVICE}"
    with pytest.raises(NotImplementedError) as unloaded:
        loaded(dumps(made))
    assert f"LivePrompt('greeting') cannot be saved: {ADVICE}" in str(unloaded.value)
