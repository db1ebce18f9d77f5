"""The routes of the test project."""

from __future__ import annotations

from django.urls import path

from scope_django.views import health

urlpatterns = [path("health/", health), path("quiet/", health, {"last_error": False})]
