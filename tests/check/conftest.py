"""A platform, and the same prompts as a folder and as a lock, to compare uses with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from scope_client import ScopeClient
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from pathlib import Path

CHAT = [
    {"role": "system", "content": "You speak of {{topic}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]
FILES = {
    "greeting/v1.md": "---\nstatus: published\nid: v_greeting_1\n---\nGood {{time_of_day}}, {{name}}!",
    "greeting/v2.md": "---\nstatus: draft\nid: v_greeting_2\n---\nGood {{time_of_day}}, {{name}}, {{tone}}!",
    "chat.md": f"---\ntype: chat\nid: v_chat\n---\n{json.dumps(CHAT)}",
    "toned.md": "---\nvariables: [tone]\nid: v_toned\n---\nHi {{name}}",
    "new/v1.md": "---\nstatus: draft\nid: v_new\n---\nx",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "prompts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "prompts" / name).write_text(text)
    return tmp_path / "prompts"


@pytest.fixture
def platform(folder: Path):
    with LocalPlatform(folder) as platform:
        yield platform


@pytest.fixture
def client(platform: LocalPlatform):
    with ScopeClient(
        credentials=platform.credentials, base_url=platform.url, auth_api_url=platform.url, max_retries=0
    ) as client:
        yield client
