"""Diagnosis: all checks in their order; what rests on something that has failed says so, and is skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Optional

from .._config.credentials import SECRET_VARIABLES
from .._redaction import Redaction
from .check import Check, at_once, has_failed, skipped, timed
from .files import folder_check, lock_check
from .keys import credentials_checks
from .network import network_checks
from .places import Place, places_of
from .platform import environment_check, platform_checks
from .setup import Setup, option_checks
from .store import store_checks
from .tls import bundle_checks, handshake
from .variables import variable_checks


def diagnose(setup: Setup, name: Optional[str] = None) -> Iterator[Check]:
    """Each check as soon as it is made.

    Args:
        setup: What to look at.
        name: A prompt to read; without one, a prompt that need not exist is asked for.
    """
    keys = None if setup.config is None else setup.config.credentials
    own = (getattr(keys, field, None) for field in ("api_secret", "client_secret"))
    secrets = [str.__str__(each) for each in (*map(os.environ.get, SECRET_VARIABLES), *own) if isinstance(each, str)]
    for check in _checks(setup, name):
        yield check.without(Redaction(secrets))


def _checks(setup: Setup, name: Optional[str]) -> Iterator[Check]:
    yield from option_checks(setup)
    yield from credentials_checks(setup)
    yield from variable_checks()
    config = setup.config
    is_reachable = config is not None
    if config is not None:
        yield from bundle_checks()
        for place in places_of(config):
            checks = list(_place_checks(setup, place))
            yield from checks
            is_reachable = is_reachable and not has_failed(checks)
    yield from platform_checks(setup, name, is_reachable=is_reachable)
    if config is None:
        why = skipped("the options cannot be used")
        yield from (at_once(each, why) for each in ("environment", "store", "prompt folder", "lock"))
        return
    yield at_once("environment", environment_check(config))
    yield from store_checks(config.cache_store)
    yield timed("prompt folder", lambda: folder_check(config.prompt_dir))
    yield timed("lock", lambda: lock_check(config, config.lock))


def _place_checks(setup: Setup, place: Place) -> Iterator[Check]:
    checks: list[Check] = []
    for check in network_checks(setup, place):
        checks.append(check)
        yield check
    name = f"tls {place.host.name}"
    proxy = place.proxy
    if not place.is_tls:
        yield at_once(name, skipped("the URL is http://"))
    elif has_failed(checks):
        yield at_once(name, skipped("there is no connection"))
    elif proxy is not None and proxy.scheme != "http":
        yield at_once(name, skipped(f"it goes through a proxy of the kind {proxy.scheme}://"))
    else:
        yield timed(name, lambda: handshake(setup, place))
