"""`manage.py scope check` on a site with many templates."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any, Callable

from django.core.management import call_command

TEMPLATES = 20_000
WITH_A_PROMPT = 100
TEXT = "{% extends 'base.html' %}{% block content %}<p>" + "Lorem ipsum. " * 150 + "</p>{% endblock %}"
TAG = "{% load scope %}{% scope_prompt 'greeting' time_of_day='day' name=user %}"
LONGEST_SECONDS = 2.0


def test_twenty_thousand_templates_take_at_most_two_seconds_of_work(
    tmp_path: Path, settings: Any, scope_settings: Callable[..., Any]
) -> None:
    scope_settings()
    settings.TEMPLATES = [
        {"BACKEND": f"django.template.backends.{backend}", "DIRS": [tmp_path]}
        for backend in ("django.DjangoTemplates", "jinja2.Jinja2")
    ]
    for number in range(TEMPLATES):
        folder = tmp_path / f"app{number % 100}"
        folder.mkdir(exist_ok=True)
        with open(folder / f"page{number}.html", "w") as page:
            page.write(TEXT + (TAG if number < WITH_A_PROMPT else ""))
    out = io.StringIO()
    before = time.process_time()  # of a machine that others use too
    call_command("scope", "check", stdout=out)
    seconds = time.process_time() - before
    assert f"{WITH_A_PROMPT} uses of 1 prompt" in out.getvalue()
    assert seconds < LONGEST_SECONDS
