"""LocalPlatform: a whole Scope Platform in this process, with handles for tests to turn."""

import os
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Callable, Optional, Union

from .._client import ScopeClient
from .._clock import SYSTEM_CLOCK, Clock
from .._config import rules
from .._config.configuration import Configuration
from .._config.credentials import ApiKeyCredentials, ClientCredentials
from .._config.options import Options, Unpack
from .._folder.reader import StrPath
from .._folder.record import VersionRecord
from .._frozen import CopiedAsItself
from .._wording import shown
from ..errors import ConfigurationError
from ._bodies import GENERATIONS
from ._gate import LOOPBACK_HOST, Gate, checked_host, means_all_addresses
from ._journal import Journal, RecordedRequest
from ._keys import keys_of
from ._library import Content, Library
from ._routes import Behind, create_app
from ._server import LoopbackServer, listen
from ._switches import FaultSwitches
from ._token_issuer import TokenIssuer

LARGEST_PORT = 65_535
Prompts = Union[Mapping[str, Content], StrPath, None]


class LocalPlatform(FaultSwitches, CopiedAsItself):
    """Serves prompts over HTTP on 127.0.0.1, between `start` and `stop`, or in a `with` block.

    It answers programs of this machine. A request from a page of another site, in a browser, is refused, and so is one
    for a host that is not the platform's own.

    Args:
        prompts: A mapping of names to contents, or a folder. A content is text, or a list of messages for a chat
            prompt. What the methods change is kept in memory, on top of the folder; they write no file.
        port: The port to listen on; 0 for any free one.
        token_ttl: Seconds for which a token is valid.
        latency: As the property.
        generation: The generation of servers whose words the answers use: "newer" or "older".
        log: Is called with a line of text for each answer.
        host: The name or address to listen on; "0.0.0.0" for all addresses of this machine. Others then reach it.
        allowed_hosts: Further names under which it may be asked for, such as "scope" or "scope:8750". By default it may
            be asked by any name, as some tests need it; `scope serve` refuses those that it was not told.
        credentials: The API key to accept.
        client_credentials: The client ID and secret to accept, of the same organisation. Without either of the two,
            they are the well-known ones, or new ones that nobody can guess if `host` or the other one is given.
        ui: Whether a browser finds pages at `url`. In a browser on this machine they change the prompts too, and write
            into the folder. A browser on another machine has to log in with the API key, and changes nothing.
        read_only: Whether these pages change nothing, neither a prompt nor a fault.
        clock: What the times of requests and faults are taken from.

    Raises:
        ConfigurationError: An argument or a file is wrong.
    """

    credentials: ApiKeyCredentials
    """The API key that this platform accepts."""
    client_credentials: ClientCredentials
    """The client ID and secret that this platform accepts."""

    def __init__(
        self,
        prompts: Prompts = None,
        *,
        port: int = 0,
        token_ttl: int = 3600,
        latency: float = 0.0,
        generation: str = "newer",
        log: Optional[Callable[[str], object]] = None,
        host: Optional[str] = None,
        allowed_hosts: Optional[Sequence[str]] = None,
        credentials: Optional[ApiKeyCredentials] = None,
        client_credentials: Optional[ClientCredentials] = None,
        ui: bool = False,
        read_only: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        keys = keys_of(credentials, client_credentials, are_well_known=host is None)
        self.credentials, self.client_credentials = keys
        self._host = LOOPBACK_HOST if host is None else checked_host(host)
        self._port = _checked_port(port)
        self._journal = Journal(log, clock=clock)
        super().__init__(self._journal, clock)
        self.latency = latency
        self._issuer = TokenIssuer(rules.POSITIVE_COUNT.check("token_ttl", token_ttl, ConfigurationError))
        self._library = _library(prompts, self._journal, clock, writes=not read_only)
        self._server: Optional[LoopbackServer] = None
        self._lock = threading.Lock()
        gate = Gate(self._host, allowed_hosts)
        self._app = create_app(self._behind(gate, _checked_generation(generation), has_face=ui))

    def start(self) -> "LocalPlatform":
        """Listens, on the same port as before if it was stopped; does nothing if it is running."""
        with self._lock:
            if self._server is None:
                self._faults.start()
                self._journal.open()
                with listen(self._host, self._port) as listener:
                    self._server = LoopbackServer(self._app, listener)
                self._port = self._server.port
        return self

    def stop(self) -> None:
        """Frees the port and cuts every connection, even in the middle of an answer."""
        with self._lock:
            if self._server is not None:
                self._server.cut()
                self._faults.stop()
                self._journal.close()
                self._server.join()
                self._server = None

    def __enter__(self) -> "LocalPlatform":
        return self.start()

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on; raises ConfigurationError before the first start if any free port will do."""
        if not self._port:
            raise ConfigurationError("the local platform has no port yet: start it first")
        return self._port

    @property
    def url(self) -> str:
        """The `base_url` and `auth_api_url` of its clients on this machine."""
        host = LOOPBACK_HOST if means_all_addresses(self._host) else self._host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables by which a program uses this platform."""
        return {
            "SCOPE_ORG_ID": self.credentials.org_id,
            "SCOPE_API_KEY": self.credentials.api_key,
            "SCOPE_API_SECRET": self.credentials.api_secret,
            "SCOPE_API_URL": self.url,
            "SCOPE_AUTH_API_URL": self.url,
        }

    def client(self, *, clock: Clock = SYSTEM_CLOCK, **options: Unpack[Options]) -> ScopeClient:
        """A client of this platform.

        Args:
            clock: Where the client takes time and chance from.
            options: Options of the client, as keywords.

        Returns:
            A new client.
        """
        ours: Options = {"credentials": self.credentials, "base_url": self.url, "auth_api_url": self.url}
        if self._host != LOOPBACK_HOST:
            ours["allow_insecure"] = True
        ours.update(options)
        return ScopeClient(config=Configuration(**ours), clock=clock)

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The requests that arrived, in their order; the last 10,000 are kept."""
        return self._journal.records

    def publish(
        self,
        name: str,
        content: Content,
        *,
        type: Optional[str] = None,  # noqa: A002  # the API's own word
        metadata: Optional[Mapping[str, Any]] = None,
        tags: Sequence[str] = (),
        variables: Sequence[str] = (),
    ) -> VersionRecord:
        """Adds a version that is in production; the one that was there becomes archived.

        Args:
            name: The prompt's name.
            content: Text, or a list of messages for a chat prompt.
            type: "text" or "chat"; None goes by the content.
            metadata: What is kept with the version, such as the model.
            tags: The tags of the version.
            variables: Names of variables to declare beside those of the content.

        Returns:
            The new version.

        Raises:
            ConfigurationError: An argument is wrong; nothing was changed.
        """
        more: dict[str, Any] = {"type": type, "metadata": metadata, "tags": tags, "variables": variables}
        return self._library.add(name, content, promote=True, **more)

    def draft(
        self,
        name: str,
        content: Content,
        *,
        type: Optional[str] = None,  # noqa: A002  # the API's own word
        metadata: Optional[Mapping[str, Any]] = None,
        tags: Sequence[str] = (),
        variables: Sequence[str] = (),
    ) -> VersionRecord:
        """Adds a version that is the latest, and leaves production as it is.

        Args:
            name: The prompt's name.
            content: Text, or a list of messages for a chat prompt.
            type: "text" or "chat"; None goes by the content.
            metadata: What is kept with the version, such as the model.
            tags: The tags of the version.
            variables: Names of variables to declare beside those of the content.

        Returns:
            The new version.

        Raises:
            ConfigurationError: An argument is wrong; nothing was changed.
        """
        more: dict[str, Any] = {"type": type, "metadata": metadata, "tags": tags, "variables": variables}
        return self._library.add(name, content, promote=False, **more)

    def archive(self, name: str) -> None:
        """Leaves the prompt without a production version.

        Raises:
            ConfigurationError: There is no such prompt.
        """
        self._library.archive(name)

    def remove(self, name: str) -> None:
        """Deletes the prompt with all its versions.

        Raises:
            ConfigurationError: There is no such prompt.
        """
        self._library.remove(name)

    def expire_tokens(self) -> None:
        """Makes every token that was issued so far invalid, as if it had expired."""
        self._issuer.expire_all()

    def _behind(self, gate: Gate, generation: str, *, has_face: bool) -> Behind:
        return Behind(
            gate=gate,
            library=self._library,
            issuer=self._issuer,
            faults=self._faults,
            journal=self._journal,
            keys=(self.credentials, self.client_credentials),
            generation=generation,
            switches=self,
            environ=lambda: self.environ,
            has_face=has_face,
        )


def _library(prompts: Prompts, journal: Journal, clock: Clock, *, writes: bool) -> Library:
    folder = prompts if isinstance(prompts, (str, os.PathLike)) else None
    if folder is None and prompts is not None and not isinstance(prompts, Mapping):
        raise ConfigurationError(
            f"prompts must be a mapping of names to contents, or a folder, got {type(prompts).__name__}"
        )
    library = Library(folder, warn=journal.warn, clock=clock.wall, writes=writes, changed=journal.nudge)
    for name, content in prompts.items() if isinstance(prompts, Mapping) else ():
        library.add(name, content, promote=True)
    return library


def _checked_generation(generation: str) -> str:
    if generation not in GENERATIONS:
        raise ConfigurationError(f"generation must be one of {', '.join(GENERATIONS)}, got {shown(generation)}")
    return generation


def _checked_port(port: int) -> int:
    if rules.COUNT.check("port", port, ConfigurationError) > LARGEST_PORT:
        raise ConfigurationError(f"port must be 0 for any free one, or up to {LARGEST_PORT}, got {port}")
    return port
