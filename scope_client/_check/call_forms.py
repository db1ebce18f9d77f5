"""Call forms: the calls that ask for prompts, and which of their arguments is what."""

from __future__ import annotations

import ast
from typing import NamedTuple

from .configured_calls import KEYWORDS_AS_VALUES, Argument, ConfiguredCall

_WHICH = frozenset({"label", "version"})
_READ_KEYWORDS = _WHICH | {"name", "cache", "cache_ttl", "fallback", "deadline", "requires", "key"}
_LANGCHAIN_KEYWORDS = _WHICH | frozenset(
    {"name", "client", "fallback", "deadline", "cache_ttl", "partial_variables", "role", "metadata", "tags", "requires"}
)


class Form(NamedTuple):
    """A kind of call."""

    kind: str
    """"read" gives a version, "render" a text, "langchain" a template; "many" takes a list; "function" is that of
    templates, whose keywords are values; "typed" stands in a function that `scope types` wrote; "clear", "middleware"
    and "configured"."""
    name: tuple[Argument, ...] = (0, "name")
    values: tuple[Argument, ...] = ()
    label: tuple[Argument, ...] = ("label",)
    version: tuple[Argument, ...] = ("version",)
    keywords: frozenset[str] | None = _READ_KEYWORDS
    """All that it takes; None for any."""
    most_positional: int = 1
    is_distinct: bool = True
    """Whether its name is hardly anybody else's."""


_READING_FORM = Form("read")
_RENDER = Form("render", (0, "name"), (1, "variables"), (2, "label"), ("version",), _READ_KEYWORDS | {"variables"}, 3)
_MANY = Form("many", (0, "prompts"), keywords=frozenset({"prompts", "strict", "deadline"}))
_LIVE = Form("langchain", keywords=_LANGCHAIN_KEYWORDS)
_FUNCTION_OF_TEMPLATES = Form("function", (0,), ("**",), keywords=None)
FORMS: dict[str, Form] = {
    "get_prompt_version": _READING_FORM,
    "aget_prompt_version": _READING_FORM,
    "read_prompt": _READING_FORM._replace(is_distinct=False),
    "aread_prompt": _READING_FORM._replace(is_distinct=False),
    "get_cached_version": _READING_FORM,
    "render_prompt": _RENDER,
    "arender_prompt": _RENDER,
    "prefetch": _MANY._replace(is_distinct=False),
    "aprefetch": _MANY,
    "clear_cache": Form("clear", is_distinct=False),
    "from_scope": _LIVE._replace(is_distinct=False),
    "scope_prompt": _LIVE,
    "LivePrompt": _LIVE._replace(is_distinct=False),
    "scope_prompt_middleware": Form("middleware", values=("values",), keywords=None),
}
TYPED_FUNCTIONS = "prompt_functions"
# Of each pair of functions the synchronous one alone, so that a prompt is one use of the module.
TYPED_FORMS = dict.fromkeys(("text", "messages"), Form("typed", (0,), version=(), keywords=None, most_positional=3))
OPTIONS_OF_FUNCTION = frozenset({"label", "version", "fallback", "variables", "using", "rollout_key"})


def form_of(word: str, origins: frozenset[str]) -> Form | None:
    """The form of a call.

    Args:
        word: The last name of what is called.
        origins: The dotted paths that it may come from.
    """
    if word in TYPED_FORMS:
        is_typed = f"scope_client.{TYPED_FUNCTIONS}.{word}" in origins
        return TYPED_FORMS[word] if is_typed else None
    form = FORMS.get(word)
    is_of_templates = origins and not any(path.startswith("scope_langchain.") for path in origins)
    return _FUNCTION_OF_TEMPLATES if word == "scope_prompt" and is_of_templates else form


def form_of_configured(call: ConfiguredCall) -> Form:
    """The form of a call that a project configures.

    Args:
        call: The call.
    """
    return Form("configured", call.name, call.values, call.label, call.version, None, 100)


class Arguments:
    """What a call is given.

    Args:
        positional: What comes by position.
        keywords: What comes by keyword.
        may_get_more: Whether more comes later, as with `functools.partial`.
        each_of_first: Whether each item of the first one is an argument in turn, as with `map`.
    """

    def __init__(
        self,
        positional: list[ast.expr],
        keywords: list[ast.keyword],
        *,
        may_get_more: bool = False,
        each_of_first: bool = False,
    ) -> None:
        plain = [number for number, each in enumerate(positional) if isinstance(each, ast.Starred)]
        self.positional = positional[: plain[0]] if plain else positional
        self.all_keywords = keywords
        self.keywords = {each.arg: each.value for each in keywords if each.arg is not None}
        self.mappings = [each.value for each in keywords if each.arg is None]
        self.has_more_positional = bool(plain)
        self.may_get_more = may_get_more
        self.each_of_first = each_of_first

    def get(self, choices: tuple[Argument, ...]) -> ast.expr | None:
        """The argument, by its position or its keyword; None if the call does not show it.

        Args:
            choices: The positions and keywords that it may come by.
        """
        for choice in choices:
            if isinstance(choice, int):
                if choice < len(self.positional):
                    return self.positional[choice]
            elif choice in self.keywords:
                return self.keywords[choice]
        return None

    def may_hide(self, choices: tuple[Argument, ...]) -> bool:
        """Whether the argument may come in `*args` or `**options`.

        Args:
            choices: The positions and keywords that it may come by.
        """
        by_keyword = bool(self.mappings) and any(isinstance(each, str) for each in choices)
        return by_keyword or (self.has_more_positional and any(isinstance(each, int) for each in choices))

    def fits(self, form: Form) -> bool:
        """Whether the form takes these.

        Args:
            form: The form.
        """
        if len(self.positional) > form.most_positional:
            return False
        return form.keywords is None or self.keywords.keys() <= form.keywords


def takes_keywords(form: Form) -> bool:
    """Whether the values of the variables are the keywords of the call.

    Args:
        form: The form.
    """
    return form.values == (KEYWORDS_AS_VALUES,)
