"""Public names: where they say that they live, what their annotations say, and that each field is described."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pickle
import pickletools
import pkgutil
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import scope_client
from scope_client import (
    Configuration,
    ConfigurationError,
    NotFoundError,
    Options,
    PrefetchReport,
    PromptStatus,
    PromptVersion,
    Status,
)

ROOT = Path(scope_client.__file__).resolve().parents[1]
OURS = ("scope_client", "scope_django", "scope_flask", "scope_langchain")
PACKAGES = (*OURS, "scope_client.local", "scope_client.otel", "scope_client.testing", "scope_client.frameworks")
# Left out of __all__, because a star import must not hide the builtins of these names.
NAMED_LIKE_BUILTINS = ("ConnectionError", "TimeoutError")


class Name(NamedTuple):
    package: str
    name: str

    def __str__(self) -> str:
        return f"{self.package}.{self.name}"

    @property
    def value(self) -> Any:
        return getattr(importlib.import_module(self.package), self.name)


def names_of(package: str) -> list[Name]:
    exported = importlib.import_module(package).__all__
    return [Name(package, each) for each in (*exported, *(NAMED_LIKE_BUILTINS if package == "scope_client" else ()))]


NAMES = [name for package in PACKAGES for name in names_of(package)]
CLASSES = [name for name in NAMES if inspect.isclass(name.value)]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(name.value)]

each_class = pytest.mark.parametrize("name", CLASSES, ids=str)


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """What its users call of ours: the constructor, and all methods and properties without an underscore."""
    for name, value in inspect.getmembers(kind):
        function = value.fget if isinstance(value, property) else value
        is_ours = str(getattr(function, "__module__", None)).startswith(OURS)
        if is_ours and (name == "__init__" or not name.startswith("_")) and inspect.isroutine(function):
            yield name, function


@functools.cache  # and not at once: only one worker of many reads them
def our_bodies() -> dict[str, list[ast.stmt]]:
    """The bodies of all classes of ours, by name."""
    bodies: dict[str, list[ast.stmt]] = {}
    for file in (file for package in OURS for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                bodies.setdefault(node.name, []).extend(node.body)
    return bodies


def described(body: list[ast.stmt]) -> dict[str, str]:
    """The fields that have a string under them, and what it says."""
    return {
        field.target.id: str(below.value.value)
        for field, below in zip(body, body[1:])
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS], ids=str)
def test_a_class_or_function_says_that_it_lives_where_it_is_imported_from(name: Name) -> None:
    assert name.value.__module__ == name.package


def is_readable(hint: Any) -> bool:
    """Whether it is a type, on Python 3.9 as well, which cannot read `str | None`."""
    if isinstance(hint, list):  # the arguments of a Callable
        return all(map(is_readable, hint))
    has_a_bar = (3, 10) <= sys.version_info < (3, 14) and isinstance(hint, types.UnionType)
    return not has_a_bar and not isinstance(hint, typing.ForwardRef) and all(map(is_readable, typing.get_args(hint)))


def unreadable(annotated: Any) -> dict[str, Any]:
    """The annotations that are not readable; those that a class inherits from LangChain are LangChain's."""
    hints, ours = typing.get_type_hints(annotated), getattr(annotated, "__annotations__", {})
    return {name: hint for name, hint in hints.items() if name in ours and not is_readable(hint)}


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS], ids=str)
def test_the_annotations_can_be_read_at_run_time(name: Name) -> None:
    assert not unreadable(name.value)


@each_class
def test_the_annotations_of_methods_can_be_read_at_run_time(name: Name) -> None:
    for _, method in methods(name.value):
        assert not unreadable(method)


def test_no_module_has_the_name_of_something_else_that_is_public() -> None:
    for package in PACKAGES:
        module = importlib.import_module(package)
        inside = {found.name for found in pkgutil.iter_modules(getattr(module, "__path__", []))}
        assert not inside & {name.name for name in names_of(package)}


def test_importing_every_module_leaves_the_public_names_as_they_were() -> None:
    code = """
import importlib, pkgutil, scope_client
before = {name: getattr(scope_client, name) for name in scope_client.__all__}
for found in pkgutil.walk_packages(scope_client.__path__, "scope_client."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print([name for name, value in before.items() if getattr(scope_client, name) is not value])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


def test_dir_lists_the_public_names_and_the_public_packages_and_nothing_else() -> None:
    listed = {name for name in dir(scope_client) if name.isidentifier() and not name.startswith("_")}
    public = {name.name for name in names_of("scope_client")} - {"__version__"}
    packages = {found.name for found in pkgutil.iter_modules(scope_client.__path__) if not found.name.startswith("_")}
    assert public <= listed <= public | packages


@each_class
def test_each_public_field_has_its_line(name: Name) -> None:
    ours = [kind for kind in name.value.__mro__ if kind.__module__.startswith(OURS)]
    fields = [field for kind in ours for field in vars(kind).get("__annotations__", ()) if not field.startswith("_")]
    bodies = [our_bodies()[kind.__name__] for kind in name.value.__mro__ if kind.__name__ in our_bodies()]
    assert [field for field in fields if not any(described(body).get(field) for body in bodies)] == []


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS], ids=str)
def test_each_public_name_and_each_method_says_what_it_is_for(name: Name) -> None:
    assert inspect.getdoc(name.value)
    own = methods(name.value) if inspect.isclass(name.value) else ()
    assert [called for called, method in own if called != "__init__" and not inspect.getdoc(method)] == []


@pytest.mark.parametrize("option", typing.get_type_hints(Options))
def test_an_option_is_described_with_its_default_and_its_environment_variable(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = described(our_bodies()["Options"])[option]
    default = getattr(Configuration(), option)
    shown = f'"{default}"' if isinstance(default, str) else f"{default:g}" if type(default) is float else str(default)
    assert f"Default {shown}" in said
    variables = [word.strip(".") for word in said.split() if word.startswith("SCOPE_")]
    for variable in variables:
        monkeypatch.setenv(variable, "\n")
        with pytest.raises(ConfigurationError, match=rf"^{variable} \(the option {option}\) must be"):
            Configuration()


VALUES = [
    PromptVersion.from_api({"content": "Hi {{name}}", "metadata": {"a": [1]}}),
    PromptVersion.from_api({"content": [{"role": "user", "content": "Hi"}]}),
    NotFoundError("gone", http_status=404, retry_after=1.0),
    scope_client.TimeoutError("late", is_deadline=True),
    Configuration(cache_ttl=5),
    PrefetchReport({}, {}),
    PromptStatus(name="a", label=None, version="v", version_id="v", version_number=1, age=1.0, state="fresh"),
    Status(
        is_down=False,
        is_serving_stale=False,
        prompts=(),
        last_error=None,
        last_error_age=None,
        token_expires_in=None,
        counters={"fetches": 1},
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_pickle_names_only_places_that_stay_when_a_private_room_moves(value: object) -> None:
    stored = pickle.dumps(value, 2)  # whose opcodes have the names in the open
    named = [str(argument) for opcode, argument, _ in pickletools.genops(stored) if opcode.name == "GLOBAL"]
    modules = {name.split()[0] for name in named}
    assert "scope_client" in modules
    assert not [module for module in modules if module.startswith("scope_client.") and "._" in module]
    assert repr(pickle.loads(stored)) == repr(value)
