"""The function `scope_prompt` for Django's Jinja2 engine."""

from __future__ import annotations

from jinja2 import Environment, Undefined
from jinja2.ext import Extension

from scope_client.frameworks import TemplateFunction

from ._client import get_client

scope_prompt = TemplateFunction(get_client, Undefined)


class ScopeExtension(Extension):
    """Gives an environment `{{ scope_prompt("greeting", name=user.first_name) }}`.

    `OPTIONS: {"extensions": ["scope_django.jinja2.ScopeExtension"]}` of the engine in TEMPLATES. The output is plain
    text, which autoescaping escapes; an undefined value is a MissingVariableError.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["scope_prompt"] = scope_prompt
