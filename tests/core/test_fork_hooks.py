"""What runs around each fork: imports are waited for, and every object is made ready in the child."""

from __future__ import annotations

import contextlib
import importlib
import logging
import subprocess
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Callable

import pytest
from faults.child import in_a_child
from faults.clock import eventually
from faults.crowd import Crowd, in_a_thread

from scope_client import _fork
from scope_client._fork import held_back, renew_in_children

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 10.0


class Thing:
    """Knows how often it was made ready."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.times = 0
        self._then = then

    def after_fork(self) -> None:
        self.times += 1
        self._then()


def registered(count: int, then: Callable[[], object] = lambda: None) -> list[Thing]:
    things = [Thing(then) for _ in range(count)]
    for thing in things:
        renew_in_children(thing)
    return things


def imports() -> str:
    with held_back():
        return "imported"


def is_anyone_held_up() -> bool:
    """Whether a thread waits inside of the hooks themselves."""
    return any(frame.f_code.co_filename == _fork.__file__ for frame in sys._current_frames().values())


@contextlib.contextmanager
def an_import_that_goes_on(told: list[str]) -> Iterator[Callable[[], None]]:
    """In another thread, until what is given is called."""
    has_begun, may_end = threading.Event(), threading.Event()

    def goes_on() -> None:
        with held_back():
            has_begun.set()
            may_end.wait(PATIENCE * 2)
            told.append("imported")

    thread = threading.Thread(target=goes_on, daemon=True)
    thread.start()
    assert has_begun.wait(PATIENCE)
    try:
        yield may_end.set
    finally:
        may_end.set()
        thread.join(PATIENCE)


def test_a_fork_waits_for_the_end_of_another_threads_import() -> None:
    registered(1)
    told: list[str] = []
    with an_import_that_goes_on(told) as end:
        forks = Crowd(1, lambda: in_a_child(lambda: list(told)))
        eventually(is_anyone_held_up)
        end()
        assert forks.outcomes() == [["imported"]]


def import_all(*names: str) -> None:
    with held_back():
        for name in names:
            importlib.import_module(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of the packages `whole` and `halved`, each with a module in a package of its own."""
    before = set(sys.modules)
    for package in ("whole", "halved"):
        (tmp_path / package / "inner").mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text(f"import {package}.inner.deep\n")
        (tmp_path / package / "inner" / "__init__.py").touch()
        (tmp_path / package / "inner" / "deep.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_import_that_was_interrupted_begins_anew(folder: Path) -> None:
    start = folder / "halved" / "__init__.py"
    text = start.read_text()
    start.write_text(f"{text}raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        import_all("whole", "halved")
    assert {name for name in sys.modules if name.startswith(("whole", "halved"))} == {
        *("whole", "whole.inner", "whole.inner.deep")
    }
    start.write_text(text)
    import_all("halved")
    assert sys.modules["halved"].inner.deep is sys.modules["halved.inner.deep"]


def test_what_was_without_its_package_before_stays_and_nothing_is_left_in_it(folder: Path) -> None:
    """Somebody else's, who may hold on to it."""
    earlier = ModuleType("lost.inner")
    earlier.__path__ = [str(folder / "whole" / "inner")]
    sys.modules["lost.inner"] = earlier
    with pytest.raises(ModuleNotFoundError):
        import_all("lost.inner.deep", "that_is_nowhere")
    assert sys.modules["lost.inner"] is earlier
    assert "lost.inner.deep" not in sys.modules


def test_a_fork_waits_no_longer_than_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(1)
    monkeypatch.setattr("scope_client._fork.IMPORT_PATIENCE_SECONDS", 0.05)
    told: list[str] = []
    with an_import_that_goes_on(told):
        assert in_a_child(lambda: [*told, imports(), in_a_thread(imports)]) == ["imported"] * 2
    assert told == ["imported"]
    assert in_a_thread(imports) == "imported"


def test_after_a_fork_other_threads_import_in_the_parent_and_in_the_child() -> None:
    registered(1)
    assert in_a_child(lambda: [in_a_thread(imports), in_a_child(lambda: in_a_thread(imports))]) == ["imported"] * 2
    assert in_a_thread(imports) == "imported"


def test_who_registers_does_not_wait_for_an_import() -> None:
    registered(1)
    with an_import_that_goes_on([]):
        (thing,) = in_a_thread(lambda: registered(1))
    assert in_a_child(lambda: thing.times) == 1


def test_each_object_is_made_ready_once_in_each_child_and_never_in_the_parent() -> None:
    things = registered(5)
    assert in_a_child(lambda: [thing.times for thing in things]) == [1] * 5
    assert in_a_child(lambda: in_a_child(lambda: [thing.times for thing in things])) == [2] * 5
    assert [thing.times for thing in things] == [0] * 5


def test_what_is_registered_while_others_are_made_ready_is_made_ready_in_the_next_child() -> None:
    later: list[Thing] = []
    things = registered(5, lambda: later.extend(registered(1)))

    def times() -> tuple[list[int], list[int]]:
        return [thing.times for thing in things], [thing.times for thing in later]

    assert in_a_child(times) == ([1] * 5, [0] * 5)
    assert in_a_child(lambda: in_a_child(times)) == ([2] * 5, [1] * 5 + [0] * 5)


def test_one_that_cannot_be_made_ready_keeps_no_other_from_it_and_is_told_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails() -> None:
        raise LookupError("broken")

    things = registered(3, fails)

    def told() -> list[tuple[int, str, int, str, str]]:
        return [
            (thing.times, each.name, each.levelno, each.getMessage(), str(each.exc_info and each.exc_info[1]))
            for thing, each in zip(things, caplog.records)
        ]

    message = "an object could not be made ready for use after a fork"
    assert in_a_child(told) == [(1, "scope_client.fork", logging.ERROR, message, "broken")] * 3


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stderr == ""
    return run.stdout.strip()


_MANY_REGISTER_FIRST = """
import os, sys, threading, time
from scope_client import _fork
import logging

class Thing:
    def after_fork(self):
        pass

def waiting():
    return sum(frame.f_code.co_name == "_watch" for frame in sys._current_frames().values())

told = []
os.register_at_fork = lambda **hooks: told.append(sorted(hooks))
things = [Thing() for _ in range(8)]
threads = [threading.Thread(target=_fork.renew_in_children, args=[thing]) for thing in things]
with _fork._imports:
    for thread in threads:
        thread.start()
    while waiting() < len(threads):
        time.sleep(0.001)
for thread in threads:
    thread.join()
print(told)
"""


_IMPORTS_FIRST = """
import os
from scope_client import _fork
import logging

told = []
os.register_at_fork = lambda **hooks: told.append(sorted(hooks))
with _fork.held_back():
    print(told)
print(told)
"""
HOOKS = "[['after_in_child', 'after_in_parent', 'before']]"


def test_the_hooks_are_registered_before_an_import_that_a_fork_has_to_wait_for() -> None:
    assert python(_IMPORTS_FIRST).splitlines() == [HOOKS, HOOKS]


def test_the_hooks_are_registered_once_however_many_threads_are_the_first() -> None:
    assert python(_MANY_REGISTER_FIRST) == HOOKS


def test_a_client_works_where_processes_cannot_fork() -> None:
    code = (
        "import os; del os.fork, os.register_at_fork\n"
        "from scope_client import *; ScopeClient(credentials=ApiKeyCredentials('a', 'b', 'c')).close(); print('closed')"
    )
    assert python(code) == "closed"
