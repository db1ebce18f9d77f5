"""Prompts from the Scope Platform in Flask applications."""
