"""Site: what the commands need of a framework, and what both `check` and `warm` find out before they read."""

import os
import re
import time
from collections.abc import Iterable, Sequence
from typing import Callable, NamedTuple, Optional

from .._client import ScopeClient
from .._config.process_wide import process_wide
from .._foreign_text import printable
from .._interrupts import pass_on
from .._prompt.ref import PromptRef
from .._stores.failure import reason
from ..errors import ConfigurationError, ScopeError, ValidationError
from ._settings import SettingProblem
from ._survey import Survey
from ._uses import PromptUse, Ref

PROMPT_OF_NOBODY = PromptRef("scope-check")
PROBE_KEY = "scope:check"
PROBE_VALUE = "works"
PROBE_SECONDS = 10.0
MAX_PROBES = 3
PAUSE_BETWEEN_PROBES_SECONDS = 0.1
_TABLE_MISSING = re.compile(r"no such table|\b(table|relation)\b.* (does not|doesn't) exist", re.IGNORECASE)


class Site(NamedTuple):
    """What the commands need of a framework. Each field is called when a command needs it."""

    client: Callable[..., ScopeClient]
    """The client of the site; raises ConfigurationError if there is none. See `has_organisations`."""
    problems: Callable[[], Sequence[SettingProblem]]
    """Everything that is wrong with the settings."""
    survey: Callable[[Sequence[str]], Survey]
    """The prompts that the site's templates use; takes patterns of paths to leave out."""
    unkept: Callable[[ScopeClient], Optional[str]]
    """Why nothing that the client fetches outlasts its process, and what to do; None if it does."""

    project: Callable[[], str] = os.getcwd
    """The folder that paths in reports are relative to."""
    code: Callable[[], Optional[str]] = lambda: None
    """The folder whose Python files are looked at, or None."""
    has_organisations: bool = False
    """Whether `client` takes the keyword `using`: the name that the site has for another organisation."""

    def is_of_test(self) -> bool:
        """Whether a test has put prompts, or a platform of its own, in the place of the one that the settings name."""
        try:
            return bool(process_wide.of_test) or self.client()._prompts_of_test is not None
        except ConfigurationError:
            return False


def by_organisation(uses: Iterable[PromptUse]) -> dict[Optional[str], list[PromptUse]]:
    """The uses of the site's own organisation, and of each other one that a template names."""
    found: dict[Optional[str], list[PromptUse]] = {None: []}
    for use in uses:
        found.setdefault(use.using, []).append(use)
    return found


def client_of(site: Site, using: Optional[str]) -> ScopeClient:
    """The client of an organisation, or of the site for None; raises ConfigurationError as `Site.client` does."""
    return site.client() if using is None else site.client(using=using)


def store_problem(client: ScopeClient, *, must_keep: bool = True) -> Optional[str]:
    """Why the shared cache does not work.

    Args:
        client: The client that uses it.
        must_keep: Whether a cache that takes everything and keeps nothing does not work.

    Returns:
        One line; None if the cache works, or if there is none.
    """
    store = client.config.cache_store
    if store is None:
        return None
    try:
        for _ in range(MAX_PROBES):
            store.set(PROBE_KEY, PROBE_VALUE, PROBE_SECONDS)
            if store.get_many([PROBE_KEY]) or not must_keep:
                return None
            time.sleep(PAUSE_BETWEEN_PROBES_SECONDS)  # a replica lags behind
    except Exception as error:  # noqa: BLE001  # of anybody's store
        pass_on(error)
        return f"the shared cache does not work: {printable(reason(error))}{_advice(error)}"
    return "the shared cache does not work: it takes all and keeps nothing, as if its server were down"


def _advice(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "redis":
        return ' (pip install "scope-prompts[redis]")'
    # Known by its module, because this package imports no framework.
    if type(error).__module__ == "django.db.utils" and _TABLE_MISSING.search(str(error)):
        return " (run manage.py createcachetable)"
    return ""


def refusal(ref: Ref, client: Optional[ScopeClient] = None) -> Optional[ScopeError]:
    """Why no client can ask for this, or None; with a client, also because its lock does not have it."""
    try:
        asked = PromptRef.of(*ref)
        if client is not None:
            client._reading.check(asked)
    except ScopeError as error:
        return error
    except TypeError as error:  # a label and a version together
        return ValidationError(str(error))
    return None
