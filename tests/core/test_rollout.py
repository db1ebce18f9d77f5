"""A rollout's samples: exact, sticky, the same everywhere. What is no rollout, and what is no key."""

from __future__ import annotations

import decimal
import enum
import math
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import models
from django.utils.functional import SimpleLazyObject
from hypothesis import given
from hypothesis import strategies as st

from scope_client import PromptVersion, ValidationError
from scope_client._rollouts.picking import MAX_CANDIDATES, Rollout, key_text, rollout_of

ROOT = Path(__file__).resolve().parents[2]
KEYS = 100_000
CANDIDATE, OTHER = "v_01J9ZK3QCANDIDATE", "v_01J9ZK3QOTHER"


def sample(percentages: dict[str, float], keys: int = KEYS) -> dict[str, str | None]:
    rollout = Rollout(percentages)
    return {f"user-{number}": rollout.picked(f"user-{number}") for number in range(keys)}


def is_within(count: int, share: float, keys: int = KEYS) -> bool:
    """Within four standard errors of a share."""
    return abs(count - keys * share) <= 4 * math.sqrt(keys * share * (1 - share))


def test_ten_percent_of_a_hundred_thousand_keys_is_within_the_expected_error() -> None:
    assert is_within(Counter(sample({CANDIDATE: 10}).values())[CANDIDATE], 0.1)


def test_nobody_moves_but_into_it_when_it_grows() -> None:
    shares = (0, 0.5, 1, 10, 20, 33.3, 50, 99.9, 100)
    samples = [{key for key, picked in sample({CANDIDATE: share}, 20_000).items() if picked} for share in shares]
    for smaller, larger in zip(samples, samples[1:]):
        assert smaller < larger
    assert len(samples[0]) == 0
    assert len(samples[-1]) == 20_000


def test_the_samples_of_two_candidates_are_independent() -> None:
    first, second = sample({CANDIDATE: 10}), sample({OTHER: 10})
    assert is_within(sum(bool(first[key] and second[key]) for key in first), 0.01)


@pytest.mark.parametrize(
    "percentages",
    [
        {"v_a": 10, "v_b": 10},
        {"v_a": 50, "v_b": 50},
        {"v_b": 5, "v_a": 80, "v_c": 15},
        {"v_a": 0, "v_b": 30, "v_c": 1.5},
    ],
    ids=str,
)
def test_each_of_several_candidates_has_its_share(percentages: dict[str, float]) -> None:
    counts = Counter(sample(percentages).values())
    for candidate, percent in percentages.items():
        assert is_within(counts[candidate], percent / 100)
    assert counts[None] == 0 if sum(percentages.values()) == 100 else counts[None]


def test_when_the_last_of_several_grows_nobody_moves_but_into_it() -> None:
    before, after = sample({"v_a": 10, "v_b": 10}), sample({"v_a": 10, "v_b": 30})
    assert {(was, after[key]) for key, was in before.items() if was != after[key]} == {(None, "v_b")}


def test_the_order_of_a_mapping_does_not_matter() -> None:
    assert sample({"v_a": 10, "v_b": 20}, 1000) == sample({"v_b": 20, "v_a": 10}, 1000)


PROGRAM = f"""
from scope_client._rollouts.picking import Rollout
rollout = Rollout({{"{CANDIDATE}": 10, "{OTHER}": 25}})
print("".join({{None: "p", "{CANDIDATE}": "c", "{OTHER}": "o"}}[rollout.picked(str(n))] for n in range(60)))
"""
ANSWER = "oppppoppooppopopcppoppoppcppppoocppppcpopcoopppopoppppppoppo"


@pytest.mark.parametrize("seed", ["0", "1"])
def test_each_process_picks_alike(seed: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed},
        timeout=60,
    )
    assert run.stdout.strip() == ANSWER


def test_it_is_the_sha_256_that_the_manual_names() -> None:
    import hashlib

    for number in range(2000):
        octets = hashlib.sha256(f"{CANDIDATE}\0user-{number}".encode()).digest()[:8]
        is_in = int.from_bytes(octets, "big") < 2**64 * 10 / 100
        assert (Rollout({CANDIDATE: 10}).picked(f"user-{number}") == CANDIDATE) is is_in


@given(st.text(min_size=1), st.floats(0, 100))
def test_any_key_and_any_percentage_have_an_answer(key: str, percent: float) -> None:
    assert Rollout({CANDIDATE: percent}).picked(key) in (CANDIDATE, None)


def version(rollout: Any, **facts: Any) -> PromptVersion:
    return PromptVersion.from_api(
        {"content": "text", "id": "v_production", "name": "chat", "metadata": {"rollout": rollout}, **facts}
    )


@pytest.mark.parametrize("none", [None, {}])
def test_no_rollout_is_none(none: Any) -> None:
    assert rollout_of(version(none)) is None
    assert rollout_of(PromptVersion.from_api({"content": "text"})) is None


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        ([CANDIDATE], "map version IDs to percentages"),
        ("v_1", "map version IDs to percentages"),
        (10, "map version IDs to percentages"),
        (True, "map version IDs to percentages"),
        ({CANDIDATE: "10"}, "a number from 0 to 100, got '10'"),
        ({CANDIDATE: True}, "a number from 0 to 100, got True"),
        ({CANDIDATE: None}, "a number from 0 to 100, got None"),
        ({CANDIDATE: -1}, "a number from 0 to 100, got -1"),
        ({CANDIDATE: -0.001}, "a number from 0 to 100"),
        ({CANDIDATE: 100.5}, "a number from 0 to 100, got 100.5"),
        ({CANDIDATE: 10**40}, "a number from 0 to 100"),
        ({CANDIDATE: [10]}, "a number from 0 to 100"),
        ({CANDIDATE: {"percent": 10}}, "a number from 0 to 100"),
        ({CANDIDATE: 60, OTHER: 41}, "100 together at most, got 101"),
        ({"v_production": 10}, "the production version itself"),
        ({"": 10}, "must not be empty"),
        ({"..": 10}, "must not be empty"),
        ({"12": 10}, "and not its number"),
        ({f"v_{number}": 1 for number in range(MAX_CANDIDATES + 1)}, "at most 20 versions, got 21"),
    ],
    ids=str,
)
def test_what_cannot_be_carried_out_says_why(rollout: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rollout_of(version(rollout))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_is_no_percentage(number: float) -> None:
    made = version({CANDIDATE: 1})
    with pytest.raises(ValidationError, match="a number from 0 to 100"):
        rollout_of(made_with(made, {CANDIDATE: number}))


def made_with(made: PromptVersion, rollout: dict[str, float]) -> PromptVersion:
    """JSON has no such numbers; what a program makes by hand may."""
    object.__setattr__(made, "_metadata", ("rollout", rollout))
    return made


def test_thirds_and_the_like_are_not_more_than_all() -> None:
    assert rollout_of(version({"v_a": 33.3, "v_b": 33.3, "v_c": 33.4})) is not None
    assert rollout_of(version({"v_a": 100})) is not None


class TextMember(str, enum.Enum):
    A = "a"


class NumberMember(enum.IntEnum):
    FIVE = 5


class Lazy:
    def __str__(self) -> str:
        return "lazy"


class Shouting(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


USER_ID = uuid.UUID("12345678123456781234567812345678")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("user-1", "user-1"),
        (" ", " "),
        (5, "5"),
        (0, "0"),
        (-5, "-5"),
        (USER_ID, "12345678-1234-5678-1234-567812345678"),
        (TextMember.A, "a"),
        (NumberMember.FIVE, "5"),
        (Shouting("a"), "a"),
        (decimal.Decimal(5), "5"),
        (Lazy(), "lazy"),
        (SimpleLazyObject(lambda: "lazy"), "lazy"),
        (SimpleLazyObject(lambda: 5), "5"),
        (None, None),
        (SimpleLazyObject(lambda: None), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_key_is_what_its_text_is(key: Any, text: str | None) -> None:
    assert key_text(key) == text


class Person(models.Model):
    class Meta:
        app_label = "rollouts"

    def __str__(self) -> str:
        return "Ada"


class Broken:
    def __str__(self) -> str:
        raise OSError("no text")


class Member(enum.Enum):
    A = "a"


NO_KEYS: list[tuple[str, Any]] = [
    ("must not be empty", ""),
    ("more digits than Python writes", -(10**5000)),
    ("must not be empty", SimpleLazyObject(lambda: "")),
    *(
        ("must be text, a whole number or a UUID", each)
        for each in (True, False, 1.5, math.nan, b"a", [1], (1,), {}, {1})
    ),
    *(("must be text, a whole number or a UUID", each) for each in (object(), Member.A, int, len, lambda: 1, print)),
    ("must be text, a whole number or a UUID", SimpleLazyObject(lambda: True)),
    ("whole record, got Person: give its ID", SimpleLazyObject(Person)),
    ("whole record, got Person: give its ID", Person()),
    (r"str\(\) of this Broken fails: no text", Broken()),
]


@pytest.mark.parametrize("number", range(len(NO_KEYS)))
def test_what_has_no_lasting_text_is_no_key(number: int) -> None:
    said, key = NO_KEYS[number]
    with pytest.raises(ValidationError, match=said):
        key_text(key)
