"""The prompts that the site's templates name, found by parsing the templates of all engines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.template import Origin, Template, base, engines
from django.template.backends.django import DjangoTemplates
from django.template.base import TokenType

from scope_client.frameworks import Finding, Reading, Search, Shelf, Survey, explained, pass_on, search_jinja

from .templatetags.scope import collected

_TAG = re.compile(rb"\{%\s*scope_prompt\b")
_PRINTED = re.compile(r"\{[{%]\s*scope_prompt\b")
_EXTENDS = re.compile(r"\{%\s*extends\s+(\S+)")
_BLOCKS_OF_TEXT = ("comment", "verbatim")
_MESSAGE_OF_PRINTED = "the tag scope_prompt does not end on its line, so Django prints it as text: write it on one line"


def survey(exclude: Iterable[str] = ()) -> Survey:
    """Reads files and renders nothing. A template that is text in Python code is not seen.

    Args:
        exclude: Patterns of paths to leave out.

    Returns:
        What the templates use.
    """
    search = Search(project(), exclude)
    for name in engines:
        _search_backend(search, name)
    return search.survey()


def project() -> str:
    """The folder that paths in reports are relative to."""
    return code() or os.getcwd()


def code() -> str | None:
    """The folder whose Python files are the site's: that of the setting BASE_DIR, if there is one."""
    base = getattr(settings, "BASE_DIR", None)
    return str(base) if base else None


def _search_backend(search: Search, name: str) -> None:
    try:
        backend = engines[name]
        if isinstance(backend, DjangoTemplates):
            _search_engine(search, backend.engine)
        elif hasattr(backend, "env"):
            is_template = getattr(backend, "match_template", lambda name: True)
            search_jinja(search, backend.env, is_template, takes_using=True)
        else:
            search.cannot_list(backend)
    except Exception as error:  # noqa: BLE001  # of anybody's engine
        pass_on(error)
        search.unread.append(Finding(f"cannot be read: {explained(error)}", f"TEMPLATES {name!r}"))


def _search_engine(search: Search, engine: Any) -> None:
    shelf = Shelf(search, _TAG, partial(_goes_on, engine))
    for loader in _flat(engine.template_loaders):
        texts = getattr(loader, "templates_dict", None)
        if texts is None and not hasattr(loader, "get_dirs"):
            search.cannot_list(loader)
            continue
        try:
            folders = list(loader.get_dirs()) if hasattr(loader, "get_dirs") else []
        except Exception as error:  # noqa: BLE001  # of anybody's loader
            pass_on(error)
            search.cannot_list(loader, error)
            continue
        for name, text in (texts or {}).items():
            shelf.put(name, name, text.encode(), partial(_read, engine, loader, name))
        for folder in folders:
            for path, name, content in search.files(str(folder)):
                shelf.put(name, path, content, partial(_read_file, engine, loader, name, path))


def _flat(loaders: Any) -> Iterator[Any]:
    for loader in loaders:
        yield from _flat(loader.loaders) if hasattr(loader, "loaders") else [loader]


def _goes_on(engine: Any, name: str, file: str) -> bool:
    """Whether a template extends the next one of its own name."""
    try:
        with open(file, encoding=engine.file_charset) as opened:
            extends = _EXTENDS.search(opened.read())
    except (OSError, UnicodeError) as error:
        pass_on(error)
        return False
    return extends is not None and (extends[1][0] not in "\"'" or extends[1].strip("\"'") == name)


def _read_file(engine: Any, loader: Any, name: str, path: str, content: bytes, file: str) -> Reading:
    """What is in the file, and what the loader makes of it, if it changes what it loads."""
    origin = Origin(path, name, loader)
    if type(loader).get_contents.__module__.startswith("django.template.loaders"):
        return _reading(engine, content.decode(engine.file_charset), origin, file)
    readings: list[Reading] = []
    errors: list[Exception] = []
    for text in (lambda: content.decode(engine.file_charset), lambda: loader.get_contents(origin)):
        try:
            readings.append(_reading(engine, text(), origin, file))
        except Exception as error:  # noqa: BLE001, PERF203  # of anybody's template and loader
            pass_on(error)
            errors.append(error)
    if not readings:
        raise errors[0]
    # The lines are right in the file itself, and what is printed is right in what the loader made.
    uses = max(readings, key=lambda each: len(each.uses)).uses
    return Reading(uses, readings[0].printed if all(each.printed for each in readings) else [])


def _read(engine: Any, loader: Any, name: str, content: bytes, file: str) -> Reading:
    return _reading(engine, content.decode(), Origin(name, name, loader), file)


def _reading(engine: Any, text: str, origin: Origin, file: str) -> Reading:
    with collected() as nodes:
        Template(text, origin, str(origin.template_name), engine)
    return Reading([node.use(file) for node in nodes], [Finding(*each) for each in _printed(text, file)])


def _printed(text: str, file: str) -> Iterator[tuple[str, str, int]]:
    """The tags that Django's lexer takes for text. It is asked, because a package may have taught it more lines."""
    inside = None
    for token in base.Lexer(text).tokenize():
        if token.token_type is TokenType.BLOCK:
            name = token.contents.partition(" ")[0]
            if inside is None and name in _BLOCKS_OF_TEXT:
                inside = f"end{name}"
            elif name == inside:
                inside = None
        elif token.token_type is TokenType.TEXT and inside is None:
            for tag in _PRINTED.finditer(token.contents):
                line = (token.lineno or 0) + token.contents.count("\n", 0, tag.start())
                yield _MESSAGE_OF_PRINTED, file, line
