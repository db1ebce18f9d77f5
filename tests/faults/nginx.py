"""A real nginx that serves a token and a prompt, and answers nothing to the third request of a connection."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from faults.daemon import Daemon
from faults.replies import prompt_body

_CONFIGURATION = """
daemon off; master_process off; {user} error_log stderr crit; pid {folder}/pid; events {{}}
http {{
    access_log off; keepalive_timeout 60s;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        if ($connection_requests = 3) {{ return 444; }}
        location /v1/auth/ {{ default_type application/json; return 200 '{token}'; }}
        location / {{ default_type application/json; return 200 '{prompt}'; }}
    }}
}}
"""


class Nginx(Daemon):
    program = package = "nginx"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def words(self, folder: str) -> list[str]:
        text = _CONFIGURATION.format(
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            port=self.port,
            token=json.dumps({"access_token": "token-1", "expires_in": 3600}),
            prompt=json.dumps(prompt_body()),
        )
        path = Path(folder, "nginx.conf")
        path.write_text(text)
        return ["-c", str(path), "-p", folder]

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def empty(self) -> None:
        """It keeps nothing."""
