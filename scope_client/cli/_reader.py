"""What `get` and `render` have in common: which version of a prompt, read with whose credentials."""

from __future__ import annotations

import os
from typing import Any, Callable, TypeVar

import click

from .. import ApiKeyCredentials, ClientCredentials, PromptVersion, ScopeClient
from .._prompt.ref import LABELS

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("name"),
    click.option("--label", type=click.Choice(LABELS), help="The version with this label; production by default."),
    click.option("--version", metavar="ID", help="The version with this ID."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def asks_for_a_version(command: _Command) -> _Command:
    """Gives a command the parameters `name`, `label`, `version` and `as_json`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read(name: str, label: str | None, version: str | None) -> PromptVersion:
    """Raises UsageError for a label and a version together, and what `get_prompt_version` raises."""
    if label is not None and version is not None:
        raise click.UsageError("--label and --version exclude each other: give one of them")
    with ScopeClient(credentials=_credentials(), prompt_dir=None) as client:  # what the platform has, or its error
        return client.get_prompt_version(name, label=label, version=version)


def _credentials() -> ApiKeyCredentials | ClientCredentials:
    if os.environ.get("SCOPE_CLIENT_ID") and not os.environ.get("SCOPE_API_KEY"):
        return ClientCredentials.from_env()
    return ApiKeyCredentials.from_env()
