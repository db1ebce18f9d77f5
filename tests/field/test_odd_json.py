"""Numbers, texts and values that are not JSON: from the platform, a file, a store or a caller. `to_dict()` is JSON."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.inside import store_key
from faults.reading import content, warnings
from faults.replies import answer

from scope_client import ApiError, ConfigurationError, MemoryStore, PromptVersion, ScopeClient, TokenRefreshError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from pathlib import Path

    from faults.clock import ManualClock
    from faults.server import FaultServer

Make = Callable[..., ScopeClient]
NOT_NUMBERS = {
    **{text: text for text in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e400")},
    "an integer of 309 digits": "9" * 309,
    "an integer of 10,000 digits": "-" + "9" * 10_000,
    "a million digits": "9" * 1_000_000,
    "a million digits and a point": "9" * 1_000_000 + ".5",
    "a million decimal places": "0." + "9" * 1_000_000,
}
PLACES = (
    '{"content": "x", "metadata": {"a": [{"b": %s}]}}',
    '{"content": "x", "unknown": %s}',
    '{"content": "x", "version_number": %s}',
    '{"content": [{"role": "user", "content": "x", "n": %s}], "type": "chat"}',
)


def is_json(value: object) -> bool:
    """Whether a strict reader gets the same back."""
    return json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
def test_an_answer_with_such_a_number_is_not_what_the_api_promises(
    number: str, place: str, make_client: Make, server: FaultServer
) -> None:
    client = make_client(max_retries=0)
    server.answers(answer(place % number))
    with pytest.raises(ApiError, match="not JSON") as caught:
        content(client)
    assert caught.value.http_status == 200
    assert content(client, fallback="stand-in") == "stand-in"


@pytest.mark.parametrize("number", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
def test_a_chat_prompt_whose_text_has_such_a_number(number: str, make_client: Make, server: FaultServer) -> None:
    text = json.dumps(f'[{{"role": "user", "content": "x", "n": {number}}}]')
    server.answers(answer(f'{{"content": {text}, "type": "chat"}}'))
    with pytest.raises(ApiError, match="not JSON"):
        content(make_client(max_retries=0))


@pytest.mark.parametrize("number", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
def test_a_token_with_such_a_number_and_an_error_with_one(number: str, make_client: Make, server: FaultServer) -> None:
    client = make_client(max_retries=0)
    server.answers(answer(f'{{"message": "no", "n": {number}}}', 422))
    with pytest.raises(ApiError, match="HTTP 422"):
        content(client)
    server.gives_tokens(answer(f'{{"access_token": "a", "expires_in": {number}}}'))
    with pytest.raises(TokenRefreshError, match="not JSON"):
        content(make_client(max_retries=0))


def test_large_and_small_numbers_of_json_come_through(make_client: Make, server: FaultServer) -> None:
    numbers = f"[{'9' * 308}, -{'9' * 308}, 1.7e308, 5e-324, 1e-999, -0.0, 0.1]"
    server.answers(answer(f'{{"content": "x", "metadata": {{"numbers": {numbers}}}}}'))
    found = make_client().get_prompt_version("greeting")
    assert found.get_metadata("numbers") == [int("9" * 308), -int("9" * 308), 1.7e308, 5e-324, 0.0, -0.0, 0.1]
    assert is_json(found.to_dict())


HALVES = '"a\\ud800b", "\\udfff", "\\ude00\\ud83d", "\\ud83d\\ude00"'
WHOLE = ["a\ufffdb", "\ufffd", "\ufffd\ufffd", "\U0001f600"]


def test_half_of_a_surrogate_pair_becomes_the_replacement_character(make_client: Make, server: FaultServer) -> None:
    body = '{"content": "\\ud800{{x}}", "name": "\\udfff", "tags": [%s], "metadata": {"\\ud800": [%s]}, "more": [%s]}'
    server.answers(answer(body % ((HALVES,) * 3)))
    found = make_client().get_prompt_version("greeting")
    assert is_json(found.to_dict())
    assert found.content == "\ufffd{{x}}"
    assert list(found.tags) == found.get_metadata("\ufffd") == found.to_dict()["more"] == WHOLE
    assert found.render(x="\ud800") == "\ufffd\ud800"  # a value is the caller's


def test_half_of_a_surrogate_pair_in_a_message(make_client: Make, server: FaultServer) -> None:
    text = json.dumps('[{"role": "user", "content": "\\ud83d {{x}}", "name": "\\udc00"}]')
    server.answers(answer(f'{{"content": {text}, "type": "chat"}}'))
    found = make_client().get_prompt_version("greeting")
    assert found.messages(x="y") == [{"role": "user", "content": "\ufffd y", "name": "\ufffd"}]
    assert found.render(x="y").encode()
    assert is_json(found.to_dict())


def test_of_a_name_that_comes_twice_the_last_one_counts(make_client: Make, server: FaultServer, tmp_path: Path) -> None:
    server.answers(answer('{"content": "x", "metadata": {"a": 1, "a": 2}, "content": "y"}'))
    found = make_client().get_prompt_version("greeting")
    assert (found.content, found.get_metadata("a")) == ("y", 2)
    (tmp_path / "greeting.md").write_text("---\nmetadata: {a: 1, a: 2}\n---\nx")
    with LocalPlatform(str(tmp_path)) as platform, platform.client() as client:
        assert client.get_prompt_version("greeting").get_metadata("a") == 2


# What a caller gives.

ODD_VALUES: dict[str, Any] = {
    "nan": float("nan"),
    "infinity": float("-inf"),
    "a long integer": 10**308,
    "a very long integer": 10**10_000,
    "a date": date(2030, 1, 1),
    "a set": {1},
    "bytes": b"x",
    "a complex number": 1j,
    "an object": object(),
    "a name that is a number": {5: "x"},
    "a name that is None": {None: "x"},
}


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
@pytest.mark.parametrize("field", ["metadata", "more", "tags", "version_number"])
def test_a_version_made_of_what_is_not_json_is_refused(field: str, value: Any) -> None:
    held = {"a": [value]} if field == "metadata" else [value]
    with pytest.raises(ApiError, match="expected a prompt version as JSON"):
        PromptVersion.from_api({"content": "x", field: held})


def test_a_version_made_of_tuples_is_made_json_and_shares_nothing() -> None:
    inner = {"b": ("c", "\ud800")}
    found = PromptVersion.from_api({"content": ({"role": "user", "content": "x"},), "metadata": {"a": (1, inner)}})
    inner["b"] = ()
    assert found.type == "chat"
    assert found.to_dict()["metadata"] == {"a": [1, {"b": ["c", "\ufffd"]}]}
    assert is_json(found.to_dict())


def test_a_version_that_holds_itself_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ApiError, match="nested"):
        PromptVersion.from_api({"content": "x", "metadata": {"a": circle}})


# What a file says.


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", "1e999", "9" * 309, "9" * 10_000, "!!set {a}", "{5: x}"])
def test_a_file_with_what_is_not_json_is_refused(value: str, make_client: Make, tmp_path: Path) -> None:
    (tmp_path / "greeting.md").write_text(f"---\nmetadata: {{a: [{value}]}}\n---\nx")
    if value == "1e999":  # which is text in YAML
        assert is_json(read_file(make_client, tmp_path).to_dict())
        return
    with pytest.raises(ConfigurationError, match=r"greeting\.md"):
        read_file(make_client, tmp_path)


def read_file(make_client: Make, folder: Path) -> PromptVersion:
    client = make_client(prompt_dir=str(folder), max_retries=0, base_url="http://127.0.0.1:9")
    return client.get_prompt_version("greeting")


def test_a_file_that_escapes_half_of_a_surrogate_pair_is_refused(make_client: Make, tmp_path: Path) -> None:
    (tmp_path / "greeting.md").write_text('---\ntags: ["\\ud800"]\n---\nx')
    with pytest.raises(ConfigurationError, match="is not YAML"):
        read_file(make_client, tmp_path)


def test_a_program_that_publishes_half_of_a_surrogate_pair_serves_what_is_whole() -> None:
    with LocalPlatform() as platform, platform.client() as client:
        platform.publish("greeting", "x\ud800", tags=["\ud800"], metadata={"\ud800": ["\udfff", date(2030, 1, 1)]})
        found = client.get_prompt_version("greeting")
    assert is_json(found.to_dict())
    assert (found.content, found.tags) == ("x\ufffd", ("\ufffd",))
    assert found.get_metadata("\ufffd") == ["\ufffd", "2030-01-01"]


@pytest.mark.parametrize(
    "value", [10**308, 10**10_000, float("nan"), {1}, {5: "x"}], ids=["long", "longer", "nan", "a set", "a name"]
)
def test_a_program_that_publishes_what_is_not_json_is_told(value: Any) -> None:
    with LocalPlatform() as platform, pytest.raises(ConfigurationError, match="metadata") as caught:
        platform.publish("greeting", "x", metadata={"a": [value]})
    assert len(str(caught.value)) < 300


# What a store has.


@pytest.mark.parametrize("number", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
@pytest.mark.parametrize("field", ["metadata", "fetched_at", "life", "generation"])
def test_an_entry_with_such_a_number_is_a_miss(
    field: str, number: str, make_client: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore(timer=lambda: clock.time)
    first, second = make_client(cache_store=store), make_client(cache_store=store)
    content(first)
    key = store_key(first)
    entry = json.loads(store.get_many([key])[key])
    (entry if field in entry else entry["version"])[field] = {"n": "@"} if field == "metadata" else "@"
    store.set(key, json.dumps(entry).replace('"@"', number), None)
    found = second.get_prompt_version("greeting")
    assert is_json(found.to_dict())
    assert second.status().counters["fetches"] == 1
    assert not warnings(caplog)


def test_an_entry_with_half_of_a_surrogate_pair_is_made_whole(make_client: Make, clock: ManualClock) -> None:
    store = MemoryStore(timer=lambda: clock.time)
    first, second = make_client(cache_store=store), make_client(cache_store=store)
    content(first)
    key = store_key(first)
    store.set(key, store.get_many([key])[key].replace("Hello", "Hello \\ud800"), None)
    assert content(second) == "Hello \ufffd, {{name}}!"
