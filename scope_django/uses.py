"""The prompts that the site's templates name, found by parsing the templates of all engines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from django.template import Origin, Template, engines
from django.template.backends.django import DjangoTemplates

from scope_client.adapters import PromptUse, Survey, jinja_survey

from .templatetags.scope import collected

_MARK = "scope_prompt"


class _Source(NamedTuple):
    file: str
    name: str
    text: str


def survey() -> Survey:
    """Reads files, and renders nothing; templates that are only text in Python code are not seen."""
    found = Survey([], [])
    seen: set[str] = set()
    for backend in engines.all():
        if isinstance(backend, DjangoTemplates):
            for source in _sources(backend.engine):
                if _MARK in source.text and source.file not in seen:
                    seen.add(source.file)
                    found.take(source.file, partial(_uses, backend.engine, source))
        elif hasattr(backend, "env"):
            uses, unread = jinja_survey(backend.env)
            found.uses.extend(uses)
            found.unread.extend(unread)
    found.uses.sort(key=lambda use: (use.file, use.line))
    return found


def _uses(engine: Any, source: _Source) -> list[PromptUse]:
    with collected() as nodes:
        Template(source.text, Origin(source.file, source.name), source.name, engine)
    return [node.use(source.file) for node in nodes]


def _sources(engine: Any) -> Iterator[_Source]:
    for loader in _flat(engine.template_loaders):
        for name, text in getattr(loader, "templates_dict", {}).items():
            yield _Source(name, name, text)
        for folder in loader.get_dirs() if hasattr(loader, "get_dirs") else ():
            for file in _files(str(folder)):
                yield _Source(file, os.path.relpath(file, folder), _text(file, engine.file_charset))


def _flat(loaders: Any) -> Iterator[Any]:
    for loader in loaders:
        yield from _flat(loader.loaders) if hasattr(loader, "loaders") else [loader]


def _files(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(parent, name) for name in sorted(names))


def _text(file: str, charset: str) -> str:
    """What is no text, such as a picture among the templates, mentions no prompt."""
    try:
        with open(file, "rb") as opened:
            return opened.read().decode(charset, "replace")
    except OSError:
        return ""
