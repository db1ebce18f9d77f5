"""Watching: where the slow paths of a client tell a watcher what they do.

There is no watcher unless `scope_client.otel` sets one.
"""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Protocol

from ._interrupts import pass_on
from ._log import Log

if TYPE_CHECKING:
    from ._cache.memory import Entries
    from ._prompt.prompt_read import PromptRead
    from ._prompt.ref import PromptRef
    from ._status import Status

_log = Log("scope_client.otel")
_has_failed = False


class Attempt(NamedTuple):
    """One HTTP request: the first of its kind, or one that is sent again for the `resend_count`th time.

    `session` is the session of requests that sends it.
    """

    method: str
    url: str
    resend_count: int
    session: object


class Watch(Protocol):
    """What watches one thing."""

    def begin(self) -> None:
        """Called before it, in its thread."""

    def end(self, came: Any, error: BaseException | None) -> None:
        """Called after it in the same thread, with what came of it or its error.

        Also if `begin` was broken off, and once more if this was.
        """


class Watcher(Protocol):
    """Is told of what leaves the fast path. Nothing that it raises reaches a reader."""

    def read(self, ref: PromptRef, found: PromptRead) -> None:
        """A read has been answered; called where the caller reads."""

    def fetch(self, ref: PromptRef) -> Watch:
        """The platform is asked for a version, which comes of it."""

    def token(self) -> Watch:
        """A token is bought."""

    def attempt(self, attempt: Attempt) -> Watch:
        """A request is sent. What comes of it has `status` and `protocol`."""

    def carried(self) -> object:
        """What a job in the background is to know of the reader that sets it off."""

    def behind(self, carried: Any) -> Watch:
        """A job runs in the background, behind a reader who goes on."""


class LiveClient(Protocol):
    """What a watcher may look at, of each client that lives."""

    @property
    def base_url(self) -> str:
        """Where its platform is."""

    @property
    def entries(self) -> Entries:
        """What it keeps in memory."""

    def status(self) -> Status:
        """How it is doing."""


watcher: Watcher | None = None
_live_clients: dict[int, weakref.ref[LiveClient]] = {}


def made(client: LiveClient) -> None:
    """Tells of a client, which is not kept alive by it."""
    key = id(client)

    def forget(_: object) -> None:
        _live_clients.pop(key, None)

    _live_clients[key] = weakref.ref(client, forget)


def live_clients() -> list[LiveClient]:
    """All that live. The values of a dict are listed in one step, in which no other thread makes a client."""
    return [client for known in list(_live_clients.values()) if (client := known()) is not None]


def watch_with(new: Watcher | None) -> None:
    """Sets the watcher of the process; None for none."""
    global watcher
    watcher = new


def read(ref: PromptRef, found: PromptRead) -> PromptRead:
    """Tells of a read, and returns what was found."""
    if watcher is not None:
        _guarded(watcher.read, ref, found)
    return found


def fetch(ref: PromptRef) -> Watched:
    """To be around a question to the platform for this ref."""
    return Watched(None if watcher is None else _guarded(watcher.fetch, ref))


def token() -> Watched:
    """To be around the purchase of a token."""
    return Watched(None if watcher is None else _guarded(watcher.token))


def attempt(method: str, url: str, resend_count: int, session: object) -> Watched:
    """To be around the sending of one request."""
    if watcher is None:
        return Watched(None)
    return Watched(_guarded(watcher.attempt, Attempt(method, url, resend_count, session)))


def behind(job: Callable[[], object]) -> Callable[[], object]:
    """The job, to be run in the background behind the reader who sets it off now."""
    theirs = watcher
    if theirs is None:
        return job
    carried = _guarded(theirs.carried)

    def watched() -> object:
        with Watched(_guarded(theirs.behind, carried)):
            return job()

    return watched


class Watched:
    """Has a watch begun before a block and ended after it. What `came` of the block is set in it."""

    __slots__ = ("_watch", "came")

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self.came: object = None

    def __enter__(self) -> Watched:
        try:
            if self._watch is not None:
                _guarded(self._watch.begin)
            return self
        except BaseException as error:  # an interrupt of the caller's, in the middle of it
            self._end(None, error)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end(self.came, error)
        except BaseException as interrupt:
            self._end(None, interrupt)
            raise

    def _end(self, came: object, error: BaseException | None) -> None:
        if self._watch is not None:
            _guarded(self._watch.end, came, error)


def _guarded(call: Callable[..., Any], *arguments: object) -> Any:
    """What it returns; None if it raises."""
    global _has_failed
    try:
        return call(*arguments)
    except Exception as error:  # noqa: BLE001  # a tracer, and what is plugged into it, may raise anything
        pass_on(error)
        if not _has_failed:
            _has_failed = True
            _log.exception("OpenTelemetry raised an error; the call goes on; this is logged once")
    return None
