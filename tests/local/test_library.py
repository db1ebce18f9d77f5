"""Versions come and go while the platform runs: published, drafted, archived, removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults import growth

from scope_client._folder.record import prompt_id
from scope_client.errors import ConfigurationError
from scope_client.local._library import Library

if TYPE_CHECKING:
    from scope_client.local import LocalPlatform
    from tests.local.conftest import Caller


def test_publishing_puts_a_new_version_into_production(platform: LocalPlatform, call: Caller) -> None:
    first = call.read("greeting").json()
    new = platform.publish("greeting", "Hi", metadata={"model": "gpt-4"}, tags=["x"])
    assert (new.number, new.status, new.metadata, new.tags) == (2, "published", {"model": "gpt-4"}, ("x",))
    assert call.content("greeting") == call.content("greeting", "latest") == "Hi"
    old = call.read("greeting", f"versions/{first['version_id']}").json()
    assert (old["content"], old["status"], old["is_production"]) == ("Hello, {{name}}!", "archived", False)


def test_drafting_leaves_production_alone(platform: LocalPlatform, call: Caller) -> None:
    assert platform.draft("greeting", "Hi").status == "draft"
    assert call.content("greeting") == "Hello, {{name}}!"
    assert call.content("greeting", "latest") == "Hi"


def test_a_prompt_may_begin_as_a_draft(platform: LocalPlatform, call: Caller) -> None:
    assert platform.draft("new", "Hi").number == 1
    assert call.code("new") == "no_production_version"


def test_archiving_ends_production_and_may_be_repeated(platform: LocalPlatform, call: Caller) -> None:
    platform.archive("greeting")
    platform.archive("greeting")
    assert call.code("greeting") == "no_production_version"
    assert platform.publish("greeting", "Hi").number == 2
    assert call.content("greeting") == "Hi"


def test_a_removed_prompt_is_gone_until_it_is_made_again(platform: LocalPlatform, call: Caller) -> None:
    platform.remove("greeting")
    assert call.code("greeting") == call.code("greeting", "latest") == "prompt_not_found"
    assert platform.publish("greeting", "Hi").number == 1
    assert call.content("greeting") == "Hi"


@pytest.mark.parametrize("change", ["archive", "remove"])
def test_a_prompt_that_is_not_there_cannot_be_changed(change: str, platform: LocalPlatform) -> None:
    with pytest.raises(ConfigurationError, match="there is no prompt 'nobody'; the prompts are: 'greeting'"):
        getattr(platform, change)("nobody")


def test_a_list_of_messages_is_a_chat_prompt(platform: LocalPlatform) -> None:
    assert platform.publish("chat", [{"role": "user", "content": "é"}]).content == '[{"role": "user", "content": "é"}]'
    assert platform.publish("chat", "[]", type="chat").type == "chat"
    assert platform.publish("chat", "[]").type == "text"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"content": 7}, "content must be text, or a list"),
        ({"content": None}, "content must be text, or a list"),
        ({"content": {"role": "user", "content": "Hi"}}, "content must be text, or a list"),
        ({"content": [{"role": "user", "content": b"Hi"}]}, "the messages of a chat prompt must be JSON"),
        ({"content": [{"role": "user"}]}, "expected message 1 of a chat prompt as"),
        ({"content": [], "type": "text"}, "content must be text, got list"),
        ({"content": "Hi", "type": "chat"}, "expected a chat prompt's content as a JSON array"),
        ({"content": "Hi", "type": "image"}, "type must be one of text, chat"),
        ({"content": "Hi", "metadata": "gpt-4"}, "metadata must be a mapping"),
        ({"content": "Hi", "tags": "ab"}, "tags must be a list of text"),
        ({"content": "Hi", "name": ".."}, "a prompt's name must be text other than"),
        ({"content": "Hi", "name": ""}, "a prompt's name must be text other than"),
    ],
)
@pytest.mark.parametrize("add", ["publish", "draft"])
def test_a_version_that_cannot_be_is_refused_and_changes_nothing(
    add: str, arguments: dict[str, Any], says: str, platform: LocalPlatform, call: Caller
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        getattr(platform, add)(**{"name": "greeting", **arguments})
    assert call.content("greeting") == call.content("greeting", "latest") == "Hello, {{name}}!"


@pytest.mark.parametrize("add", ["publish", "draft"])
def test_many_threads_get_a_number_each(add: str, platform: LocalPlatform, call: Caller) -> None:
    def one(number: int) -> int:
        version: Any = getattr(platform, add)("greeting", f"content {number}")
        return int(version.number)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(one, range(200)))
    assert sorted(numbers) == list(range(2, 202))
    assert call.read("greeting", "latest").json()["version"] == 201


def test_readers_always_find_one_production_version_while_others_publish(
    platform: LocalPlatform, call_to: Callable[[LocalPlatform], Caller]
) -> None:
    def read(caller: Caller) -> set[int]:
        return {caller.read("greeting").status_code for _ in range(20)}

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, call_to(platform)) for _ in range(3)]
        for number in range(100):
            platform.publish("greeting", str(number))
        assert set().union(*(each.result() for each in reading)) == {200}


def test_a_prompt_that_was_published_is_found_by_its_id_and_as_fast_among_many() -> None:
    def prepared(size: int) -> Callable[[], object]:
        library = Library(warn=print)
        for number in range(size):
            library.add(f"p{number}", "text", promote=True)
        ids = [prompt_id(f"p{number}") for number in range(size)]

        def finds() -> None:
            assert all(library.find(each) for each in ids)

        return finds

    growth.check(prepared, 50)
