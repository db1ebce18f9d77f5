"""The house: which room may import which, read from the source."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "scope_client"
FRAMEWORKS = {
    *("django", "flask", "langchain_core", "click", "jwt", "frontmatter", "werkzeug", "pytest", "redis"),
    "opentelemetry",
}
OPTIONAL = {
    "otel": {"opentelemetry"},
    "_otel": {"opentelemetry"},
    "local": {"flask", "jwt", "werkzeug"},
    "cli": {"click"},
    "testing": {"pytest"},
    "_folder/version_file": {"frontmatter", "yaml"},
    "_folder/written_file": {"yaml"},
    "_lock/copies": {"frontmatter", "yaml"},
    "_stores/redis_store": {"redis"},
    "_toml": {"tomli", "tomllib"},
}
# What a function imports for itself: what the import of the package is to do without, or an extra.
LAZY = {
    "_async_jobs": {"asyncio", "contextvars"},
    "_async_reads": {"asyncio"},
    "_cache/shared_store": {"hashlib"},
    "_client": {"scope_client._http.fetcher", "scope_client._rooms"},
    "_extras": {"importlib.util"},
    "_log": {"logging"},
    "_redaction": {"base64", "urllib.parse"},
    "_prefetch": {"contextvars"},
    "_cache_methods": {"scope_client._pins.pin_state"},
    "_process": {"scope_client._async_jobs"},
    "_reading": {"scope_client._pins_and_rollouts"},
    "_rollouts/picking": {"hashlib"},
    "_rooms": {
        *("scope_client._cache.fleet_loading", "scope_client._cache.shared_store"),
        *("scope_client._folder.bundle", "scope_client._lock.lock_in_use"),
    },
    "_toml": {"tomli", "tomllib"},
    "_wording": {"difflib"},
    "_prompt/in_use": {"weakref"},
    "_renderings": {"scope_client._prompt.in_use"},
    "_read_signatures": {"inspect"},
    "_prompt/prompt_version": {"scope_client._prompt.in_use"},
    "_stores/memory_store": {"cachetools"},
    "_http/fetcher": {"scope_client._http.retries"},
    "_folder/version_file": {"frontmatter.default_handlers", "yaml"},
    "_folder/written_file": {"yaml"},
    "_stores/cache_store": {"inspect"},
    "_stores/redis_store": {
        *("redis", "redis.backoff", "redis.cluster", "redis.retry"),
        "scope_client._stores.answer_limit",
    },
}
# From the bottom up: a floor imports what stands before it here.
FLOORS = ("_stores", "_prompt", "_config", "_http", "_folder", "_cache")
BESIDE = ("_check", "_doctor", "_lock", "_otel", "_pins", "_rollouts", "_types")
WITH_REQUESTS = {
    "_http/addresses",
    "_http/answer",
    "_http/attempt",
    "_http/connections",
    "_http/failures",
    "_http/sessions",
    "_http/trust",
}
PUBLIC = {"scope_client", "scope_client.frameworks", "scope_client.testing"}
ADAPTERS = {
    "scope_django": {"django"},
    "scope_flask": {"flask", "werkzeug", "click"},  # which it stands on
    "scope_langchain": {"langchain_core", "pydantic"},  # which it stands on
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
    """The rooms behind a plain `import scope_client`, and those of its floors."""
    return sorted([*CORE.glob("*.py"), *(file for floor in FLOORS for file in (CORE / floor).glob("*.py"))])


def everything() -> list[Path]:
    return sorted(file for name in ("scope_client", *ADAPTERS) for file in (ROOT / name).rglob("*.py"))


def room(file: Path) -> str:
    return str(file.relative_to(CORE).with_suffix(""))


def target(found: Import) -> str | None:
    """The room of ours that an import names, such as _cache/policy."""
    if not found.module.startswith("scope_client"):
        return None
    path = CORE.joinpath(*found.module.split(".")[1:])
    if found.name and (path / f"{found.name}.py").exists():
        return room(path / f"{found.name}.py")
    return room(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


def floor(name: str) -> str:
    return name.split("/")[0]


@pytest.mark.parametrize("file", everything(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_no_framework_but_the_one_it_is_for(file):
    part = file.relative_to(ROOT).parts
    allowed = ADAPTERS[part[0]] if part[0] in ADAPTERS else OPTIONAL.get(part[1], OPTIONAL.get(room(file), set()))
    used = {found.module.split(".")[0] for found in imports_of(file)} & FRAMEWORKS
    assert used <= allowed


@pytest.mark.parametrize("file", core_rooms(), ids=room)
def test_the_core_runs_on_requests_cachetools_and_the_standard_library(file):
    roots = {found.module.split(".")[0] for found in imports_of(file) if found.when != "typing"}
    known = set(getattr(sys, "stdlib_module_names", roots)) | {"scope_client", "requests", "urllib3", "cachetools"}
    assert roots - OPTIONAL.get(room(file), set()) <= known


@pytest.mark.parametrize("file", core_rooms(), ids=room)
def test_requests_comes_in_with_the_first_attempt_alone(file):
    touched = [
        found
        for found in imports_of(file)
        if found.module.split(".")[0] in ("requests", "urllib3") and found.when != "typing"
    ]
    assert not touched or room(file) in WITH_REQUESTS


@pytest.mark.parametrize("file", core_rooms(), ids=room)
def test_no_import_hides_in_a_function_but_to_keep_the_import_light_or_an_extra_optional(file):
    hidden = {
        found.module if target(found) in (None, "__init__") else f"scope_client.{target(found).replace('/', '.')}"
        for found in imports_of(file)
        if found.when == "call"
    }
    assert hidden == LAZY.get(room(file), set())


# One small room, imported in a moment; the block that begins with it is in the caller's hands.
NOT_HELD_BACK = {"_prompt/prompt_version": {"in_use"}, "_renderings": {"_prompt.in_use"}}


@pytest.mark.parametrize("file", core_rooms(), ids=room)
def test_a_fork_waits_for_each_room_that_is_imported_late(file):
    tree = ast.parse(file.read_text())
    functions = [each for each in ast.walk(tree) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    held = {
        found
        for block in ast.walk(tree)
        if isinstance(block, ast.With) and any(ast.unparse(each) == "held_back()" for each in block.items)
        for found in ast.walk(block)
    }
    late = {
        found.module
        for function in functions
        for found in ast.walk(function)
        if isinstance(found, ast.ImportFrom) and found.level and found not in held
    }
    assert late == NOT_HELD_BACK.get(room(file), set())


def test_the_arrows_of_the_core_run_one_way():
    files = [*core_rooms(), *(file for name in BESIDE for file in (CORE / name).glob("*.py"))]
    arrows = {
        room(file): {target(found) for found in imports_of(file)} - {None, room(file)}
        for file in files
        if file.name != "__init__.py"
    }
    while arrows:
        settled = {name for name, targets in arrows.items() if not targets & arrows.keys()}
        assert settled, f"these rooms import each other in a circle: {sorted(arrows)}"
        arrows = {name: targets for name, targets in arrows.items() if name not in settled}


@pytest.mark.parametrize("file", [file for file in core_rooms() if file.parent != CORE], ids=room)
def test_a_floor_imports_only_the_floors_below_it_and_what_all_use(file):
    above = FLOORS[FLOORS.index(floor(room(file))) + 1 :]
    outside = {target(found) for found in imports_of(file)} - {None}
    assert not [name for name in outside if floor(name) in above]
    assert not outside & {"__init__", "_client", "_process", "_prefetch", "_status"}


@pytest.mark.parametrize(
    "name", ["errors", "_foreign_text", "_frozen", "_interrupts", "_redaction", "_version", "_prompt/jsonvalue"]
)
def test_the_rooms_at_the_bottom_import_no_other(name):
    assert not [found for found in imports_of(CORE / f"{name}.py") if target(found)]


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


def constants_of(file: Path) -> list[str]:
    """The names in capitals that a room gives to a value, without the underscore in front."""
    names = [
        target.id
        for node in ast.parse(file.read_text()).body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    return [name.lstrip("_") for name in names if name.isupper()]


def test_no_two_constants_share_a_name():
    rooms = [(name, file) for file in everything() for name in constants_of(file)]
    seen: dict[str, Path] = {}
    shared = {name: (seen[name], file) for name, file in rooms if seen.setdefault(name, file) != file}
    assert not shared
