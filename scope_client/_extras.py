"""Extras: what to install for a feature whose packages are missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence

# As pip knows them: `pip install jwt` would bring another package.
_PACKAGE_OF_MODULE = {
    "django": "Django",
    "flask": "Flask",
    "frontmatter": "python-frontmatter",
    "jwt": "PyJWT",
    "langchain_core": "langchain-core",
    "opentelemetry": "opentelemetry-api",
    "werkzeug": "Werkzeug",
    "yaml": "PyYAML",
}


def missing_extra(what: str, modules: Sequence[str], extra: str, error: ImportError) -> str:
    """One line that names the packages that are missing, and the extra that brings them.

    Args:
        what: the feature, as the subject of a sentence: "the local platform".
        modules: the top-level modules that the feature imports.
        extra: the extra of this distribution that brings them.
        error: what the import raised. Its module is named even if `modules` does not have it.

    Returns:
        The sentence.
    """
    missing = [name for name in modules if _is_missing(name)]
    if not missing:
        missing = [(error.name or str(error)).partition(".")[0]]
    packages = _listed([_PACKAGE_OF_MODULE.get(name, name) for name in missing])
    are = "is" if len(missing) == 1 else "are"
    return f'{what} needs {packages}, which {are} not installed: pip install "scope-prompts[{extra}]"'


def _is_missing(name: str) -> bool:
    from importlib.util import find_spec  # only an error needs it

    return sys.modules[name] is None if name in sys.modules else find_spec(name) is None


def _listed(names: Sequence[str]) -> str:
    """Such as "Flask", "Flask and PyJWT", "click, Flask and PyJWT"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
