"""What the page on model clients says is true: the real clients of OpenAI and Anthropic send it to a server."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "integrations/model-clients.md"
SYSTEM = "You answer questions about the Lamp."
_TEXT = {"type": "output_text", "text": "Yes.", "annotations": []}
_MESSAGE = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
ANSWERS = {
    "/v1/chat/completions": {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
    },
    "/v1/responses": {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o",
        "status": "completed",
        "output": [{**_MESSAGE, "content": [_TEXT]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    },
    "/v1/messages": {
        "id": "a",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Yes."}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
}


class Models(http.server.ThreadingHTTPServer):
    """Answers as the models' servers do, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []

    @property
    def environ(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server_port}"
        keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), "not-one")
        return {"OPENAI_BASE_URL": f"{url}/v1", "ANTHROPIC_BASE_URL": url, **keys}


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Models

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def models() -> Iterator[Models]:
    with Models() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(file, folder, platform, models):
    pages.write_files(PAGE, folder)
    return pages.python([file], folder, **platform.environ, **models.environ)


def test_openai_gets_the_messages_and_the_settings_of_the_version(folder, platform, models):
    done = run("with_openai.py", folder, platform, models)
    assert done.stdout == "Yes.\nmade by answer, version 1\n", done.stderr
    question = {"role": "user", "content": 'Is it "dimmable"?'}
    messages = [{"role": "system", "content": SYSTEM}, question]
    assert models.asked == [{"model": "gpt-4o", "temperature": 0.2, "messages": messages}]


def test_openai_gets_them_on_an_event_loop_too(folder, platform, models):
    done = run("with_openai_on_a_loop.py", folder, platform, models)
    assert done.stdout == "Yes.\n", done.stderr
    (asked,) = models.asked
    assert [message["role"] for message in asked["input"]] == ["system", "user", "assistant", "user"]


def test_anthropic_gets_the_system_prompt_apart(folder, platform, models):
    done = run("with_anthropic.py", folder, platform, models)
    if sys.version_info < (3, 11):
        assert "No module named 'anthropic'" in done.stderr  # which one Python is enough for
        return
    assert done.stdout == "Yes.\n", done.stderr
    (asked,) = models.asked
    assert (asked["system"], asked["max_tokens"]) == (SYSTEM, 300)
    assert asked["messages"] == [{"role": "user", "content": "Is it dimmable?"}]
