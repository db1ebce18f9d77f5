"""ScopeClient: the rooms wired together."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Optional, Protocol

from ._background import Background
from ._cache.cache import PromptCache
from ._cache.loading import Source
from ._cache.memory import Entry
from ._cache.platform_breaker import PlatformBreaker, is_outage
from ._cache.shared_store import SharedStore
from ._clock import SYSTEM_CLOCK, Clock
from ._config import rules
from ._config.configuration import Configuration
from ._config.credentials import Credentials
from ._config.options import Options, ReadOptions, Unpack
from ._counters import Counters
from ._foreign_text import printable
from ._fork import held_back
from ._frames import hides_what_it_was_given
from ._frozen import CopiedAsItself
from ._http.budget import Budget
from ._http.fetcher import Fetcher
from ._interrupts import pass_on
from ._log import open_logger
from ._prefetch import PrefetchReport, Wanted, prefetch
from ._prompt import fallback as stand_ins
from ._prompt.fallback import Fallback
from ._prompt.prompt_version import PromptVersion
from ._prompt.ref import PromptRef
from ._status import PromptStatus, Status
from .errors import ConfigurationError, MissingApiKeyError, ScopeError, TimeoutError, ValidationError

if TYPE_CHECKING:
    from ._folder.bundle import Bundle

SERVED_STALE_LATELY_SECONDS = 60.0
MAX_PLAIN_DEADLINE_SECONDS = 1e9  # past it, and for odd types, a deadline is checked off the fast path
_NUMBERS = (float, int)


class ClientSource(Source, Protocol):
    """A source with what a client shows and closes of it."""

    @property
    def token_expires_in(self) -> Optional[float]:
        """Seconds until the token dies, None if there is none alive."""

    def close(self) -> None:
        """Closes the connections; a later fetch opens new ones."""


class ScopeClient(CopiedAsItself):
    """Reads prompts; one client serves all threads of a process. Nothing is sent before the first read.

    `copy.copy` and `copy.deepcopy` give the client itself.

    Args:
        config: The options as a Configuration; without one, the defaults and the environment.
        clock: Where time and chance come from. For tests.
        options: The same options as keywords; they win over those of `config`.

    Raises:
        ConfigurationError: An option has a value that it must not have.
        MissingApiKeyError: There are no credentials.
        TypeError: There is no such option.
    """

    @hides_what_it_was_given
    def __init__(
        self, *, config: Optional[Configuration] = None, clock: Clock = SYSTEM_CLOCK, **options: Unpack[Options]
    ) -> None:
        if config is not None and not isinstance(config, Configuration):
            raise ConfigurationError(f"config must be a Configuration, got {type(config).__name__}")
        open_logger()  # first, see fork.py
        self._config = Configuration(**options) if config is None else config.merge(**options)
        if self._config.credentials is None:
            raise MissingApiKeyError(
                "a client needs credentials: pass credentials=ApiKeyCredentials.from_env(), "
                "which reads SCOPE_ORG_ID, SCOPE_API_KEY and SCOPE_API_SECRET"
            )
        self._clock = clock
        self._now = clock.now
        self._counters = Counters(clock, is_telling=self._config.telemetry_enabled)
        self._background = Background()
        self._platform = PlatformBreaker(clock, longest_retry_after=self._config.retry_max_delay)
        self._source = self._new_source(self._config.credentials)
        store, folder = self._config.cache_store, self._config.prompt_dir
        self._shared = None if store is None else SharedStore(store, self._config, clock)
        self._bundle = None if folder is None else _bundle(folder, clock)
        self._cache = PromptCache(
            self._config,
            clock,
            source=self._source,
            background=self._background,
            platform=self._platform,
            shared=self._shared,
            counters=self._counters,
        )
        self._entries = self._cache.entries

    @property
    def config(self) -> Configuration:
        """What this client was told."""
        return self._config

    def get_prompt_version(
        self,
        name: str,
        *,
        label: Optional[str] = None,
        version: Optional[str] = None,
        cache: bool = True,
        cache_ttl: Optional[float] = None,
        fallback: Fallback = None,
        deadline: Optional[float] = None,
    ) -> PromptVersion:
        """The production version of a prompt, or the one that `label` or `version` asks for.

        If the platform cannot answer, the last known good version is served. If nothing is known, that is the
        `fallback`, or else what the prompt folder of the Configuration has. A refusal is remembered for a second, and
        refused credentials for up to a minute.

        Args:
            name: The prompt's name or ID.
            label: "production", which is the default, or "latest".
            version: The ID of a version, in place of a label.
            cache: False asks the platform, leaves the cache as it is, and is answered by nothing else but a fallback.
            cache_ttl: How old the answer may be, in seconds, and for how long it is kept. By default as configured.
            fallback: Template text, or a callable without parameters that returns it.
            deadline: Seconds for the whole call. By default as configured.

        Raises:
            NoProductionVersionError: The prompt has no version in production.
            NotFoundError: There is no such prompt or version.
            ApiError: The platform refused in another way, failed, or answered what its API does not promise.
            ConnectionError: There was no answer.
            TimeoutError: The deadline passed.
            ValidationError: An argument is not what it must be.
            TypeError: A label and a version were given together.
        """
        if (
            cache
            and cache_ttl is None
            and (deadline is None or (type(deadline) in _NUMBERS and 0 < deadline < MAX_PLAIN_DEADLINE_SECONDS))
            and type(name) is str
            and (fallback is None or type(fallback) is str)
        ):
            # The fast path: no lock, no object, no telemetry. `PromptRef.key` says what a key is made of.
            key = name if version is None and (label is None or label == "production") else (name, label, version)
            try:
                entry = self._entries.get(key)
            except TypeError:  # a label that cannot be hashed; PromptRef.of says what is wrong with it
                entry = None
            if entry is not None:
                now = self._now()
                if now < entry.due_at:
                    entry.read_at = now
                    return entry.version
        return self._read(PromptRef.of(name, label, version), cache, cache_ttl, fallback, deadline)

    def get_cached_version(
        self, name: str, *, label: Optional[str] = None, version: Optional[str] = None
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
        return self._cache.peek(ref) if self._config.cache_enabled else None

    def render_prompt(
        self, name: str, variables: Optional[Mapping[str, object]] = None, **options: Unpack[ReadOptions]
    ) -> str:
        """`get_prompt_version` and `PromptVersion.render` in one.

        Args:
            name: The prompt's name or ID.
            variables: The values by name.
            options: What `get_prompt_version` takes.

        Raises:
            MissingVariableError: The prompt needs a variable that `variables` does not have.
            ValidationError: The prompt has no such variable, or an argument is not what it must be.
            RenderError: A value has no text.
            ScopeError: Whatever `get_prompt_version` raises.
        """
        values = variables if type(variables) is dict else _values(variables)
        return self.get_prompt_version(name, **options).template.render(values)

    def prefetch(
        self, prompts: Iterable[Wanted], *, strict: bool = False, deadline: Optional[float] = None
    ) -> PrefetchReport:
        """Reads several prompts at once, so that they are cached. For start-up hooks.

        Args:
            prompts: Each a name, (name, label) or (name, None, version).
            strict: Whether to raise the first error. What cannot be had is in the report otherwise.
            deadline: Seconds for all of them together.

        Returns:
            The versions and the errors, by what was asked for.

        Raises:
            ValidationError: What cannot be asked for is among them; nothing was sent.
            ScopeError: With `strict`, the first error, under a message that names all of them.
        """
        budget = self._budget(deadline)
        report = prefetch(prompts, lambda ref: self._serve(ref, budget))
        if strict:
            report.raise_first()
        return report

    def status(self) -> Status:
        """How this client is doing; nothing is sent."""
        now = self._now()
        entries = list(self._entries.values())
        counters = self._counters.counts
        counters["store_failures"] = 0 if self._shared is None else self._shared.failures
        return Status(
            is_down=self._platform.is_known,
            is_serving_stale=any(
                max(entry.expires_at, now - SERVED_STALE_LATELY_SECONDS) <= entry.stale_at for entry in entries
            ),
            prompts=tuple(self._shown(entry, now) for entry in entries),
            last_error=self._counters.last_error,
            last_error_age=self._counters.last_error_age,
            token_expires_in=self._source.token_expires_in,
            counters=counters,
        )

    def clear_cache(self) -> None:
        """Forgets every cached version, for all who share a cache store; a fetch under way brings no old one back."""
        self._cache.clear()

    def close(self) -> None:
        """Closes the connections; a later read opens new ones. A session that was passed in stays open."""
        self._source.close()

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

    def _new_source(self, credentials: Credentials) -> ClientSource:
        """Where this client's versions come from."""
        return Fetcher(self._config, credentials, self._clock, self._background, self._counters)

    def _read(
        self, ref: PromptRef, cache: bool, cache_ttl: Optional[float], fallback: Fallback, deadline: Optional[float]
    ) -> PromptVersion:
        max_age = None if cache_ttl is None else rules.SECONDS.check("cache_ttl", cache_ttl, ValidationError)
        if fallback is not None:
            stand_ins.checked(fallback)
        return self._serve(ref, self._budget(deadline), fallback, cache=cache, max_age=max_age)

    def _budget(self, deadline: Optional[float]) -> Budget:
        given = None if deadline is None else rules.DEADLINE.check("deadline", deadline, ValidationError)
        return Budget(self._now, self._config.deadline if given is None else given)

    def _serve(
        self,
        ref: PromptRef,
        budget: Budget,
        fallback: Fallback = None,
        *,
        cache: bool = True,
        max_age: Optional[float] = None,
    ) -> PromptVersion:
        """The version, or what stands in for it if the platform cannot answer and nothing is known."""
        bundled = self._bundle.find(ref, budget) if self._bundle and cache else None
        has_stand_in = bundled is not None or fallback is not None
        is_cached = cache and self._config.cache_enabled
        try:
            if is_cached:
                found = self._cache.get(ref, budget, max_age=max_age, has_stand_in=has_stand_in)
                if found is not None:
                    return found
            else:
                return self._source.fetch(ref, budget)
        except ScopeError as error:
            pass_on(error)
            if not (has_stand_in and is_outage(error)):
                raise
            if is_cached and isinstance(error, TimeoutError) and error.is_deadline:
                # Behind this caller: if all callers are in such haste, none of them would ever get the version.
                self._cache.renew(ref)
            return self._stand_in(ref, fallback, bundled)
        return self._stand_in(ref, fallback, bundled)

    def _stand_in(self, ref: PromptRef, fallback: Fallback, bundled: Optional[PromptVersion]) -> PromptVersion:
        found = bundled if fallback is None else stand_ins.stand_in(ref, fallback)
        assert found is not None
        self._counters.cache_event("fallback", ref, None)
        return found

    def _shown(self, entry: Entry, now: float) -> PromptStatus:
        ref = PromptRef.of_key(entry.key)
        stale_until = entry.expires_at + self._config.stale_if_error
        return PromptStatus(
            name=ref.name,
            label=ref.label,
            version=ref.version,
            version_id=entry.version.id and printable(entry.version.id),
            version_number=entry.version.version_number,
            age=now - entry.fetched_at,
            state="fresh" if now < entry.expires_at else "stale" if now < stale_until else "gone",
        )


def _values(variables: Optional[Mapping[str, object]]) -> dict[str, object]:
    if variables is not None and not isinstance(variables, Mapping):
        raise ValidationError(f"variables must be a mapping of names to values, got {type(variables).__name__}")
    return dict(variables or {})


def _bundle(folder: str, clock: Clock) -> "Bundle":
    """Imported late: what walks folders and reads YAML is half of what the package would take to import."""
    with held_back():
        from ._folder.bundle import Bundle

    return Bundle(folder, clock)
