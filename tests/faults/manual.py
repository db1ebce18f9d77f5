"""A page of the manual as files and programs, which a test writes down and runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
_WHOLE = re.DOTALL | re.MULTILINE
_NAMED = re.compile(r"^```(?:python|django|jinja)\n(?:# |\{# )([\w/.-]+\.\w+)(?: #\})?\n(.*?)^```$", _WHOLE)
_PROMPT = re.compile(r"`prompts/([\w/-]+\.md)`:\n\n```markdown\n(.*?)^```$", _WHOLE)
TUTORIAL = {
    "greeting.md": "---\nmetadata: {model: gpt-4, temperature: 0.7}\n---\nGood {{time_of_day}}, {{name}}!\n",
    "support-chat.md": """---
type: chat
---
[
  {"role": "system", "content": "You answer questions about the {{product}}."},
  {"role": "user", "content": "{{question}}"}
]
""",
}

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


class ManualPage:
    """A page, by its path in `docs`."""

    def __init__(self, path: str) -> None:
        self.text = (ROOT / "docs" / path).read_text()
        self.named = _NAMED.findall(self.text)

    @property
    def files(self) -> dict[str, str]:
        """The blocks that name their file; those of one file one after another."""
        found: dict[str, str] = {}
        for name, text in self.named:
            found[name] = found.get(name, "") + text
        return found

    @property
    def prompts(self) -> dict[str, str]:
        """The files of the page's folder of prompts, with those of the tutorial."""
        return {**TUTORIAL, **dict(_PROMPT.findall(self.text))}

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, _WHOLE)

    def after(self, words: str, language: str = "text") -> str:
        """The block that comes right after a paragraph with these words."""
        (found,) = re.findall(rf"{re.escape(words)}[^\n]*\n\n```{language}\n(.*?)^```$", self.text, _WHOLE)
        return str(found)

    def commands(self, program: str) -> list[str]:
        """What follows the program on the lines of its consoles that begin with `$`, without the comments."""
        return re.findall(rf"^\$ {re.escape(program)} (.+?)(?: {{2,}}#.*)?$", self.text, re.MULTILINE)

    def write(self, folder: Path, *names: str) -> Path:
        """Writes these files of the page, or all of them, and its prompts, into the folder."""
        files = {f"prompts/{name}": text for name, text in self.prompts.items()}
        files.update({name: text for name, text in self.files.items() if not names or name in names})
        write(folder, files)
        return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run_python(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python in the folder, which finds the modules there; a warning is an error."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_tests(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the tests of the folder as a user's pytest does who has scope-prompts installed."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "scope_client.testing.plugin", *arguments]
    return run_python(folder, *words, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", **environment)
