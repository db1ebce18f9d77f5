"""Setup: the options that a program would run with, and where each value came from."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Optional

from .._client import ScopeClient
from .._config.configuration import Configuration, defaults, from_environment, option_names, variables
from .._config.credentials import SECRET_VARIABLES, ApiKeyCredentials, Credentials
from .._config.credentials import from_environment as credentials_in_environment
from .._config.one_url import warn_of_one_url
from .._redaction import Redaction
from ..errors import ConfigurationError
from .check import Check, at_once, failed, ok


class Value(NamedTuple):
    """One option."""

    option: str
    shown: str
    origin: str
    """ "default", "settings", "argument", or the environment variable."""
    flaw: Optional[str] = None
    """Why it cannot be used."""


class Setup(NamedTuple):
    """What is diagnosed. `config` is None if the options cannot be used at all."""

    values: tuple[Value, ...]
    config: Optional[Configuration]
    is_from_environment: bool
    """Whether the environment alone says it, as for the command `scope`."""
    flaws: tuple[tuple[str, str], ...] = ()
    """What is wrong with the options together, or with a framework's settings, each with its remedy."""

    def spelled(self, option: str) -> str:
        """What a user calls an option."""
        variable = variables().get(option)
        return variable if self.is_from_environment and variable else f"the option {option}"


def setup_of_environment(lock: Optional[str] = None) -> Setup:
    """The set-up of a program that gives a client no options but a lock."""
    values: list[Value] = []
    good: dict[str, Any] = {}
    for option in option_names():
        if option == "credentials":
            continue
        if option == "lock" and lock is not None:
            values.append(Value(option, lock, "argument"))
            good[option] = lock
            continue
        value, found = _read(option)
        values.append(found)
        if found.flaw is None:
            good[option] = value
    flaws: list[tuple[str, str]] = []
    config: Optional[Configuration] = None
    try:
        config = Configuration(**_with_defaults(good), credentials=_credentials())
    except ConfigurationError as error:
        flaws.append((error.message, "correct the options that it names"))
    return Setup(tuple(values), config, True, tuple(flaws))


def setup_of_client(client: ScopeClient, lock: Optional[str] = None) -> Setup:
    """The set-up of a client that a framework has made of its settings and of the environment."""
    config = client.config if lock is None else client.config.merge(lock=lock)
    shown = config.to_dict()
    values = [
        Value(option, _cleaned(shown[option]), "argument" if option == "lock" and lock else _origin(option, config))
        for option in option_names()
        if option != "credentials"
    ]
    return Setup(tuple(values), config, False)


def setup_that_is_broken(flaws: Mapping[str, str]) -> Setup:
    """The set-up of a site whose settings make no client: what is wrong, each with its remedy."""
    return Setup((), None, False, tuple(flaws.items()))


def option_checks(setup: Setup) -> Iterator[Check]:
    """A check for each option, and one for each flaw of all together."""
    for value in setup.values:
        name = f"option {value.option}"
        if value.flaw is not None:
            yield at_once(name, failed(value.flaw, f"correct {value.origin}, or unset it for the default"))
        else:
            yield at_once(name, ok(f"{value.shown} ({value.origin})"))
    for flaw, remedy in setup.flaws:
        yield at_once("options", failed(flaw, remedy))
    if setup.config is not None:
        for said in _one_url(setup.config):
            yield at_once("options", failed(said, f"set {_other_url(said)} too"))


def _read(option: str) -> tuple[Any, Value]:
    try:
        value, variable = from_environment(option)
    except ConfigurationError as error:
        return None, Value(option, "", variables()[option], _cleaned(error.message))
    return value, Value(option, _cleaned(value), variable or "default")


def _with_defaults(good: Mapping[str, Any]) -> dict[str, Any]:
    """With what a Configuration would otherwise read in the environment, where it may be wrong."""
    fresh = defaults()
    return {option: good.get(option, fresh[option]) for option in option_names() if option != "credentials"}


def _credentials() -> Optional[Credentials]:
    try:
        return credentials_in_environment(ApiKeyCredentials, needed_by="a client")
    except ConfigurationError:
        return None


def _origin(option: str, config: Configuration) -> str:
    value = getattr(config, option)
    try:
        read, variable = from_environment(option)
    except ConfigurationError:
        return "settings"
    if variable is not None and read == value:
        return variable
    return "default" if value == defaults()[option] else "settings"


def _one_url(config: Configuration) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_one_url(config)
    return [str(each.message) for each in caught]


def _other_url(said: str) -> str:
    return "SCOPE_AUTH_API_URL" if said.startswith("base_url") else "SCOPE_API_URL"


def _cleaned(value: object) -> str:
    secrets = filter(None, map(os.environ.get, SECRET_VARIABLES))
    return Redaction(secrets).text(value if isinstance(value, str) else repr(value))
