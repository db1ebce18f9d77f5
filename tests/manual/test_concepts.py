"""What docs/concepts says in numbers and in drawings is what the code does by default."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import NamedTuple

import pytest
from manual import pages
from manual.pages import DOCS

from scope_client import ApiKeyCredentials, Configuration
from scope_client._async_jobs import MAX_READ_THREADS, MAX_SHORT_READ_THREADS
from scope_client._background import IDLE_THREAD_SECONDS, MAX_QUEUED_JOBS, MAX_THREADS
from scope_client._cache import (
    fleet_loading,
    fleet_locks,
    loading,
    lock_heartbeat,
    platform_breaker,
    refusals,
    sleep_watch,
    store_breaker,
)
from scope_client._cache.cache import HASTE_SECONDS
from scope_client._cache.cleared import CLEARED_KEY_SECONDS
from scope_client._cache.platform_breaker import PROMPT_PAUSES
from scope_client._cache.policy import (
    FIRST_READER_SECONDS,
    FLEET_RENEWAL_SHARE,
    JOINER_SECONDS,
    RENEWAL_SHARE,
    Facts,
    Known,
    Renewal,
    Rules,
    Step,
    decide,
)
from scope_client._cache.shared_entry import SCHEMA
from scope_client._circuit_breaker import NEVER
from scope_client._http import tokens
from scope_client._http.budget import OVERRUN_SECONDS
from scope_client._prefetch import MAX_PREFETCH_THREADS
from scope_client._stores.redis_store import SERVER_TIMEOUT_SECONDS

DEFAULT = Configuration(credentials=ApiKeyCredentials("org", "key", "secret"))
TTL, KEPT = DEFAULT.cache_ttl, DEFAULT.stale_if_error
DUE = TTL * (1 - RENEWAL_SHARE)
GONE = TTL + KEPT
HALF, QUARTER = "half a second", "a quarter of a second"
LIFE, OUTAGES, TOKENS = "life-of-a-version", "outages", "tokens"
STORE, FORKS, LOOPS = "shared-caches", "forks", "event-loops"

# A page, the words, and whether the numbers in them are those of the code.
SAID = [
    (LIFE, f"| [fresh](../glossary.md#fresh) | 0 to {DUE:.0f} |", True),
    (LIFE, f"| [due](../glossary.md#due) | {DUE:.0f} to {TTL:.0f} |", True),
    (LIFE, f"| [expired](../glossary.md#expired) | {TTL:.0f} to {GONE:,.0f} |", True),
    (LIFE, f"| [gone](../glossary.md#gone) | from {GONE:,.0f} on |", True),
    (LIFE, f"in its last {TTL - DUE:.0f} seconds", True),
    (LIFE, f"{TTL:.0f} s, less up to {loading.TTL_JITTER_SHARE * 100:.0f} % by chance", True),
    (
        LIFE,
        f"the last {RENEWAL_SHARE * 100:.0f} %; the last {FLEET_RENEWAL_SHARE * 100:.0f} % with a shared store",
        True,
    ),
    (LIFE, f"{KEPT:,.0f} s, a day", True),
    (LIFE, "for one attempt, for a second at most", FIRST_READER_SECONDS == 1),
    (LIFE, f"wait {QUARTER} at most", JOINER_SECONDS == 0.25),
    (LIFE, "has not ended after six seconds", platform_breaker.FIRST_ATTEMPT_SECONDS + OVERRUN_SECONDS == 6),
    (LIFE, f"| renewals that run at the same time | {MAX_THREADS},", True),
    (LIFE, f"| time for one, while all is well | {platform_breaker.FIRST_ATTEMPT_SECONDS:.0f} s,", True),
    (LIFE, f"| {MAX_THREADS / 0.3:.0f} renewals a second |", True),
    (LIFE, f"| renewals that may wait their turn | {MAX_QUEUED_JOBS:,} |", True),
    (LIFE, f"Memory holds {DEFAULT.cache_max_size:,} versions", True),
    (LIFE, "at most every five seconds", sleep_watch.LOOK_AT_WALL_CLOCK_SECONDS == 5),
    (LIFE, "sleeps for two seconds or more", sleep_watch.MIN_SLEEP_SECONDS == 2),
    (LIFE, "more than a second late proves no outage", OVERRUN_SECONDS == 1),
    (OUTAGES, "for one attempt, one second at most", FIRST_READER_SECONDS == 1),
    (OUTAGES, f"| {QUARTER} at most |", JOINER_SECONDS == 0.25),
    (OUTAGES, "up to four, of `timeout` seconds each", DEFAULT.max_retries == 3),
    (OUTAGES, "up to 1 s after the first failure, doubling up to 30 s", PROMPT_PAUSES == (1, 30)),
    (
        OUTAGES,
        "up to 0.5 s after the first failure, doubling up to 15 s",
        platform_breaker.PLATFORM_PAUSES == (0.5, 15),
    ),
    (OUTAGES, f"| {platform_breaker.FIRST_ATTEMPT_SECONDS:.0f} s; it doubles with each failure", True),
    (OUTAGES, f"| {platform_breaker.OUTAGE_REMEMBERED_SECONDS:.0f} s |", True),
    (OUTAGES, f"| {refusals.REFUSAL_SECONDS:.0f} s |", True),
    (OUTAGES, "1 s, then 2, 4 and so on, up to a minute", tokens.CREDENTIALS_PAUSES == (1, 60)),
    (TOKENS, f"the last {DEFAULT.token_refresh_buffer:.0f} s (`token_refresh_buffer`), or the last fifth", True),
    (TOKENS, "or the last fifth of its life", tokens.MAX_BUFFER_SHARE == 0.2),
    (TOKENS, "answer, a day at most", tokens.MAX_LIFE_SECONDS == 86_400),
    (TOKENS, f"| {tokens.UNSAID_LIFE_SECONDS:.0f} s |", True),
    (TOKENS, f"in {tokens.RENEWAL_PAUSE_SECONDS:.0f} s, or after half", True),
    (TOKENS, "| after a second |", tokens.ODD_ANSWER_SECONDS == 1),
    (STORE, f"within `cache_local_ttl`, {DEFAULT.cache_local_ttl:.0f} s", True),
    (STORE, "than a twentieth of a second", store_breaker.NOTICED_SECONDS == 0.05),
    (STORE, f"says nothing | {fleet_locks.LOCK_SECONDS:.0f} s |", True),
    (STORE, f"| after {lock_heartbeat.FIRST_WORD_SECONDS} s, and then", True),
    (STORE, f"| {fleet_loading.LATE_WORD_SECONDS} s after its next word", True),
    (STORE, f"| {fleet_locks.LOCK_SECONDS:.0f} s at most, or its `deadline` |", True),
    (STORE, f"for it | {FIRST_READER_SECONDS:.0f} s at most |", True),
    (STORE, "kept for 14 days", CLEARED_KEY_SECONDS == 14 * 86_400),
    (STORE, "alone for up to 5 s", store_breaker.STORE_PAUSES == (5, 5)),
    (STORE, "longer than half a second, twice in a row; or than 2 s, once", store_breaker.SLOW_ANSWER_SECONDS == 0.5),
    (STORE, "or than 2 s, once", store_breaker.HANGING_ANSWER_SECONDS == 2),
    (STORE, f"{HALF}, for a `RedisStore` with a URL", SERVER_TIMEOUT_SECONDS == 0.5),
    (STORE, f"the deadline is under {HASTE_SECONDS:.0f} s", True),
    (STORE, f"`scope:{SCHEMA}:{{...}}:...`", True),
    (FORKS, f"up to {loading.TTL_JITTER_SHARE * 100:.0f} % earlier", True),
    (FORKS, f"| for renewals and tokens | {MAX_THREADS} |", True),
    (FORKS, f"| for `prefetch` | {MAX_PREFETCH_THREADS - 1} |", True),
    (FORKS, f"| {2 * MAX_READ_THREADS + MAX_SHORT_READ_THREADS} | while a task waits", True),
    (FORKS, "ends after five seconds", IDLE_THREAD_SECONDS == 5),
    (LOOPS, f"wait for the platform | {MAX_READ_THREADS} |", True),
    (LOOPS, f"else to serve | {MAX_SHORT_READ_THREADS} |", True),
    (LOOPS, f"functions | {MAX_READ_THREADS} |", True),
]


@pytest.mark.parametrize(("page", "words", "is_so"), SAID)
def test_a_number_of_a_page_is_that_of_the_code(page: str, words: str, is_so: bool) -> None:
    text = pages.text_of(f"concepts/{page}.md")
    assert re.sub(r"\s+", " ", words) in re.sub(r"\s+", " ", text)
    assert is_so


class Row(NamedTuple):
    """What is known of a version in one row of the table of reads."""

    age: float | None
    renewal: Renewal = Renewal.NONE
    stale_at: float = NEVER
    failed_at: float = NEVER
    has_stand_in: bool = False
    stale_while_revalidate: float = 0.0


PAST = TTL + 10
ROWS = {
    "fresh": Row(10),
    "due": Row(DUE + 1),
    "expired, within `stale_while_revalidate`": Row(PAST, stale_while_revalidate=60),
    "expired, and a renewal is late": Row(PAST, Renewal.LATE),
    "expired, and a renewal is under way": Row(PAST, Renewal.UNDER_WAY),
    "expired, a reader was given it a short while ago, and a failure explains that": Row(
        PAST, stale_at=PAST - 1, failed_at=PAST - 1
    ),
    "expired, otherwise": Row(PAST),
    "gone or never known, with a stand-in": Row(None, has_stand_in=True),
    "gone or never known": Row(GONE),
}
WORDS = {
    Step.SERVE: {"serve it"},
    Step.SERVE_AND_RENEW: {"serve it, renew behind"},
    Step.TRY_FIRST: {"try first, then serve it"},
    Step.SERVE_STALE: {"serve it", "serve it, renew behind"},
    Step.STAND_IN: {"the stand-in, renew behind"},
    Step.FETCH: {"fetch", "fetch; in an outage, the stand-in"},
}


def table() -> dict[str, tuple[str, str]]:
    """The cells of the table of reads by its first column."""
    text = pages.text_of(f"concepts/{LIFE}.md").partition("## The table of reads")[2].partition("\n- ")[0]
    found = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {row: (working, down) for row, working, down in found if row not in ("what is known", "---")}


def test_the_table_of_reads_has_these_rows() -> None:
    assert list(table()) == list(ROWS)


@pytest.mark.parametrize("is_down", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_a_cell_of_the_table_of_reads_is_what_the_policy_decides(name: str, is_down: bool) -> None:
    row = ROWS[name]
    known = None if row.age is None else Known(0.0, TTL, row.stale_at, False)
    facts = Facts(
        row.age or 0.0,
        known,
        None,
        row.renewal,
        failed_at=row.failed_at,
        is_likely_down=is_down,
        is_failing=False,
        has_stand_in=row.has_stand_in,
    )
    step = decide(facts, Rules(TTL, KEPT, row.stale_while_revalidate, RENEWAL_SHARE))
    assert table()[name][is_down] in WORDS[step]


CONCEPTS = "".join(pages.text_of(page) for page in pages.pages() if page.startswith("concepts/"))
SHOWN = [file for file in sorted((DOCS / "_static").glob("*.svg")) if file.name in CONCEPTS]
SVG = "{http://www.w3.org/2000/svg}"


def test_there_are_drawings() -> None:
    assert len(SHOWN) >= 7


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: file.name)
def test_a_drawing_says_in_words_what_it_shows(file: object) -> None:
    root = ET.parse(str(file)).getroot()
    title, described = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert title.text
    assert described is not None
    assert len(str(described.text)) > 80
    assert root.get("role") == "img"
    assert list(root.iter(f"{SVG}text"))


def test_the_drawing_of_a_life_has_the_default_times() -> None:
    root = ET.parse(str(DOCS / "_static" / "life-of-a-version.svg")).getroot()
    said = {str(text.text) for text in root.iter(f"{SVG}text")}
    assert {f"{DUE:.0f} s", f"{TTL:.0f} s", f"{GONE:,.0f} s", f"0 to {DUE:.0f} s", f"{DUE:.0f} to {TTL:.0f} s"} <= said


def test_the_drawing_of_a_token_has_the_default_times() -> None:
    root = ET.parse(str(DOCS / "_static" / "life-of-a-token.svg")).getroot()
    said = {str(text.text) for text in root.iter(f"{SVG}text")}
    assert {f"{3600 - DEFAULT.token_refresh_buffer:,.0f} s", f"{DEFAULT.token_refresh_buffer:.0f} s before"} <= said
