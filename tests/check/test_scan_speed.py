"""How long a scan takes, in the time of the processor, which other programs on the machine change less."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scope_client._check.scan import scan

PYTHON_FILES, TEMPLATES = 1_000, 400
# Bounds for a busy machine, of a fifth of 5,000 Python files and 2,000 templates, which take about 9 and 0.7 seconds.
FIRST_SECONDS, SECOND_SECONDS = 6.0, 2.0
CODE = '''"""Mail for new users."""

import logging

from app.client import client

logger = logging.getLogger(__name__)


class Mailer:
    def __init__(self, sender, limit=10):
        self.sender = sender
        self.limit = limit

    def send(self, users):
        for user in users[: self.limit]:
            text = client.render_prompt("greeting", {"name": user.name, "time_of_day": "morning"})
            logger.info("sending %d characters to %s", len(text), user.email)
            self.sender.send(user.email, text)
        return len(users)
'''
PAGE = "<p>{{ user.name }} {% if user.is_new %}<b>new</b>{% endif %}</p>\n" * 30
TAG = "{% load scope %}\n" + PAGE + "{% scope_prompt 'greeting' time_of_day='day' name=user %}\n"
CALL = PAGE + "{{ scope_prompt('greeting', time_of_day='day', name=user) }}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number in range(PYTHON_FILES + TEMPLATES):
        folder = tmp_path / f"app{number % 20}" / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        if number < PYTHON_FILES:
            (folder.parent / f"mail{number}.py").write_text(CODE)
        else:
            (folder / f"page{number}.html").write_text(TAG if number % 2 else CALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_that_each_have_a_use_take_two_milliseconds_each_and_then_a_fraction(project: Path) -> None:
    before = time.process_time()
    found = scan(["."], processes=1)
    first = time.process_time() - before
    assert len(found.uses) == PYTHON_FILES + TEMPLATES
    scan(["."], processes=1)  # by now all is older than a tick of the clock, and is kept
    before = time.process_time()
    assert scan(["."], processes=1) == found
    second = time.process_time() - before
    assert first < FIRST_SECONDS
    assert second < SECOND_SECONDS
