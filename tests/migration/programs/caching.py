"""A read past the cache, one with a time of its own, and a cache that is cleared; then the connections are closed."""

from scope_client import ApiKeyCredentials, ScopeClient

with ScopeClient(credentials=ApiKeyCredentials.from_env()) as client:
    for options in ({}, {}, {"cache": False}, {"cache_ttl": 60}):
        client.get_prompt_version("greeting-template", **options)
    client.clear_cache()
    print(client.get_prompt_version("greeting-template").content)
