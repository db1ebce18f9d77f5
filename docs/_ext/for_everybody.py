"""Mends three places of the pages that Sphinx makes: a screen reader and a keyboard need more than they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

AFTER_FURO = 900
_TABLE = ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')
_LONG_SIGNATURE = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n)+)</dl>', re.DOTALL)


def mended(html: str) -> str:
    """What scrolls can be focused, so that the arrow keys move it; a list of definitions has what it defines."""
    html = html.replace("<pre>", '<pre tabindex="0">').replace(*_TABLE)
    return _LONG_SIGNATURE.sub(lambda found: f'<div class="sig-params">\n{_as_lines(found.group(1))}</div>', html)


def _as_lines(parameters: str) -> str:
    return parameters.replace('<dd><em class="sig-param">', '<div><em class="sig-param">').replace(
        "</dd>\n", "</div>\n"
    )


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    if isinstance(context.get("body"), str):
        context["body"] = mended(context["body"])
    for name, value in context.items():
        if name.startswith("furo_navigation") and isinstance(value, str):  # a heading has a level
            context[name] = value.replace(
                'class="caption" role="heading"', 'class="caption" role="heading" aria-level="2"'
            )


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", mend, priority=AFTER_FURO)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
