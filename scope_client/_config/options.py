"""Options: the keywords that make a Configuration, for who passes them on, and for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import os

    import requests

    from .cache_store import CacheStore
    from .credentials import Credentials


class Options(TypedDict, total=False):
    """The keywords of Configuration, ScopeClient, merge() and configure(); all times are in seconds.

    base_url, auth_api_url: the hosted platform; SCOPE_API_URL, SCOPE_AUTH_API_URL. allow_insecure: http to any host.
    environment: "production"; SCOPE_ENVIRONMENT. api_version: "v1".
    timeout: 30, for one attempt to its last byte. open_timeout: 10, for its connect.
    max_retries: 3, attempts after the first. retry_base_delay: 0.5. retry_max_delay: 30.
    deadline: None, for a whole call.
    cache_enabled: True. cache_ttl: 300. cache_max_size: 1000 versions. telemetry_enabled: True.
    stale_if_error: 86400, for which an expired version is kept as the last known good; 0 for never.
    cache_store: a CacheStore behind the memory. cache_local_ttl: 5, for which it is not asked again.
    prompt_dir: a folder of prompts for when the platform cannot answer; SCOPE_PROMPT_DIR.
    token_refresh_buffer: 60, before a token's end; SCOPE_TOKEN_REFRESH_BUFFER.
    session: a requests.Session of the caller's, which is never closed.
    """

    credentials: Credentials | None
    base_url: str
    auth_api_url: str
    api_version: str
    timeout: float
    open_timeout: float
    cache_enabled: bool
    cache_ttl: float
    cache_max_size: int
    max_retries: int
    retry_base_delay: float
    retry_max_delay: float
    telemetry_enabled: bool
    environment: str
    token_refresh_buffer: float
    stale_if_error: float
    deadline: float | None
    cache_store: CacheStore | None
    cache_local_ttl: float
    prompt_dir: str | os.PathLike[str] | None
    allow_insecure: bool
    session: requests.Session | None
