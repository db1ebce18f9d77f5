"""A page: a template with values, and the headers that keep a browser from anything but showing it."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Response, has_request_context, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..._config.credentials import SECRET_VARIABLES
from .._keys import WELL_KNOWN_SECRETS
from ._content import pieces_of, verdict_on
from ._fault_page import outages_of
from ._messages import as_json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._routes import Behind

HERE = Path(__file__).parent
TOKEN_BYTES = 24
READ_ONLY = (
    "The platform was started with --read-only, or you are not at the machine on which it runs. Nothing was changed. "
    "Edit the files of its folder, or start it without --read-only."
)
OLD_FORM = (
    "It does not have the token of this run of the platform, which may have been started anew since. Nothing was "
    "changed. Go back, copy what you wrote, reload the page and send it again."
)
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not "no-referrer": with that a browser sends the forms of a page with the Origin "null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Pages:
    """Makes the pages of one platform; `token` is what its forms have to bring back."""

    def __init__(self, behind: Behind) -> None:
        self.behind = behind
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.run = secrets.token_hex(4)
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        self._templates.filters.update(clock=clock, counted=counted, moment=moment, pieces=pieces_of, plain=plain)
        self._templates.globals["verdict_on"] = verdict_on

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page, with what each of them has."""
        return Response(self.part(template, **values), status, mimetype="text/html")

    def part(self, template: str, **values: Any) -> str:
        """The text of a template."""
        given = {"flaws": (), **self._around(), **values}
        return self._templates.get_template(template).render(given)

    def missing(self, title: str, message: str, status: int = 404, flaws: tuple[str, ...] = ()) -> Response:
        """A page that says what there is not."""
        return self.show("missing.html", status, title=title, message=message, flaws=flaws)

    @property
    def is_read_only(self) -> bool:
        """Whether this browser may change anything: from another machine, or through a proxy, it may not."""
        gate = self.behind.gate
        return not self.behind.library.writes or (has_request_context() and not gate.is_own_loopback(request.environ))

    @property
    def folder(self) -> str:
        """Where the prompts are; "" if they are in memory."""
        return self.behind.library.path

    def variables(self) -> dict[str, str]:
        """The environment of a program; "" for a secret that is not one of the well-known ones."""
        return _without_secrets(self.behind.environ())

    def client_variables(self) -> dict[str, str]:
        """The same for the client credentials."""
        _, keys = self.behind.keys
        return _without_secrets({"SCOPE_CLIENT_ID": keys.client_id, "SCOPE_CLIENT_SECRET": keys.client_secret})

    def read_only(self) -> Response:
        """The page that says why nothing can be changed."""
        return self.missing("These pages are read-only", READ_ONLY, 403)

    def refused_write(self) -> Response | None:
        """Why a form that was sent may not change anything, as a page; None if it may."""
        if self.is_read_only:
            return self.read_only()
        given = request.form.get("token", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            return self.missing("This form is too old", OLD_FORM, 403)
        return None

    def _around(self) -> dict[str, Any]:
        return {
            "here": request.path if has_request_context() else "",
            "token": self.token,
            "run": self.run,
            "read_only": self.is_read_only,
            "folder": self.folder,
            "outages": outages_of(self.behind.switches),
        }


def _without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    return {
        name: "" if name in SECRET_VARIABLES and value not in WELL_KNOWN_SECRETS else value
        for name, value in variables.items()
    }


def with_security(response: Response) -> Response:
    """The response, with the headers that each answer of the face has."""
    response.headers.update(SECURITY_HEADERS)
    return response


def clock(seconds: float) -> str:
    """Seconds as a clock shows them: 0:07, 12:00, 1:02:03."""
    minutes, left = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def counted(number: int, what: str) -> str:
    """A number and the word for it, in the plural unless it is one."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def moment(text: str) -> str:
    """A time as the platform writes it, on this machine's clock."""
    try:
        return f"{datetime.fromisoformat(text.replace('Z', '+00:00')).astimezone():%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return text


def plain(value: Any) -> str:
    """A value of the metadata: text as it is, all else as JSON."""
    return value if isinstance(value, str) and value else as_json_text(value)
