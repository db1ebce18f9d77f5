"""Fills: where the variables of a version, or of a template, that was read elsewhere get their values."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .given_values import NOT_SEEN, GivenValues, Mappings
from .known import last_name
from .prompt_calls import PromptCall
from .scopes import Spot
from .values import Values

DEEPEST_FILL = 16
_OF_VERSIONS = frozenset({"render", "messages"})
_WITH_KEYWORDS = frozenset(
    {"format", "aformat", "format_prompt", "aformat_prompt", "format_messages", "aformat_messages"}
)
_WITH_A_MAPPING = frozenset({"invoke", "ainvoke", "stream", "astream", "astream_events", "astream_log"})
_WITH_MAPPINGS = frozenset({"batch", "abatch"})
FILLING = _OF_VERSIONS | _WITH_KEYWORDS | _WITH_A_MAPPING | _WITH_MAPPINGS
_SAME_INPUT = frozenset({"with_config", "with_retry", "with_types", "with_listeners"})
_PASSES_ON = frozenset(
    {"to_langchain", "run", "run_until_complete", "wait_for", "create_task", "ensure_future", "shield", "cast"}
)


class Fill(NamedTuple):
    """One place that fills in the variables of a prompt that was read."""

    word: str
    """The method that does it, such as "render"."""
    values: GivenValues
    passes_extra: bool
    """Whether values without a variable do no harm there."""
    spot: Spot
    node: ast.AST


class _Reached(NamedTuple):
    call: PromptCall
    values: GivenValues
    """What it has been given on the way."""


class Fills:
    """Finds them in one module.

    Args:
        values: Looks names up.
        mappings: Reads values.
        calls: The calls that read prompts.
    """

    def __init__(self, values: Values, mappings: Mappings, calls: Mapping[ast.AST, PromptCall]) -> None:
        self._values = values
        self._mappings = mappings
        self._calls = calls
        self.of: dict[ast.AST, list[Fill]] = {}
        """The fills of each call that reads."""
        module = values.module
        for call, spot in module.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in FILLING and call not in calls:
                self._fill(call, call.func, spot)
        for pipe, spot in module.pipes:
            self._fill_from_pipe(pipe, spot)

    def _fill(self, call: ast.Call, function: ast.Attribute, spot: Spot) -> None:
        word = function.attr
        reached = [each for each in self._reads(function.value, spot, 0) if _is_filled_by(word, each.call)]
        if not reached:
            return
        for given in self._given(word, call, spot):
            for each in reached:
                fill = Fill(word, each.values.joined(given), word not in _OF_VERSIONS, spot, call)
                self.of.setdefault(each.call.call, []).append(fill)

    def _given(self, word: str, call: ast.Call, spot: Spot) -> Iterator[GivenValues]:
        if word in _OF_VERSIONS | _WITH_KEYWORDS:
            given = self._mappings.keywords(call.keywords, spot)
            yield given._replace(is_open=True) if call.args else given
        elif word in _WITH_A_MAPPING:
            inputs = call.args or [each.value for each in call.keywords if each.arg == "input"]
            yield self._mappings.of(inputs[0], spot) if inputs else NOT_SEEN
        else:
            for each in self._values.items(call.args[0], spot).found if call.args else []:
                yield self._mappings.of(each.node, each.spot)

    def _fill_from_pipe(self, pipe: ast.BinOp, spot: Spot) -> None:
        """`{"question": ...} | prompt`."""
        reached = [each for each in self._reads(pipe.right, spot, 0) if each.call.form.kind == "langchain"]
        before = pipe.left.right if isinstance(pipe.left, ast.BinOp) else pipe.left
        if not reached:
            return
        given = self._mappings.of(before, spot)
        if isinstance(before, ast.Call) and last_name(before) == "RunnableParallel":
            given = self._mappings.keywords(before.keywords, spot)
            given = given.joined(self._mappings.of(before.args[0], spot)) if before.args else given
        for each in reached:
            self.of.setdefault(each.call.call, []).append(Fill("invoke", each.values.joined(given), True, spot, pipe))

    def _reads(self, node: ast.AST, spot: Spot, depth: int) -> Iterator[_Reached]:
        """The reads that an expression may come from."""
        if depth > DEEPEST_FILL:
            return
        for found in self._values.of(node, spot).found:
            yield from self._reads_of_one(found.node, found.spot, depth + 1)

    def _reads_of_one(self, node: ast.AST, spot: Spot, depth: int) -> Iterator[_Reached]:
        if node in self._calls:
            yield _Reached(self._calls[node], GivenValues())
        elif isinstance(node, ast.Await) or (isinstance(node, ast.Attribute) and node.attr == "version"):
            yield from self._reads(node.value, spot, depth)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            yield from self._reads(node.left, spot, depth)
        elif isinstance(node, ast.Call):
            yield from self._reads_of_call(node, spot, depth)

    def _reads_of_call(self, node: ast.Call, spot: Spot, depth: int) -> Iterator[_Reached]:
        word = last_name(node)
        if isinstance(node.func, ast.Attribute) and word == "partial":
            given = self._mappings.keywords(node.keywords, spot)
            for each in self._reads(node.func.value, spot, depth):
                yield each._replace(values=each.values.joined(given))
        elif isinstance(node.func, ast.Attribute) and word in _SAME_INPUT | {"result"}:
            yield from self._reads(node.func.value, spot, depth)
        elif word in _PASSES_ON and node.args:
            yield from self._reads(node.args[-1 if word == "cast" else 0], spot, depth)


def _is_filled_by(word: str, call: PromptCall) -> bool:
    kind = call.form.kind
    is_configured = kind == "configured" and not call.form.values
    return kind == "read" or is_configured or (kind == "langchain" and word not in _OF_VERSIONS)
