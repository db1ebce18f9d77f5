"""ScopeClient: the rooms wired together."""

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, overload

from ._async_methods import AsyncMethods
from ._cache_methods import CacheMethods
from ._clock import SYSTEM_CLOCK, Clock
from ._config.configuration import Configuration, with_credentials
from ._config.credentials import Credentials
from ._config.one_url import warn_of_one_url
from ._config.options import NOT_GIVEN, Options, Unpack
from ._config.process_wide import completed
from ._config.read_options import ByLabel, ByVersion, Label, ReadByLabel, ReadByVersion, ReadOptions
from ._fork import held_back
from ._frames import hides_what_it_was_given
from ._frozen import CopiedAsItself
from ._log import open_logger
from ._prompt.fallback import Fallback
from ._prompt.prompt_read import PromptRead
from ._prompt.prompt_version import PromptVersion
from ._prompt.ref import PromptRef
from ._read_signatures import with_read_options
from ._render_call import sorted_call, values_of
from ._status import Status
from .errors import ConfigurationError, MissingVariableError

if TYPE_CHECKING:
    from ._background import Background
    from ._cache.memory import Entries, Entry, Others
    from ._counters import Counters
    from ._prompt.locked_reads import LockedReads
    from ._rooms import ClientSource

MAX_PLAIN_DEADLINE_SECONDS = 1e9  # past it, and for odd types, a deadline is checked off the fast path
_NUMBERS = (float, int)
_NONE_OF_IT: "Mapping[str, Entry]" = {}


class ScopeClient(CacheMethods, AsyncMethods, CopiedAsItself):
    """Reads prompts; one client serves all threads of a process. Nothing is sent before the first read.

    `copy.copy` and `copy.deepcopy` give the client itself.

    Args:
        keys: The credentials, which alone may be given by position too.
        config: The options as a Configuration; without one, the process-wide Configuration.
        clock: Where time and chance come from. For tests.
        options: The same options as keywords; they win over those of `config`.

    Raises:
        ConfigurationError: An option has a value that it must not have.
        MissingApiKeyError: No credentials were given, and the environment has none.
        TypeError: There is no such option.
    """

    @hides_what_it_was_given
    def __init__(
        self,
        keys: Optional[Credentials] = NOT_GIVEN,
        /,
        *,
        config: Optional[Configuration] = None,
        clock: Clock = SYSTEM_CLOCK,
        **options: Unpack[Options],
    ) -> None:
        if config is not None and not isinstance(config, Configuration):
            raise ConfigurationError(f"config must be a Configuration, got {type(config).__name__}")
        open_logger()  # first, see fork.py
        self._config = completed(config, with_credentials(keys, options))
        self._clock = clock
        self._now = clock.now
        with held_back():  # with the first client, as a program may import the package and read nothing
            from ._rooms import Rooms
        self._rooms = Rooms(self._config, clock, self._new_source)
        self._reading = self._rooms.reading
        self._fitting = self._rooms.fitting
        self._entries: Entries = self._rooms.cache.entries
        self._others: Optional[Others] = self._rooms.cache.others

    @property
    def config(self) -> Configuration:
        """What this client was told."""
        return self._config

    @overload
    def get_prompt_version(self, name: str, **options: Unpack[ReadByLabel]) -> PromptVersion: ...

    @overload
    def get_prompt_version(self, name: str, **options: Unpack[ReadByVersion]) -> PromptVersion: ...

    def get_prompt_version(
        self,
        name: str,
        *,
        label: Optional[Label] = None,
        version: Optional[str] = None,
        cache: bool = True,
        cache_ttl: Optional[float] = None,
        fallback: Fallback = None,
        deadline: Optional[float] = None,
        requires: Optional[Collection[str]] = None,
        key: object = None,
    ) -> PromptVersion:
        """The production version of a prompt, or the one that `label` or `version` asks for.

        If the platform cannot answer, the last known good version is served. If nothing is known, that is the
        `fallback`, or else what the prompt folder of the Configuration has. A refusal is remembered for a second, and
        refused credentials for up to a minute.

        Args:
            name: The prompt's name or ID.
            label: "production", which is the default, or "latest".
            version: The ID of a version, in place of a label.
            cache: False asks the platform, leaves the cache as it is, and is answered by nothing else but a fallback,
                or the copy of a locked version.
            cache_ttl: How old the answer may be, in seconds, and for how long it is kept. By default as configured.
            fallback: Template text, for a chat prompt a list of messages, or a callable that returns one of the two.
            deadline: Seconds for the whole call. By default as configured.
            requires: The names of all variables that the caller can give. A version that needs another one is an
                error, or is held back if the Configuration has when_unfit="last_fitting".
            key: Of whom or what the read is, such as user.id. If the metadata of the production version has a rollout,
                it picks one of the rollout's versions by this, always the same one. By default rollouts are left aside.

        Raises:
            MissingVariableError: The version needs a variable that is not among `requires`.
            NoProductionVersionError: The prompt has no version in production.
            NotFoundError: There is no such prompt or version.
            ApiError: The platform refused in another way, failed, or answered what its API does not promise.
            ConnectionError: There was no answer.
            TimeoutError: The deadline passed.
            ValidationError: An argument is not what it must be, or the lock does not have the prompt.
            TypeError: A label and a version were given together.
        """
        if (
            cache
            and cache_ttl is None
            and (deadline is None or (type(deadline) in _NUMBERS and 0 < deadline < MAX_PLAIN_DEADLINE_SECONDS))
            and type(name) is str
            and (fallback is None or type(fallback) is str)
            and requires is None
            and key is None
        ):
            # The fast path: no lock, no object, no telemetry. `PromptRef.key` says what a key is made of.
            try:
                if version is None and (label is None or label == "production"):
                    entry = self._entries.get(name)
                else:
                    others = self._others  # once: pins of another thread may come into force in the middle
                    if others is None:
                        entry = self._entries.get((name, label, version))
                    elif version is None:
                        entry = others.latest.get(name) if label == "latest" else None
                    else:
                        entry = others.by_id.get(version, _NONE_OF_IT).get(name) if label is None else None
            except TypeError:  # a label or a version that cannot be hashed; PromptRef.of says what is wrong with it
                entry = None
            if entry is not None:
                clock = self._now  # first: CPython 3.11 would look for a method of that name
                now = clock()
                if now < entry.due_at:
                    entry.read_at = now
                    return entry.version
        elif (
            cache
            and type(name) is str
            and label is None
            and version is None
            and cache_ttl is None
            and (fallback is None and deadline is None and requires is None)
        ):
            found = self._reading.quick(name, key)
            if found is not None:
                return found
        return self._reading.read(
            PromptRef.of(name, label, version),
            cache=cache,
            cache_ttl=cache_ttl,
            fallback=fallback,
            deadline=deadline,
            requires=requires,
            key=key,
        ).version

    @overload
    def read_prompt(self, name: str, **options: Unpack[ReadByLabel]) -> PromptRead: ...

    @overload
    def read_prompt(self, name: str, **options: Unpack[ReadByVersion]) -> PromptRead: ...

    @with_read_options
    def read_prompt(self, name: str, **options: Any) -> PromptRead:
        """`get_prompt_version`, and how this very read was answered.

        Args:
            name: The prompt's name or ID.
            options: What `get_prompt_version` takes.

        Returns:
            The version, where it came from, and its age in seconds.

        Raises:
            ScopeError: Whatever `get_prompt_version` raises.
        """
        ref = PromptRef.of(name, options.pop("label", None), options.pop("version", None))
        return self._reading.read(ref, **options)

    @overload
    def get_cached_version(self, name: str, **options: Unpack[ByLabel]) -> Optional[PromptVersion]: ...

    @overload
    def get_cached_version(self, name: str, **options: Unpack[ByVersion]) -> Optional[PromptVersion]: ...

    def get_cached_version(
        self, name: str, *, label: Optional[Label] = None, version: Optional[str] = None
    ) -> Optional[PromptVersion]:
        """The version if it is in memory and fresh; None if finding out takes a request, or a look into a store.

        It never waits, so that it may be called on an event loop.

        Args:
            name: The prompt's name or ID.
            label: "production", which is the default, or "latest".
            version: The ID of a version, in place of a label.

        Raises:
            ValidationError: An argument is not what it must be.
            TypeError: A label and a version were given together.
        """
        ref = PromptRef.of(name, label, version)
        self._reading.check(ref)
        return self._reading.cached(ref)

    @overload
    def render_prompt(
        self,
        name: str,
        variables: Optional[Mapping[str, object]] = None,
        label: Optional[Label] = None,
        **options: Unpack[ReadOptions],
    ) -> str: ...

    @overload
    def render_prompt(
        self, name: str, variables: Optional[Mapping[str, object]] = None, **options: Unpack[ReadByVersion]
    ) -> str: ...

    @with_read_options  # type: ignore[misc]  # its first three may come as keywords, which are among the options then
    def render_prompt(
        self,
        name: str = NOT_GIVEN,
        variables: Optional[Mapping[str, object]] = NOT_GIVEN,
        label: Optional[Label] = NOT_GIVEN,
        /,
        **options: Any,
    ) -> str:
        """`get_prompt_version` and `PromptVersion.render` in one.

        Args:
            name: The prompt's name or ID; by keyword too.
            variables: The values by name, in a mapping; by keyword too.
            label: As for `get_prompt_version`; by keyword too.
            options: What else `get_prompt_version` takes.

        Raises:
            MissingVariableError: The prompt needs a variable that `variables` does not have.
            ValidationError: The prompt has no such variable, or an argument is not what it must be.
            RenderError: A value has no text.
            ScopeError: Whatever `get_prompt_version` raises.
        """
        if options or variables is NOT_GIVEN or label is not NOT_GIVEN:
            name, variables, options = sorted_call("render_prompt", name, variables, label, options)
        values = variables if type(variables) is dict else values_of(variables)
        if options.get("key") is not None:
            return self._read_for(values, name, **options)._render(values)
        found = self.get_prompt_version(name, **options)
        try:
            return found._render(values)
        except MissingVariableError:
            if self._fitting is None:
                raise
        return self._fitted(found, values, name, **options)._render(values)

    def _read_for(
        self,
        values: Mapping[str, object],
        name: str,
        *,
        label: Optional[str] = None,
        version: Optional[str] = None,
        **options: Any,
    ) -> PromptVersion:
        """The version to fill in with these values, of a read that may have a key."""
        found = self._reading.read_for(PromptRef.of(name, label, version), values, **options).version
        return self._fitted(found, values, name, label=label, version=version, **options)

    def _fitted(self, found: PromptVersion, values: Mapping[str, object], name: str, **options: Any) -> PromptVersion:
        """The version to fill in with these values: the one that was found, or the last one that fits.

        Raises MissingVariableError if versions that do not fit are held back, and none fits.
        """
        if not options.get("cache", True) or not self._reading.needs_another(found, values):
            return found
        options["requires"] = [variable for variable in values if isinstance(variable, str)]
        return self.get_prompt_version(name, **options)

    def status(self) -> Status:
        """How this client is doing; nothing is sent."""
        return self._rooms.status()

    def close(self) -> None:
        """Closes the connections; a later read opens new ones. A session that was passed in stays open."""
        self._rooms.source.close()

    def __enter__(self) -> "ScopeClient":
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        config = getattr(self, "_config", None)
        if config is None:  # half made, in a frame of an error that is being shown
            return "ScopeClient()"
        return f"ScopeClient(base_url={config.base_url!r}, org_id={getattr(config.credentials, 'org_id', None)!r})"

    @property
    def _prompts_of_test(self) -> Optional[Mapping[str, object]]:
        """What a test has put in the place of a platform; None for the client of one."""
        return None

    def _new_source(
        self, background: "Background", counters: "Counters", locked_reads: "Optional[LockedReads]"
    ) -> "ClientSource":
        """Where this client's versions come from."""
        warn_of_one_url(self._config)
        assert self._config.credentials is not None
        with held_back():
            from ._http.fetcher import Fetcher
        return Fetcher(self._config, self._config.credentials, self._clock, background, counters, locked_reads)


PLAIN_READ = ScopeClient.get_prompt_version  # before anybody can put another one in its place
