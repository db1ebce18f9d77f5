"""A site with django-debug-toolbar, run as a program: prints the cache's calls of each request, by its own panel.

Takes the URL of a platform with prompts of these names, and what happens before the first request: "read" or "nothing".
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

ENGINES = "django.template.backends."
REQUESTS = 4


def page(request: HttpRequest, prompt: str) -> HttpResponse:
    from django.shortcuts import render

    return render(request, "page.html", {"prompt": prompt})


async def page_of_a_task(request: HttpRequest, prompt: str) -> HttpResponse:
    from scope_django import arender

    return await arender(request, "page.html", {"prompt": prompt})


def configure(platform: str) -> None:
    loader = ("django.template.loaders.locmem.Loader", {"page.html": "{% load scope %}{% scope_prompt prompt %}"})
    settings.configure(
        DEBUG=True,
        SECRET_KEY="not one",
        ALLOWED_HOSTS=["*"],
        INTERNAL_IPS=["127.0.0.1"],
        ROOT_URLCONF="toolbar_site",
        STATIC_URL="static/",
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.staticfiles", "debug_toolbar", "scope_django"],
        MIDDLEWARE=["debug_toolbar.middleware.DebugToolbarMiddleware"],
        DEBUG_TOOLBAR_PANELS=["debug_toolbar.panels.cache.CachePanel"],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        SCOPE={"BASE_URL": platform, "AUTH_API_URL": platform, "CACHE_LOCAL_TTL": 0},
        TEMPLATES=[
            {"BACKEND": ENGINES + "django.DjangoTemplates", "OPTIONS": {"loaders": [loader]}},
            {"BACKEND": ENGINES + "django.DjangoTemplates", "NAME": "of apps", "APP_DIRS": True},
        ],
    )
    django.setup()


sys.modules["toolbar_site"] = sys.modules[__name__]
configure(sys.argv[1])

import asyncio  # noqa: E402

from debug_toolbar.panels.cache import CachePanel  # noqa: E402
from django.test import AsyncClient, Client  # noqa: E402

from scope_django import get_client  # noqa: E402

panels: list[CachePanel] = []
at_its_end: list[int] = []


def generate_and_count(panel: CachePanel, *given: Any) -> None:
    generate_stats(panel, *given)
    panels.append(panel)
    at_its_end.append(len(panel.calls))


generate_stats = CachePanel.generate_stats
CachePanel.generate_stats = generate_and_count  # type: ignore[method-assign]  # watched as it is
urlpatterns = [
    path("page/<prompt>/", page),
    path("task/<prompt>/", page_of_a_task),
    path("__debug__/", include("debug_toolbar.urls")),
]


def main(before: str) -> None:
    if before == "read":
        get_client().get_prompt_version("greeting")
    for number in range(REQUESTS):
        assert b"Hello" in Client().get(f"/page/prompt-{number}/").content
    if before == "tasks":
        asyncio.run(in_tasks())
    print(json.dumps({"at its end": at_its_end, "later": [len(panel.calls) for panel in panels]}))
    sys.stdout.flush()
    os._exit(0)


async def in_tasks() -> None:
    for number in range(REQUESTS, 2 * REQUESTS):
        answer = await AsyncClient().get(f"/task/prompt-{number}/")
        assert b"Hello" in answer.content
    at_once = range(2 * REQUESTS, 3 * REQUESTS)
    answers = await asyncio.gather(*(AsyncClient().get(f"/task/prompt-{number}/") for number in at_once))
    assert all(b"Hello" in each.content for each in answers)


if __name__ == "__main__":
    main(sys.argv[2])
