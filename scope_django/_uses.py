"""The prompts that the site's templates name, found by parsing the templates of all engines."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from django.template import Origin, Template, engines
from django.template.backends.django import DjangoTemplates

from scope_client.frameworks import TEMPLATE_FUNCTION, PromptUse, Survey, jinja_survey, pass_on

from .templatetags.scope import collected

MAX_TEMPLATE_BYTES = 10_000_000


class _Source(NamedTuple):
    file: str
    name: str
    text: str
    is_file: bool = False


def survey() -> Survey:
    """Reads files and renders nothing. A template that is text in Python code is not seen."""
    found = Survey([], [])
    seen: set[str] = set()
    for backend in engines.all():
        if isinstance(backend, DjangoTemplates):
            found.take(f"TEMPLATES {backend.name!r}", partial(_read_all, backend.engine, found, seen))
        elif hasattr(backend, "env"):
            uses, unread = jinja_survey(backend.env)
            found.uses.extend(uses)
            found.unread.extend(unread)
    found.uses.sort(key=lambda use: (use.file, use.line))
    return found


def _read_all(engine: Any, found: Survey, seen: set[str]) -> list[PromptUse]:
    """Adds to `found`, file by file. Returns no use beside them, because `Survey.take` wants a list."""
    for source in _sources(engine):
        if TEMPLATE_FUNCTION in source.text and source.file not in seen:
            seen.add(source.file)
            found.take(source.file, partial(_uses, engine, source))
    return []


def _uses(engine: Any, source: _Source) -> list[PromptUse]:
    text = source.text.encode("latin-1").decode(engine.file_charset) if source.is_file else source.text
    with collected() as nodes:
        Template(text, Origin(source.file, source.name), source.name, engine)
    return [node.use(source.file) for node in nodes]


def _sources(engine: Any) -> Iterator[_Source]:
    for loader in _flat(engine.template_loaders):
        for name, text in getattr(loader, "templates_dict", {}).items():
            yield _Source(name, name, text)
        for folder in loader.get_dirs() if hasattr(loader, "get_dirs") else ():
            for file in _files(str(folder)):
                yield _Source(file, os.path.relpath(file, folder), _octets(file), is_file=True)


def _flat(loaders: Any) -> Iterator[Any]:
    for loader in loaders:
        yield from _flat(loader.loaders) if hasattr(loader, "loaders") else [loader]


def _files(folder: str) -> Iterator[str]:
    """Follows links to folders; each folder is read once."""
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        folder = os.path.realpath(parent)
        folders[:] = [] if folder in seen else sorted(folders)
        if folder not in seen:
            seen.add(folder)
            yield from (os.path.join(parent, name) for name in sorted(names))


def _octets(file: str) -> str:
    """As latin-1, which can hold any byte. Empty for a pipe, and for a file that is too long to be a template."""
    try:
        facts = os.stat(file)
        if stat.S_ISREG(facts.st_mode) and facts.st_size <= MAX_TEMPLATE_BYTES:
            with open(file, "rb") as opened:
                return opened.read().decode("latin-1")
    except OSError as error:
        pass_on(error)
    return ""
