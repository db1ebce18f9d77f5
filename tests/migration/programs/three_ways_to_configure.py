"""Credentials by hand; then a client of them, a client of a Configuration, and the client of the process."""

import os

import scope_client
from scope_client import ApiKeyCredentials, Configuration, ScopeClient

credentials = ApiKeyCredentials(
    org_id=os.environ["SCOPE_ORG_ID"],
    api_key=os.environ["SCOPE_API_KEY"],
    api_secret=os.environ["SCOPE_API_SECRET"],
)
of_credentials = ScopeClient(credentials=credentials)

config = Configuration(
    credentials=credentials,
    base_url=os.environ["SCOPE_API_URL"],
    cache_enabled=True,
    cache_ttl=300,
    timeout=30,
    max_retries=3,
)
of_a_configuration = ScopeClient(config=config)

scope_client.configure(credentials=ApiKeyCredentials.from_env(), cache_enabled=True, cache_ttl=600)
of_the_process = scope_client.client()

for client in (of_credentials, of_a_configuration, of_the_process):
    print(client.get_prompt_version("greeting-template").render(name="Alice"))
