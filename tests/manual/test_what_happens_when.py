"""The tables of docs/operations/what-happens-when.md: each cell is played, and must be what the page says.

`PYTHONPATH=tests python -m tests.manual.test_what_happens_when` prints the tables anew.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

import pytest
import requests
from faults.certificate import certificate
from faults.clock import ManualClock
from faults.reading import wait_until_idle
from faults.replies import PROMPT, answer, closes, error, hangs, head, json_answer, prompt_body, token
from faults.server import FaultServer, Reply

from scope_client import ApiKeyCredentials, ScopeClient, ScopeError, Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations" / "what-happens-when.md"
TTL_SECONDS = 100
TOKEN_SECONDS = 3600
TIMEOUT_SECONDS = 0.3  # of the rows that hang
FALLBACK = "Hello, whoever you are!"
HALF = answer(json.dumps(prompt_body())[:-9], 200, Content_Type="application/json", Content_Length=4000)

COLUMNS = ("what happens", "nothing known", "with `fallback=`", "expired", "attempts", "outage", "kept")


class Row(NamedTuple):
    """What the server does from one moment on. `dies` if nobody listens any more, `breaks_tls` if TLS fails."""

    name: str
    reply: Reply = b""
    dies: bool = False
    breaks_tls: bool = False
    is_slow: bool = False


PROMPT_ROWS = (
    Row("the connection is refused", dies=True),
    Row("no answer in time", hangs(), is_slow=True),
    Row("the connection breaks off before an answer", closes()),
    Row("TLS fails", breaks_tls=True),
    Row("200, the body is cut short", closes(HALF)),
    Row("200, HTML", answer("<html></html>", 200, Content_Type="text/html")),
    Row("200, an empty body", answer("")),
    Row("200, a JSON list", json_answer([])),
    Row("200, no `content`", json_answer({"id": "v_1", "name": "greeting"})),
    Row("302", head(302, Location="/elsewhere", Content_Length=0)),
    Row("400", error(400)),
    Row("401", error(401)),
    Row("403", error(403)),
    Row("404, code `prompt_not_found`", error(404, code="prompt_not_found")),
    Row("404, another code", error(404, code="no_production_version")),
    Row("408", error(408)),
    Row("409", error(409)),
    Row("410", error(410)),
    Row("429", error(429)),
    Row("429, Retry-After: 10", error(429, Retry_After=10)),
    Row("429, Retry-After: 120", error(429, Retry_After=120)),
    Row("500", error(500)),
    Row("501", error(501)),
    Row("502", error(502)),
    Row("503", error(503)),
    Row("503, Retry-After: 120", error(503, Retry_After=120)),
    Row("504", error(504)),
)
TOKEN_ROWS = (
    Row("the connection is refused", dies=True),
    Row("no answer in time", hangs(), is_slow=True),
    Row("TLS fails", breaks_tls=True),
    Row("200, HTML", answer("<html></html>", 200, Content_Type="text/html")),
    Row("200, no `access_token`", json_answer({})),
    Row("302", head(302, Location="/elsewhere", Content_Length=0)),
    Row("400", error(400)),
    Row("401", error(401)),
    Row("403", error(403)),
    Row("404", error(404)),
    Row("408", error(408)),
    Row("429", error(429)),
    Row("429, Retry-After: 120", error(429, Retry_After=120)),
    Row("500", error(500)),
    Row("503", error(503)),
)
TABLES = {"prompt": PROMPT_ROWS, "token": TOKEN_ROWS}


class Play:
    """One client and its server; `kind` is the endpoint that fails, "prompt" or "token"."""

    def __init__(self, kind: str, row: Row, opened: contextlib.ExitStack) -> None:
        self.kind, self.row = kind, row
        self.clock = ManualClock()
        self._server = FaultServer(tls=row.breaks_tls)
        self._up = opened.enter_context(contextlib.ExitStack())
        self._up.enter_context(self._server)
        self._opened = opened
        self._server.gives_tokens(token(expires_in=TOKEN_SECONDS if kind == "prompt" else TTL_SECONDS / 2))
        options: dict[str, object] = {"timeout": TIMEOUT_SECONDS} if row.is_slow else {}
        if row.breaks_tls:
            session = opened.enter_context(requests.Session())
            session.verify = str(certificate().authority)
            options["session"] = session
        self.client = opened.enter_context(
            ScopeClient(
                credentials=ApiKeyCredentials("org", "key", "secret"),
                base_url=self._server.url,
                auth_api_url=self._server.url,
                cache_ttl=TTL_SECONDS,
                clock=self.clock.clock,
                **options,
            )
        )
        self.attempts = 0
        opened.callback(Telemetry.on_request(self._count))

    def goes_wrong(self) -> None:
        """From now on. A client that has asked before goes over a new connection, if the row is about connections."""
        row = self.row
        if row.dies or row.breaks_tls:
            self._up.close()
        if row.breaks_tls:
            self._opened.enter_context(FaultServer(port=self._server.port, greeting=head(400)))
        if row.reply:
            (self._server.answers if self.kind == "prompt" else self._server.gives_tokens)(row.reply)
        self.attempts = 0

    def read(self, **options: object) -> str:
        """What the reader gets, as the table says it."""
        try:
            found = self.client.read_prompt("greeting", **options)
        except ScopeError as failure:
            said = f"`{type(failure).__name__}`"
        else:
            said = {"stale": "last known good", "fallback": "the fallback", "memory": "the version"}[found.source]
        wait_until_idle(self.client)
        return said

    @property
    def has_kept(self) -> bool:
        return any(prompt.name == "greeting" for prompt in self.client.status().prompts)

    def _count(self, info: object) -> None:
        method = "GET" if self.kind == "prompt" else "POST"
        self.attempts += info.method == method and info.url.startswith(self._server.url)


@contextlib.contextmanager
def play(kind: str, row: Row, *, is_known: bool) -> Iterator[Play]:
    """A client that has a token, unless tokens are what fails; and the prompt, if it is known."""
    with contextlib.ExitStack() as opened:
        played = Play(kind, row, opened)
        if kind == "prompt" or is_known:
            played.client.get_prompt_version("greeting" if is_known else "another")
        yield played


def cells(kind: str, row: Row) -> tuple[str, ...]:
    """The row, as it was played."""
    with play(kind, row, is_known=False) as cold:
        cold.goes_wrong()
        unknown, attempts = cold.read(), cold.attempts
        is_outage = cold.client.status().is_down
    with play(kind, row, is_known=False) as cold:
        cold.goes_wrong()
        with_fallback = cold.read(fallback=FALLBACK)
    with play(kind, row, is_known=True) as known:
        known.clock.passes(TTL_SECONDS + 1)
        known.goes_wrong()
        expired = known.read(fallback=FALLBACK)
        assert known.client.status().is_down == is_outage
        tries = f"{attempts}" if known.attempts == attempts else f"{attempts} ({known.attempts})"
        is_kept = known.has_kept
    others = ("the same" if each == unknown else each for each in (with_fallback, expired))
    shown = (unknown, *others, tries, "yes" if is_outage else "no", "yes" if is_kept else "no")
    return (row.name, *shown)


def shown(kind: str) -> dict[str, tuple[str, ...]]:
    """The rows of a table of the page, by their first cell."""
    text = PAGE.read_text("utf-8").partition(f"<!-- {kind} -->")[2].partition(f"<!-- /{kind} -->")[0]
    lines = [tuple(each.strip() for each in line[1:-1].split("|")) for line in text.splitlines() if line[:2] == "| "]
    assert lines[0] == COLUMNS
    return {line[0]: line for line in lines[1:]}


def each_row() -> list[object]:
    return [pytest.param(kind, row, id=f"{kind}: {row.name}") for kind, rows in TABLES.items() for row in rows]


@pytest.mark.parametrize("kind", TABLES)
def test_the_page_has_each_row_that_is_played(kind):
    assert list(shown(kind)) == [row.name for row in TABLES[kind]]


@pytest.mark.parametrize(("kind", "row"), each_row())
def test_it_happens_as_the_page_says(kind, row):
    assert cells(kind, row) == shown(kind)[row.name]


@pytest.mark.parametrize(("kind", "row"), each_row())
def test_a_fresh_version_is_served_whatever_happens_and_nobody_is_asked(kind, row):
    with play(kind, row, is_known=True) as known:
        known.goes_wrong()
        known.clock.passes(TTL_SECONDS / 2)
        assert (known.read(), known.attempts) == ("the version", 0)


@pytest.mark.parametrize(("status", "reply"), [(503, error(503)), (404, error(404)), (401, error(401))])
def test_a_read_past_the_cache_gets_what_the_platform_says(status, reply):
    with play("prompt", Row("", reply), is_known=True) as known:
        known.goes_wrong()
        with pytest.raises(ScopeError) as caught:
            known.client.get_prompt_version("greeting", cache=False)
        assert caught.value.http_status == status
        assert known.has_kept


def test_a_read_past_the_cache_gets_its_fallback_in_an_outage_alone():
    for reply, said in ((error(503), "the fallback"), (error(403), "`AuthorizationError`")):
        with play("prompt", Row("", reply), is_known=True) as known:
            known.goes_wrong()
            assert known.read(cache=False, fallback=FALLBACK) == said


def test_a_404_of_a_renewal_in_the_background_evicts_the_version_and_the_next_reader_is_told():
    with play("prompt", Row("", error(404, code="prompt_not_found")), is_known=True) as known:
        known.goes_wrong()
        known.clock.passes(TTL_SECONDS * 0.95)
        assert known.read() == "the version"
        assert not known.has_kept
        assert known.read() == "`NotFoundError`"


def test_with_stale_if_error_0_an_outage_is_raised():
    with play("prompt", Row("", error(503)), is_known=True) as known:
        strict = known.client.config.merge(stale_if_error=0)
        with ScopeClient(config=strict, clock=known.clock.clock) as client:
            client.get_prompt_version("greeting")
            known.goes_wrong()
            known.clock.passes(TTL_SECONDS + 1)
            with pytest.raises(ScopeError, match="503"):
                client.get_prompt_version("greeting")


@pytest.mark.parametrize(
    ("status", "like"),
    [(402, "400"), (405, "400"), (418, "400"), (422, "400"), (505, "501"), (507, "501"), (301, "302"), (307, "302")],
)
def test_a_status_that_the_page_does_not_name_is_like_one_that_it_names(status, like):
    assert cells("prompt", Row(like, error(status, Location="/elsewhere"))) == shown("prompt")[like]


def test_a_second_read_during_an_outage_neither_waits_nor_asks():
    with play("prompt", Row("", error(503)), is_known=True) as known:
        known.clock.passes(TTL_SECONDS + 1)
        known.goes_wrong()
        assert [known.read(), known.read()] == ["last known good"] * 2
        assert known.attempts == 1
    with play("prompt", Row("", error(503)), is_known=False) as cold:
        cold.goes_wrong()
        assert [cold.read(fallback=FALLBACK), cold.read(fallback=FALLBACK)] == ["the fallback"] * 2
        assert cold.attempts == 4
        # Without a stand-in, each call asks in full.
        assert cold.read() == "`ServerError`"
        assert cold.attempts == 8


def test_a_token_that_is_refused_twice_is_told_as_refused_credentials():
    with play("prompt", Row("", error(401)), is_known=False) as cold:
        cold.goes_wrong()
        assert not cold.client.status().is_refused
        assert (cold.read(), cold.attempts) == ("`AuthenticationError`", 2)
        assert cold.client.status().is_refused


def test_a_second_read_after_a_refusal_is_told_the_same_for_a_second():
    with play("prompt", Row("", error(403)), is_known=False) as cold:
        cold.goes_wrong()
        assert [cold.read(), cold.read(), cold.attempts] == ["`AuthorizationError`", "`AuthorizationError`", 1]
        cold.clock.passes(1)
        assert [cold.read(), cold.attempts] == ["`AuthorizationError`", 2]


def test_the_reply_of_a_row_is_not_the_answer_of_a_platform_that_works():
    with play("prompt", Row("", PROMPT), is_known=False) as cold:
        cold.goes_wrong()
        assert cold.client.read_prompt("greeting").source == "platform"


def tables(play_row: Callable[[str, Row], tuple[str, ...]] = cells) -> str:
    pages = []
    for kind, rows in TABLES.items():
        lines = [COLUMNS, *(play_row(kind, row) for row in rows)]
        heading, *body = (f"| {' | '.join(line)} |" for line in lines)
        pages.append(
            "\n".join([f"<!-- {kind} -->\n", heading, "|---" * len(COLUMNS) + "|", *body, f"\n<!-- /{kind} -->"])
        )
    return "\n\n".join(pages)


if __name__ == "__main__":
    print(re.sub(r" +$", "", tables(), flags=re.MULTILINE))
