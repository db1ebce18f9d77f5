"""The function `scope_prompt` for Django's Jinja2 engine."""

from __future__ import annotations

from functools import partial
from typing import Any

from jinja2 import Environment, Undefined
from jinja2.ext import Extension

from scope_client import ValidationError
from scope_client.frameworks import TEMPLATE_FUNCTION, TemplateFunction

from ._client import ANSWERED, get_client
from ._conf import DEFAULT


def scope_prompt(name: str, /, *mapping: Any, using: Any = DEFAULT, **asked: Any) -> str:
    """The prompt with its values filled in, for an environment that is set up by hand.

    Args:
        name: The prompt's name or ID.
        mapping: Nothing: a mapping of values goes into `variables`.
        using: The organisation, a key of SCOPE, on a site that has several.
        asked: What else `TemplateFunction` takes: label, version, fallback, variables, and values by name.

    Returns:
        Plain text, which autoescaping escapes.

    Raises:
        MissingVariableError: A value is missing or undefined.
        ScopeError: What else `TemplateFunction` and `get_client` raise.
        TypeError: A label and a version are given.
    """
    if isinstance(using, Undefined):
        raise ValidationError("the organisation of a prompt, using=, is not defined")
    return TemplateFunction(partial(get_client, using), Undefined, ANSWERED)(name, *mapping, **asked)


class ScopeExtension(Extension):
    """Gives an environment `{{ scope_prompt("greeting", name=user.first_name) }}`.

    Name it in the OPTIONS of the engine in TEMPLATES: `{"extensions": ["scope_django.jinja2.ScopeExtension"]}`.
    The output is plain text, which autoescaping escapes. An undefined value is a MissingVariableError.

    Args:
        environment: The environment that gets the function.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals[TEMPLATE_FUNCTION] = scope_prompt
