"""The function `scope_prompt` for Django's Jinja2 engine."""

from __future__ import annotations

from jinja2 import Environment, Undefined
from jinja2.ext import Extension

from scope_client.frameworks import TEMPLATE_FUNCTION, TemplateFunction

from ._client import get_client

scope_prompt = TemplateFunction(get_client, Undefined)
"""The function, for an environment that is set up by hand."""


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
