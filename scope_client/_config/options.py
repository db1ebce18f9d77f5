"""Options: the keywords that make a Configuration, each with its meaning, unit, default and environment variable."""

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, Optional, TypedDict, Union

from .._stores.cache_store import CacheStore
from .credentials import Credentials

if TYPE_CHECKING:
    from requests import Session as Session
    from typing_extensions import Unpack as Unpack
else:
    Session = Any  # `requests` comes in with the first fetch, not with an annotation
    if sys.version_info >= (3, 11):
        from typing import Unpack
    else:

        class Unpack:
            """What `typing.get_type_hints` finds on Pythons that have no `typing.Unpack`: keywords of any kind."""

            def __class_getitem__(cls, keywords: object) -> object:
                return Any


NOT_GIVEN: Any = ...
"""The default of a parameter for which None is an argument like any other."""
ExtraValues = Literal["error", "warn", "ignore"]
WhenUnfit = Literal["error", "last_fitting"]


class Options(TypedDict, total=False):
    """The keywords of `Configuration`, `ScopeClient`, `Configuration.merge` and `configure`; times are in seconds.

    An option that is not given is taken from its environment variable, if it has one, or else is the default.
    """

    credentials: Optional[Credentials]
    """Who asks: ApiKeyCredentials, ClientCredentials, or an object like them. Default None, with which no client works.
    """
    base_url: str
    """Where the prompts are. Default "https://api.scope.io"; environment variable SCOPE_API_URL."""
    auth_api_url: str
    """Where tokens are bought. Default "https://auth.scope.io"; environment variable SCOPE_AUTH_API_URL."""
    api_version: str
    """The version of the API, which is a part of each path. Default "v1"."""
    timeout: float
    """Seconds for one attempt, from the connect to the last byte of the answer. Default 30; environment variable
    SCOPE_TIMEOUT.
    """
    open_timeout: float
    """Seconds for the connect of one attempt. Default 10."""
    cache_enabled: bool
    """Whether versions are kept in memory. Default True."""
    cache_ttl: float
    """Seconds for which a version is fresh. Default 300; environment variable SCOPE_CACHE_TTL."""
    cache_max_size: int
    """How many versions are kept in memory; the least recently read ones go first. Default 1000."""
    max_retries: int
    """How many attempts may follow the first one. Default 3."""
    retry_base_delay: float
    """Seconds that the pause before the first retry may last; each further one may last twice as long. Default 0.5."""
    retry_max_delay: float
    """Seconds that any pause may last; if Retry-After asks for more, the error is raised instead. Default 30."""
    telemetry_enabled: bool
    """Whether the callbacks of `Telemetry` hear of this client. Default True."""
    environment: str
    """The platform's environment, named in each request. Default "production"; environment variable SCOPE_ENVIRONMENT.
    """
    token_refresh_buffer: float
    """Seconds before the end of a token at which the next one is bought. Default 60; environment variable
    SCOPE_TOKEN_REFRESH_BUFFER.
    """
    stale_if_error: float
    """Seconds for which an expired version is kept as the last known good, in case the platform fails; 0 keeps none.
    Default 86400, a day.
    """
    stale_while_revalidate: float
    """Seconds after its end in which an expired version is served at once and renewed behind (RFC 5861). Default 0: the
    first reader waits up to a second for the platform.
    """
    deadline: Optional[float]
    """Seconds for a whole call, retries and waits included. Default None, no limit."""
    cache_store: Optional[CacheStore]
    """A cache that several processes share, such as RedisStore, behind the memory. Default None."""
    cache_local_ttl: float
    """Seconds for which memory answers before `cache_store` is asked again. Default 5."""
    prompt_dir: Union[str, os.PathLike[str], None]
    """A folder of prompts that stand in while the platform cannot answer. Default None; environment variable
    SCOPE_PROMPT_DIR.
    """
    lock: Union[str, os.PathLike[str], None]
    """A file `scope.lock` that says which version each production read is answered with. Default None; environment
    variable SCOPE_LOCK.
    """
    allow_insecure: bool
    """Whether a URL may be http:// to another machine, which shows all secrets to the network. Default False;
    environment variable SCOPE_ALLOW_INSECURE.
    """
    session: Optional[Session]
    """A requests.Session of yours to send with, which is never closed. Default None, one of the client's own."""
    extra_values: ExtraValues
    """What becomes of a value for which a prompt has no variable: "error", "warn" (a warning in the log, once a prompt
    and name) or "ignore". Default "error"; environment variable SCOPE_EXTRA_VALUES.
    """
    when_unfit: WhenUnfit
    """What happens if a version that was promoted needs a variable that the call does not give: "error", or
    "last_fitting", the last version that fits. Default "error"; environment variable SCOPE_WHEN_UNFIT.
    """
