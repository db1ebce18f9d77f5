"""How much memory a client's process gains, at its peak, from an answer of 300 MB, which it refuses (Linux)."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

from .measure import Row

MEGABYTES = 300
LIMIT = 30.0
CLIENT = """
import sys
from scope_client import ApiError, ApiKeyCredentials, ScopeClient

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

url = sys.argv[1]
client = ScopeClient(credentials=ApiKeyCredentials("o", "k", "s"), base_url=url, auth_api_url=url, max_retries=0)
client.get_prompt_version("small", cache=False)
before = peak()
try:
    client.get_prompt_version("large", cache=False)
except ApiError as error:
    assert "over the limit" in str(error), error
    print(peak() - before)
"""


def rows() -> list[Row]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ran = subprocess.run([sys.executable, "-c", CLIENT, url], capture_output=True, text=True, check=True)
    grown = float(ran.stdout)
    return [Row(f"memory gained, {MEGABYTES} MB answer", f"{grown:.1f} MB", "", grown, LIMIT, unit="MB")]


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        request = connection.recv(65536)
        if b"/large/" in request:
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            megabyte = b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n"
            try:
                for _ in range(MEGABYTES):
                    connection.sendall(megabyte)
            except OSError:
                return
            return
        body = b'{"content": "small", "access_token": "token"}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
