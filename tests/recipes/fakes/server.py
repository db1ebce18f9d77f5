"""Models on loopback that speak the protocols of OpenAI and Anthropic, and keep what they were asked.

    with ModelServer() as models:
        os.environ.update(models.environ)
        ...
        models.asked[-1].body

Without a script, a model answers with the first words of its system prompt and the last question (`answers.said`).
"""

from __future__ import annotations

import http.server
import json
import socket
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from recipes.fakes import anthropic_messages, openai_chat, openai_responses
from recipes.fakes.answers import Body, ToolCall, answer_to, is_word, tools_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipes.fakes.answers import Event
    from typing_extensions import Self

PROTOCOLS: dict[str, Any] = {
    "/v1/chat/completions": openai_chat,
    "/v1/responses": openai_responses,
    "/v1/messages": anthropic_messages,
}
POLL_SECONDS = 0.02
LONGEST_HANG_SECONDS = 60.0
DIMENSIONS = 8


class Asked(NamedTuple):
    """One request for an answer."""

    path: str
    body: Body
    headers: dict[str, str]
    """By their names in lower case."""


class ModelServer:
    """Runs between `__enter__` and `__exit__`, in threads of its own."""

    def __init__(self) -> None:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
        self._scripted: list[tuple[ToolCall, ...]] = []
        self._failures: list[int] = []
        self._texts: list[str] = []
        self._streaming = threading.Semaphore(0)
        self._may_answer = threading.Event()
        self._may_answer.set()
        self._is_held = False
        self._breaks_after: int | None = None
        self._numbers = iter(range(1, 1_000_000))
        self.asked: list[Asked] = []
        """Every request for an answer, in the order in which they came."""
        self.streams_cut = 0
        """How many streams their readers left before the end."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """ANTHROPIC_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def openai_url(self) -> str:
        """OPENAI_BASE_URL."""
        return f"{self.url}/v1"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables by which the libraries find this server."""
        keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), "sk-not-a-key")
        return {"OPENAI_BASE_URL": self.openai_url, "ANTHROPIC_BASE_URL": self.url, **keys}

    @property
    def bodies(self) -> list[Body]:
        """Of every request for an answer."""
        return [asked.body for asked in self.asked]

    def will_call(self, name: str, /, **arguments: Any) -> None:
        """The next request that offers this tool is answered with a call of it; several are used one after another."""
        self._scripted.append((ToolCall(f"call_{next(self._numbers)}", name, arguments),))

    def will_say(self, *texts: str) -> None:
        """The next answers that are no calls of tools have these texts, one after another."""
        self._texts += texts

    def fail(self, status: int, times: int = 1) -> None:
        """The next requests are answered with this status."""
        self._failures += [status] * times

    def hang(self) -> None:
        """From now on no answer begins until `let_go`, or `let_begin`."""
        self._may_answer.clear()

    def break_stream(self, after: int) -> None:
        """The next stream has an error in place of what follows so many words."""
        self._breaks_after = after

    def hold_streams(self) -> None:
        """From now on a stream stands before each of its words until `let_word_go` or `let_go`."""
        self._is_held = True

    def let_word_go(self, count: int = 1) -> None:
        """So many words of what is held are sent."""
        for _ in range(count):
            self._streaming.release()

    def let_begin(self) -> None:
        """Ends `hang`; streams that are held stay so."""
        self._may_answer.set()

    def let_go(self) -> None:
        """All is sent, and nothing is held any more."""
        self._is_held = False
        self._may_answer.set()

    def _answer(self, path: str, body: Body, headers: dict[str, str]) -> tuple[int, Body | Iterator[Event]]:
        self.asked.append(Asked(path, body, headers))
        if self._failures:
            status = self._failures.pop(0)
            said = {"type": "server_error", "message": f"the fake was told to answer {status}", "code": None}
            return status, {"type": "error", "error": said}
        protocol = PROTOCOLS[path]
        answer = answer_to(body, next(self._numbers), self._calls_for(body))
        if self._texts and not answer.calls:
            answer = answer._replace(text=self._texts.pop(0))
        self._may_answer.wait(LONGEST_HANG_SECONDS)
        if body.get("stream"):
            return 200, self._until_it_breaks(protocol.events(body, answer))
        return 200, protocol.whole(body, answer)

    def _calls_for(self, body: Body) -> tuple[ToolCall, ...]:
        if self._scripted and {call.name for call in self._scripted[0]} <= tools_of(body):
            return self._scripted.pop(0)
        return ()

    def _until_it_breaks(self, events: Iterator[Event]) -> Iterator[Event]:
        left, self._breaks_after = self._breaks_after, None
        for name, data in events:
            if left is not None and is_word(data):
                left -= 1
                if left < 0:
                    yield "error", {"type": "error", "error": {"type": "server_error", "message": "told to break"}}
                    return
            yield name, data

    def _may_go(self, reader: socket.socket) -> None:
        """Returns when a held stream may send its next word; raises ConnectionError if its reader has left."""
        while self._is_held and not self._streaming.acquire(timeout=POLL_SECONDS):
            if _has_left(reader):
                raise ConnectionResetError("the reader of a stream has left")


def _line(name: str | None, data: Body | str) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def _has_left(reader: socket.socket) -> bool:
    try:
        return reader.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, models: ModelServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models = models

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # of a reader that has left


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        model = {"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "nobody"}
        self._send(200, {"object": "list", "data": [model], "has_more": False} if self._path == "/v1/models" else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if self._path == "/v1/embeddings":
            return self._send(200, _embedded(body))
        if self._path not in PROTOCOLS:
            return self._send(404, {"error": {"message": f"no such path: {self._path}", "type": "not_found"}})
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answer = self.server.models._answer(self._path, body, headers)
        return self._send(status, answer) if isinstance(answer, dict) else self._stream(answer)

    @property
    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _send(self, status: int, answer: Body) -> None:
        octets = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def _stream(self, events: Iterator[Event]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for name, data in events:
                if is_word(data):
                    self.server.models._may_go(self.connection)
                self.wfile.write(_line(name, data))
        except ConnectionError:
            self.server.models.streams_cut += 1

    def log_message(self, *_: object) -> None:
        pass


def _embedded(body: Body) -> Body:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [{"object": "embedding", "index": place, "embedding": [1.0] * DIMENSIONS} for place, _ in enumerate(texts)]
    return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}}
