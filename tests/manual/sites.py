"""What the tests of pages about sites share: the rest of a project's settings, and the commands that a page shows."""

from __future__ import annotations

from manual import pages

DJANGO_SETTINGS = """
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SECRET_KEY = "not one"
DEBUG = True
ROOT_URLCONF = "urls"
USE_TZ = True
"""
DJANGO_TEMPLATES = """
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"]}]
"""
MANAGE = "import sys, django.core.management as m; m.execute_from_command_line(['manage.py', *sys.argv[1:]])"


def commands(page: str, program: str) -> list[str]:
    """What follows the program on the lines of a page's consoles, without the comments."""
    lines = [line for block in pages.blocks(page, "console") for line in block.text.splitlines()]
    said = (line.partition("  #")[0].rstrip() for line in lines)
    return [line[len(program) + 3 :] for line in said if line.startswith(f"$ {program} ")]
