"""Variables: those of the environment that look like ours, and that nobody reads."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from .._config.configuration import option_names, variables
from .._config.credentials import ApiKeyCredentials, ClientCredentials, setting_keys
from .._config.near_misses import meant
from .._foreign_text import printable
from .._wording import nearest
from .check import Check, Said, at_once, failed, ok, warning

PREFIX = "SCOPE_"
LIKE_A_VARIABLE = 0.8


def variable_checks() -> Iterator[Check]:
    """A check for each variable that begins with SCOPE_ and is unknown, or one that says that there is none."""
    keys = {f"{PREFIX}{key}" for kind in (ApiKeyCredentials, ClientCredentials) for key in setting_keys(kind)}
    known = {*variables().values(), *keys}
    ours = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and os.environ[name])
    unknown = [name for name in ours if name not in known]
    if not unknown:
        yield at_once("variables", ok(f"{len(ours)} SCOPE_ variables are set, and each is known"))
    yield from (at_once("variables", _unknown(name, known)) for name in unknown)


def _unknown(name: str, known: Collection[str]) -> Said:
    said = f"{printable(name)} is set, and nothing here reads it"
    near = _near(name, known)
    if near is None:
        without_variable = name[len(PREFIX) :].lower()
        if without_variable in option_names():
            return warning(
                said, f"give the option {without_variable} in the code or in the settings: it has no variable"
            )
        return warning(said, "leave it if another program reads it; otherwise unset it")
    if os.environ.get(near):
        return warning(f"{said}; the nearest one is {near}, which is set too", f"unset {printable(name)}")
    return failed(said, f"set {near} in its place, and unset {printable(name)}")


def _near(name: str, known: Collection[str]) -> str | None:
    """The variable that was meant: by its spelling, or by another library's word."""
    by_option = variables()
    option = meant(name[len(PREFIX) :], by_option)
    if option is not None:
        return by_option[option]
    upper = name.upper()
    return upper if upper in known else nearest(upper, known, cutoff=LIKE_A_VARIABLE)
