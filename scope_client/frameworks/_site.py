"""Site: what the commands need of a framework, and what both `check` and `warm` find out before they read."""

import re
from collections.abc import Sequence
from typing import Callable, NamedTuple, Optional

from .._client import ScopeClient
from .._foreign_text import printable
from .._interrupts import pass_on
from .._prompt.ref import PromptRef
from .._stores.failure import reason
from ..errors import ScopeError, ValidationError
from ._settings import SettingProblem
from ._uses import Ref, Survey

PROBE_KEY = "scope:check"
PROBE_SECONDS = 10.0
_TABLE_MISSING = re.compile(r"no such table|\b(table|relation)\b.* (does not|doesn't) exist", re.IGNORECASE)


class Site(NamedTuple):
    """What the commands need of a framework. Each field is called when a command needs it."""

    client: Callable[[], ScopeClient]
    """The client of the site; raises ConfigurationError if its settings cannot be used."""
    problems: Callable[[], Sequence[SettingProblem]]
    """Everything that is wrong with the settings."""
    survey: Callable[[], Survey]
    """The prompts that the site's templates use."""


def store_problem(client: ScopeClient) -> Optional[str]:
    """Why the shared cache does not work; None if it does, or if there is none."""
    store = client.config.cache_store
    try:
        if store is not None:
            store.set(PROBE_KEY, "works", PROBE_SECONDS)
            store.get_many([PROBE_KEY])
    except Exception as error:  # noqa: BLE001  # of anybody's store
        pass_on(error)
        return f"the shared cache does not work: {printable(reason(error))}{_advice(error)}"
    return None


def _advice(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "redis":
        return ' (pip install "scope-prompts[redis]")'
    # Known by its module, because this package imports no framework.
    if type(error).__module__ == "django.db.utils" and _TABLE_MISSING.search(str(error)):
        return " (run manage.py createcachetable)"
    return ""


def refusal(ref: Ref) -> Optional[ScopeError]:
    """Why no client can ask for this, or None."""
    try:
        PromptRef.of(*ref)
    except ScopeError as error:
        return error
    except TypeError as error:  # a label and a version together
        return ValidationError(str(error))
    return None
