"""What is secret, what sends it, and the check that nobody is shown it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from typing import TYPE_CHECKING, Any, Callable

from faults import trackers
from faults.clock import ManualClock
from faults.reading import warnings
from faults.replies import token
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, ScopeClient

if TYPE_CHECKING:
    import pytest


def _letters(seed: bytes, count: int) -> str:
    """None that is a hexadecimal digit: a tracker prints many addresses, and chance finds eight digits in them."""
    octets = hashlib.shake_256(seed).digest(count)
    return "".join("GHJKLMNPQRSTUVWX"[octet % 16] for octet in octets)


SECRET = _letters(b"a secret", 64)
TOKEN = _letters(b"a token", 768)  # as long as a JWT is
NUMBER = int.from_bytes(SECRET.encode(), "big")


class World:
    """A server that gives the token to clients that have the secret; `fixture` gives one of pytest's by its name."""

    def __init__(self, fixture: Callable[[str], Any], opened: contextlib.ExitStack) -> None:
        self.fixture = fixture
        self.opened = opened
        self.patch: pytest.MonkeyPatch = fixture("monkeypatch")
        self.server = opened.enter_context(FaultServer())
        self.server.gives_tokens(token(TOKEN))

    def client(self, **options: object) -> ScopeClient:
        usual = {
            "credentials": ApiKeyCredentials("org", "key", SECRET),
            "base_url": self.server.url,
            "auth_api_url": self.server.url,
            "max_retries": 0,
            "clock": ManualClock().clock,
        }
        return self.opened.enter_context(ScopeClient(**{**usual, **options}))


class Watch:
    """Runs what fails: no tracker may show a secret by an error that it raises, returns in a list, or has logged."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        caplog.set_level(logging.DEBUG)

    def __call__(self, fails: Callable[[], Any]) -> None:
        errors: list[BaseException] = []
        try:
            errors += fails() or []
        except BaseException as raised:
            errors.append(raised)
        assert errors or warnings(self._caplog), "nothing failed"
        for record in self._caplog.records:
            said = "\n".join([record.getMessage(), repr(record.args), *map(str, record.args or ())])
            assert not trackers.leaks(said, SECRET, TOKEN, str(NUMBER))
            errors += [record.exc_info[1]] if record.exc_info and record.exc_info[1] else []
        for each in errors:
            assert not isinstance(each, (AssertionError, AttributeError, ImportError, NameError)), "the test has failed"
            shown = trackers.given_away(each, SECRET, TOKEN, str(NUMBER))
            assert not shown, shown
