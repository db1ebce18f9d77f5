"""From the start of a process to its end, with the first token and the first prompt, beside the same with requests."""

from __future__ import annotations

from . import server
from .first_import import run
from .measure import Row, medians, seconds

LIMIT = 1.1
REPETITIONS = 31
OURS = """
import sys
from scope_client import ApiKeyCredentials, ScopeClient
credentials = ApiKeyCredentials("org", "key", "secret")
client = ScopeClient(credentials=credentials, base_url=sys.argv[1], auth_api_url=sys.argv[1])
assert client.get_prompt_version("p").content.startswith("p ")
"""
BY_HAND = """
import sys, requests
keys = {"org_id": "org", "api_key": "key", "api_secret": "secret"}
token = requests.post(f"{sys.argv[1]}/v1/auth/sdk-token", json=keys).json()["access_token"]
headers = {"Authorization": f"Bearer {token}"}
version = requests.get(f"{sys.argv[1]}/api/v1/prompts/p/production", headers=headers).json()
assert version["content"].startswith("p ")
"""


def rows() -> list[Row]:
    with server.running() as url:
        run(OURS, url)  # leaves the byte code behind
        ours, theirs = medians(lambda: run(OURS, url), lambda: run(BY_HAND, url), repetitions=REPETITIONS)
    what = "import, first token, first prompt"
    return [Row(what, seconds(ours), f"with requests {seconds(theirs)}", ours / theirs, LIMIT)]
