"""The file of docs/operations/health.md is a URLconf that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manual import pages

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client.local import LocalPlatform

PAGE = "operations/health.md"
VISIT = """
import json
import django
from django.conf import settings

settings.configure(ROOT_URLCONF="urls", INSTALLED_APPS=["scope_django"], SECRET_KEY="not one", ALLOWED_HOSTS=["*"])
django.setup()
from django.test import Client

answer = Client().get("/health/prompts/")
print(answer.status_code, sorted(answer.json()))
"""


def test_the_view_of_django_answers_as_the_page_says(folder: Path, platform: LocalPlatform) -> None:
    pages.write_files(PAGE, folder)
    done = pages.run(VISIT, folder, **platform.environ)
    assert done.stderr == ""
    assert done.stdout.startswith("200 ['counters', 'is_down', ")
    assert "last_error'" not in done.stdout


def test_without_credentials_it_is_503(folder: Path) -> None:
    pages.write_files(PAGE, folder)
    done = pages.run(VISIT, folder)
    assert done.stdout == "503 ['error', 'ok']\n"
