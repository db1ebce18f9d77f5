"""An import in a fresh process, over the time of a bare Python; and a whole process, with its first prompt."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial

from . import server
from .measure import Row, costs, medians

IMPORTS = 41
PROCESSES = 31
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
OURS = """
import sys
from scope_client import ApiKeyCredentials, ScopeClient
credentials = ApiKeyCredentials("org", "key", "secret")
client = ScopeClient(credentials=credentials, base_url=sys.argv[1], auth_api_url=sys.argv[1])
assert client.get_prompt_version("p").content.startswith("px")
"""
BY_HAND = """
import sys, requests
keys = {"org_id": "org", "api_key": "key", "api_secret": "secret"}
token = requests.post(f"{sys.argv[1]}/v1/auth/sdk-token", json=keys).json()["access_token"]
headers = {"Authorization": f"Bearer {token}"}
version = requests.get(f"{sys.argv[1]}/api/v1/prompts/p/production", headers=headers).json()
assert version["content"].startswith("px")
"""


def rows() -> list[Row]:
    with server.running() as url:
        run(OURS, url)  # leaves the byte code behind
        codes = ("pass", "import scope_client", "import requests")
        bare, ours, theirs = medians(*(partial(run, code) for code in codes), repetitions=IMPORTS)
        processes = medians(partial(run, OURS, url), partial(run, BY_HAND, url), repetitions=PROCESSES)
    return [
        costs("import scope_client", "import requests", ours - bare, theirs - bare),
        costs("import, first token, first prompt", "with requests", *processes),
    ]


def run(code: str, *arguments: str) -> float:
    """Seconds of a process of its own, from its start to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=ENVIRON)
    return time.perf_counter() - started
