"""MissingInputError: what a missing value is for Scope and for LangChain."""

from __future__ import annotations

from collections.abc import Iterable

from scope_client import MissingVariableError
from scope_client.frameworks import listed


class MissingInputError(MissingVariableError, KeyError):
    """A value is missing: a MissingVariableError as Scope raises it, and a KeyError as LangChain does."""

    def __str__(self) -> str:
        return self.message


def missing_input(missing: Iterable[str], needed: Iterable[str]) -> MissingInputError:
    names = tuple(missing)
    message = f"no value was given for {listed(names)}; the prompt needs {listed(tuple(needed))}"
    return MissingInputError(message, missing_variables=names)
