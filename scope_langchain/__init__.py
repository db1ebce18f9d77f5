"""Prompts from the Scope Platform as LangChain prompts."""
