"""The soak of `make soak` does something, and notices what it is there to notice."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faults.reading import reads
from faults.redisserver import RedisServer
from soak import fleet
from soak.board import NAMES, Board
from soak.figures import BUCKETS, bucket_of, percentile
from soak.reader import Judge
from soak.truth import Edition, content_of
from soak.verdict import Soak, broken, table
from soak.weather import FAULTS, REDIS, WEATHERS

from scope_client.local import LocalPlatform

ROOT = Path(__file__).resolve().parents[2]
BRIEFLY = ["--seconds", "5", "--ttl", "1.5", "--slowest-ms", "10000"]
TTL = 12.0


def soaked(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.soak", "--seed", "1", *BRIEFLY, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_few_seconds_of_it_end_well_and_in_a_table() -> None:
    ended = soaked()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "all bounds hold" in ended.stdout
    assert "wrong or failed: none" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize(("lie", "kind"), [("another", "of another"), ("refused", "failed")])
def test_a_platform_that_lies_or_refuses_is_noticed_and_ends_it_with_1(lie: str, kind: str) -> None:
    ended = soaked("--lie", lie)
    assert ended.returncode == 1
    assert f"wrong or failed: {kind} " in ended.stdout
    assert "BROKEN" in ended.stdout


@pytest.fixture
def board(tmp_path: Path) -> Board:
    board = Board(tmp_path / "board")
    board.current[0] = 7
    board.oldest[0] = 5
    return board


def production(number: int, name: str = NAMES[0], which: str = "production") -> str:
    return content_of(Edition(name, which, number))


@pytest.mark.parametrize(
    ("content", "complaints"),
    [
        (production(7), {}),
        (production(5), {}),
        (production(7, NAMES[1]), {"of another": 1}),
        (production(7, which="latest"), {"of another": 1}),
        (production(8), {"not yet said": 1}),
        (production(4), {"too old": 1}),
        (production(7)[:-1], {"never said": 1}),
        (production(7).replace("7", "6", 1), {"never said": 1}),
        ("", {"never said": 1}),
    ],
)
def test_an_answer_is_judged_by_what_was_true(content: str, complaints: dict[str, int], board: Board) -> None:
    judge = Judge(board, 0, TTL)
    judge.hears(0, "production", content, *judge.bounds(0, "production"))
    assert judge.complaints == complaints


def test_an_answer_must_not_be_older_than_one_that_had_been_given_before_it_was_asked_for(board: Board) -> None:
    judge = Judge(board, 0, TTL)
    before = judge.bounds(0, "production")
    judge.hears(0, "production", production(7), *before)
    judge.hears(0, "production", production(6), *before)
    assert judge.complaints == {}
    judge.hears(0, "production", production(6), *judge.bounds(0, "production"))
    assert judge.complaints == {"went back": 1}


def test_who_has_just_been_woken_may_still_have_what_was_true_before(board: Board) -> None:
    board.woken_at[0] = time.monotonic_ns()
    judge = Judge(board, 0, TTL)
    judge.hears(0, "production", production(4), *judge.bounds(0, "production"))
    assert judge.complaints == {}


def test_a_percentile_is_at_most_an_eighth_too_large() -> None:
    counts = [0] * BUCKETS
    for microseconds in range(1, 10_001):
        counts[bucket_of(microseconds * 1000)] += 1
    for share in (0.001, 0.5, 0.99, 0.999, 1.0):
        assert share * 10 <= percentile(counts, share) <= share * 10 * 1.13


def report(*, reads: int = 1_000_000, took: float = 0.01, last: float = 50.0, **facts: Any) -> dict[str, Any]:
    counts = [0] * BUCKETS
    counts[bucket_of(int(took * 1e6))] = reads
    nothing = [0] * BUCKETS
    samples = [{"threads": 18, "sockets": 10, "megabytes": 50.0}] * 30
    samples += [{"threads": last - 32, "sockets": last - 40, "megabytes": last}] * 10
    return {
        "reads": reads,
        "judged": reads,
        "stuck": 0,
        "by_weather": [counts, *[nothing] * (len(WEATHERS) - 1)],
        "by_redis": [counts, *[nothing] * (len(REDIS) - 1)],
        "of_nobodys": [counts, *[nothing] * (len(REDIS) - 1)],
        "errors": {},
        "complaints": {},
        "examples": [],
        "slow": {},
        "warnings": {"scope_client.outage": 1},
        "samples": samples,
        "counters": {},
        **facts,
    }


def verdict_on(seen: Any = FAULTS, **facts: Any) -> list[str]:
    conductor: Any = SimpleNamespace(weathers=_all(seen), troubles=_all(REDIS[1:]), stops=1)
    soak = Soak(600, 20, [report(), report(), report(**facts)], conductor, 1)
    assert "process 2" in table(soak)
    return broken(soak)


def _all(names: Any) -> Any:
    return {name: int(name in names) for name in (*FAULTS, *REDIS[1:])}


@pytest.mark.parametrize(
    ("facts", "bounds"),
    [
        ({}, []),
        ({"took": 25.0}, ["process 2: p99.9 is 25.2 ms, over 20 ms"]),
        ({"reads": 100}, ["process 2: only 100 reads"]),
        ({"complaints": {"too old": 2, "failed": 3}}, ["process 2: 2 reads were wrong", "process 2: 3 reads failed"]),
        ({"stuck": 1}, ["process 2: 1 threads did not come back from a read"]),
        (
            {"last": 100.0},
            [
                "process 2: threads grew from 18.0 to 68.0",
                "process 2: sockets grew from 10.0 to 60.0",
                "process 2: megabytes grew from 50.0 to 100.0",
            ],
        ),
        ({"judged": 0}, ["never happened: a read of which it was known how old its answer may be"]),
        ({"warnings": {}}, ["never happened: an outage in each process"]),
        ({"of_nobodys": [[0] * BUCKETS] * len(REDIS)}, ["never happened: a misspelt name in each process"]),
        ({"seen": FAULTS[1:]}, [f"never happened: {FAULTS[0]}"]),
    ],
)
def test_each_bound_that_does_not_hold_is_named(facts: dict[str, Any], bounds: list[str]) -> None:
    assert verdict_on(**facts) == bounds


@pytest.mark.parametrize("has_store", [False, True])
def test_a_fleet_reads_a_name_at_the_same_moment(has_store: bool, redis_server: RedisServer) -> None:
    with LocalPlatform({"known": "x"}, latency=0.05) as platform:
        took = fleet.fleet(16, platform, redis_server.url if has_store else "", "unknown")
        assert len(took) == 16
        assert 0 < min(took) <= max(took) < 5
        assert reads(platform) - 16 == (1 if has_store else 16)
