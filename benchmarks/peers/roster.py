"""Who is compared, and the venv of each at the project's root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
VENVS = ROOT / ".venv-peers"


class Peer(NamedTuple):
    """`reader` is a function of `readers`, and `imports` is what a user imports."""

    title: str
    package: str
    reader: str
    imports: str
    needs: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        return str(VENVS / self.package / "bin" / "python")

    @property
    def environ(self) -> dict[str, str]:
        """Nothing that this machine sets for a client."""
        return {"PATH": os.environ["PATH"], "HOME": str(VENVS / self.package)}

    def prepare(self) -> None:
        """Makes the venv unless it is there. Ours is installed each time, from the tree as it is."""
        if not Path(self.python).exists():
            subprocess.run([sys.executable, "-m", "venv", str(VENVS / self.package)], check=True)
        wanted = [str(ROOT) if self is OURS else self.package, *self.needs]
        subprocess.run([self.python, "-m", "pip", "install", "--quiet", *wanted], check=True)

    def version(self) -> str:
        code = f"from importlib.metadata import version; print(version({self.package!r}))"
        return subprocess.run([self.python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


OURS = Peer("scope-prompts", "scope-prompts", "scope", "from scope_client import ScopeClient")
LANGFUSE = Peer("Langfuse", "langfuse", "langfuse", "from langfuse import Langfuse")
LANGSMITH = Peer("LangSmith", "langsmith", "langsmith", "from langsmith import Client", ("langchain-core",))
PROMPTLAYER = Peer("PromptLayer", "promptlayer", "promptlayer", "from promptlayer import PromptLayer")
ALL = (OURS, LANGFUSE, LANGSMITH, PROMPTLAYER)
BY_HAND = OURS._replace(reader="by_hand")
LANGSMITH_BY_HAND = LANGSMITH._replace(reader="langsmith_by_hand")
