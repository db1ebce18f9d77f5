"""What programs of the newer SDK write beside that."""

import scope_client
from scope_client import (
    VERSION,
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    CredentialsProtocol,
    OnErrorCallback,
    OnRequestCallback,
    OnResponseCallback,
    Resource,
    ScopeClient,
)
from scope_client.resources import PromptVersion

callbacks: "list[OnRequestCallback | OnResponseCallback | OnErrorCallback]" = []
credentials = ClientCredentials.from_env()
credentials.validate()
print(isinstance(credentials, CredentialsProtocol), credentials.auth_type == credentials.to_dict()["auth_type"])
print(ApiKeyCredentials.from_env() == credentials, bool(credentials.api_key and credentials.client_id), bool(VERSION))

config = Configuration(credentials)
config.validate()
print(config.api_url == f"{config.base_url}/api/v1")

config = scope_client.configure(credentials=credentials, cache_ttl=600)
clients = [
    ScopeClient(),
    ScopeClient(timeout=5),
    ScopeClient(credentials),
    scope_client.client(timeout=5),
    scope_client.client(config=config),
    scope_client.client(credentials=credentials, config=config, timeout=5),
]
for client in clients:
    print(client.render_prompt("greeting-template", {"name": "Alice"}, "latest"), client.config.cache_ttl == 600)

version = clients[0].get_prompt_version("greeting-template")
print(isinstance(version, PromptVersion), isinstance(version, Resource))
print(version["id"] == version.id == version.get("id") == version.raw_data["id"], "id" in version, "other" in version)
print(version.version == version.version_number, version.promoted_by, bool(version.promoted_at))
print(version.to_json(indent=2).splitlines()[0])
