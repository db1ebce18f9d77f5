"""Far more names than are kept: no more requests than they are worth, and no memory for those that are gone."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Callable

import pytest
from faults.reading import content, wait_until_idle
from faults.replies import PROMPT, error

if TYPE_CHECKING:
    from faults.clock import ManualClock
    from faults.server import FaultServer, Reply

    from scope_client import ScopeClient

NAMES = 250
READS = 4_000
EXPONENT = 1.1  # of Zipf's law: a few names have most of the reads
SEED = 7
TTL = 1.0
RATE = 1_000
MORE_THAN_PERFECT = 1.2

KEPT = 50
WARM_UP = 1_500  # Python 3.10 keeps objects of its own for every function that has been called 1,024 times
PASSING = 800
READER = f"""
import gc, sys
from scope_client import ApiKeyCredentials, NotFoundError, ScopeClient

url = sys.argv[1]
keys = ApiKeyCredentials("org", "key", "secret")
client = ScopeClient(credentials=keys, base_url=url, auth_api_url=url, cache_max_size={KEPT})

def held_after(numbers):
    for number in numbers:
        try:
            client.get_prompt_version(f"name-{{number}}")
        except NotFoundError:
            pass
    gc.collect()
    return sys.getallocatedblocks()

before = held_after(range({WARM_UP}))
print(held_after(range({WARM_UP}, {WARM_UP + PASSING})) - before)
"""


def test_names_of_every_popularity_take_hardly_more_requests_than_from_a_perfect_cache(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=TTL, cache_max_size=NAMES)
    weights = list(itertools.accumulate((rank + 1) ** -EXPONENT for rank in range(NAMES)))
    ends: dict[int, float] = {}
    fewest = 0
    for name in random.Random(SEED).choices(range(NAMES), cum_weights=weights, k=READS):
        if clock.time >= ends.get(name, 0.0):
            fewest, ends[name] = fewest + 1, clock.time + TTL
        content(client, f"name-{name}")
        wait_until_idle(client)
        clock.passes(1 / RATE)
    assert fewest <= len(server.reads) <= MORE_THAN_PERFECT * fewest


@pytest.mark.parametrize("reply", [PROMPT, error(404, code="prompt_not_found")], ids=["found", "not found"])
def test_a_name_that_is_not_kept_leaves_no_object_behind(reply: Reply, server: FaultServer) -> None:
    server.answers(reply)
    run = subprocess.run([sys.executable, "-c", READER, server.url], capture_output=True, text=True, timeout=60)
    assert run.stderr == ""
    assert int(run.stdout) < PASSING / 2
