"""The pytest plugin: fixtures that pytest finds by itself wherever scope-prompts is installed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable

import pytest

# pytest imports this module in every project that has scope-prompts installed: nothing heavier is imported up here.
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._process import Default
    from ..local import LocalPlatform


class _Before:
    """What was there before a platform came into use."""

    def __init__(self, default: Default, variables: Mapping[str, str | None]) -> None:
        self.default = default
        self.variables = variables


# Of each platform, the first one first. A test of a module may be the first to ask for the one of the run.
_in_use: list[_Before] = []


@pytest.fixture
def scope_platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalPlatform]:
    """A Scope Platform on this machine, empty; the SCOPE_* variables and `scope_client.client()` lead to it.

    So do the clients of Django and of every Flask app, whatever their settings and an outer `override_prompts` say.
    After the test, what `scope_client.configure` had set is in place again.
    """
    # Of the test's own changes of a variable, some may be undone after this fixture.
    yield from _platform_in_use(monkeypatch.setenv)


@pytest.fixture(scope="module")
def scope_platform_module() -> Iterator[LocalPlatform]:
    """As `scope_platform`, but one for all tests of a module. What one test publishes, the next one finds."""
    yield from _platform_in_use(os.environ.__setitem__)


@pytest.fixture(scope="session")
def scope_platform_session() -> Iterator[LocalPlatform]:
    """As `scope_platform`, but one for the whole run; with pytest-xdist, one for each worker."""
    yield from _platform_in_use(os.environ.__setitem__)


@pytest.fixture
def scope_prompts(scope_platform: LocalPlatform) -> Callable[..., Any]:
    """Publishes a prompt on `scope_platform`: scope_prompts("greeting", "Hello, {{name}}!", metadata={...}).

    The client of the process, `scope_client.client()`, reads the new version with its next read.
    """
    return _publisher(scope_platform)


@pytest.fixture(scope="module")
def scope_prompts_module(scope_platform_module: LocalPlatform) -> Callable[..., Any]:
    """As `scope_prompts`, on `scope_platform_module`."""
    return _publisher(scope_platform_module)


@pytest.fixture(scope="session")
def scope_prompts_session(scope_platform_session: LocalPlatform) -> Callable[..., Any]:
    """As `scope_prompts`, on `scope_platform_session`."""
    return _publisher(scope_platform_session)


def _platform_in_use(set_variable: Callable[[str, str], None]) -> Iterator[LocalPlatform]:
    from .._config.options import Options
    from .._config.process_wide import configuration
    from .._process import Default, swap
    from ._override import cover_overrides

    with _started() as platform:
        variables = _variables(platform)
        there = {variable: os.environ.get(variable) for variable in variables}
        for variable, value in variables.items():
            set_variable(variable, value)
        url = platform.url
        place: Options = {"credentials": platform.credentials, "base_url": url, "auth_api_url": url, "lock": None}
        before = _Before(swap(Default(configuration().merge(**place), place)), there)
        _in_use.append(before)
        uncover = cover_overrides()
        yield platform
        uncover()
        _put_back(before)


def _put_back(before: _Before) -> None:
    """What was there comes back; but later, if a platform that came into use afterwards still is."""
    from .._process import swap

    place = _in_use.index(before)
    del _in_use[place]
    if place < len(_in_use):
        _in_use[place].default, _in_use[place].variables = before.default, before.variables
        return
    swap(before.default)
    for variable, value in before.variables.items():
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value


def _publisher(platform: LocalPlatform) -> Callable[..., Any]:
    from .._process import made_clients

    def publish(*given: Any, **options: Any) -> Any:
        version = platform.publish(*given, **options)
        for client in made_clients():  # which may have read an earlier version
            client.clear_cache()
        return version

    return publish


def _started() -> LocalPlatform:
    try:
        from ..local import LocalPlatform
    except ImportError as error:
        pytest.fail(str(error), pytrace=False)
    try:
        return LocalPlatform().start()
    except RuntimeError as error:
        if type(error).__name__ != "SocketBlockedError":
            raise
        pytest.fail(
            "the local platform listens on 127.0.0.1, which pytest-socket forbids here: run pytest with "
            "--allow-hosts=127.0.0.1 beside --disable-socket, or mark the test with @pytest.mark.enable_socket",
            pytrace=False,
        )


def _variables(platform: LocalPlatform) -> dict[str, str]:
    keys = platform.client_credentials
    client = {"SCOPE_CLIENT_ID": keys.client_id, "SCOPE_CLIENT_SECRET": keys.client_secret}
    return {**platform.environ, **client, "SCOPE_LOCK": ""}  # what a test publishes is in no lock
