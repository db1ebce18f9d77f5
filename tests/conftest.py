"""What holds for the whole suite."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from faults.memcached import Memcached
from faults.redisserver import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.register_assert_rewrite("faults.store_contract")


def pytest_configure() -> None:
    """A shell that runs the suite in the background has it ignore Ctrl-C, by which tests stop what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skipped test is a failure: nothing may go untested unseen."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


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
