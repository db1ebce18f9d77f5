"""What a process gains in memory from reading 100,000 distinct prompts of 2 kB, of which it keeps 1,000 (Linux)."""

from __future__ import annotations

import subprocess
import sys

from . import server
from .measure import Row

NAMES = 100_000
LIMIT = 25.0
CLIENT = """
import gc, sys
from scope_client import ApiKeyCredentials, ScopeClient

def resident():
    gc.collect()
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

url, names = sys.argv[1], int(sys.argv[2])
client = ScopeClient(credentials=ApiKeyCredentials("o", "k", "s"), base_url=url, auth_api_url=url)
client.get_prompt_version("first")
before = resident()
for number in range(names):
    client.get_prompt_version(f"name-{number}")
assert len(client.status().prompts) == client.config.cache_max_size
print(resident() - before)
"""


def rows() -> list[Row]:
    with server.running() as url:
        command = [sys.executable, "-c", CLIENT, url, str(NAMES)]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    grown = float(ran.stdout)
    return [Row(f"memory gained, {NAMES:,} names", f"{grown:.1f} MB", "2 kB each", grown, LIMIT, unit="MB")]
