"""What a FaultServer can be told to answer."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from faults.server import Peer, Reply


def head(status: int = 200, *, version: str = "HTTP/1.1", **headers: object) -> bytes:
    """A status line and headers; `Content_Type=` is Content-Type."""
    lines = [f"{version} {status} Said", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def answer(body: bytes | str, status: int = 200, **headers: object) -> bytes:
    octets = body.encode() if isinstance(body, str) else body
    return head(status, **{"Content_Length": len(octets), **headers}) + octets


def json_answer(body: Any, status: int = 200, **headers: object) -> bytes:
    return answer(json.dumps(body), status, **{"Content_Type": "application/json", **headers})


def prompt(content: object = "Hello, {{name}}!", **fields: object) -> bytes:
    return json_answer(prompt_body(content, **fields))


def prompt_body(content: object = "Hello, {{name}}!", **fields: object) -> dict[str, Any]:
    return {"id": "v_1", "prompt_id": "prompt_1", "name": "greeting", "content": content, **fields}


def token(text: object = "token-1", **fields: object) -> bytes:
    return json_answer({"access_token": text, "expires_in": 3600, **fields})


def error(status: int, message: str = "said the server", code: str = "some_code", **headers: object) -> bytes:
    return json_answer({"code": code, "message": message}, status, **headers)


def chunked(*chunks: bytes, is_whole: bool = True, **headers: object) -> bytes:
    pieces = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return head(Transfer_Encoding="chunked", **headers) + b"".join(pieces) + (b"0\r\n\r\n" if is_whole else b"")


def closes(after: bytes = b"") -> Reply:
    def reply(peer: Peer) -> None:
        peer.send(after)
        peer.close()

    return reply


def resets(after: bytes = b"") -> Reply:
    def reply(peer: Peer) -> None:
        peer.send(after)
        peer.stopping.wait(0.05 if after else 0)  # a RST overtakes bytes that have not been read
        peer.reset()

    return reply


def hangs(after: bytes = b"") -> Reply:
    def reply(peer: Peer) -> None:
        peer.send(after)
        peer.wait_for_its_end()

    return reply


def drips(data: bytes, *, at_once: bytes = b"", pause: float = 0.02) -> Reply:
    """Sends one byte at a time."""

    def reply(peer: Peer) -> None:
        peer.send(at_once)
        for place in range(len(data)):
            if peer.stopping.wait(pause):
                return
            peer.send(data[place : place + 1])

    return reply


def floods(start: bytes, piece: bytes, count: int) -> Reply:
    def reply(peer: Peer) -> None:
        peer.send(start)
        for _ in range(count):
            peer.send(piece)
        peer.close()

    return reply


def echoes(make: Callable[[str], bytes]) -> Reply:
    """Answers with what `make` makes of the request's whole text."""
    return lambda peer: peer.send(make(peer.request.text()))


def brief(value: object) -> str | None:
    """The name of a parametrized reply, which is too long to be one itself."""
    return "reply" if isinstance(value, bytes) else None


class Gate:
    """Holds replies back until it is opened."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def open(self) -> None:
        self._opened.set()

    def holds(self, reply: bytes) -> Reply:
        def held(peer: Peer) -> None:
            while not (self._opened.wait(0.02) or peer.stopping.is_set()):
                pass
            peer.send(reply)

        return held


PROMPT = prompt()
