"""The Django project of these tests; what a test needs otherwise it overrides."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent

SECRET_KEY = "not one"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "django_app.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "scope_django"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [HERE / "templates"], "APP_DIRS": True},
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "jinja2",
        "DIRS": [HERE / "jinja"],
        "OPTIONS": {"extensions": ["scope_django.jinja2.ScopeExtension"]},
    },
]
