"""The pages of the local platform, for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from markupsafe import escape

if TYPE_CHECKING:
    from flask import Flask

    from .._routes import Behind

FACE = "face"


def add_face(site: Flask, behind: Behind) -> None:
    """Adds the pages to the app, as the blueprint FACE: the gate and the journal know them by it."""
    pages = Blueprint(FACE, __name__)

    def index() -> str:
        names = "".join(f"<li>{escape(name)}</li>" for name in behind.library.names())
        return f"<!doctype html><title>Scope</title><ul>{names}</ul>"

    pages.add_url_rule("/", "index", index)
    site.register_blueprint(pages)
