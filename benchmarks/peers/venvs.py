"""A venv for each client, in a folder at the project's root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .roster import OURS, Peer

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-peers"
OWN = ("PYTHON", "SCOPE_", "LANGFUSE_", "LANGSMITH_", "LANGCHAIN_", "PROMPTLAYER_", "OTEL_")


def prepare(peer: Peer) -> None:
    """Makes the venv where there is none; scope-client is installed again each time, from the tree as it is."""
    python = interpreter(peer)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home(peer))], check=True)
        _pip(peer, "--upgrade", "pip>=25.1")
    elif peer is not OURS and version(peer):
        return
    _pip(peer, str(ROOT) if peer is OURS else peer.package, *peer.needs)


def home(peer: Peer) -> Path:
    return FOLDER / peer.package


def interpreter(peer: Peer) -> Path:
    return home(peer) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def version(peer: Peer) -> str:
    """The version that was installed; empty where none is."""
    code = f"from importlib.metadata import version; print(version({peer.package!r}))"
    ran = subprocess.run([str(interpreter(peer)), "-c", code], capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def environ(peer: Peer, ttl: int) -> dict[str, str]:
    """This environment with the peer's settings, and without a home, a proxy or what somebody set for a client."""
    kept = {name: value for name, value in os.environ.items() if not _is_dropped(name)}
    settings = {name: value.format(ttl=ttl) for name, value in peer.settings}
    return {**kept, **settings, "HOME": str(home(peer))}


def _is_dropped(name: str) -> bool:
    return name.upper().startswith(OWN) or name.lower().endswith("_proxy")


def _pip(peer: Peer, *wanted: str) -> None:
    subprocess.run([str(interpreter(peer)), "-m", "pip", "install", "--quiet", *wanted], check=True)
