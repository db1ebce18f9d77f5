"""Lets the pages be plain Markdown, which reads well where nobody builds them: what else Sphinx needs is added here.

- `docs/_contents/PAGE.md` is the end of a page: the tables of contents.
- A page that holds `<!-- the text of ../FILE.md -->` is that file.
- `<!-- keywords: ... -->` on top of a page are words by which readers look for it.
- `<!-- index: one, another -->` below a heading are entries of the index; `single: one, with a comma` is one entry.
  The terms of the glossary are entries as they are.
- A public name in backticks is a link to its entry, once in each section.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from known_names import OURS, PUBLIC_MODULES, addresses
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CONTENTS = "_contents"
TELL_OF_OTHER_RELEASES = ("changelog",)
ON_GITHUB = "> `make docs` makes the entries of this page from the docstrings. GitHub shows their names only.\n"
_FILE = re.compile(r"<!-- the text of (\S+) -->")
_KEYWORDS = re.compile(r"<!-- keywords: (.+) -->\s*")
_INDEX = re.compile(r"<!-- index: (.+) -->\n\n")
_TERM = re.compile(r"^## (.+)\n", re.MULTILINE)
# `ScopeClient`, `scope_django.get_client()`, `await scope_django.arender_prompt(...)`, `to_langchain(version)`
_NAME = re.compile(r"(?:await )?([A-Za-z_]\w*(?:\.\w+)*)(?:\(.*\))?")
_IS_CODE_ALREADY = (nodes.reference, addnodes.pending_xref, nodes.title, addnodes.desc)
_log = logging.getLogger(__name__)


def complete(app: Sphinx, page: str, source: list[str]) -> None:
    text = source[0].replace(ON_GITHUB, "\n")  # the lines keep their numbers
    found = _FILE.search(text)
    if found:
        text = f"```{{include}} {found.group(1)}\n```\n"
    text = _INDEX.sub(_index_directive, text)
    if page == "glossary":
        text = _TERM.sub(r"\g<0>```{index} \1\n```\n", text)
    contents = Path(app.srcdir, CONTENTS, f"{page}.md")
    if contents.is_file():
        app.env.note_dependency(str(contents))
        text = f"{text}\n{contents.read_text(encoding='utf-8')}"
    source[0] = text


def _index_directive(found: re.Match[str]) -> str:
    """Of as many lines."""
    said = found.group(1)
    entries = [said] if said.startswith("single: ") else said.split(", ")
    return f"```{{index}} {', '.join(f'! {entry}' for entry in entries)}\n```\n"


def read_keywords(app: Sphinx, tree: nodes.document) -> None:
    """As `keywords` of a page's head, which the search counts among its words."""
    for node in list(tree.findall(nodes.raw)):
        found = _KEYWORDS.fullmatch(node.astext())
        if found:
            node.replace_self(nodes.meta(name="keywords", content=found.group(1)))


def link_names(app: Sphinx, tree: nodes.document, page: str) -> None:
    linked: set[tuple[int, str]] = set()
    for literal in list(tree.findall(nodes.literal)):
        found = _NAME.fullmatch(literal.astext())
        if not found or _is_in(literal, _IS_CODE_ALREADY):
            continue
        target = full_name(app.env, found.group(1))
        entry = app.env.domains.python_domain.objects.get(target)
        if entry is None:
            if is_class_of_ours(found.group(1)) and page not in TELL_OF_OTHER_RELEASES:
                _log.warning("`%s` has no entry in the API", found.group(1), location=literal)
            continue
        once = (id(_section_of(literal)), target)
        if entry.docname != page and once not in linked:
            linked.add(once)
            link = make_refnode(app.builder, page, entry.docname, entry.node_id, literal.deepcopy(), target)
            literal.replace_self(link)


def full_name(env: BuildEnvironment, name: str) -> str:
    """`scope_client.ScopeClient.status` of `ScopeClient.status`; the class, if the method has no entry."""
    first, _, rest = name.partition(".")
    if first not in OURS:
        if first not in addresses() or not first[0].isupper():
            return ""
        name = addresses()[first] + (f".{rest}" if rest else "")
    known = env.domains.python_domain.objects
    if name not in known and name.rpartition(".")[0] in known and name.rpartition(".")[2][0].islower():
        return name.rpartition(".")[0]
    return name


def is_class_of_ours(name: str) -> bool:
    """Such a name must be right; another one may be a module, a logger or a file that has the package's name."""
    found = re.match(r"([a-z_.]+)\.[A-Z]\w*[a-z]", name)
    return found is not None and found.group(1) in PUBLIC_MODULES


def _is_in(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def _section_of(node: nodes.Node) -> nodes.Node:
    while node.parent is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", complete)
    app.connect("doctree-read", read_keywords)
    app.connect("doctree-resolved", link_names)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
