"""Credentials of the environment, one prompt, its text and a part of its metadata."""

from scope_client import ApiKeyCredentials, ScopeClient

credentials = ApiKeyCredentials.from_env()
client = ScopeClient(credentials=credentials)

version = client.get_prompt_version("greeting-template")
print(version.render(name="Alice"))
print(version.get_metadata("model"))
