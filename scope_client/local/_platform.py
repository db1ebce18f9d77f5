"""LocalPlatform: a whole Scope Platform in the present process, and the handles that tests turn."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Union

from .._client import ScopeClient
from .._clock import Clock
from .._config import rules
from .._config.credentials import ApiKeyCredentials, ClientCredentials
from .._folder.reader import StrPath
from ..errors import ConfigurationError
from ._app import Rooms, create_app
from ._bodies import GENERATIONS
from ._faults import Faults, RetryAfter, new_fault
from ._journal import Journal, RecordedRequest
from ._library import Content, Library
from ._server import HOST, LoopbackServer, listen
from ._token_issuer import Mint

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Unpack

    from .._config.options import Options
    from .._folder.record import VersionRecord

_CLOCK = Clock()
Prompts = Union[Mapping[str, Content], StrPath, None]


class LocalPlatform:
    """Serves prompts from a mapping of names to contents, or from a folder, between `start` and `stop`.

    A content is text, or a list of messages for a chat prompt. A folder is never written to; what is
    changed through this object lives in memory, on top of it. `log` gets a line of text for each answer.
    Raises ConfigurationError for an argument, or a file, that is not what it must be.
    """

    def __init__(
        self,
        prompts: Prompts = None,
        *,
        port: int = 0,
        token_ttl: int = 3600,
        latency: float = 0.0,
        generation: str = "newer",
        log: Callable[[str], object] | None = None,
    ) -> None:
        self.credentials = ApiKeyCredentials("local-org", "local-key", "local-secret")
        self.client_credentials = ClientCredentials("local-org", "local-app", "local-app-secret")
        self.latency = latency
        self._port = _checked_port(port)
        self._journal = Journal(log)
        self._faults = Faults()
        self._mint = Mint(rules.POSITIVE_COUNT.check("token_ttl", token_ttl, ConfigurationError))
        self._library = _library(prompts, self._journal)
        self._stopped = threading.Event()
        self._server: LoopbackServer | None = None
        self._lock = threading.Lock()
        self._app = create_app(self._rooms(_checked_generation(generation)))

    def start(self) -> LocalPlatform:
        """Listens, on the port it had before if it was stopped; nothing where it is running already."""
        with self._lock:
            if self._server is None:
                self._stopped.clear()
                with listen(self._port) as listener:
                    self._server = LoopbackServer(self._app, listener)
                self._port = self._server.port
        return self

    def stop(self) -> None:
        """Frees the port and cuts every connection, those in the middle of an answer included."""
        with self._lock:
            if self._server is not None:
                self._server.cut()
                self._stopped.set()
                self._server.join()
                self._server = None

    def __enter__(self) -> LocalPlatform:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        if not self._port:
            raise ConfigurationError("the local platform has no port yet: start it first")
        return self._port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of a program that is to use this platform."""
        return {
            "SCOPE_ORG_ID": self.credentials.org_id,
            "SCOPE_API_KEY": self.credentials.api_key,
            "SCOPE_API_SECRET": self.credentials.api_secret,
            "SCOPE_API_URL": self.url,
            "SCOPE_AUTH_API_URL": self.url,
        }

    def client(self, *, clock: Clock = _CLOCK, **options: Unpack[Options]) -> ScopeClient:
        """A client of this platform, with these options."""
        ours: Options = {"credentials": self.credentials, "base_url": self.url, "auth_api_url": self.url}
        ours.update(options)
        return ScopeClient(clock=clock, **ours)

    @property
    def latency(self) -> float:
        """Seconds before each answer."""
        return self._latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._latency: float = rules.SECONDS.check("latency", seconds, ConfigurationError)

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """What arrived, in order."""
        return self._journal.records

    def publish(
        self,
        name: str,
        content: Content,
        *,
        type: str | None = None,  # noqa: A002  # the API's own word
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
    ) -> VersionRecord:
        """A new version in production; the one that was there becomes archived."""
        return self._library.add(name, content, promote=True, type=type, metadata=metadata, tags=tags)

    def draft(
        self,
        name: str,
        content: Content,
        *,
        type: str | None = None,  # noqa: A002  # the API's own word
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
    ) -> VersionRecord:
        """A new version that is the latest and leaves production alone."""
        return self._library.add(name, content, promote=False, type=type, metadata=metadata, tags=tags)

    def archive(self, name: str) -> None:
        """Leaves the prompt without a production version."""
        self._library.archive(name)

    def remove(self, name: str) -> None:
        """Deletes the prompt with all its versions."""
        self._library.remove(name)

    def fail(
        self,
        status: int,
        *,
        times: int | None = None,
        retry_after: RetryAfter = None,
        code: str | None = None,
        message: str | None = None,
        on: str = "api",
    ) -> None:
        """Answers the next `times` requests (None: all until `recover`) with this HTTP error.

        `on` is "api", or "auth" for the token endpoints. Several calls line up; only a fault without
        `times` gives way to the next. `retry_after` is in seconds, or the header's text.
        """
        fault = new_fault(status, times=times, retry_after=retry_after, code=code, message=message)
        self._faults.announce(fault, on)

    def recover(self) -> None:
        """Ends every fault."""
        self._faults.clear()

    def expire_tokens(self) -> None:
        """Makes every token issued so far an expired one."""
        self._mint.expire_all()

    def _rooms(self, generation: str) -> Rooms:
        keys = (self.credentials, self.client_credentials)
        return Rooms(self._library, self._mint, self._faults, self._journal, keys, generation, self._pause)

    def _pause(self) -> None:
        if self._latency:
            self._stopped.wait(self._latency)


def _library(prompts: Prompts, journal: Journal) -> Library:
    if isinstance(prompts, (str, os.PathLike)):
        return Library(prompts, warn=journal.warn)
    if prompts is not None and not isinstance(prompts, Mapping):
        raise ConfigurationError(
            f"prompts must be a mapping of names to contents, or a folder, got {type(prompts).__name__}"
        )
    library = Library(warn=journal.warn)
    for name, content in (prompts or {}).items():
        library.add(name, content, promote=True)
    return library


def _checked_generation(generation: str) -> str:
    if generation not in GENERATIONS:
        raise ConfigurationError(f"generation must be one of {', '.join(GENERATIONS)}, got {generation!r}")
    return generation


def _checked_port(port: int) -> int:
    if rules.COUNT.check("port", port, ConfigurationError) > 65535:
        raise ConfigurationError(f"port must be 0 for any free one, or up to 65535, got {port}")
    return port
