"""The numbers of docs/limits.md are those of the code."""

from __future__ import annotations

import re

import pytest
from manual.pages import text_of

from scope_client import Configuration
from scope_client._async_jobs import MAX_READ_THREADS
from scope_client._background import MAX_THREADS
from scope_client._cache.store_breaker import SLOW_ANSWER_SECONDS
from scope_client._folder.tree import MAX_FOLDERS_IN_FOLDERS, MAX_LINKS_ON_A_WAY
from scope_client._folder.whole_file import MAX_FILE_BYTES
from scope_client._http.attempt import MAX_BODY_BYTES
from scope_client._http.sessions import MAX_IDLE_CONNECTIONS
from scope_client._http.tokens import MAX_LIFE_SECONDS
from scope_client._prompt.jsonvalue import MAX_JSON_DEPTH, MAX_NUMBER_CHARACTERS
from scope_client.errors import ApiError

MIB = 1024 * 1024
ROWS = {
    "an answer of the platform, decoded": f"{MAX_BODY_BYTES // MIB} MiB",
    "a file of a prompt folder": f"{MAX_FILE_BYTES // MIB} MiB",
    "folders in folders of a prompt folder": f"{MAX_FOLDERS_IN_FOLDERS}, with {MAX_LINKS_ON_A_WAY} links on a way",
    "a prompt's name in a folder": "what the disk takes as a path, often 4,096 bytes",
    "depth of JSON in a prompt": f"{MAX_JSON_DEPTH}",
    "digits of a number in JSON": f"{MAX_NUMBER_CHARACTERS}",
    "`http_body` of an error": f"{len(ApiError('x', http_body='x' * 10_000).http_body or ''):,} characters",
    "life of a token": f"{MAX_LIFE_SECONDS:,.0f} seconds",
    "idle connections that are kept": f"{MAX_IDLE_CONNECTIONS}",
    "threads of a client for renewals": f"{MAX_THREADS}",
    "threads for asynchronous reads": f"{MAX_READ_THREADS}",
    "versions in memory": f"`cache_max_size`, {Configuration().cache_max_size:,} by default",
}


@pytest.mark.parametrize(("what", "limit"), ROWS.items())
def test_a_limit_of_the_page_is_that_of_the_code(what, limit):
    assert f"| {what} | {limit} |" in text_of("limits.md")


def test_no_limit_of_the_page_is_left_out_here():
    table = text_of("limits.md").partition("## Sizes and times")[2].partition("\n\nFour")[0]
    assert re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:] == list(ROWS)


def test_a_store_counts_as_failing_from_half_a_second_on():
    assert SLOW_ANSWER_SECONDS == 0.5
