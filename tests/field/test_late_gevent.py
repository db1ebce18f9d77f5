"""gevent that patches `ssl` after it was imported, as in a worker of gunicorn whose app was loaded before the fork."""

from __future__ import annotations

import subprocess
import sys

import pytest
from faults.certificate import certificate
from faults.server import FaultServer

READS = """
import sys
from scope_client import ApiKeyCredentials, ScopeClient, ScopeError
keys = ApiKeyCredentials("o", "k", "s")
options = {"credentials": keys, "base_url": sys.argv[1], "auth_api_url": sys.argv[1], "cache_ttl": 0.2}
first, second = ScopeClient(**options), ScopeClient(**options)
first.get_prompt_version("greeting")
import gevent.monkey; gevent.monkey.patch_all()
import time; time.sleep(0.3)
first.close()
for read in (
    lambda: first.read_prompt("greeting").source,
    lambda: second.read_prompt("cold", fallback="Hi").source,
    lambda: second.get_prompt_version("cold", cache=False),
    lambda: second.status().is_down,
):
    try:
        print(read())
    except ScopeError as error:
        print(type(error).__name__, "gevent.monkey.patch_all() before anything else is imported" in str(error))
"""
OF_THE_PROGRAM = """
import ssl, sys
from scope_client import ApiKeyCredentials, ScopeClient
client = ScopeClient(credentials=ApiKeyCredentials("o", "k", "s"), base_url=sys.argv[1], auth_api_url=sys.argv[1])
client.get_prompt_version("greeting")
client.close()

def deeper(sock):
    deeper(sock)

ssl.SSLSocket.do_handshake = deeper
try:
    print(client.get_prompt_version("greeting", cache=False, fallback="Hi"))
except RecursionError:
    print("RecursionError", client.status().is_down)
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate().authority))
    monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("program", "said"),
    [
        (READS, ["stale", "fallback", "TokenRefreshError True", "True"]),
        (OF_THE_PROGRAM, ["RecursionError False"]),
    ],
    ids=["an outage that says what to do", "the program's own recursion"],
)
def test_what_ssl_that_sets_itself_without_end_is_taken_for(program: str, said: list[str]) -> None:
    with FaultServer(tls=True) as server:
        command = [sys.executable, "-W", "ignore", "-c", program, server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == said
