"""Prompts as files on disk."""
