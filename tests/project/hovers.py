"""What an editor shows of a program, asked of pyright's language server."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Editor:
    """One that has a program open; see the Language Server Protocol, 3.17."""

    def __init__(self, process: subprocess.Popen[bytes], python: str) -> None:
        self._process = process
        self._python = python
        self._asked = 0

    def hover(self, uri: str, line: int, character: int) -> str:
        """The text that is shown at this place, which is counted from 0."""
        place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        shown = self.ask("textDocument/hover", place)
        return str(shown["contents"]["value"]) if shown else ""

    def ask(self, method: str, params: object) -> Any:
        self._asked += 1
        self.tell(method, params, id=self._asked)
        while True:
            message = self._receive()
            if "method" not in message and message.get("id") == self._asked:
                return message["result"]
            if "id" in message and message["method"] == "workspace/configuration":
                answer = [{"pythonPath": self._python} for _ in message["params"]["items"]]
                self._send({"id": message["id"], "result": answer})
            elif "id" in message:
                self._send({"id": message["id"], "result": None})

    def tell(self, method: str, params: object, **more: object) -> None:
        self._send({"method": method, "params": params, **more})

    def _send(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (line := self._process.stdout.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return dict(json.loads(self._process.stdout.read(length)))


@contextlib.contextmanager
def opened(program: str, folder: Path, scripts: Path) -> Iterator[tuple[Editor, str]]:
    """An editor with this program open in the folder, and the program's URI; pyright is among the scripts."""
    command = [str(scripts / "pyright-langserver"), "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            editor = Editor(process, str(scripts / "python"))
            root, uri = folder.as_uri(), f"{folder.as_uri()}/program.py"
            able = {"workspace": {"configuration": True}, "textDocument": {"hover": {"contentFormat": ["plaintext"]}}}
            folders = [{"uri": root, "name": "program"}]
            asked = {"processId": None, "rootUri": root, "capabilities": able, "workspaceFolders": folders}
            editor.ask("initialize", asked)
            editor.tell("initialized", {})
            document = {"uri": uri, "languageId": "python", "version": 1, "text": program}
            editor.tell("textDocument/didOpen", {"textDocument": document})
            yield editor, uri
        finally:
            process.kill()
