"""Writes llms.txt beside the pages: what each of them is about in a sentence, and where it is; and llms-full.txt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.builders.text import TextBuilder
from sphinx.util.logging import suppress_logging
from sphinx.writers.text import TextTranslator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

_END_OF_A_SENTENCE = re.compile(r"(?<=[.:!?])\s+(?=[A-Z`(])")


def first_sentence(tree: nodes.document) -> str:
    for paragraph in tree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            return _END_OF_A_SENTENCE.split(" ".join(paragraph.astext().split()))[0]
    return ""


def in_reading_order(app: Sphinx) -> Iterator[tuple[str, str]]:
    """Each page after the first, with the heading under which the sidebar has it."""
    seen: set[str] = set()

    def below(docname: str, heading: str) -> Iterator[tuple[str, str]]:
        for toctree in app.env.get_doctree(docname).findall(addnodes.toctree):
            caption = toctree["caption"] or heading
            for _, child in toctree["entries"]:
                if child in app.env.found_docs and child not in seen:
                    seen.add(child)
                    yield caption, child
                    yield from below(child, caption)

    return below(app.config.root_doc, "")


def as_text(app: Sphinx, docname: str) -> str:
    """A page as plain text, with what its docstrings say."""
    builder = TextBuilder(app, app.env)
    builder.init()
    with suppress_logging():  # the pages have said it already
        tree = app.env.get_and_resolve_doctree(docname, builder, tags=app.tags, includehidden=False)
    translator = TextTranslator(tree, builder)
    tree.walkabout(translator)
    return translator.body


def write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    root = app.config.root_doc
    lines = [f"# {app.config.project}", "", f"> {first_sentence(app.env.get_doctree(root))}"]
    whole = [as_text(app, root)]
    heading = ""
    for caption, docname in in_reading_order(app):
        if caption != heading:
            heading = caption
            lines += ["", f"## {caption}", ""]
        title = app.env.titles[docname].astext()
        about = first_sentence(app.env.get_doctree(docname))
        lines.append(f"- [{title}]({app.builder.get_target_uri(docname)})" + (f": {about}" if about else ""))
        whole.append(as_text(app, docname))
    Path(app.outdir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Path(app.outdir, "llms-full.txt").write_text("\n\n".join(whole), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
