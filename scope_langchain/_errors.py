"""MissingInputError: what a missing value is for Scope and for LangChain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from scope_client import MissingVariableError, ResourceError
from scope_client.frameworks import listed, pass_on, shown

from ._tracing import METADATA_PREFIX


class MissingInputError(MissingVariableError, KeyError):
    """A value is missing: a MissingVariableError as Scope raises it, and a KeyError as LangChain does."""

    def __str__(self) -> str:
        return self.message


def missing_input(missing: Iterable[str], needed: Iterable[str]) -> MissingInputError:
    names = tuple(missing)
    message = f"no value was given for {listed(names)}; the prompt needs {listed(tuple(needed))}"
    return MissingInputError(message, missing_variables=names)


def name_prompt(error: ResourceError, metadata: Optional[Mapping[str, Any]]) -> None:
    """Begins the message of an error of a render with the prompt, unless a part of the template did so."""
    pass_on(error)
    name = (metadata or {}).get(f"{METADATA_PREFIX}name")
    begin = f"prompt {shown(name)}: "
    if name is not None and not error.message.startswith(begin):
        error.message = f"{begin}{error.message}"
        error.args = (error.message,)
