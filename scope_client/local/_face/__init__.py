"""The face of the local platform: its pages, for a browser on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable

from flask import Blueprint, Request, Response, request, send_from_directory
from werkzeug.exceptions import HTTPException, NotFound

from ._asked import Asked
from ._connecting import Connecting
from ._fault_page import Outages
from ._page import HERE, Pages, with_security
from ._reading import Reading
from ._writing import Writing

if TYPE_CHECKING:
    from flask import Flask

    from .._routes import Behind

FACE = "face"
OF_THE_API = re.compile("/(?:api|v1)(?:/|$)")


def add_face(site: Flask, behind: Behind) -> None:
    """Adds the pages to the app, as the blueprint FACE: the gate and the journal know them by it."""
    pages = Pages(behind)
    face = Blueprint(FACE, __name__)
    face.after_request(with_security)

    def static(file: str) -> Response:
        return send_from_directory(HERE / "static", file)

    def icon() -> Response:
        return static("icon.svg")

    face.add_url_rule("/static/<file>", "static", static)
    face.add_url_rule("/favicon.ico", "icon", icon)
    reading = Reading(pages)
    for views in (reading, Writing(pages, reading), Asked(pages), Outages(pages), Connecting(pages)):
        views.add_to(face)
    site.register_blueprint(face)
    site.register_error_handler(NotFound, _Nowhere(pages, site.error_handler_spec[None][None][HTTPException]))
    site.request_class = _Request


class _Request(Request):
    # The server limits bodies by itself, and a prompt may be longer than what Flask lets a form have. Before Flask 3.1,
    # Werkzeug's own limit cannot be set by the app's config.
    max_form_memory_size = None


class _Nowhere:
    """Answers for a path that does not exist: a browser gets a page, a program what it always got."""

    def __init__(self, pages: Pages, otherwise: Callable[[Any], Any]) -> None:
        self._pages = pages
        self._otherwise = otherwise

    def __call__(self, error: NotFound) -> Any:
        is_for_people = "text/html" in request.headers.get("Accept", "") and not OF_THE_API.match(request.path)
        if not is_for_people or not self._pages.behind.gate.is_own_loopback(request.environ):
            return self._otherwise(error)
        said = "The address may have a slip, or what was there is gone."
        return with_security(self._pages.missing("There is no such page", said))
