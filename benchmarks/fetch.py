"""A fetch past the cache on a kept-alive connection, alone and by 16 threads, beside a session of requests."""

from __future__ import annotations

from functools import partial

import requests

from . import server
from .measure import CLIENT, Row, compare, loop, medians, on_core, rates, threaded

FETCHES, REPETITIONS = 10, 201
THREADS, FETCHES_OF_EACH, REPETITIONS_OF_ALL = 16, 50, 15
HEADERS = {"Authorization": "Bearer token"}


def rows() -> list[Row]:
    with on_core(CLIENT), server.running() as url, requests.Session() as session, server.client(url) as client:
        ours = loop('client.get_prompt_version("p", cache=False).content', client=client)
        get = 'session.get(url, headers=headers).json()["content"]'
        theirs = loop(get, session=session, url=url + server.PATH, headers=HEADERS)
        alone = compare("cold fetch", ours, "requests.Session.get", theirs, FETCHES, REPETITIONS)
        all_threads = [partial(threaded, each, FETCHES_OF_EACH, THREADS) for each in (ours, theirs)]
        together = medians(*all_threads, repetitions=REPETITIONS_OF_ALL)
    return [alone, rates(f"cold fetches, {THREADS} threads", "one requests.Session", *together)]
