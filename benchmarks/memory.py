"""What 10,000 cached prompts add to a process, before and after each is rendered, beside their texts (Linux)."""

from __future__ import annotations

import statistics
import subprocess
import sys

from . import server
from .measure import Row

PROMPTS = 10_000
REPETITIONS = 7
LIMIT = 1.5
LIMIT_RENDERED = 2.2
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

credentials = ApiKeyCredentials("o", "k", "s")
client = ScopeClient(
    credentials=credentials, base_url=url, auth_api_url=url, cache_ttl=3600, cache_max_size=len(names) + 1
)
client.get_prompt_version("first")
before = resident()
for name in names:
    client.get_prompt_version(name)
read = resident()
for name in names:
    client.render_prompt(name, {{"first": "a", "second": "b", "third": "c"}})
print(read - before, resident() - before)
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
    read, rendered, texts = (statistics.median(gained) for gained in zip(*taken))
    what = f"memory of {PROMPTS:,} cached prompts of 2 kB"
    return [_row(what, read, texts, LIMIT), _row(f"{what}, rendered", rendered, texts, LIMIT_RENDERED)]


def _gained(url: str) -> list[float]:
    """The megabytes that both print, at the same time, which takes less of it and no memory."""
    commands = ([sys.executable, "-c", code, url, str(PROMPTS)] for code in (OURS, BY_HAND))
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    printed = [process.communicate()[0] for process in running]
    assert not any(process.returncode for process in running)
    return [float(figure) for figure in " ".join(printed).split()]


def _row(what: str, ours: float, texts: float, limit: float) -> Row:
    return Row(what, f"{ours:.1f} MB", f"the texts alone {texts:.1f} MB", ours / texts, limit)
