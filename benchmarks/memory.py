"""What 10,000 cached prompts add to a process, beside their texts (Linux)."""

from __future__ import annotations

import statistics
import subprocess
import sys

from . import server
from .measure import Row

PROMPTS, REPETITIONS = 10_000, 5
RESIDENT = """
import gc, sys

def resident():
    gc.collect()
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

url, names = sys.argv[1], [f"prompt-{number}" for number in range(int(sys.argv[2]))]
"""
OURS = f"""{RESIDENT}
from scope_client import ApiKeyCredentials, ScopeClient

keys = ApiKeyCredentials("o", "k", "s")
client = ScopeClient(credentials=keys, base_url=url, auth_api_url=url, cache_ttl=3600, cache_max_size=len(names) + 1)
client.get_prompt_version("first")
before = resident()
for name in names:
    client.get_prompt_version(name)
print(resident() - before)
assert client.status().counters["fetches"] == len(names) + 1
"""
BY_HAND = f"""{RESIDENT}
import json
from http.client import HTTPConnection

connection = HTTPConnection(url.partition("//")[2])
texts = {{}}

def fetch(name):
    connection.request("GET", f"/api/v1/prompts/{{name}}/production", headers={{"Authorization": "Bearer token"}})
    return json.loads(connection.getresponse().read())["content"]

texts["first"] = fetch("first")
before = resident()
for name in names:
    texts[name] = fetch(name)
print(resident() - before)
"""


def rows() -> list[Row]:
    with server.running() as url:
        taken = [_gained(url) for _ in range(REPETITIONS)]
    ours, texts = map(statistics.median, zip(*taken))
    what = f"memory of {PROMPTS:,} cached prompts of 2 kB"
    return [Row(what, f"{ours:.1f} MB", f"the texts alone {texts:.1f} MB", ours / texts)]


def _gained(url: str) -> list[float]:
    """The megabytes that both print. They run at once, which is quicker and moves no memory."""
    commands = ([sys.executable, "-c", code, url, str(PROMPTS)] for code in (OURS, BY_HAND))
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    printed = [process.communicate()[0] for process in running]
    assert not any(process.returncode for process in running)
    return list(map(float, printed))
