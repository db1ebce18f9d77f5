"""A fetch past the cache on a kept-alive connection, beside http.client and requests; and 16 threads of it."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from http.client import HTTPConnection

import requests

from scope_client import ApiKeyCredentials, ScopeClient

from . import server
from .measure import CLIENT, Loop, Row, medians, on_core, seconds, threaded, timed

FETCHES = 10
REPETITIONS = 201
THREADS = 16
FETCHES_OF_EACH = 50
REPETITIONS_OF_ALL = 15
PATH = "/api/v1/prompts/p/production"
HEADERS = {"Authorization": "Bearer token"}
LIMIT = 2.5
LIMIT_REQUESTS = 0.60 if sys.version_info < (3, 13) else 0.75
LEAST_RATE = 1.8


def rows() -> list[Row]:
    with on_core(CLIENT), server.running() as url, requests.Session() as session:
        credentials = ApiKeyCredentials("org", "key", "secret")
        connection = HTTPConnection(url.partition("//")[2])
        with ScopeClient(credentials=credentials, base_url=url, auth_api_url=url) as client:

            def ours() -> str:
                return client.get_prompt_version("p", cache=False).content

            def by_hand() -> str:
                connection.request("GET", PATH, headers=HEADERS)
                return str(json.loads(connection.getresponse().read())["content"])

            def with_requests() -> str:
                return str(session.get(url + PATH, headers=HEADERS).json()["content"])

            assert ours() == by_hand() == with_requests()
            loops = [functools.partial(repeat, fetch) for fetch in (ours, by_hand, with_requests)]
            found = [*_alone(*loops), _together(loops[0], loops[2])]
        connection.close()
    return found


def _alone(*loops: Loop) -> list[Row]:
    taken = [functools.partial(timed, loop, FETCHES) for loop in loops]
    cold, bare, usual = medians(*taken, repetitions=REPETITIONS)
    return [
        Row("cold fetch", seconds(cold), f"requests.Session.get {seconds(usual)}", cold / usual, LIMIT_REQUESTS),
        Row("cold fetch, beside the least", seconds(cold), f"http.client {seconds(bare)}", cold / bare, LIMIT),
    ]


def _together(*loops: Loop) -> Row:
    taken = [functools.partial(threaded, loop, FETCHES_OF_EACH, THREADS) for loop in loops]
    shared, usual = (1 / each for each in medians(*taken, repetitions=REPETITIONS_OF_ALL))
    what = f"cold fetches, {THREADS} threads"
    bare = f"one requests.Session {usual:,.0f}/s"
    return Row(what, f"{shared:,.0f}/s", bare, shared / usual, LEAST_RATE, at_least=True)


def repeat(fetch: Callable[[], str], times: int) -> None:
    for _ in range(times):
        fetch()
