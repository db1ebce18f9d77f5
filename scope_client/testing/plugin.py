"""The pytest plugin: fixtures that pytest finds by itself wherever scope-prompts is installed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable

import pytest

# pytest imports this module in every project that has scope-prompts installed: nothing heavier is imported up here.
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._process import Default
    from ..local import LocalPlatform
    from ._scope_prompts import ScopePrompts
    from ._snapshots import Snapshots

SNAPSHOT_FIXTURES = frozenset(("scope_prompts", "scope_prompts_module", "scope_prompts_session", "scope_snapshot"))
SNAPSHOT_FOLDER = "__prompts__"
_SNAPSHOTS = "scope-snapshots"
_COVERAGE = "scope-coverage"
_DESELECTED: pytest.StashKey[list[pytest.Item]] = pytest.StashKey()


class _Before:
    """What was there before a platform came into use."""

    def __init__(self, default: Default, variables: Mapping[str, str | None]) -> None:
        self.default = default
        self.variables = variables


# Of each platform, the first one first. A test of a module may be the first to ask for the one of the run.
_in_use: list[_Before] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    from ._plugin_options import add_options

    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    from ._plugin_options import leave_paths_to_the_tests

    leave_paths_to_the_tests(early_config, parser, args)


def pytest_configure(config: pytest.Config) -> None:
    from ._plugin_options import coverage_wanted

    wanted = coverage_wanted(config)
    if wanted is not None:
        from ._coverage import Coverage

        config.pluginmanager.register(Coverage(config, *wanted), _COVERAGE)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if not SNAPSHOT_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        _snapshots(item.config).begin(item)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    if items:
        items[0].config.stash.setdefault(_DESELECTED, []).extend(items)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config, items = session.config, getattr(session, "items", [])
    folders = {os.path.dirname(item.path) for item in items}
    if any(os.path.isdir(os.path.join(folder, SNAPSHOT_FOLDER)) for folder in folders):
        left_out: list[pytest.Item] = config.stash.get(_DESELECTED, [])
        _snapshots(config).find_unused(items, left_out)
    taken = config.pluginmanager.get_plugin(_SNAPSHOTS)
    if taken is not None and hasattr(config, "workeroutput"):
        config.workeroutput[_SNAPSHOTS] = taken.to_tell()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended."""
    told = getattr(node, "workeroutput", {}).get(_SNAPSHOTS)
    if told is not None:
        _snapshots(node.config).hear_of(told)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    taken = config.pluginmanager.get_plugin(_SNAPSHOTS)
    lines = [] if taken is None else list(taken.summary())
    if lines:
        terminalreporter.section("scope snapshots")
        for line in lines:
            terminalreporter.write_line(line)


def _snapshots(config: pytest.Config) -> Snapshots:
    found = config.pluginmanager.get_plugin(_SNAPSHOTS)
    if found is None:
        from ._snapshots import Snapshots

        found = Snapshots(config)
        config.pluginmanager.register(found, _SNAPSHOTS)
    return found


@pytest.fixture
def scope_platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalPlatform]:
    """A Scope Platform on this machine, empty; the SCOPE_* variables and `scope_client.client()` lead to it.

    So do the clients of Django and of every Flask app, whatever their settings and an outer `override_prompts` say.
    After the test, what `scope_client.configure` had set is in place again.
    """
    # Of the test's own changes of a variable, some may be undone after this fixture.
    yield from _platform_in_use(request.config, monkeypatch.setenv)


@pytest.fixture(scope="module")
def scope_platform_module(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """As `scope_platform`, but one for all tests of a module. What one test publishes, the next one finds."""
    yield from _platform_in_use(request.config, os.environ.__setitem__)


@pytest.fixture(scope="session")
def scope_platform_session(request: pytest.FixtureRequest) -> Iterator[LocalPlatform]:
    """As `scope_platform`, but one for the whole run; with pytest-xdist, one for each worker."""
    yield from _platform_in_use(request.config, os.environ.__setitem__)


@pytest.fixture
def scope_prompts(request: pytest.FixtureRequest, scope_platform: LocalPlatform) -> ScopePrompts:
    """Publishes a prompt on `scope_platform`: scope_prompts("greeting", "Hello, {{name}}!", metadata={...}).

    The client of the process, `scope_client.client()`, reads the new version with its next read.
    `scope_prompts.snapshot()` is what `scope_snapshot` is.
    """
    return _publisher(request, scope_platform)


@pytest.fixture(scope="module")
def scope_prompts_module(request: pytest.FixtureRequest, scope_platform_module: LocalPlatform) -> ScopePrompts:
    """As `scope_prompts`, on `scope_platform_module`."""
    return _publisher(request, scope_platform_module)


@pytest.fixture(scope="session")
def scope_prompts_session(request: pytest.FixtureRequest, scope_platform_session: LocalPlatform) -> ScopePrompts:
    """As `scope_prompts`, on `scope_platform_session`."""
    return _publisher(request, scope_platform_session)


@pytest.fixture
def scope_snapshot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compares what the test has rendered so far with a file beside it, `__prompts__/test_module/test_name.md`.

    It takes a name, for a second snapshot of a test: scope_snapshot("after the promotion"). Prompts may come from
    anywhere: a platform, a folder, `override_prompts`. The first run writes the file, unless the variable CI is set.
    """
    return _snapshots_of(request).take


def _platform_in_use(config: pytest.Config, set_variable: Callable[[str, str], None]) -> Iterator[LocalPlatform]:
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
        coverage = config.pluginmanager.get_plugin(_COVERAGE)
        if coverage is not None:
            coverage.platform_ends(platform)
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


def _publisher(request: pytest.FixtureRequest, platform: LocalPlatform) -> ScopePrompts:
    from ._scope_prompts import ScopePrompts

    return ScopePrompts(platform.publish, _snapshots_of(request).take)


def _snapshots_of(request: pytest.FixtureRequest) -> Snapshots:
    found = _snapshots(request.config)
    if isinstance(request.node, pytest.Item):
        found.begin(request.node)
    return found


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
