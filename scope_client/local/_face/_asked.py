"""What was asked: the last requests as a table, and what happens from then on as server-sent events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Optional
from urllib.parse import quote, unquote

from flask import Response, request

from ._fault_page import outages_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Blueprint

    from .._journal import RecordedRequest
    from ._page import Pages

SHOWN_REQUESTS = 200
HEARTBEAT_SECONDS = 10.0
TO_TRY_AGAIN = "retry: 2000\n"  # milliseconds, after which a browser connects again


class Row(NamedTuple):
    """A request as the table has it; `prompt` is None for one that is not for a prompt."""

    number: int
    time: str
    status: Optional[int]
    prompt: Optional[str]
    what: str
    url: str
    note: str
    took: str
    client: str

    @property
    def is_wrong(self) -> bool:
        return self.status is not None and self.status >= 400


class Asked:
    """The views."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._journal = pages.behind.journal

    def add_to(self, face: Blueprint) -> None:
        face.add_url_rule("/requests", "requests", self.requests)
        face.add_url_rule("/events", "events", self.events)

    def requests(self) -> Response:
        """The last ones, the newest first."""
        news = self._journal.follow(0, 0)
        last = () if news is None else news.requests[-SHOWN_REQUESTS:]
        rows = [row_of(number, record) for number, record in sorted(last, reverse=True)]
        return self._pages.show("requests.html", rows=rows, after=0 if news is None else news.position)

    def events(self) -> Response:
        """How the platform is; and for a page that shows them, each request when it arrives and when it is answered."""
        said = request.headers.get("Last-Event-ID") or request.args.get("after", "")
        after = int(said) if said.isascii() and said.isdecimal() and len(said) < 16 else 0
        is_read_only = self._pages.is_read_only
        events = self._events(after, with_requests=request.args.get("requests") == "1", is_read_only=is_read_only)
        return Response(events, mimetype="text/event-stream")

    def _events(self, after: int, *, with_requests: bool, is_read_only: bool) -> Iterator[str]:
        yield f"{TO_TRY_AGAIN}event: hello\ndata: {self._pages.run}\n\n"
        shown: Optional[list[tuple[str, str, int]]] = None
        while True:
            outages = outages_of(self._pages.behind.switches)
            # The clocks in it run by themselves in the page, so that it is no news that they have run.
            state = [(outage.key, outage.said, outage.hits) for outage in outages]
            if state != shown:
                shown = state
                yield _event("state", self._pages.part("_state.html", outages=outages, read_only=is_read_only))
            ends = [outage.left for outage in outages if outage.left is not None]
            news = self._journal.follow(after, min([HEARTBEAT_SECONDS, *ends]))
            if news is None:
                return
            after = news.position
            if not news.requests or not with_requests:
                yield ":\n\n"
                continue
            for number, record in news.requests[-SHOWN_REQUESTS:]:
                yield _event("request", self._pages.part("_row.html", row=row_of(number, record)), after)


def row_of(number: int, record: RecordedRequest) -> Row:
    """A request as the table has it."""
    path = record.path.partition("?")[0]
    prompt, what = _asked_for(path)
    return Row(
        number=number,
        time=f"{datetime.fromtimestamp(record.at):%H:%M:%S}",
        status=record.status,
        prompt=prompt,
        what=what,
        url="" if prompt is None else f"/prompts/{quote(prompt, safe='')}",
        note=record.note,
        took="" if record.elapsed_ms is None else f"{record.elapsed_ms:,.1f}",
        client=record.client,
    )


def _asked_for(path: str) -> tuple[Optional[str], str]:
    """The prompt, and its label or version; or None and the path."""
    parts = path.split("/")
    if len(parts) > 5 and parts[1] == "api" and parts[3] == "prompts":
        return unquote(parts[4]), unquote("/".join(parts[6:]) or parts[5])
    return None, "a token" if path.startswith("/v1/auth/") else unquote(path)


def _event(name: str, html: str, position: Optional[int] = None) -> str:
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    place = "" if position is None else f"id: {position}\n"
    return f"event: {name}\n{place}{lines}\n"
