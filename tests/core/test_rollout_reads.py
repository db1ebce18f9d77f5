"""A read with a key gets the version that the rollout of the production version picks, and never fails for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ends_within
from faults.crowd import crowd
from faults.reading import wait_until_idle, warnings

from scope_client import (
    MissingVariableError,
    NoProductionVersionError,
    PromptVersion,
    ScopeClient,
    TokenRefreshError,
    ValidationError,
)
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

New = Callable[..., ScopeClient]
IN, OUT = "user-3", "user-0"  # of a rollout of 10 percent


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform() as started:
        yield started


@pytest.fixture
def new_client(platform: LocalPlatform) -> Iterator[New]:
    with contextlib.ExitStack() as opened:
        yield lambda **options: opened.enter_context(platform.client(**{"max_retries": 0, **options}))


@pytest.fixture
def candidate(platform: LocalPlatform) -> str:
    """The ID of the version that half of the keys get."""
    platform.publish("chat", "first {{name}}")
    found = platform.draft("chat", "candidate {{name}}").id
    platform.publish("chat", "production {{name}}", metadata={"rollout": {found: 50}})
    return found


@pytest.fixture
def client(new_client: New, candidate: str) -> ScopeClient:
    return new_client()


def word(found: Any) -> str:
    return str(found if isinstance(found, str) else found.content).split()[0]


def keys_of(client: ScopeClient, wanted: str, count: int = 1) -> list[str]:
    names = (f"user-{number}" for number in range(10_000))
    found = (name for name in names if word(client.get_prompt_version("chat", key=name)) == wanted)
    return [next(found) for _ in range(count)]


READS: dict[str, Callable[..., Any]] = {
    "get": lambda client, **asked: client.get_prompt_version("chat", **asked),
    "read": lambda client, **asked: client.read_prompt("chat", **asked).version,
    "render": lambda client, **asked: client.render_prompt("chat", {"name": "x"}, **asked),
    "aget": lambda client, **asked: asyncio.run(client.aget_prompt_version("chat", **asked)),
    "arender": lambda client, **asked: asyncio.run(client.arender_prompt("chat", {"name": "x"}, **asked)),
    "past the cache": lambda client, **asked: client.get_prompt_version("chat", cache=False, **asked),
    "asynchronously past it": lambda client, **asked: asyncio.run(
        client.aget_prompt_version("chat", cache=False, **asked)
    ),
    "of an age": lambda client, **asked: client.get_prompt_version("chat", cache_ttl=0, **asked),
    "with a fallback": lambda client, **asked: client.get_prompt_version("chat", fallback="fallback", **asked),
    "with requires": lambda client, **asked: client.get_prompt_version("chat", requires={"name"}, **asked),
    "with a deadline": lambda client, **asked: client.get_prompt_version("chat", deadline=10, **asked),
    "by production": lambda client, **asked: client.get_prompt_version("chat", label="production", **asked),
}


@pytest.mark.parametrize("name", READS)
def test_each_way_to_read_picks_alike(name: str, client: ScopeClient, new_client: New) -> None:
    (inside,), (outside,) = keys_of(client, "candidate"), keys_of(client, "production")
    for each in (client, new_client(), new_client(cache_enabled=False)):
        for _ in range(2):
            assert word(READS[name](each, key=inside)) == "candidate"
            assert word(READS[name](each, key=outside)) == "production"
            assert word(READS[name](each)) == "production"
            assert word(READS[name](each, key=None)) == "production"


def test_without_a_key_nothing_is_asked_for_besides(client: ScopeClient, platform: LocalPlatform) -> None:
    client.get_prompt_version("chat")
    client.read_prompt("chat")
    wait_until_idle(client)
    assert [each.path for each in platform.requests if "/prompts/" in each.path] == ["/api/v1/prompts/chat/production"]


def test_the_candidate_is_fetched_behind_the_first_read_that_gets_production(
    client: ScopeClient, new_client: New, platform: LocalPlatform, candidate: str
) -> None:
    (inside,), (outside,) = keys_of(client, "candidate"), keys_of(client, "production")
    other = new_client()
    assert word(other.get_prompt_version("chat", key=outside)) == "production"
    wait_until_idle(other)
    platform.stop()
    assert word(other.get_prompt_version("chat", key=inside)) == "candidate"


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_prefetch_brings_the_candidates_too(
    is_awaited: bool, client: ScopeClient, new_client: New, platform: LocalPlatform
) -> None:
    (inside,) = keys_of(client, "candidate")
    other = new_client()
    report = asyncio.run(other.aprefetch(["chat"])) if is_awaited else other.prefetch(["chat"])
    assert {name: word(version) for name, version in report.versions.items()} == {"chat": "production"}
    platform.stop()
    assert word(other.get_prompt_version("chat", key=inside)) == "candidate"


def test_renewals_keep_both_warm(platform: LocalPlatform, candidate: str, new_client: New, clock: Any) -> None:
    client = new_client(clock=clock.clock, cache_ttl=100)
    (inside,), (outside,) = keys_of(client, "candidate"), keys_of(client, "production")
    before = len(platform.requests)
    for _ in range(4):
        clock.passes(90)
        client.get_prompt_version("chat", key=outside)
        wait_until_idle(client)
        client.get_prompt_version("chat", key=outside)
        wait_until_idle(client)
    asked = Counter(each.path.rpartition("/")[2] for each in platform.requests[before:])
    assert asked[candidate] == asked["production"] == 4
    clock.passes(1)
    platform.stop()
    assert word(client.get_prompt_version("chat", key=inside)) == "candidate"


def test_without_a_cache_nothing_is_fetched_behind(
    new_client: New, platform: LocalPlatform, client: ScopeClient
) -> None:
    (outside,) = keys_of(client, "production")
    bare = new_client(cache_enabled=False)
    before = len(platform.requests)
    bare.get_prompt_version("chat", key=outside)
    client.get_prompt_version("chat", key=outside, cache=False)
    wait_until_idle(bare)
    wait_until_idle(client)
    asked = [each.path.rpartition("/")[2] for each in platform.requests[before:] if "/prompts/" in each.path]
    assert asked == ["production", "production"]


def test_what_was_read_is_told(client: ScopeClient, candidate: str) -> None:
    (inside,), (outside,) = keys_of(client, "candidate"), keys_of(client, "production")
    assert client.read_prompt("chat", key=inside).variant == candidate
    assert client.read_prompt("chat", key=outside).variant == client.get_prompt_version("chat").id
    assert client.read_prompt("chat").variant is None
    assert client.read_prompt("chat", label="latest", key=inside).variant is None
    assert client.read_prompt("chat", version=candidate, key=inside).variant is None


def test_a_label_or_version_that_was_asked_for_is_what_is_read(
    client: ScopeClient, platform: LocalPlatform, candidate: str
) -> None:
    first = client.get_prompt_version("chat", version=candidate, key=OUT)
    assert word(first) == "candidate"
    assert word(client.get_prompt_version("chat", label="latest", key=IN)) == "production"


def test_a_rollout_that_grows_ends_and_begins_is_followed_by_the_next_renewal(
    new_client: New, platform: LocalPlatform, candidate: str
) -> None:
    client = new_client(cache_ttl=0)

    def share(percent: float | None) -> int:
        platform.publish(
            "chat", "production {{name}}", metadata={} if percent is None else {"rollout": {candidate: percent}}
        )
        return sum(word(client.get_prompt_version("chat", key=number)) == "candidate" for number in range(60))

    counts = [share(percent) for percent in (0, 10, 50, 100, None)]
    assert counts == [*sorted(counts[:4]), 0]
    assert counts[0] == 0
    assert counts[3] == 60


def test_a_bad_rollout_is_left_aside_and_told_once(
    new_client: New, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    bad = platform.publish("chat", "production", metadata={"rollout": {"v_1": 101}}).id
    client = new_client(cache_ttl=0)
    for key in range(5):
        assert word(client.get_prompt_version("chat", key=key)) == "production"
        assert client.read_prompt("chat", key=key).variant is None
    (told,) = warnings(caplog)
    assert told == (
        f"the prompt 'chat': the rollout in the metadata of version {bad} is left aside: "
        "the percentage of 'v_1' must be a number from 0 to 100, got 101"
    )


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_candidate_that_the_platform_does_not_have_gives_way_to_production_and_is_told_once(
    is_awaited: bool, new_client: New, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    platform.publish("chat", "production", metadata={"rollout": {"v_gone": 100}})
    client = new_client()
    for key in range(5):
        read = READS["aget" if is_awaited else "get"]
        assert word(read(client, key=key)) == "production"
        assert client.read_prompt("chat", key=key).variant is None
    assert sum(each.path.endswith("v_gone") for each in platform.requests) == 1
    (told,) = warnings(caplog)
    assert "version v_gone, which the rollout of version v_" in told
    assert "the production version is served in its place" in told


def test_a_candidate_that_was_not_there_is_asked_for_again_after_half_a_minute(
    new_client: New, platform: LocalPlatform, clock: Any
) -> None:
    platform.publish("chat", "production", metadata={"rollout": {"v_gone": 100}})
    client = new_client(clock=clock.clock, cache_ttl=1000)
    asked = []
    for _ in range(8):
        client.get_prompt_version("chat", key=1)
        wait_until_idle(client)
        asked.append(sum(each.path.endswith("v_gone") for each in platform.requests))
        clock.passes(10)
    assert asked == [1, 1, 1, 2, 2, 2, 3, 3]


def test_in_an_outage_what_is_known_is_served(client: ScopeClient, new_client: New, platform: LocalPlatform) -> None:
    (inside,) = keys_of(client, "candidate")
    other = new_client()
    other.get_prompt_version("chat")
    platform.stop()
    assert word(other.get_prompt_version("chat", key=inside)) == "production"
    assert word(client.get_prompt_version("chat", key=inside)) == "candidate"
    with pytest.raises(TokenRefreshError, match="could not be reached"):
        new_client().get_prompt_version("chat", key=inside)
    assert new_client().get_prompt_version("chat", key=inside, fallback="?").is_fallback


def test_a_slow_candidate_is_not_waited_for_as_long_as_a_first_read(
    client: ScopeClient, new_client: New, platform: LocalPlatform
) -> None:
    (inside,) = keys_of(client, "candidate")
    other = new_client()
    other.get_prompt_version("chat")
    platform.hang()
    try:
        with ends_within(15):  # of the 30 seconds of an attempt
            assert word(other.get_prompt_version("chat", key=inside)) == "production"
    finally:
        platform.recover()


def test_a_prompt_without_a_production_version_has_no_rollout(new_client: New, platform: LocalPlatform) -> None:
    platform.draft("draft", "text")
    with pytest.raises(NoProductionVersionError):
        new_client().get_prompt_version("draft", key=5)


def test_a_candidate_that_the_caller_cannot_fill_in_gives_way_to_production(
    new_client: New, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    needs_more = platform.draft("chat", "candidate {{name}} {{tone}}").id
    platform.publish("chat", "production {{name}}", metadata={"rollout": {needs_more: 100}})
    client = new_client()
    assert word(client.get_prompt_version("chat", key=1)) == "candidate"
    for _ in range(2):
        assert client.render_prompt("chat", {"name": "x"}, key=1) == "production x"
        assert asyncio.run(client.arender_prompt("chat", {"name": "x"}, key=1)) == "production x"
        assert word(client.get_prompt_version("chat", key=1, requires={"name"})) == "production"
    assert client.read_prompt("chat", key=1, requires={"name"}).variant is None
    assert client.render_prompt("chat", {"name": "x", "tone": "y"}, key=1) == "candidate x y"
    (told,) = warnings(caplog)
    assert "needs 'tone', which the code does not give; the production version is served in its place" in told


def test_a_candidate_with_fewer_variables_gives_way_too_unless_extra_values_are_taken(
    new_client: New, platform: LocalPlatform
) -> None:
    needs_less = platform.draft("chat", "candidate").id
    platform.publish("chat", "production {{name}}", metadata={"rollout": {needs_less: 100}})
    assert new_client().render_prompt("chat", {"name": "x"}, key=1) == "production x"
    assert new_client(extra_values="ignore").render_prompt("chat", {"name": "x"}, key=1) == "candidate"


def test_production_that_the_caller_cannot_fill_in_is_an_error_as_ever(
    new_client: New, platform: LocalPlatform, candidate: str
) -> None:
    client = new_client()
    (outside,) = keys_of(client, "production")
    with pytest.raises(MissingVariableError):
        client.get_prompt_version("chat", key=outside, requires=())
    fitting = new_client(when_unfit="last_fitting")
    fitting.get_prompt_version("chat")
    platform.publish("chat", "newer {{name}} {{tone}}", metadata={"rollout": {candidate: 0}})
    fitting.clear_cache()
    assert fitting.render_prompt("chat", {"name": "x"}, key=outside) == "production x"
    assert fitting.read_prompt("chat", key=outside, requires={"name"}).variant is None


def test_pins_keep_what_was_picked_first(client: ScopeClient, new_client: New, candidate: str) -> None:
    (inside,), (outside,) = keys_of(client, "candidate"), keys_of(client, "production")
    with client.pin() as pins:
        assert word(client.get_prompt_version("chat", key=inside)) == "candidate"
        assert word(client.get_prompt_version("chat")) == "candidate"
        assert word(client.get_prompt_version("chat", key=outside)) == "candidate"
        assert client.read_prompt("chat").variant == candidate
    other = new_client()
    with other.pin(token=pins.token):
        assert other.read_prompt("chat").variant == candidate
        assert other.read_prompt("chat", key=outside).variant == candidate
    with client.pin("chat"):
        assert word(client.get_prompt_version("chat", key=inside)) == "production"
        assert client.read_prompt("chat", key=inside).variant is None


def test_a_stand_in_has_no_rollout(new_client: New, platform: LocalPlatform, tmp_path: Path) -> None:
    (tmp_path / "chat.md").write_text('---\nmetadata: {"rollout": {"v_1": 100}}\n---\nfrom the folder')
    platform.stop()
    read = new_client(prompt_dir=tmp_path).read_prompt("chat", key=5)
    assert (read.source, read.variant) == ("folder", None)


@pytest.mark.parametrize("key", ["", True, 1.5, b"a", object()], ids=lambda key: type(key).__name__)
@pytest.mark.parametrize("name", ["get", "read", "render", "aget", "arender"])
def test_a_bad_key_is_refused_before_anything_is_sent_and_after(
    name: str, key: Any, client: ScopeClient, platform: LocalPlatform
) -> None:
    for _ in range(2):
        before = len(platform.requests)
        with pytest.raises(ValidationError, match="key must"):
            READS[name](client, key=key)
        assert len(platform.requests) == before
        client.get_prompt_version("chat", key=IN)


def test_many_threads_read_it_cold_with_one_request_for_each_version(
    new_client: New, platform: LocalPlatform, candidate: str
) -> None:
    client = new_client()
    found = crowd(8, lambda: [word(client.get_prompt_version("chat", key=number)) for number in range(50)])
    assert all(each == found[0] for each in found)
    wait_until_idle(client)
    asked = Counter(each.path.rpartition("/")[2] for each in platform.requests)
    assert (asked["production"], asked[candidate]) == (1, 1)


def test_a_forked_child_picks_alike(client: ScopeClient) -> None:
    before = [word(client.get_prompt_version("chat", key=number)) for number in range(100)]
    child = os.fork()
    if child == 0:
        after = [word(client.get_prompt_version("chat", key=number)) for number in range(100)]
        os._exit(0 if after == before else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_version_in_hand_has_nothing_to_do_with_it(client: ScopeClient) -> None:
    assert isinstance(client.get_prompt_version("chat", key=IN), PromptVersion)


def asked_for(platform: LocalPlatform, candidate: str) -> int:
    return sum(each.path.endswith(candidate) for each in platform.requests)


def test_what_is_read_next_is_not_fetched_behind_too(client: ScopeClient, new_client: New) -> None:
    (inside,) = keys_of(client, "candidate")
    other = new_client()
    other.get_prompt_version("chat")
    assert word(other.get_prompt_version("chat", key=inside)) == "candidate"
    assert other._rooms.background.threads == 0


def test_a_rollout_ends_with_the_version_that_had_it_whoever_has_read_the_next_one(
    client: ScopeClient, platform: LocalPlatform
) -> None:
    (inside,) = keys_of(client, "candidate")
    for _ in range(2):
        client.get_prompt_version("chat", key=inside)
    platform.publish("chat", "next {{name}}")
    client.get_prompt_version("chat", cache_ttl=0)
    for _ in range(2):  # the second one is answered at once
        client.get_prompt_version("chat")
    assert word(client.get_prompt_version("chat", key=inside)) == "next"


def test_a_candidate_past_its_end_is_asked_for_though_production_is_fresh(
    candidate: str, new_client: New, platform: LocalPlatform, clock: Any
) -> None:
    client = new_client(clock=clock.clock, cache_ttl=100)
    (inside,), (outside,) = keys_of(client, "candidate"), keys_of(client, "production")
    clock.passes(60)
    client.get_prompt_version("chat", cache_ttl=0)
    for _ in range(3):
        client.get_prompt_version("chat", key=outside)
    clock.passes(60)
    for _ in range(2):
        client.get_prompt_version("chat")
    before = asked_for(platform, candidate)
    assert word(client.get_prompt_version("chat", key=inside)) == "candidate"
    wait_until_idle(client)
    assert asked_for(platform, candidate) == before + 1


def test_a_candidate_that_comes_by_its_id_ends_the_wait_for_it(
    client: ScopeClient, new_client: New, platform: LocalPlatform, candidate: str
) -> None:
    (inside,) = keys_of(client, "candidate")
    other = new_client()
    other.get_prompt_version("chat")
    platform.stop()
    assert word(other.get_prompt_version("chat", key=inside)) == "production"
    platform.start()
    assert word(other.get_prompt_version("chat", version=candidate)) == "candidate"
    assert word(other.get_prompt_version("chat", key=inside)) == "candidate"
