"""Whatever the platform, a store, a file or a caller writes: no log, status or terminal line is forged by it."""

from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest
from faults.inside import store_key
from faults.reading import wait_until_idle, warnings
from faults.replies import answer, closes, error, json_answer, prompt, token

from scope_client import MemoryStore, ScopeClient, ScopeError
from scope_client.frameworks import Report, explained
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from faults.clock import ManualClock
    from faults.server import FaultServer

Make = Callable[..., ScopeClient]
FORGED = "no\r\n2030-01-01 CRITICAL all is lost\x1b[2J\x1b]0;owned\x07\x9b2J\u2028\u202e\x00\x7f"
LONG = "x" * 200_000


def is_fit(text: str) -> bool:
    return text.isprintable() and len(text) < 3000


REPLIES = {
    "a message": error(422, FORGED),
    "a code": error(422, "no", FORGED),
    "an error as text": json_answer({"error": FORGED}, 500),
    "an error as an object": json_answer({"error": {"code": FORGED, "message": FORGED}}, 403),
    "a request ID": json_answer({"message": "no"}, 422, X_Request_ID="a\x1b[2J\x9b2J\x7f"),
    "a type": prompt("x", type=FORGED),
    "a type of content": answer("<", Content_Type="\x1b[2J"),
    "an encoding": answer("x", Content_Encoding="\x1b[2J"),
    "a message and a code too long": error(422, LONG, LONG),
    "a request ID too long": json_answer({"message": "no"}, 422, X_Request_ID="x" * 30_000),
    "a role": prompt([{"role": FORGED, "content": 5}], type="chat"),
    "chat that is not JSON": prompt(FORGED, type="chat"),
    "a status line": closes(b"HTTP/1.1 2\x1b[2J0 \x9b2J\r\n\r\n"),
    "no HTTP": closes(b"\x1b[2J\x9b2J\r\n\r\n"),
}


@pytest.mark.parametrize("where", ["reads", "tokens"])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_what_the_platform_says(
    where: str, reply: object, make_client: Make, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(max_retries=1, timeout=5)
    server.answers(reply) if where == "reads" else server.gives_tokens(reply)
    with pytest.raises(ScopeError) as caught:
        client.get_prompt_version("greeting")
    found = caught.value
    told = [str(found), found.message, found.error_code, found.request_id, client.status().last_error]
    assert [text for text in told if text is not None and not is_fit(text)] == []
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("scope_client")]
    assert lines
    assert [line for line in lines if not is_fit(line)] == []
    assert is_fit(explained(found))


def test_the_warnings_of_an_outage_and_of_a_renewal(
    make_client: Make, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    server.gives_tokens(token(expires_in=1000), error(500, FORGED))
    server.answers(prompt("x", id=FORGED), error(503, FORGED))
    client.get_prompt_version("greeting")
    assert is_fit(client.status().prompts[0].version_id)
    clock.passes(980)
    assert client.get_prompt_version("greeting").content == "x"
    wait_until_idle(client)
    assert len(warnings(caplog)) == 2
    assert [line for line in warnings(caplog) if not is_fit(line) or "CRITICAL" not in line] == []


def test_what_a_store_says(make_client: Make, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryStore):
        def get_many(self, keys: object) -> dict[str, str]:
            raise OSError(FORGED + LONG)

    assert make_client(cache_store=Broken()).get_prompt_version("greeting").content
    (line,) = warnings(caplog)
    assert is_fit(line)
    assert "CRITICAL" in line


def test_what_a_store_says_that_another_process_was_told(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    store = MemoryStore(timer=lambda: clock.time)
    first, second = (make_client(cache_store=store, max_retries=0) for _ in range(2))
    server.answers(error(404, "no such prompt", "prompt_not_found"))
    with pytest.raises(ScopeError):
        first.get_prompt_version("greeting")
    key = store_key(second)
    text = store.get_many([key])[key]
    forged = text.replace("no such prompt", json.dumps(FORGED + LONG)[1:-1]).replace("prompt_not_found", "\\u001b[2J")
    store.set(key, forged, None)
    with pytest.raises(ScopeError) as caught:
        second.get_prompt_version("greeting")
    assert "CRITICAL" in str(caught.value)
    assert len(server.reads) == 1
    assert is_fit(str(caught.value))
    assert is_fit(caught.value.error_code)


def test_what_a_caller_calls_a_prompt(make_client: Make, server: FaultServer) -> None:
    client = make_client(max_retries=0)
    server.answers(error(404, f"prompt {FORGED} was not found"), error(404, "no"), error(404, "no"))
    for label in ("latest", "production"):
        with pytest.raises(ScopeError) as caught:
            client.get_prompt_version(FORGED, label=label)
        assert is_fit(str(caught.value))
    with pytest.raises(ScopeError) as caught:
        client.prefetch([FORGED], strict=True)
    assert is_fit(str(caught.value))


FILES = {
    "a name": ("no\n\x1b[2J.md", "---\nstatus: odd\n---\nx"),
    "a key": ("greeting.md", '---\n"\\e[2J\\n": 1\n---\nx'),
    "a value": ("greeting.md", '---\nstatus: "\\e[2J\\n"\n---\nx'),
    "a key of the metadata": ("greeting.md", '---\nmetadata: {"\\e[2J\\n": !!set {a}}\n---\nx'),
    "what is not YAML": ("greeting.md", "---\n\x9b2J: [\u202e\n---\nx"),
    "a tag": ("greeting.md", "---\nmetadata: !odd%0A%1B[2J {}\n---\nx"),
}


@pytest.mark.parametrize(("name", "text"), FILES.values(), ids=FILES)
def test_what_a_file_says(
    name: str, text: str, make_client: Make, clock: ManualClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other.md").write_text("x")
    client = make_client(prompt_dir=str(tmp_path))
    (tmp_path / name).write_text(text)
    clock.passes(10)
    client.get_prompt_version(name[: -len(".md")])
    (line,) = warnings(caplog, "scope_client.folder")
    assert is_fit(line)
    with pytest.raises(ScopeError) as caught:
        make_client(prompt_dir=str(tmp_path))
    assert [each for each in str(caught.value).split("\n") if not is_fit(each)] == []


def test_what_a_setting_is_called() -> None:
    from scope_client.frameworks import Settings

    problems = Settings({f"CACHE_TTLL{FORGED}": 1}, spelled="SCOPE_{}").problems
    assert problems
    assert [str(each) for each in problems if not is_fit(str(each))] == []


# What commands print.

ODD = "a\r\x1b[2J\x9b2J\x7f\u202e \u2028 ü 名 🎈\ud800"


def test_a_report_is_read_by_people_and_its_json_says_the_same() -> None:
    report = Report([f"{ODD}: not there"], {"name": ODD[:-1]})
    assert report.text().isprintable()
    shown = report.text(as_json=True)
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []
    assert "ü 名 🎈" in shown
    assert json.loads(shown) == {"name": ODD[:-1]}


def test_the_text_of_a_prompt_is_as_it_is_for_programs_and_harmless_in_a_terminal() -> None:
    report = Report(["a\r\n\tb\x1b[2J"], {}, is_content=True)
    assert report.text() == "a\r\n\tb\x1b[2J"
    assert report.text(is_terminal=True) == "a\\r\n\tb\\x1b[2J"


@pytest.mark.parametrize("arguments", [["get", "odd"], ["get", "odd", "--json"], ["render", "odd"]])
def test_the_command_in_a_terminal_writes_no_escape_sequence(arguments: list[str]) -> None:
    with LocalPlatform() as platform:
        platform.publish("odd", "first\nsecond\x1b[2J\x9b2J", metadata={"a": "\x9b2J"})
        ours, theirs = pty.openpty()
        root = Path(__file__).resolve().parents[2]
        subprocess.run(
            [sys.executable, "-m", "scope_client.cli", *arguments],
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, **platform.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"},
            timeout=60,
            check=True,
        )
        os.close(theirs)
        shown = os.read(ours, 65_536).decode()
        os.close(ours)
    assert "second" in shown
    assert [char for char in shown if not char.isprintable() and char not in "\r\n"] == []
