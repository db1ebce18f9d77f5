"""What a process gains in memory from reading 100,000 distinct prompts of 2 kB, of which it keeps 1,000 (Linux)."""

from __future__ import annotations

import subprocess
import sys

from . import server
from .measure import Row
from .memory import RESIDENT

NAMES = 100_000
LIMIT = 25.0
CLIENT = f"""{RESIDENT}
from scope_client import ApiKeyCredentials, ScopeClient

client = ScopeClient(credentials=ApiKeyCredentials("o", "k", "s"), base_url=url, auth_api_url=url)
client.get_prompt_version("first")
before = resident()
for name in names:
    client.get_prompt_version(name)
assert len(client.status().prompts) == client.config.cache_max_size
print(resident() - before)
"""


def rows() -> list[Row]:
    with server.running() as url:
        command = [sys.executable, "-c", CLIENT, url, str(NAMES)]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    grown = float(ran.stdout)
    return [Row(f"memory gained, {NAMES:,} names", f"{grown:.1f} MB", "2 kB each", grown, LIMIT, unit="MB")]
