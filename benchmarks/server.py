"""A server on loopback, in a process of its own, that answers from memory: what is measured is the client.

It speaks the protocol of every platform that is compared. Each has the same texts, in its own notation of variables.
"""

from __future__ import annotations

import functools
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scope_client import ApiKeyCredentials, ScopeClient

from .measure import SERVER, on_core

VALUES = {name: name * 10 for name in "abcde"}
LITERAL = "x" * 325
TOKEN = {"access_token": "token", "expires_in": 3600}
PATH = "/api/v1/prompts/p/production"
SLOW, SLOW_SECONDS = "slow-", 0.2
KEPT_ANSWERS = 1000
COUNT = re.compile(r"GET /count/([^/ ]+)")
STOP = "GET /stop "
ASKED: Counter[str] = Counter()
LOCK = threading.Lock()


@contextmanager
def running() -> Iterator[str]:
    """The URL of the server while it runs."""
    with on_core(SERVER):
        process = subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def client(url: str, **options: Any) -> ScopeClient:
    """A client of the server at this URL."""
    keys = ApiKeyCredentials("org", "key", "secret")
    return ScopeClient(credentials=keys, base_url=url, auth_api_url=url, **options)


def content(name: str, opening: str = "{{", closing: str = "}}") -> str:
    """The template, of 2 kB. It begins with the prompt's name, so that no two are the same."""
    return name + LITERAL + "".join(f"{opening}{variable}{closing}{LITERAL}" for variable in VALUES)


def filled(name: str) -> str:
    return name + LITERAL + "".join(value + LITERAL for value in VALUES.values())


def _scope(name: str) -> dict[str, Any]:
    """Whatever can differ from one prompt to the next does."""
    number = zlib.crc32(name.encode())
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + number % 10**7))
    return {
        "id": f"v_{name}_{number}",
        "prompt_id": f"prompt_{name}_{number}",
        "name": name,
        "version_number": 1 + number % 9999,
        "content": content(name),
        "status": "published",
        "metadata": {"owner": f"owner-{number}", "model": f"model-{number % 977}"},
        "tags": [f"tag-{number % 991}", f"group-{number}"],
        "created_at": created,
        "updated_at": created,
    }


def _langfuse(name: str) -> dict[str, Any]:
    ours = _scope(name)
    version = {"name": name, "version": 1, "type": "text", "labels": ["production"], "tags": ours["tags"]}
    return {**version, "config": ours["metadata"], "prompt": ours["content"]}


def _langsmith(name: str) -> dict[str, Any]:
    kind = ["langchain", "prompts", "prompt", "PromptTemplate"]
    template = {"template": content(name, "{", "}"), "template_format": "f-string", "input_variables": list(VALUES)}
    manifest = {"lc": 1, "type": "constructor", "id": kind, "kwargs": template}
    return {"commit_hash": f"commit-{name}", "manifest": manifest, "examples": []}


def _promptlayer(name: str) -> dict[str, Any]:
    texts = [{"type": "text", "text": content(name, "{", "}")}]
    template = {"type": "completion", "template_format": "f-string", "input_variables": list(VALUES), "content": texts}
    ours = _scope(name)
    version = {"id": 1, "prompt_name": name, "version": 1, "tags": ours["tags"], "metadata": ours["metadata"]}
    return {**version, "llm_kwargs": None, "prompt_template": template}


READS = (
    (re.compile(r"GET /api/v1/prompts/([^/? ]+)/"), _scope),
    (re.compile(r"GET /api/public/v2/prompts/([^/? ]+)"), _langfuse),
    (re.compile(r"GET /commits/-/([^/? ]+)/"), _langsmith),
    (re.compile(r"POST /prompt-templates/([^/? ]+)"), _promptlayer),
)


def serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection,), daemon=True).start()


def _converse(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream:
        while line := stream.readline():
            length = 0
            while (header := stream.readline().lower()).strip():
                if header.startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            stream.read(length)
            connection.sendall(_answer(line.decode()))


def _answer(line: str) -> bytes:
    """What a request with this first line gets. A prompt named `slow-...` takes a while, so that many ask at once."""
    for protocol, (pattern, _) in enumerate(READS):
        if found := pattern.match(line):
            with LOCK:
                ASKED[found[1]] += 1
            if found[1].startswith(SLOW):
                time.sleep(SLOW_SECONDS)
            return _version(protocol, found[1])
    if line.startswith(STOP):
        os._exit(0)
    counted = COUNT.match(line)
    return _http(ASKED[counted[1]] if counted else TOKEN)


@functools.lru_cache(maxsize=KEPT_ANSWERS)
def _version(protocol: int, name: str) -> bytes:
    return _http(READS[protocol][1](name))


def _http(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


if __name__ == "__main__":
    serve()
