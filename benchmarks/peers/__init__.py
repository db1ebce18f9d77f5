"""scope-prompts beside other clients for prompts, each in a venv of its own and reading from a loopback server."""
