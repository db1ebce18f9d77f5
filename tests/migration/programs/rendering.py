"""A text filled in by the version, and by the client; what a model is asked with."""

from scope_client import ApiKeyCredentials, ScopeClient

client = ScopeClient(credentials=ApiKeyCredentials.from_env())

version = client.get_prompt_version("time-of-day")
print(version.render(name="Alice", time_of_day="morning"))
print(client.render_prompt("time-of-day", {"name": "Bob", "time_of_day": "evening"}, label="production"))
print(client.render_prompt("time-of-day", {"name": "Bob", "time_of_day": "evening"}, "latest"))
print(
    {
        "model": version.get_metadata("model", "gpt-4"),
        "temperature": version.get_metadata("temperature", 0.7),
        "max_tokens": version.get_metadata("max_tokens"),
        "messages": [{"role": "user", "content": version.render(name="Alice", time_of_day="morning")}],
    }
)
print(dict(version.metadata))
