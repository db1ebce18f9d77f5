"""A fetch past the cache on a kept-alive connection, beside http.client and requests; and 16 threads of it."""

from __future__ import annotations

import functools
import json
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection

import requests

from scope_client import ApiKeyCredentials, ScopeClient

from . import server
from .measure import CLIENT, Row, medians, on_core, seconds

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
            found = [*_alone(ours, by_hand, with_requests), _together(ours, with_requests)]
        connection.close()
    return found


def _alone(ours: Callable[[], str], by_hand: Callable[[], str], with_requests: Callable[[], str]) -> list[Row]:
    calls = (ours, by_hand, with_requests)
    cold, bare, usual = medians(*(functools.partial(timed, call) for call in calls), repetitions=REPETITIONS)
    return [
        Row("cold fetch", seconds(cold), f"requests.Session.get {seconds(usual)}", cold / usual, LIMIT_REQUESTS),
        Row("cold fetch, beside the least", seconds(cold), f"http.client {seconds(bare)}", cold / bare, LIMIT),
    ]


def _together(ours: Callable[[], str], with_requests: Callable[[], str]) -> Row:
    calls = (ours, with_requests)
    taken = medians(*(functools.partial(threaded, call) for call in calls), repetitions=REPETITIONS_OF_ALL)
    shared, usual = (1 / each for each in taken)
    what = f"cold fetches, {THREADS} threads"
    bare = f"one requests.Session {usual:,.0f}/s"
    return Row(what, f"{shared:,.0f}/s", bare, shared / usual, LEAST_RATE, at_least=True)


def timed(fetch: Callable[[], str]) -> float:
    """Seconds for each."""
    started = time.perf_counter()
    repeat(fetch, FETCHES)
    return (time.perf_counter() - started) / FETCHES


def threaded(fetch: Callable[[], str]) -> float:
    """Seconds for each, while so many threads are at it."""
    threads = [threading.Thread(target=repeat, args=(fetch, FETCHES_OF_EACH)) for _ in range(THREADS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - started) / (FETCHES_OF_EACH * THREADS)


def repeat(fetch: Callable[[], str], times: int) -> None:
    for _ in range(times):
        fetch()
