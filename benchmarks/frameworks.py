"""A prompt in a template of Django and of Flask, and as a template of LangChain, beside a plain one."""

from __future__ import annotations

from time import thread_time
from typing import Any

import django
from django.conf import settings
from django.template import engines
from flask import Flask
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import PromptTemplate

from scope_client.local import LocalPlatform
from scope_flask import Scope
from scope_langchain import scope_model, scope_prompt, to_langchain

from . import server
from .measure import Row, compare, loop

RENDERS, FORMATS, INVOKES, REPETITIONS = 1000, 2000, 200, 21
GREETING = "Good {{time_of_day}}, {{name}}!"
PLAIN = "Good {{ time_of_day }}, {{ name }}!"
TAG = '{% load scope %}{% scope_prompt "greeting" time_of_day=time_of_day name=name %}'
FUNCTION = '{{ scope_prompt("greeting", time_of_day=time_of_day, name=name) }}'
WORDS = {"time_of_day": "morning", "name": "Ada"}


def rows() -> list[Row]:
    with LocalPlatform({"greeting": GREETING, "long": server.content("long")}) as platform:
        keys = {"CREDENTIALS": platform.credentials, "BASE_URL": platform.url, "AUTH_API_URL": platform.url}
        return [_django(keys), _flask(keys), *_langchain(platform)]


def _django(keys: dict[str, Any]) -> Row:
    backend = {"BACKEND": "django.template.backends.django.DjangoTemplates"}
    settings.configure(INSTALLED_APPS=["scope_django"], TEMPLATES=[backend], SCOPE=keys)
    django.setup()
    make = engines["django"].from_string
    return _templates("Django tag, 2 variables", make(TAG), make(PLAIN))


def _flask(keys: dict[str, Any]) -> Row:
    app = Flask("benchmark")
    app.config.from_mapping({f"SCOPE_{name}": value for name, value in keys.items()})
    Scope(app)
    make = app.jinja_env.from_string
    return _templates("Flask, 2 variables", make(FUNCTION), make(PLAIN))


def _templates(what: str, ours: Any, plain: Any) -> Row:
    assert ours.render(WORDS) == plain.render(WORDS) == "Good morning, Ada!"
    return _row(what, "template.render(values)", ours, "plain {{ }}", plain, WORDS, RENDERS)


def _langchain(platform: LocalPlatform) -> list[Row]:
    client = platform.client()
    converted, live = to_langchain(client.get_prompt_version("long")), scope_prompt("long", client=client)
    plain = PromptTemplate.from_template(server.content("long", "{", "}"))
    text = server.filled("long")
    assert text == converted.format(**server.VALUES) == live.invoke(server.VALUES).to_string()
    assert text == plain.format(**server.VALUES)
    format_, invoke = "template.format(**values)", "template.invoke(values)"
    usual = "PromptTemplate", plain, server.VALUES
    model = FakeListChatModel(responses=["said"])
    pair = "PromptTemplate and model", plain | model, server.VALUES
    return [
        _row("LangChain format, 2 kB, 5 variables", format_, converted, *usual, FORMATS),
        _row("LangChain live prompt, invoke", invoke, live, *usual, INVOKES),
        _row("LangChain prompt and scope_model, invoke", invoke, live | scope_model(model), *pair, INVOKES),
    ]


def _row(what: str, statement: str, ours: Any, yardstick: str, plain: Any, values: dict[str, str], times: int) -> Row:
    loops = [loop(statement, timer=thread_time, template=template, values=values) for template in (ours, plain)]
    return compare(what, loops[0], yardstick, loops[1], times, REPETITIONS)
