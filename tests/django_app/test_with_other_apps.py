"""`manage.py scope check` on a site with the apps that people install: each mistake is found, and none is made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults.greeting import GREETING

from scope_client.local import LocalPlatform

SETTINGS = """
from pathlib import Path
import jinja2
from django_jinja.builtins import DEFAULT_EXTENSIONS

SCOPE_EXTENSION = "scope_django.jinja2.ScopeExtension"
BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "not one"
USE_TZ = True
SITE_ID = 1
ROOT_URLCONF = "urls"
STATIC_URL = "/static/"
WAGTAIL_SITE_NAME = "Site"
WAGTAILADMIN_BASE_URL = "https://example.org"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
INSTALLED_APPS = [
    "shop",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_jinja",
    "django_components",
    "django_cotton.apps.SimpleAppConfig",
    "scope_django",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
COMPONENTS = {"dirs": [BASE_DIR / "components"], "multiline_tags": MULTILINE}
PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django_jinja.jinja2.Jinja2",
        "NAME": "django-jinja",
        "APP_DIRS": True,
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"match_extension": ".jinja", "extensions": [*DEFAULT_EXTENSIONS, SCOPE_EXTENSION]},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": PROCESSORS,
            "builtins": ["django_components.templatetags.component_tags", "django_cotton.templatetags.cotton"],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                        "django_components.template_loader.Loader",
                    ],
                )
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "mails",
        "OPTIONS": {
            "extensions": [SCOPE_EXTENSION],
            "loader": jinja2.ChoiceLoader(
                [
                    jinja2.FunctionLoader(lambda name: None),
                    jinja2.FileSystemLoader([BASE_DIR / "mails", BASE_DIR / "templates"]),
                ]
            ),
        },
    },
]
"""
GOOD = '{% load scope %}{% scope_prompt "greeting" time_of_day="day" name=user %}'
GOOD_CALL = '{{ scope_prompt("greeting", time_of_day="day", name=user) }}'
SITE = {
    "urls.py": "urlpatterns = []",
    "shop/__init__.py": "",
    # Of Django: good ones, in the shapes that the other apps give them.
    "templates/base.html": f"{GOOD}{{% block content %}}{{% endblock %}}",
    "templates/admin/base_site.html": '{% extends "admin/base_site.html" %}' + GOOD,
    "shop/templates/admin/base_site.html": '{% extends "admin/base.html" %}' + GOOD,
    "templates/account/login.html": f'{{% extends "base.html" %}}{{% block content %}}{GOOD}{{% endblock %}}',
    "shop/templates/shop/home_page.html": f"{{% load wagtailcore_tags %}}{{% block a %}}{GOOD}{{% endblock %}}",
    "templates/cotton/card.html": f'<c-vars title="x" /><div>{{{{ slot }}}}{GOOD}</div>',
    "templates/uses_card.html": f'<c-card title="a">{GOOD}</c-card>',
    "components/hello/hello.html": f'{{% slot "main" default %}}{GOOD}{{% endslot %}}',
    "components/hello/hello.py": "TEMPLATE = '''{% load scope %}{% scope_prompt %}'''",
    "templates/hello.html": f'{{% component "hello" %}}{{% fill "main" %}}{GOOD}{{% endfill %}}{{% endcomponent %}}',
    "templates/said.html": "{% load scope %}{% comment %}{% scope_prompt %}{% endcomment %}{# {% scope_prompt #}",
    # Of the two kinds of Jinja.
    "templates/list.jinja": "{% for a in b %}" + GOOD_CALL.replace(", ", ",\n") + "{% endfor %}",
    "shop/templates/shop/list.jinja": GOOD_CALL,
    "mails/welcome.txt": GOOD_CALL,
    # What is not a template, or can never be loaded.
    "templates/README.md": "```\n{% scope_prompt %}\n```",
    "templates/node_modules/kit/page.html": "{% scope_prompt %}",
    "shop/templates/base.html": "{% scope_prompt %}",
    "templates/old/page.html": "{% scope_prompt %}",
}
GOOD_USES = sum('"greeting"' in text for text in SITE.values())
MISTAKES = {
    "templates/unknown.html": ("{% load scope %}\n{% scope_prompt 'greting' %}", "the nearest one is 'greeting'"),
    "templates/account/logout.html": ("{% load scope %}\n{% scope_prompt 'unpublished' %}", "'unpublished'"),
    "templates/cotton/panel.html": (
        "<c-vars a='b' />{% load scope %}\n{% scope_prompt 'greeting' time_of_day=a nam=a %}",
        "has no variable 'nam'; the nearest one is 'name'",
    ),
    "templates/cotton/box.html": (
        "<c-card>{% load scope %}\n{% scope_prompt 'greeting' name=a %}</c-card>",
        "is given no value for 'time_of_day'",
    ),
    "components/bye/bye.html": (
        "{% load scope %}{% slot 'main' %}\n{% scope_prompt 'greeting' label='staging' %}{% endslot %}",
        "'staging'",
    ),
    "templates/braces.html": (
        "{% load scope %}\n{% scope_prompt 'greeting' time_of_day='day' name='{{ user }}' %}",
        "is given the text '{{ user }}'",
    ),
    "shop/templates/shop/blog.html": ("{% load wagtailcore_tags %}\n{% scope_prompt 'greeting' %}", "'scope_prompt'"),
    "templates/call.jinja": ("\n{{ scope_prompt('greeting', name=user }}", "unexpected '}'"),
    "shop/templates/shop/text.jinja": (
        "\n{{ scope_prompt('greeting', time_of_day='day', name='Dear {{ user }}') }}",
        "is given the text 'Dear {{ user }}'",
    ),
    "mails/bye.txt": ("\n{{ scope_prompt('greeting', name=user, time=1) }}", "'time'"),
}
BROKEN = "{% load scope %}\n{% scope_prompt 'greeting'\n   time_of_day='day' name=user %}"


def checked(folder: Path, platform: LocalPlatform, *words: str) -> dict[str, Any]:
    """What `scope check` says as JSON, in a process with settings of its own."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SCOPE_", "DJANGO_"))}
    secrets = {key: str.__str__(value) for key, value in platform.environ.items()}
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, "-m", "django", "scope", "check", "--json", *words],
        env={**inherited, **secrets, "PYTHONPATH": paths, "DJANGO_SETTINGS_MODULE": "site_settings"},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ended.stdout.startswith("{"), ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def published(platform: LocalPlatform) -> LocalPlatform:
    platform.publish("greeting", GREETING)
    platform.draft("unpublished", "x")
    return platform


def site(folder: Path, files: dict[str, str], *, multiline_tags: bool = False) -> None:
    settings = SETTINGS.replace("MULTILINE", str(multiline_tags))
    for name, text in {"site_settings.py": settings, **SITE, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_a_site_without_mistakes_is_good(tmp_path: Path, published: LocalPlatform) -> None:
    site(tmp_path, {})
    said = checked(tmp_path, published, "--exclude", "old")
    assert said["findings"] == []
    assert said["uses"] == GOOD_USES
    assert said["unlisted"] == [{"loader": "jinja2.loaders.FunctionLoader", "error": None}]
    assert {each["file"]: each["reason"] for each in said["left_out"]} == {
        "components/hello/hello.py": "code",
        "shop/templates/base.html": "hidden by templates/base.html",
        "templates/README.md": "documentation",
        "templates/node_modules/": "a folder of packages",
        "templates/old/page.html": "--exclude",
    }


def test_one_mistake_of_each_kind_is_found_at_its_line_and_nothing_else(
    tmp_path: Path, published: LocalPlatform
) -> None:
    site(tmp_path, {**{name: text for name, (text, _) in MISTAKES.items()}, "templates/broken.html": BROKEN})
    findings = checked(tmp_path, published, "--exclude", "old")["findings"]
    said: dict[str, str] = {}
    for each in findings:
        assert each["line"] == 2, each
        said[each["file"]] = said.get(each["file"], "") + each["message"]
    assert said.keys() == {*MISTAKES, "templates/broken.html"}
    assert [name for name, (_, words) in MISTAKES.items() if words not in said[name]] == []
    assert "so Django prints it as text" in said["templates/broken.html"]
    assert len(findings) == len(said) + 2  # two variables that are misspelt are missing, too


def test_a_tag_over_two_lines_is_none_if_an_app_has_taught_django_to_read_it(
    tmp_path: Path, published: LocalPlatform
) -> None:
    site(tmp_path, {"templates/broken.html": BROKEN}, multiline_tags=True)
    said = checked(tmp_path, published, "--exclude", "old")
    assert said["findings"] == []
    assert said["uses"] == GOOD_USES + 1
