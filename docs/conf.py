"""How Sphinx makes the manual: `make docs`. It needs no network, and what it makes needs none either."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "_ext")]

# A class says then in which room it is defined, and not where it is exported: there, its fields have their docstrings.
sys.modules["scope_client._public_names"] = SimpleNamespace(publish=lambda package, names: None)  # type: ignore[assignment]

from scope_client import ScopeClient, __version__  # noqa: E402  # this copy of it

# Set, each page has a link to its source: an address such as https://host/owner/name/.
REPOSITORY = ""

project = "scope-prompts"
author = "The scope-prompts authors"
copyright = f"2026, {author}"  # noqa: A001  # Sphinx has the name
version = release = __version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "known_names",
    "plain_pages",
    "llms_txt",
    "for_everybody",
    "search_words",
]
exclude_patterns = ["_build", "_contents", "_ext"]
nitpicky = True
# A name of ours must be one of the manual's; a name from elsewhere is text.
_ELSEWHERE = (
    *(
        "asyncio",
        "collections",
        "contextlib",
        "datetime",
        "enum",
        "opentelemetry",
        "os",
        "pathlib",
        "types",
        "typing",
        "typing_extensions",
    ),
    *("cachelib", "django", "flask", "flask_caching", "jinja2", "langchain", "langchain_core", "pydantic"),
    *("_pytest", "pytest", "redis", "requests", "werkzeug"),
)
nitpick_ignore_regex = [
    (r"py:.*", rf"(?:{'|'.join(_ELSEWHERE)})(?:\.\w+)+"),
    (r"py:.*", rf"(?:{'|'.join(name for name in dir(builtins) if name[0] != '_')})"),
]

default_role = "code"  # which the docstrings write as `name`
smartquotes_action = "D"  # dashes alone: "latest" is a value, and its quotes are Python's
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# For which it looks in the source, where these two have other defaults than they show; and so before scope_django does.
del ScopeClient.render_prompt.__wrapped__  # type: ignore[attr-defined]
del ScopeClient.arender_prompt.__wrapped__  # type: ignore[attr-defined]
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
add_module_names = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"scope-prompts {release}"
html_short_title = "scope-prompts"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_logo = "_static/favicon.svg"
html_favicon = "_static/favicon.svg"
html_show_sphinx = False
html_last_updated_fmt = None
html_copy_source = True
html_show_sourcelink = False
# A summary is fetched from the page that was found, which a browser refuses for a file.
html_show_search_summary = False
html_theme_options: dict[str, Any] = {
    "sidebar_hide_name": False,
    "light_css_variables": {
        "color-brand-primary": "#3450b4",
        "color-brand-content": "#3450b4",
        "color-code-background": "#f5f6fa",
    },
    "dark_css_variables": {"color-brand-primary": "#a5b8ff", "color-brand-content": "#a5b8ff"},
}
if REPOSITORY:
    html_theme_options |= {"source_repository": REPOSITORY, "source_branch": "main", "source_directory": "docs/"}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
copybutton_exclude = ".linenos, .gp, .go"
