"""Tools that replace parts of requests, urllib3, TLS or sockets: what plain requests does with them, ours does.

Each runs in a process of its own (`faults.tools`), with readers of our session, of a given one, and of plain requests,
in turns with the tool at work and without it. These runs make the table in docs/guide/networks.md: `PYTHONPATH=tests
python -m field.test_tools` prints it.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from faults import tools
from faults.certificate import certificate
from faults.replies import prompt, token
from faults.server import FaultServer

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guide" / "networks.md"
PATIENCE = 100
# What plain requests cannot do either: a socket that TLS has taken already cannot become gevent's.
FLOWS = [
    (name, flow) for name in tools.TOOLS for flow in ("fresh", "before") if (name, flow) != ("gevent, TLS", "before")
]
HEAD = "| tool | version | sees the token's POST | sees the prompt's GET | works |"


def is_here(name: str) -> bool:
    """truststore needs Python 3.10."""
    return name != "truststore" or find_spec("truststore") is not None


HERE = [(name, flow) for name, flow in FLOWS if is_here(name)]


@functools.cache
def met(name: str, flow: str) -> dict[str, Any]:
    numbers = itertools.count(1)
    with FaultServer(tls=name in tools.OVER_TLS) as server:
        server.answers(lambda peer: peer.send(prompt(f"answer {next(numbers)}")))
        server.gives_tokens(token(expires_in=0))
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        trusted = str(certificate().authority)
        environment = {**os.environ, "PYTHONPATH": path, "REQUESTS_CA_BUNDLE": trusted, "HOME": "/nowhere"}
        words = [sys.executable, "-W", "ignore", "-m", "faults.tools", name, flow, server.url]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("name", "flow"), HERE)
def test_what_plain_requests_does_with_a_tool_ours_does_and_the_manual_says_so(name: str, flow: str) -> None:
    found = met(name, flow)
    plain = found["plain"]
    assert {turn if isinstance(turn, str) else turn[0] for turn in plain} <= {"told", "served", "kept"}
    assert found["ours"] == plain
    assert found["given"] == plain
    if flow == "fresh":
        (shown,) = re.findall(rf"^\| {re.escape(name)} \|.*$", PAGE.read_text(), re.MULTILINE)
        assert shown.split("|")[3:] == row(name).split("|")[3:]


def row(name: str) -> str:
    """A row of the table; a tool that tells of no request has no say in two of its columns."""
    found = met(name, "fresh")
    turns = found["ours"]
    seen = turns[0][1]
    says = [("yes" if method in seen else "no") if name in TELLING else "" for method in ("POST", "GET")]
    cells = [name, found["version"], *says, "yes" if turns == found["plain"] else "no"]
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


TELLING = list(tools.TOOLS)[: list(tools.TOOLS).index("pyOpenSSL")]


def test_the_table_of_the_manual_names_each_tool_with_a_version() -> None:
    text = PAGE.read_text()
    table = text[text.index(HEAD) :].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]
    assert [cells[0] for cells in rows] == list(tools.TOOLS)
    assert all(re.fullmatch(r"\d+(\.\w+)+", cells[1]) for cells in rows)


if __name__ == "__main__":
    print(HEAD, "|---" * 5 + "|", *map(row, tools.TOOLS), sep="\n")
