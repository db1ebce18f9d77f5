"""Tells the search page what each page is about: a sentence, the words of its headings, and those of its keywords.

A page that readers look for by other words than its own has these on top: `<!-- keywords: ... -->`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from llms_txt import first_sentence

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FILE = "about-pages.js"
HAS_EVERY_WORD = "glossary"  # and is about none of them


def write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    about = {}
    for name in sorted(app.env.found_docs):
        tree = app.env.get_doctree(name)
        words = [title.astext() for title in tree.findall(nodes.title) if name != HAS_EVERY_WORD]
        words += [meta["content"] for meta in tree.findall(nodes.meta) if meta.get("name") == "keywords"]
        about[name] = {
            "title": app.env.titles[name].astext(),
            "headings": " ".join(words),
            "says": first_sentence(tree),
        }
    Path(app.outdir, "_static", FILE).write_text(f"window.aboutPages = {json.dumps(about)};\n", encoding="utf-8")


def load(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    if page == "search":
        app.add_js_file(FILE, loading_method="defer")
        app.add_js_file("search.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", load)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
