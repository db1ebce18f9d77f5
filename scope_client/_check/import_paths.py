"""Import paths: the dotted path of a module by its file, and what a relative import means there."""

from __future__ import annotations

import ast
import re

_ENDING_OF_A_MODULE = re.compile(r"(?:/__init__)?\.(?:py|pyi|pyw|ipynb)(?::.*)?$")


def dotted_path(file: str) -> str:
    """The dotted path of a module, such as "src.app.llm" for "src/app/llm.py"; a package is its folder.

    Args:
        file: The path of its file, with forward slashes.
    """
    plain = _ENDING_OF_A_MODULE.sub("", file.replace("\\", "/"))
    return ".".join(part for part in plain.split("/") if part not in ("", ".", ".."))


def is_package(file: str) -> bool:
    """Whether the file is what a package is made of.

    Args:
        file: The path of the file.
    """
    return re.search(r"(?:^|[/\\])__init__\.pyi?$", file) is not None


def imported_from(node: ast.ImportFrom, module: str, within_package: bool) -> str:
    """The dotted path of the module that "from ... import" names.

    Args:
        node: The statement.
        module: The dotted path of the module that it stands in.
        within_package: Whether that is a package, whose own folder "." is.
    """
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    above = parts[: len(parts) - node.level + within_package]
    return ".".join([*above, *filter(None, [node.module])])
