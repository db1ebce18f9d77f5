"""The routes."""

from django.contrib import admin
from django.urls import path
from pages import views

from scope_django.views import health

urlpatterns = [
    path("", views.home, name="home"),
    path("preview/", views.preview, name="preview"),
    path("clear-cache/", views.clear_cache, name="clear-cache"),
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
]
