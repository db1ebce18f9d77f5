"""A site whose page asks for a prompt, as uvicorn and daphne serve it: `app` here is what they are given."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

PROMPTS = 10
SOURCE = '{% load scope %}{% scope_prompt prompt time_of_day="day" name="<Ada>" %}'
JINJA_SOURCE = '{{ scope_prompt(prompt, time_of_day="day", name="<Ada>") }}'

if not settings.configured:
    settings.configure(
        SECRET_KEY="not one",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["scope_django"],
        LOGGING_CONFIG=None,
        SCOPE={"CACHE_ALIAS": None, "CACHE_TTL": float(os.environ.get("TTL", "300"))},
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"page.html": SOURCE})]},
            },
            {
                "BACKEND": "django.template.backends.jinja2.Jinja2",
                "NAME": "jinja",
                "DIRS": [os.environ.get("JINJA_FOLDER", "")],
                "OPTIONS": {"extensions": ["scope_django.jinja2.ScopeExtension"]},
            },
        ],
    )
    django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402

from scope_django import arender  # noqa: E402


async def show(request: HttpRequest, engine: str, prompt: str) -> HttpResponse:
    using = {"jinja": {"using": "jinja"}}.get(engine, {})
    return await arender(request, f"page.{'jinja' if using else 'html'}", {"prompt": prompt}, **using)


async def ping(request: HttpRequest) -> HttpResponse:
    return HttpResponse("pong")


urlpatterns = [path("page/<engine>/<prompt>/", show), path("ping/", ping)]
app = get_asgi_application()
