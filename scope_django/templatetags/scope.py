"""`{% scope_prompt %}`: a prompt with its variables filled in, escaped by the rules of the template around it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Optional

from django.template import (
    Context,
    Library,
    Node,
    TemplateSyntaxError,
    Variable,
    VariableDoesNotExist,
    defaultfilters,
)
from django.template.base import FilterExpression, Parser, Token
from django.template.context import BaseContext
from django.utils.functional import Promise
from django.utils.html import escape

from scope_client import ValidationError
from scope_client.frameworks import (
    FILTERS_THAT_PRINT_THEIR_ARGUMENT,
    OPENING_BRACES,
    PromptUse,
    braces_mistake,
    cut,
    joined_values,
    plain_text,
    render_in_template,
    shown,
)

from .._client import ANSWERED, get_client
from .._conf import DEFAULT

register = Library()

TAG_OPTIONS = ("label", "version", "fallback", "variables", "rollout_key", "using")
_KEY_AND_VALUE = re.compile(r"(\w+)=(.+)", re.DOTALL)
_TAG_EXPECTS = (
    "scope_prompt expects the prompt's name, then [label=... version=... fallback=... variables=... "
    "rollout_key=... using=...] and variables as key=value, "
    '[with ...] [as name], such as {% scope_prompt "greeting" name=user.first_name as text %}'
)
# The filters that do nothing but escape: what is escaped at the end is escaped once.
_ESCAPING = (defaultfilters.escape_filter, defaultfilters.force_escape, getattr(defaultfilters, "escapeseq", None))
_UNRESOLVED: Any = type("_Unresolved", (), {})()
_parsed: ContextVar[list[PromptNode] | None] = ContextVar("parsed", default=None)


@contextlib.contextmanager
def collected() -> Iterator[list[PromptNode]]:
    """The nodes of all templates that are parsed meanwhile, also those inside a tag of another library."""
    nodes: list[PromptNode] = []
    token = _parsed.set(nodes)
    try:
        yield nodes
    finally:
        _parsed.reset(token)


class _Engine:
    # Variable._resolve_lookup takes this for a method with alters_data, and for an error with silent_variable_failure.
    @property
    def string_if_invalid(self) -> str:
        raise VariableDoesNotExist("it has no value")


class _Template:
    engine = _Engine()


class _Strict(BaseContext):
    """A context in which a variable that does not resolve raises, also if Django itself would make it "".

    Filters escape nothing in it: the whole text is escaped at the end, once.
    """

    def __init__(self, context: Context) -> None:
        self.dicts = context.dicts
        self.autoescape, self.use_l10n, self.use_tz = False, context.use_l10n, context.use_tz
        self.escapes_at_the_end = context.autoescape
        self.template = _Template


class _Value:
    """An expression in the tag: a constant or a variable, with or without filters."""

    __slots__ = (
        "_constant",
        "_default_helps",
        "_expression",
        "_filters",
        "_unescaped",
        "_variable",
        "text",
        "with_braces",
    )

    def __init__(self, expression: FilterExpression) -> None:
        self.text = str(expression.token)
        self._expression = expression if expression.filters else None
        self._filters = [
            (_joined if function is defaultfilters.join else function, arguments)
            for function, arguments in expression.filters
        ]
        self._unescaped = [each for each in self._filters if each[0] not in _ESCAPING]
        self._variable = expression.var if isinstance(expression.var, Variable) else None
        self._constant = None if self._variable else expression.var if expression.filters else _plain(expression.var)
        names = [getattr(function, "_filter_name", "") for function, _ in expression.filters]
        self._default_helps = "default" in names
        self.with_braces = [text for text in _written_out(expression) if OPENING_BRACES in text]

    @property
    def constant(self) -> str | None:
        """The text that the template writes out, or None."""
        is_text = self._expression is None and isinstance(self._constant, str)
        return self._constant if is_text else None

    def resolve(self, strict: Any) -> Any:
        """The value, or `_UNRESOLVED` if a variable does not resolve, also one in a filter's argument."""
        try:
            value = self._constant if self._variable is None else self._resolved(self._variable, strict)
            if self._expression is None:
                return value
            filters = self._unescaped if strict.escapes_at_the_end else self._filters
            return _filtered(self._expression.token, filters, value, strict)
        except VariableDoesNotExist:
            return _UNRESOLVED

    def _resolved(self, variable: Variable, strict: Any) -> Any:
        try:
            return variable.resolve(strict)
        except VariableDoesNotExist:
            if self._default_helps:
                return ""
            raise


class PromptNode(Node):
    """A use of the tag. All threads that render the template share it, so nothing in it changes."""

    def __init__(
        self, name: _Value, options: dict[str, _Value], variables: dict[str, _Value], as_name: Optional[str], line: int
    ) -> None:
        self._line = line
        self._name = name
        self._options = tuple(options.items())
        self._variables = tuple(variables.items())
        self._as_name = as_name

    def render(self, context: Context) -> str:
        """The text of the prompt, escaped if the template autoescapes; empty if `as` stores it."""
        strict = _Strict(context)
        values: dict[str, Any] = {}
        unresolved: dict[str, str] = {}
        for variable, given in self._variables:
            value = given.resolve(strict)
            if value is _UNRESOLVED:
                unresolved[variable] = f"{cut(given.text)} does not resolve"
            else:
                values[variable] = value
        name = self._asked("name", self._name, strict)
        options = {key: self._asked(key, given, strict) for key, given in self._options}
        client = get_client(options.pop("using", DEFAULT))
        if "variables" in options:
            values = joined_values(options.pop("variables"), values)
        text = render_in_template(client, name, values, unresolved, **options, passes=ANSWERED)
        if self._as_name is not None:
            context[self._as_name] = text
            return ""
        return escape(text) if context.autoescape else text

    def use(self, file: str) -> PromptUse:
        """What the template writes out about this use; nothing is rendered."""
        options = dict(self._options)
        written = ("label", "version", "using")
        asked = [self._name, *(options[key] for key in written if key in options)]
        label, version, using = (options[key].constant if key in options else None for key in written)
        return PromptUse(
            file=file,
            line=self._line,
            name=self._name.constant,
            label=label,
            version=version,
            variables=tuple(variable for variable, _ in self._variables),
            using=using,
            is_dynamic=any(given.constant is None for given in asked),
            is_open="variables" in options,
            mistakes=tuple(braces_mistake(key, text) for key, given in self._variables for text in given.with_braces),
        )

    def _asked(self, what: str, given: _Value, strict: _Strict) -> Any:
        value = given.resolve(strict)
        if value is _UNRESOLVED:
            raise ValidationError(f"the {what} of a prompt is given as {cut(given.text)}, which does not resolve")
        return _plain(value)


@register.tag
def scope_prompt(parser: Parser, token: Token) -> PromptNode:
    """The tag `{% scope_prompt "greeting" name=user.first_name %}`.

    Before `with`, the keywords label, version, fallback, variables (a mapping of values), rollout_key (by which a
    rollout picks) and using (an organisation of SCOPE) are options, and the others are variables of the prompt. After
    `with`, all are variables. `as` stores the plain text. A template variable that does not resolve is a
    MissingVariableError, unless it has a `default` filter.
    """
    _, *bits = token.split_contents()
    as_name = _taken_as(bits)
    if not bits or bits[0] == "with" or _KEY_AND_VALUE.fullmatch(bits[0]):
        raise TemplateSyntaxError(f"{_TAG_EXPECTS}; got no name")
    name = _Value(parser.compile_filter(bits.pop(0)))
    options: dict[str, _Value] = {}
    variables: dict[str, _Value] = {}
    is_after_with = False
    for bit in bits:
        if bit == "with" and not is_after_with:
            is_after_with = True
            continue
        pair = _KEY_AND_VALUE.fullmatch(bit)
        if pair is None:
            raise TemplateSyntaxError(f"{_TAG_EXPECTS}; got {shown(bit)}")
        key, value = pair.groups()
        taken = options if key in TAG_OPTIONS and not is_after_with else variables
        if key in taken:
            raise TemplateSyntaxError(f"scope_prompt was given {shown(key)} twice")
        taken[key] = _Value(parser.compile_filter(value))
    if bits and bits[-1] == "with":
        raise TemplateSyntaxError(f"{_TAG_EXPECTS}; got nothing after 'with'")
    if "label" in options and "version" in options:
        raise TemplateSyntaxError("scope_prompt takes a label or a version, not both (after 'with' they are variables)")
    node = PromptNode(name, options, variables, as_name, token.lineno or 0)
    nodes = _parsed.get()
    if nodes is not None:
        nodes.append(node)
    return node


def _taken_as(bits: list[str]) -> str | None:
    """Takes `as name` off the end, and returns the name."""
    if "as" not in bits:
        return None
    if len(bits) < 2 or bits[-2] != "as" or not bits[-1].isidentifier():
        raise TemplateSyntaxError(f"{_TAG_EXPECTS}; got no variable name after 'as', at the end")
    *bits[:], _, name = bits
    return name


def _written_out(expression: FilterExpression) -> list[str]:
    """The texts that the template writes out, and that may be printed: also those in a filter's argument."""
    arguments = [
        argument
        for function, given in expression.filters
        for is_variable, argument in given
        if not is_variable and getattr(function, "_filter_name", "") in FILTERS_THAT_PRINT_THEIR_ARGUMENT
    ]
    return [str(text) for text in (expression.var, *arguments) if isinstance(text, (str, Promise))]


def _joined(value: Any, arg: str) -> Any:
    """Django's `join`, which joins nothing but texts if it does not escape, and in 4.2 escapes `arg` all the same."""
    try:
        return str(arg).join([str(item) for item in value])
    except TypeError:  # of what is no sequence
        return value


def _filtered(token: str, filters: Any, value: Any, strict: Any) -> Any:
    """What the filters make of a value that is resolved already."""
    settled = FilterExpression.__new__(FilterExpression)
    settled.token, settled.filters, settled.var, settled.is_var = token, filters, value, False
    return settled.resolve(strict)


def _plain(value: Any) -> Any:
    """Text without its mark "safe", which Django gives to every constant of a template."""
    return plain_text(value) if isinstance(value, str) else value
