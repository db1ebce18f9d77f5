"""Near misses: which option was meant by a name that is not one, be it a typo or another library's word."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .._wording import nearest

_WORDS = {
    "base_url": "api_url url host hostname endpoint server server_url api_base api_base_url api_host api_endpoint",
    "auth_api_url": "auth_url auth_base_url auth_host auth_endpoint auth_server token_url login_url",
    "api_version": "api",
    "timeout": "request_timeout read_timeout http_timeout timeout_seconds timeout_s timeout_ms",
    "open_timeout": "connect_timeout connection_timeout",
    "cache_enabled": "cache caching use_cache enable_cache enable_caching no_cache disable_cache cache_disabled",
    "cache_ttl": "ttl ttl_seconds cache_timeout cache_seconds cache_expiry cache_max_age cache_duration max_age expiry",
    "cache_max_size": "cache_size max_size maxsize max_cache_size cache_max_entries max_entries",
    "max_retries": "retries retry num_retries retry_count max_retry max_attempts attempts retry_attempts",
    "retry_base_delay": "retry_delay base_delay backoff backoff_factor retry_backoff retry_wait retry_interval",
    "retry_max_delay": "max_delay max_backoff backoff_max max_retry_delay retry_max_wait",
    "telemetry_enabled": "telemetry enable_telemetry telemetry_disabled disable_telemetry",
    "environment": "env stage",
    "token_refresh_buffer": "refresh_buffer token_buffer refresh_margin token_refresh_margin",
    "stale_if_error": "stale serve_stale max_stale stale_ttl stale_on_error",
    "stale_while_revalidate": "swr",
    "deadline": "total_timeout overall_timeout call_timeout max_time time_limit",
    "cache_store": "store shared_cache cache_backend cache_url redis redis_url",
    "cache_local_ttl": "local_ttl memory_ttl local_cache_ttl",
    "prompt_dir": "prompts_dir prompt_folder prompts_folder prompts_path fallback_dir folder prompts bundle",
    "lock": "lock_file lockfile lock_path locked",
    "allow_insecure": "insecure allow_http",
    "session": "http_client http_session requests_session proxy proxies verify verify_ssl ssl_verify ca_bundle cert",
    "credentials": "creds credential auth authentication keys",
    "extra_values": "extra extra_variables unknown_values ignore_extra strict",
    "when_unfit": "unfit on_unfit if_unfit",
    # Of settings alone.
    "cache_alias": "alias cache_name cache",
    "org_id": "org organization organization_id account_id",
    "api_key": "key key_id",
    "api_secret": "secret key_secret",
}
_CALLS = {
    "org_id api_key api_secret": "ApiKeyCredentials(org_id=..., api_key=..., api_secret=...)",
    "client_id client_secret": "ClientCredentials(org_id=..., client_id=..., client_secret=...)",
}
_OF_A_READ = ("label", "version", "fallback", "requires")


def meant(name: str, known: Iterable[str]) -> str | None:
    """The one of the known names for which this is another word, or None."""
    word = _plain(name)
    return next((each for each in known if word == each or word in _WORDS.get(each, "").split()), None)


def closest(name: str, known: Collection[str]) -> str | None:
    """The known name that was meant, or else the one that is spelled most like it."""
    return meant(name, known) or nearest(_plain(name), known, cutoff=0.0)


def advice(name: str, known: Collection[str]) -> str:
    """What to write instead of an option of this name."""
    word = _plain(name)
    for parts, call in _CALLS.items():
        if meant(name, parts.split()):
            return f"give credentials={call}"
    if word in _OF_A_READ:
        return f"give {word}= to the method that reads, such as get_prompt_version"
    if word in ("configuration", "cfg", "config"):
        return "give config= to ScopeClient"
    found = meant(name, known)
    return f"the option is called {found!r}" if found else f"the nearest one is {closest(name, known)!r}"


def _plain(name: str) -> str:
    word = name.lower().replace("-", "_")
    return word[len("scope_") :] if word.startswith("scope_") else word
