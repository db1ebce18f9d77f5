"""A recipe that is a chat in the terminal, while it runs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from manual import pages
from recipes import recipe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

# Without what these libraries send home, or fetch from there; what is imported is compiled once.
QUIET = {"OPENAI_AGENTS_DISABLE_TRACING": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONDONTWRITEBYTECODE": ""}
SHORT_LIVED = {"SCOPE_CACHE_TTL": "0.001", "SCOPE_TIMEOUT": "1"}


class Conversation:
    """Runs between `__enter__` and `__exit__`."""

    def __init__(self, python: Path | str, name: str, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [python, "-u", str(recipe.FOLDER / name)],
            env=pages.environment({**QUIET, **SHORT_LIVED, **environ}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def ask(self, question: str) -> str:
        """The answer, to the line that names the version; if the program ends instead, that fails with what it said."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        answer = ""
        while not answer.endswith("]\n"):
            line = self._process.stdout.readline()
            assert line.endswith("\n"), self._process.communicate(timeout=recipe.PATIENCE)[1]
            answer += line
        return answer.removeprefix("> ").rstrip("\n")

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate("", timeout=recipe.PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
