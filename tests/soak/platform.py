"""The platform of a soak, a process of its own: tells the truth, or does what the weather on the board says."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from faults import replies
from faults.server import FaultServer, Peer

from .board import NAMES, NOBODYS, Board
from .processes import end_with_parent
from .truth import Edition, content_of
from .weather import WEATHERS

if TYPE_CHECKING:
    from .weather import Answer, Fault

TOKEN_LIFE_SECONDS = 20
LIES = ("another", "older", "unpublished", "refused")


class Platform:
    """Answers from the board. If a lie is planted, each answer is wrong in its way once the soak has begun."""

    def __init__(self, board: Board, lie: str) -> None:
        self._board = board
        self._lie = lie
        self._lock = threading.Lock()

    def prompts(self, peer: Peer) -> None:
        self._reply(peer, WEATHERS[self._board.weather].prompts, self._prompt)

    def tokens(self, peer: Peer) -> None:
        self._reply(peer, WEATHERS[self._board.weather].tokens, self._token)

    def _reply(self, peer: Peer, fault: Fault, answer: Answer) -> None:
        with self._lock:
            self._board.requests += 1
        reply = fault(peer, answer)
        reply(peer) if callable(reply) else peer.send(reply)

    def _token(self, peer: Peer) -> bytes:
        with self._lock:
            self._board.issued_tokens += 1
            return replies.token(f"token-{self._board.issued_tokens}", expires_in=TOKEN_LIFE_SECONDS)

    def _prompt(self, peer: Peer) -> bytes:
        token = (peer.request.header("Authorization") or "").rpartition("-")[2]
        if not token.isdigit() or int(token) <= self._board.expired_tokens:
            return replies.error(401, "the token has expired", "token_expired")
        name, which = peer.request.target.split("/prompts/")[1].split("/", 1)
        if name in NOBODYS:
            return replies.error(404, code="prompt_not_found")
        number = 0 if which.startswith("versions/") else self._board.current[NAMES.index(name)]
        edition = Edition(name, which.partition("/")[0], number)
        return self._untrue(edition) if self._lie and self._board.has_begun else self._version(name, edition)

    def _untrue(self, edition: Edition) -> bytes:
        if self._lie == "refused":
            return replies.error(403, "a refusal that was planted")
        told = {
            "another": edition._replace(name=NAMES[NAMES.index(edition.name) - 1]),
            "older": edition._replace(number=max(edition.number - 3, 0)),
            "unpublished": edition._replace(number=edition.number + 5),
        }
        return self._version(edition.name, told[self._lie])

    def _version(self, name: str, edition: Edition) -> bytes:
        return replies.prompt(content_of(edition), name=name, id=f"v_{name}_{edition.number}")


def main(board_path: str, port: str, lie: str) -> None:
    board = Board(Path(board_path))
    platform = Platform(board, lie)
    end_with_parent()
    server = FaultServer(port=int(port))
    # Before it serves: when it starts again, readers are waiting.
    server.answers(platform.prompts)
    server.gives_tokens(platform.tokens)
    with server:
        print(server.port, flush=True)
        while not board.is_over:
            server.requests.clear()
            threading.Event().wait(0.5)
    os._exit(0)  # whatever still hangs


if __name__ == "__main__":
    main(*sys.argv[1:])
