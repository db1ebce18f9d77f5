"""Kinds: which files a check looks at, by their names and where they are; and which folders it does not look into."""

from __future__ import annotations

import os
import re
from typing import Optional

from .left_out import may_be_a_document, why_not_a_template

PYTHON, NOTEBOOK, TEMPLATE = KINDS_OF_FILES = ("python", "notebook", "template")
_ENDINGS_OF_PYTHON = (".py", ".pyw")
_ENDINGS_OF_TEMPLATES = (
    *(".djhtml", ".email", ".eml", ".htm", ".html", ".j2", ".jinja", ".jinja2", ".mjml", ".svg", ".template", ".tmpl"),
    *(".tpl", ".txt", ".xhtml", ".xml"),
)
_FOLDERS_OF_TEMPLATES = frozenset({"jinja2", "templates"})
_FOLDERS_OF_DOCUMENTS = frozenset({"doc", "docs"})
_SHEBANG_OF_PYTHON = re.compile(rb"#![^\n]*\bpython")
_PACKAGE_FOLDERS = {"node_modules", "bower_components", "site-packages", "dist-packages"}
_FOLDERS_OF_BUILDS = ("build", "dist")
EXCLUDED = "--exclude"
_MADE, _BUILT, _PACKAGES = "made by a tool", "made by a build", "a folder of packages"
_ENVIRONMENT = "a virtual environment"
REASONS_TO_PASS_BY = frozenset({EXCLUDED, _MADE, _BUILT, _PACKAGES, _ENVIRONMENT})
_BESIDE_A_BUILD = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "package.json"})


def kind_of(file: str, named: Optional[str] = None) -> Optional[str]:
    """The kind of a file by its path, with forward slashes; None if it is none that is looked at.

    Args:
        file: The path as places give it.
        named: The path to open, of a file that was named itself: it is looked at whatever its ending is.
    """
    name = file.rpartition("/")[2].lower()
    if name.endswith(_ENDINGS_OF_PYTHON):
        return PYTHON
    if name.endswith(".ipynb"):
        return NOTEBOOK
    if named is not None:
        return PYTHON if _begins_as_python(named) else TEMPLATE
    folders = file.lower().split("/")[:-1]
    if not _FOLDERS_OF_TEMPLATES.isdisjoint(folders):
        return None if why_not_a_template(file) else TEMPLATE
    if not name.endswith(_ENDINGS_OF_TEMPLATES) or why_not_a_template(file) or may_be_a_document(file):
        return None
    return None if name.endswith(".txt") and not _FOLDERS_OF_DOCUMENTS.isdisjoint(folders) else TEMPLATE


def why_not_looked_into(path: str, name: str, beside: frozenset[str]) -> Optional[str]:
    """Why a folder is not looked into; None if it is.

    Args:
        path: The folder.
        name: Its name.
        beside: The names in the folder that it is in.
    """
    if name == "__pycache__" or name.endswith(".egg-info"):
        return _MADE
    if name in _PACKAGE_FOLDERS:
        return _PACKAGES
    if name in _FOLDERS_OF_BUILDS and not beside.isdisjoint(_BESIDE_A_BUILD):
        return _BUILT
    return _ENVIRONMENT if os.path.exists(os.path.join(path, "pyvenv.cfg")) else None


def _begins_as_python(path: str) -> bool:
    try:
        with open(path, "rb") as opened:
            return _SHEBANG_OF_PYTHON.match(opened.read(200)) is not None
    except OSError:
        return False
