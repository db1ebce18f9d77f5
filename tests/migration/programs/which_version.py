"""A prompt by name and by ID; what is in production, the newest, and one by its ID."""

import os

from scope_client import ApiKeyCredentials, ScopeClient

client = ScopeClient(credentials=ApiKeyCredentials.from_env())

version = client.get_prompt_version("my-greeting-prompt")
print(f"{version.content} / {version.type} / {', '.join(version.variables)}")
print(client.get_prompt_version(version.prompt_id).content == version.content)
print(client.get_prompt_version("my-greeting-prompt", label="latest").content)
print(client.get_prompt_version("my-greeting-prompt", label="production").content)
print(client.get_prompt_version("my-greeting-prompt", version=os.environ["VERSION_ID"]).content)
