"""The routes."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView
from pages import demo, views

from scope_django.views import health

urlpatterns = [
    path("", views.home, name="home"),
    path("preview/", views.preview, name="preview"),
    path("ask/", views.ask, name="ask"),
    path("answer/", views.answer, name="answer"),
    path("clear-cache/", views.clear_cache, name="clear-cache"),
    path("platform/stop/", views.turn_platform, {"on": False}, name="stop-platform"),
    path("platform/start/", views.turn_platform, {"on": True}, name="start-platform"),
    path(
        "sign-in/",
        LoginView.as_view(template_name="pages/sign_in.html", extra_context={"demo": demo}),
        name="sign-in",
    ),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("health/", health, name="health"),
    path("favicon.ico", RedirectView.as_view(url=static("pages/favicon.svg"))),
    path("admin/", admin.site.urls),
    *staticfiles_urlpatterns(),  # only with DEBUG; a deployed site has `collectstatic` and a web server
]
