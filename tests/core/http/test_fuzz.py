"""Whatever bytes come back, the caller gets a version or an error of ours."""

from __future__ import annotations

import random
from typing import Callable

import pytest
from faults.replies import PROMPT, chunked, closes, error, head, json_answer, token
from faults.server import FaultServer

from scope_client import PromptVersion, ScopeClient, ScopeError

GOOD = (
    PROMPT,
    head(100) + PROMPT,
    chunked(b'{"content": "Hello"', b"}"),
    error(404, "Prompt not found"),
    error(429, Retry_After="0"),
    error(302, Location="/elsewhere"),
    json_answer({"content": "x"}, Content_Encoding="gzip"),
    json_answer({"content": [{"role": "user", "content": "{{x}}"}], "metadata": {"a": 1}, "tags": ["t"]}),
)
JUNK = (
    *(
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\x00",
        b":",
        b";",
        b"-1",
        b"0",
        b"9" * 30,
        b"\xff\xfe",
        b"\x85",
        b"  ",
        b"{",
        b"[",
    ),
    *(
        b"HTTP/1.1 ",
        b"chunked",
        b"gzip",
        b"Infinity",
        b"Retry-After: ",
        b"Set-Cookie: a=b; domain=",
        b"Content-Length: 3\r\n",
    ),
    *(b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n"),
)


def spoilt(reply: bytes, chance: random.Random) -> bytes:
    data = bytearray(reply)
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(data) + 1)
        harm = chance.choice(["cut", "put", "drop", "flip"])
        if harm == "cut" and chance.random() < 0.3:
            del data[place:]
        elif harm == "put":
            data[place:place] = chance.choice(JUNK)
        elif harm == "drop":
            del data[place : place + chance.randint(1, 9)]
        elif place < len(data):
            data[place] = chance.randrange(256)
    return bytes(data)


def outcome(client: ScopeClient) -> object:
    try:
        return client.get_prompt_version("greeting", cache=False)
    except ScopeError as failure:
        return failure


@pytest.mark.parametrize("seed", range(4))
def test_a_spoilt_answer_is_a_version_or_an_error_of_ours(
    seed: int, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client, chance = make_client(max_retries=0, timeout=20), random.Random(seed)
    for _ in range(150):
        reply = spoilt(chance.choice(GOOD), chance)
        server.answers(closes(reply))
        assert isinstance(outcome(client), (PromptVersion, ScopeError)), reply


@pytest.mark.parametrize("seed", range(2))
def test_a_spoilt_token_is_a_version_or_an_error_of_ours(
    seed: int, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    chance = random.Random(seed)
    for _ in range(150):
        reply = spoilt(token(), chance)
        server.gives_tokens(closes(reply))
        with make_client(max_retries=0, timeout=20) as client:
            assert isinstance(outcome(client), (PromptVersion, ScopeError)), reply
