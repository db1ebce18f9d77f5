"""Prompts from the Scope Platform in Django templates."""
