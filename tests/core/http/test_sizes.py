"""An answer of any size takes no more memory than the limit allows: measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from faults.clock import ends_within
from faults.replies import chunked, closes, floods, head
from faults.server import FaultServer

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 * 1024
ENOUGH = 30 * MEGABYTE
PIECE = b" " * MEGABYTE
CHUNK = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
READER = """
import sys, tracemalloc
import requests
from scope_client import ApiKeyCredentials, ScopeClient

url, own_session = sys.argv[1:]
client = ScopeClient(
    credentials=ApiKeyCredentials("org", "key", "secret"), base_url=url, auth_api_url=url, max_retries=0, timeout=20,
    session=requests.Session() if own_session == "True" else None,
)
tracemalloc.start()
try:
    client.get_prompt_version("huge")
except Exception as error:
    print(tracemalloc.get_traced_memory()[1], type(error).__name__, error)
"""


def gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


BOMB = gzip(b" " * 50 * MEGABYTE)
CHUNKED = head(Transfer_Encoding="chunked")
HUGE = {
    "a body of 300 MB in chunks": floods(CHUNKED, CHUNK, 300),
    "a body of 300 MB of a known length": floods(head(Content_Length=300 * MEGABYTE), PIECE, 300),
    "a body of 300 MB until the connection ends": floods(head(), PIECE, 300),
    "a body of 300 MB in one chunk": floods(CHUNKED + b"%x\r\n" % (300 * MEGABYTE), PIECE, 300),
    "an error of 300 MB": floods(head(404), PIECE, 300),
    "an error just below the limit, of broken characters": closes(head(500) + b"\xff" * 9 * MEGABYTE),
    "a redirect of 300 MB": floods(head(302, Location="/elsewhere"), PIECE, 300),
    "a gzip bomb": closes(head(Content_Encoding="gzip", Content_Length=len(BOMB)) + BOMB),
    "a gzip bomb in a chunk": closes(chunked(BOMB, Content_Encoding="gzip")),
    "a deflate bomb of an error": closes(head(500, Content_Encoding="deflate") + zlib.compress(PIECE * 50, 1)),
    "a body that is smaller than it says": floods(head(Content_Length=5, Transfer_Encoding="chunked"), CHUNK, 300),
    "the length of a chunk without an end": floods(CHUNKED, b"0" * MEGABYTE, 300),
    "the extension of a chunk without an end": floods(CHUNKED + b"1;", PIECE, 300),
    "trailers without an end": floods(CHUNKED + b"0\r\n", PIECE, 300),
    "a header without an end": floods(b"HTTP/1.1 200 OK\r\nX: ", PIECE, 300),
    "a status line without an end": floods(b"HTTP/1.1 200 ", PIECE, 300),
}


@pytest.mark.parametrize("own_session", [False, True])
@pytest.mark.parametrize("fault", HUGE)
def test_a_huge_answer_is_an_error_of_ours_and_takes_little_memory(
    fault: str, own_session: bool, server: FaultServer
) -> None:
    server.answers(HUGE[fault])
    command = [sys.executable, "-c", READER, server.url, str(own_session)]
    with ends_within(30):
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert run.stderr == ""
    peak, kind, *_ = run.stdout.split(maxsplit=2)
    assert int(peak) < ENOUGH
    assert kind in ("ApiError", "ServerError", "NoProductionVersionError", "ConnectionError")
