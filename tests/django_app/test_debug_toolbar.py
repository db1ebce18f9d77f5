"""django-debug-toolbar: its panel of caches counts what a request asks of the cache of prompts in that request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scope_client.local import LocalPlatform

SITE = Path(__file__).with_name("toolbar_site.py")
REQUESTS = 4
CALLS_OF_A_FETCH = 3  # a look, a lock, and what was fetched


@pytest.mark.parametrize("before", ["nothing", "read", "tasks"])
def test_the_panel_of_each_request_counts_its_own_calls(before: str, platform: LocalPlatform) -> None:
    """`read` is one before the first request; `tasks` are requests to an event loop, one by one and at once."""
    requests = REQUESTS * (3 if before == "tasks" else 1)
    for number in range(requests):
        platform.publish(f"prompt-{number}", "Hello!")
    keys = platform.credentials
    secret = {"SCOPE_API_SECRET": str.__str__(keys.api_secret)}
    environment = {**os.environ, "SCOPE_ORG_ID": keys.org_id, "SCOPE_API_KEY": keys.api_key, **secret}
    command = [sys.executable, str(SITE), platform.url, before]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    counted = json.loads(run.stdout)
    assert counted["later"] == counted["at its end"]
    assert counted["at its end"] == [CALLS_OF_A_FETCH] * requests
