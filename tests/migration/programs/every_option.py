"""Every option at the default that its table gives."""

import os

from scope_client import ApiKeyCredentials, Configuration, ScopeClient

config = Configuration(
    credentials=ApiKeyCredentials.from_env(),
    base_url=os.environ["SCOPE_API_URL"],
    auth_api_url=os.environ["SCOPE_AUTH_API_URL"],
    api_version="v1",
    timeout=30,
    open_timeout=10,
    cache_enabled=True,
    cache_ttl=300,
    max_retries=3,
    retry_base_delay=0.5,
    retry_max_delay=30.0,
    telemetry_enabled=True,
    environment="production",
    token_refresh_buffer=60,
)
for name in ("timeout", "open_timeout", "cache_ttl", "max_retries", "token_refresh_buffer"):
    print(name, getattr(Configuration(), name) == getattr(config, name))
print(ScopeClient(config=config).get_prompt_version("greeting-template").name)
