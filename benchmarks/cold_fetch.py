"""A fetch past the cache on a kept-alive connection, beside the same with a bare requests.Session."""

from __future__ import annotations

import time

import requests

from scope_client import ApiKeyCredentials, ScopeClient

from . import server
from .measure import Row, medians, seconds

FETCHES = 300
LIMIT = 0.75


def rows() -> list[Row]:
    with server.running() as url, requests.Session() as session:
        credentials = ApiKeyCredentials("org", "key", "secret")
        client = ScopeClient(credentials=credentials, base_url=url, auth_api_url=url)
        address = f"{url}/api/v1/prompts/p/production"
        headers = {"Authorization": "Bearer token"}
        assert client.get_prompt_version("p", cache=False).content == session.get(address).json()["content"]

        def ours() -> float:
            started = time.perf_counter()
            for _ in range(FETCHES):
                client.get_prompt_version("p", cache=False)
            return (time.perf_counter() - started) / FETCHES

        def theirs() -> float:
            started = time.perf_counter()
            for _ in range(FETCHES):
                session.get(address, headers=headers).json()
            return (time.perf_counter() - started) / FETCHES

        cold, bare = medians(ours, theirs)
        client.close()
    return [Row("cold fetch", seconds(cold), f"requests.Session.get {seconds(bare)}", cold / bare, LIMIT)]
