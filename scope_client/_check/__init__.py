"""The check of code, templates and prompts against each other."""
