"""What holds for the whole suite."""

from __future__ import annotations

import functools
import gc
import os
import signal
from typing import TYPE_CHECKING, TypeVar

import pytest
from faults.memcached import Memcached
from faults.redisserver import RedisServer
from werkzeug.routing import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

pytest.register_assert_rewrite("faults.store_contract")
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_configure() -> None:
    """A shell that runs the suite in the background has it ignore Ctrl-C, by which tests stop what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _compile_when_used(rule: Rule, append_unknown: bool = True) -> Callable[..., object]:
    """Werkzeug compiles two functions for each rule that make URLs of it: more than half of the start of a platform."""

    @functools.cache
    def compiled() -> Callable[..., object]:
        return _compile(rule, append_unknown)

    return lambda self, **values: compiled()(self, **values)


_compile = Rule._compile_builder
Rule._compile_builder = _compile_when_used  # type: ignore[assignment,method-assign]


def pytest_xdist_auto_num_workers() -> int:
    """Twice as many as there are cores: half of the time a test waits for something that it has started."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end, a million objects: no garbage collection has to walk through them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _not_skipped((yield))


def _not_skipped(report: Report) -> Report:
    """In CI a skip is a failure: nothing may go untested unseen.

    It is made one where it happens, which may be a worker of pytest-xdist: that tells nobody of a module it skips.
    """
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"in CI nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests does not reach them."""
    for name in list(os.environ):
        if name.startswith(("SCOPE_", "FLASK_", "LANGCHAIN_", "LANGSMITH_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def started_redis() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
def redis_server(started_redis: RedisServer) -> RedisServer:
    """A real one, running and empty."""
    started_redis.reset()
    return started_redis


@pytest.fixture(scope="session")
def started_memcached() -> Iterator[Memcached]:
    with Memcached() as started:
        yield started


@pytest.fixture
def memcached(started_memcached: Memcached) -> Memcached:
    """A real one, running and empty."""
    started_memcached.reset()
    return started_memcached
