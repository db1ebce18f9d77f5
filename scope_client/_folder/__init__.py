"""Prompts as files: `tree` walks a folder, `prompt_files` finds those of a name, `escaping` writes names as paths."""
