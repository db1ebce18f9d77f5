"""docs/operations/logs.md names every record and every warning that the packages can write, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from manual.pages import ROOT, text_of

from scope_client import _attribute_names

PAGE = "operations/logs.md"
PACKAGES = ("scope_client", "scope_django", "scope_flask", "scope_langchain")
LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "exception": "ERROR"}
LOGGERS = ("_log", "_logger")
# A call that passes a text on, which is made in another module: where that is.
MADE_ELSEWHERE = {
    ("scope_client/_folder/bundle.py", "...; what was read before stays in use"): [
        ("scope_client/_folder/reader.py", "_unusable", "; what was read before stays in use")
    ],
    ("scope_client/_folder/bundle.py", "..."): [("scope_client/_folder/reader.py", "_look_at_all", "")],
}
# The local platform's: what its folder's reader says, and what went wrong with one answer.
LOCAL = ("scope_client/local/_journal.py", "line")


NAMES = {name: value for name, value in vars(_attribute_names).items() if name.isupper() and isinstance(value, str)}
OF_AN_ERROR = ["error.type", "http.response.status_code", "scope.error.code", "scope.request.id"]
IN_SHORT = "those of an error"  # what the page says of these four


class Record(NamedTuple):
    """A log record or a warning; what is filled in is `...` in the message."""

    logger: str
    level: str
    message: str


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text("utf-8"))


def text_in(node: ast.expr) -> str | None:
    """The text that an expression makes, with `...` for what is filled in; None for what is not written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%(?:s|d|r|\.\d+f)", "...", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_in(each) or "..." for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return f"{text_in(node.left)}{text_in(node.right)}"
    return None


def logger_of(tree: ast.Module) -> str | None:
    """The name of the logger that a module makes for itself."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in LOGGERS:
            assert isinstance(node.value, ast.Call)
            return text_in(node.value.args[0])
    return None


def called(node: ast.AST) -> tuple[str, str]:
    """("warnings", "warn") of `warnings.warn(...)`, ("", "_warn") of `_warn(...)`."""
    if not isinstance(node, ast.Call):
        return "", ""
    if isinstance(node.func, ast.Attribute):
        return getattr(node.func.value, "id", ""), node.func.attr
    return "", getattr(node.func, "id", "")


def said_at(path: str, tree: ast.Module, call: ast.Call) -> list[str]:
    """The texts of one call: its own, or those that callers of the function around it give."""
    text = text_in(call.args[0])
    if (path, text) in MADE_ELSEWHERE:
        return [text_of_function(*each) for each in MADE_ELSEWHERE[path, text]]
    if text is not None:
        return [text]
    parameter = getattr(call.args[0], "id", "")
    if (path, parameter) == LOCAL:
        return ["..."]
    around = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and parameter in [each.arg for each in node.args.args]
        and call in ast.walk(node)
    )
    found = [text_in(node.args[0]) for node in ast.walk(tree) if called(node) == ("", around.name)]
    assert found, f"{path}, line {call.lineno}: what does it say?"
    assert None not in found
    return [each for each in found if each is not None]


def text_of_function(path: str, name: str, end: str) -> str:
    """The one text with something filled in that a function makes, which says what is about a folder."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    texts = [
        text_in(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.JoinedStr) and (function.name == name or name == "_look_at_all")
    ]
    (text,) = {each for each in texts if each and ("lead out of it" in each) == (name == "_look_at_all")}
    return re.sub(r"\n\s*", " ", text) + end


def facts_in(node: ast.expr | None, tree: ast.Module) -> set[str]:
    """The names of the facts that an expression has: a dict, a name for one, or a call that gives one."""
    if node is None:
        return set()
    if isinstance(node, ast.Name):
        given = [each for each in ast.walk(tree) if isinstance(each, ast.Assign) and node.id in names_of(each)]
        (value,) = [each.value for each in given if node.end_lineno - 4 < each.lineno < node.lineno]
        return facts_in(value, tree)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", "")
        if name == "error_facts":
            return set(OF_AN_ERROR)
        (function,) = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name]
        (value,) = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
        return facts_in(value, tree)
    assert isinstance(node, ast.Dict), ast.unparse(node)
    found = {NAMES[ast.unparse(key)] for key in node.keys if key is not None}
    return found.union(*(facts_in(value, tree) for key, value in zip(node.keys, node.values) if key is None))


def names_of(node: ast.Assign) -> list[str]:
    return [each.id for each in node.targets if isinstance(each, ast.Name)]


def facts_of_records() -> dict[Record, set[str]]:
    """By record; an error that is logged has its own."""
    found: dict[Record, set[str]] = {}
    for path, tree in modules():
        for node in ast.walk(tree):
            owner, name = called(node)
            if owner in LOGGERS and name in LEVELS:
                given = next((each.value for each in node.keywords if each.arg == "facts"), None)
                facts = set(OF_AN_ERROR) if owner == "_log" and name == "exception" else facts_in(given, tree)
                for said in said_at(path, tree, node):
                    found.setdefault(Record(logger_of(tree) or "?", LEVELS[name], said), set()).update(facts)
    return found


def records() -> list[Record]:
    found = []
    for path, tree in modules():
        for node in ast.walk(tree):
            owner, name = called(node)
            if owner in LOGGERS and name in LEVELS:
                found += [Record(logger_of(tree) or "?", LEVELS[name], each) for each in said_at(path, tree, node)]
            elif (owner, name) == ("warnings", "warn"):
                category = getattr(node.args[1], "id", "?")
                found += [Record("warnings", category, each) for each in said_at(path, tree, node)]
    return found


def on_the_page() -> list[Record]:
    return [record for record, _ in rows()]


def rows() -> list[tuple[Record, list[str]]]:
    """Each record of the page, with the cells of its row."""
    found = []
    for section in text_of(PAGE).split("\n## ")[1:]:
        logger = re.search(r"`([\w.]+)`", section.partition("\n")[0])
        for line in section.splitlines():
            cells = [cell.strip() for cell in line[1:-1].split("|")]
            if logger and line.startswith("| ") and cells[1].startswith("`"):
                found.append((Record(logger[1], cells[0], cells[1].strip("`").strip()), cells))
    return found


def test_the_page_names_each_record_that_can_be_written_and_no_other():
    assert sorted(set(on_the_page())) == sorted(set(records()))
    assert len(on_the_page()) == len(set(on_the_page()))


def test_each_record_says_when_it_comes_and_what_to_do():
    for line in text_of(PAGE).splitlines():
        if re.match(r"\| (?:DEBUG|INFO|WARNING|ERROR|\w+Warning) ", line):
            assert all(cell.strip() for cell in line[1:-1].split("|")), line


def test_each_record_says_which_facts_it_has():
    said = {
        record: set(re.findall(r"`([\w.]+)`", cells[4])) | set(OF_AN_ERROR if IN_SHORT in cells[4] else ())
        for record, cells in rows()
        if record.logger != "warnings"
    }
    assert said == facts_of_records()


def test_the_page_says_what_each_fact_is():
    table = text_of(PAGE).partition("\n## The facts\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)
    used = set(OF_AN_ERROR).union(*facts_of_records().values())
    assert sorted(explained) == sorted(used)


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_writes_to_a_log_in_another_way(package):
    """Or this test would not see it."""
    for path, tree in modules():
        if not path.startswith(package) or path == "scope_client/_log.py":
            continue
        for node in ast.walk(tree):
            owner, name = called(node)
            where = f"{path}, line {getattr(node, 'lineno', 0)}"
            assert owner != "logging" or (name == "getLogger" and logger_of(tree)), where
            assert name != "open_logger" or not node.args, where
            if name == "Log":
                assert logger_of(tree), where
            if name in ("warn", "warn_explicit"):
                assert owner in ("warnings", "journal", "self", ""), where


def test_the_page_is_where_a_message_is_found():
    assert Record("scope_client.outage", "INFO", "the platform answers again") in on_the_page()
    assert Path(ROOT / "docs" / PAGE).exists()
