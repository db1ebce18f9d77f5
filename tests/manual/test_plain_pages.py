"""The pages read well without Sphinx too: they are plain Markdown, and their links lead to files of the repository."""

from __future__ import annotations

import re

import pytest
from manual import pages

# No program shows these but Sphinx, and each says so at its head.
OF_AUTODOC = [page for page in pages.pages() if page.startswith("api/") and page != "api/index.md"]
ON_GITHUB = "> `make docs` makes the entries of this page from the docstrings. GitHub shows their names only."
ROLE = re.compile(r"\{[a-z][\w:+-]*\}`")
DIRECTIVE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}|:{3,})[ \t]*\{[\w:+-]+\}", re.MULTILINE)
ONLY_IN_MYST = {
    "front matter": re.compile(r"\A---\n"),
    "a comment": re.compile(r"^%", re.MULTILINE),
    "a target": re.compile(r"^\([\w-]+\)=", re.MULTILINE),
    "a definition": re.compile(r"^: ", re.MULTILINE),
    "a fence of colons": re.compile(r"^\s*:{3,}", re.MULTILINE),
    "a link of HTML": re.compile(r"<a\b"),
}
LINK = re.compile(r"!?\[(?:[^\]\[`]|`[^`]*`)*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def prose(text: str) -> str:
    """A page without its blocks of code, whatever they hold; the fences stay."""
    return re.sub(r"^( *)(`{3,})(.*)\n(?:.*\n)*?\1\2 *$", r"\1\2\3", text, flags=re.MULTILINE)


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings."""
    words = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in HEADING.findall(prose(text)))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in words}


def complaints(page: str, text: str) -> list[str]:
    text = prose(text)
    found = [f"{page}: {each}" for each in ROLE.findall(text)]
    if page not in OF_AUTODOC:
        found += [f"{page}: {each.strip()}" for each in DIRECTIVE.findall(text)]
    return found + [f"{page}: {what}" for what, pattern in ONLY_IN_MYST.items() if pattern.search(text)]


@pytest.mark.parametrize("page", pages.pages())
def test_a_page_is_plain_markdown(page: str) -> None:
    assert complaints(page, pages.text_of(page)) == []


@pytest.mark.parametrize(
    "text",
    [
        "a {term}`token`",
        "{py:class}`~scope_client.ScopeClient`",
        "```{image} a.svg\n:alt: it\n```\n",
        ":::{note}\nIt.\n:::\n",
        "- it\n\n  ```{note}\n  It.\n  ```\n",
        "---\nmyst: {}\n---\n# It\n",
        "% needs Python 3.10\n",
        "(there)=\n",
        "word\n: what it means\n",
        '<a href="llms.txt">it</a>',
    ],
)
def test_what_only_sphinx_shows_would_be_found(text: str) -> None:
    assert complaints("index.md", text)


def test_code_may_hold_anything() -> None:
    assert complaints("index.md", "```markdown\n---\nmetadata: {a: 1}\n---\n{term}`it`\n```\n") == []


@pytest.mark.parametrize("page", OF_AUTODOC)
def test_a_page_of_entries_says_who_makes_them(page: str) -> None:
    assert f"\n\n{ON_GITHUB}\n\n" in pages.text_of(page)
    assert ON_GITHUB in (pages.DOCS / "_ext" / "plain_pages.py").read_text()  # which leaves it out of what it makes
    assert set(DIRECTIVE.findall(pages.text_of(page))) == {"```{eval-rst}"}


@pytest.mark.parametrize("page", pages.pages())
def test_each_link_leads_to_a_file_and_to_a_heading_of_it(page: str) -> None:
    here = pages.DOCS / page
    broken = []
    for link in LINK.findall(prose(pages.text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        file = (here.parent / path).resolve() if path else here
        if not file.is_file() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []
