"""An exception that is thrown into a thread, or struck by a handler, at any line of a read: it shows no secret."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import sys
import threading
import traceback
from types import FrameType
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults import trackers
from faults.replies import prompt, token
from faults.secrets import SECRET, TOKEN, World

import scope_client

if TYPE_CHECKING:
    from scope_client import ScopeClient

# A socket that is struck as it is opened, or a finalizer that is, is told by the interpreter.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = os.path.dirname(os.path.abspath(scope_client.__file__))
LINES_APART = 97  # of those outside of the rooms in which secrets are opened
OPENED_IN = ("tokens.py", "retries.py", "credentials.py")


class Stopped(Exception):
    """As stopit and rq throw one into a thread of somebody else's."""


class Killed(BaseException):
    """One that `except Exception` lets through."""


class Expired(TimeoutError):
    """One that looks like a failure of the network."""


KINDS = [Stopped, Killed, Expired, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]


class Own:
    """Credentials of the caller's, with a secret in the open."""

    org_id = "org"
    token_path = "/v1/auth/own"

    def token_body(self) -> dict[str, str]:
        return {"account_id": "org", "key_secret": SECRET}


class Strike:
    """Throws an exception into this thread as it comes to the line with this number, of those that are chosen."""

    def __init__(self, kind: type[BaseException], at: int, chosen: Callable[[FrameType, int], bool]) -> None:
        self._kind = kind
        self._at = at
        self._chosen = chosen
        self._lines = 0
        self.count = 0

    def __enter__(self) -> Strike:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            self._lines += 1
            if self._chosen(frame, self._lines):
                self.count += 1
                if self.count == self._at:
                    thread, kind = ctypes.c_ulong(threading.get_ident()), ctypes.py_object(self._kind)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, kind)
        return self._trace


def where_secrets_are_opened(frame: FrameType, _: int) -> bool:
    folder, file = os.path.split(frame.f_code.co_filename)
    return file in OPENED_IN and folder.startswith(ROOT)


def in_mappings(frame: FrameType, _: int) -> bool:
    """Those of the environment, and of urllib3's pools by their proxies: one handles a KeyError that names them."""
    return "_collections_abc" in frame.f_code.co_filename and frame.f_code.co_name == "get"


def here_and_there(_: FrameType, line: int) -> bool:
    return line % LINES_APART == 0


def struck(make: Callable[[], ScopeClient], kind: type[BaseException], at: int, chosen: Any) -> tuple[Any, int]:
    """What came out of a read that was struck, if anything did, and how many lines there were to choose from."""
    client, strike = make(), Strike(kind, at, chosen)
    try:
        with strike:
            client.get_prompt_version("greeting")
    except BaseException as error:
        return error, strike.count
    return None, strike.count


def shown(error: BaseException) -> str:
    """What it says, with the local variables of its frames; those that are half made have no repr."""
    told = []
    for each in trackers.chain(error):
        told.append(str(each))
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_code.co_filename != __file__:
                for value in list(frame.f_locals.values()):
                    with contextlib.suppress(Exception):
                        told.append(repr(value))
    return "\n".join(told)


def check(make: Callable[[], ScopeClient], kind: type[BaseException], chosen: Any) -> None:
    struck(make, kind, 0, chosen)
    _, count = struck(make, kind, 0, chosen)
    assert count > 30
    came = 0
    for at in range(1, count + 1):
        error, _ = struck(make, kind, at, chosen)
        # One that strikes in a finalizer is told by the interpreter, and raised to nobody.
        came += isinstance(error, kind)
        if error is not None:
            assert trackers.leaks(shown(error), SECRET, TOKEN) == [], at
    assert came > count * 0.9


@pytest.fixture
def ready(world: World) -> World:
    world.server.gives_tokens(token(TOKEN))
    world.server.answers(prompt())
    return world


@pytest.mark.parametrize("kind", [Stopped, KeyboardInterrupt])
def test_it_strikes_where_secrets_are_opened(kind: type[BaseException], ready: World) -> None:
    check(lambda: ready.client(credentials=Own()), kind, where_secrets_are_opened)


@pytest.mark.parametrize("kind", KINDS)
def test_it_strikes_here_and_there(kind: type[BaseException], ready: World) -> None:
    check(ready.client, kind, here_and_there)


@pytest.mark.parametrize("chosen", [here_and_there, in_mappings])
def test_it_strikes_on_the_way_to_a_proxy_with_a_password(chosen: Any, ready: World) -> None:
    ready.patch.setenv("http_proxy", f"http://user:{SECRET}@127.0.0.1:{ready.server.port}")
    far = "http://scope.example"
    check(lambda: ready.client(base_url=far, auth_api_url=far, allow_insecure=True), KeyboardInterrupt, chosen)
