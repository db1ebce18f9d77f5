"""The pages of a built site as files: what each of them links to, and the places on it that can be linked to."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

BUILD_SECONDS = 600  # for the manual, on a machine that is busy
NO_FILE = {"http", "https", "mailto", "data"}


class BuiltPage(NamedTuple):
    """What a page has."""

    ids: set[str]
    links: list[str]
    """Every href and src, as they are written."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = BuiltPage(set(), [])

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.page.ids.add(value)
            if name in ("href", "src") and value is not None:
                self.page.links.append(value)


def read_pages(folder: Path) -> dict[Path, BuiltPage]:
    """All pages of a site by their files."""
    found = {}
    for file in sorted(folder.rglob("*.html")):
        if "_static" not in file.relative_to(folder).parts:  # of the theme: pieces of pages
            reader = _Reader()
            reader.feed(file.read_text(encoding="utf-8"))
            found[file.resolve()] = reader.page
    return found


def broken_links(pages: dict[Path, BuiltPage]) -> list[str]:
    """The links within the site that lead to no file, or to no place in it."""
    broken = []
    for file, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme in NO_FILE:
                continue
            target = (file.parent / unquote(address.path)).resolve() if address.path else file
            place = unquote(address.fragment)
            if not target.is_file() or (place and target in pages and place not in pages[target].ids):
                broken.append(f"{file.name}: {link}")
    return broken
