"""The house: which room may import which, read from the source."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "scope_client"
FRAMEWORKS = {"django", "flask", "langchain_core", "click", "jwt", "frontmatter", "werkzeug", "pytest", "redis"}
OPTIONAL = {
    "local": {"flask", "jwt", "werkzeug"},
    "cli": {"click"},
    "testing": {"pytest"},
    "promptdir.py": {"frontmatter", "yaml"},
    "redisstore.py": {"redis"},
}
LAZY = {
    "__init__.py": {"scope_client.options"},
    "clock.py": {"random"},
    "configuration.py": {"difflib"},
    "log.py": {"logging"},
    "memory.py": {"heapq"},
    "redaction.py": {"urllib.parse"},
    "stores.py": {"cachetools"},
    "fetch.py": {"scope_client.transport"},
    "client.py": {"scope_client.bundle", "scope_client.shared"},
    "promptdir.py": {"frontmatter.default_handlers", "yaml"},
    "redisstore.py": {"redis", "redis.backoff", "redis.retry"},
}
PUBLIC = {"scope_client", "scope_client.adapters", "scope_client.testing"}
ADAPTERS = {
    "scope_django": {"django"},
    "scope_flask": {"flask", "werkzeug", "click"},  # which it stands on
    "scope_langchain": {"langchain_core"},
}


class Import(NamedTuple):
    module: str
    name: str | None
    when: str  # "import", "call" or "typing"


def imports_of(file: Path) -> list[Import]:
    package = ".".join(file.relative_to(ROOT).parent.parts)
    found: list[Import] = []

    def visit(node: ast.AST, when: str) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                visit(child, "typing")
            for child in node.orelse:
                visit(child, when)
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            when = "call"
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, None, when) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                module = ".".join([*above, *filter(None, [module])])
            found.extend(Import(module, alias.name, when) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child, when)

    visit(ast.parse(file.read_text()), "import")
    return found


def core_rooms() -> list[Path]:
    return sorted(CORE.glob("*.py"))


def everything() -> list[Path]:
    return sorted(file for name in ("scope_client", *ADAPTERS) for file in (ROOT / name).rglob("*.py"))


def target(found: Import) -> str | None:
    """The room that an import of ours names, as scope_client.room."""
    if found.module == "scope_client" and found.name and (CORE / f"{found.name}.py").exists():
        return f"scope_client.{found.name}"
    return found.module if found.module.startswith("scope_client.") else None


@pytest.mark.parametrize("file", everything(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_no_framework_but_the_one_it_is_for(file):
    part = file.relative_to(ROOT).parts
    allowed = ADAPTERS[part[0]] if part[0] in ADAPTERS else OPTIONAL.get(part[1], set())
    used = {found.module.split(".")[0] for found in imports_of(file)} & FRAMEWORKS
    assert used <= allowed


@pytest.mark.parametrize("file", core_rooms(), ids=lambda file: file.name)
def test_the_core_runs_on_requests_cachetools_and_the_standard_library(file):
    roots = {found.module.split(".")[0] for found in imports_of(file) if found.when != "typing"}
    known = set(getattr(sys, "stdlib_module_names", roots)) | {"scope_client", "requests", "urllib3", "cachetools"}
    assert roots - OPTIONAL.get(file.name, set()) <= known


@pytest.mark.parametrize("file", core_rooms(), ids=lambda file: file.name)
def test_requests_comes_in_through_the_wire_alone(file):
    touched = [
        found
        for found in imports_of(file)
        if found.module.split(".")[0] in ("requests", "urllib3") and found.when != "typing"
    ]
    assert not touched or file.name in ("wire.py", "adapter.py", "bounds.py", "failures.py")


@pytest.mark.parametrize("file", core_rooms(), ids=lambda file: file.name)
def test_no_import_hides_in_a_function_but_to_keep_requests_or_an_extra_lazy(file):
    hidden = {target(found) or found.module for found in imports_of(file) if found.when == "call"}
    assert hidden == LAZY.get(file.name, set())


def test_the_arrows_of_the_core_run_one_way():
    arrows = {
        f"scope_client.{file.stem}": {target(found) for found in imports_of(file) if found.when == "import"} - {None}
        for file in core_rooms()
        if file.name != "__init__.py"
    }
    while arrows:
        settled = {room for room, targets in arrows.items() if not targets & arrows.keys()}
        assert settled, f"these rooms import each other in a circle: {sorted(arrows)}"
        arrows = {room: targets for room, targets in arrows.items() if room not in settled}


@pytest.mark.parametrize("room", ["errors", "frozen", "jsonvalue", "redaction", "version"])
def test_the_rooms_at_the_bottom_import_no_other(room):
    assert not [found for found in imports_of(CORE / f"{room}.py") if target(found)]


def test_template_and_flight_know_nothing_but_the_bottom():
    for room in ("template", "flight"):
        assert {target(found) for found in imports_of(CORE / f"{room}.py")} - {None} <= {
            "scope_client.errors",
            "scope_client.frozen",
            "scope_client.jsonvalue",
        }


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_uses_only_what_the_core_exports_and_no_other_adapter(adapter):
    for file in sorted((ROOT / adapter).rglob("*.py")):
        for found in imports_of(file):
            root = found.module.split(".")[0]
            assert root not in ADAPTERS or root == adapter
            assert root != "scope_client" or found.module in PUBLIC


@pytest.mark.parametrize("file", everything(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_is_small_and_says_in_its_first_line_what_lives_there(file):
    source = file.read_text()
    assert len(source.splitlines()) <= 350
    assert ast.get_docstring(ast.parse(source))


def test_no_file_has_a_name_that_says_nothing():
    empty_names = {"utils", "helpers", "base", "manager", "constants", "types", "common"}
    assert not [file for file in everything() if file.stem in empty_names]
