"""Log records have their facts as attributes, which JSON formatters and OpenTelemetry's handler carry on."""

from __future__ import annotations

import io
import json
import logging
import warnings
from typing import TYPE_CHECKING, Any, Callable

import pytest
import requests
from faults.clock import ManualClock
from faults.reading import wait_until_idle
from faults.replies import PROMPT, error, prompt, token
from faults.server import FaultServer
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from pythonjsonlogger.json import JsonFormatter

from scope_client import ScopeClient, Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.traced import Traced

Make = Callable[..., ScopeClient]
PLAIN = {*vars(logging.makeLogRecord({})), "message", "taskName", "asctime"}


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "scope_client")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler with a formatter for JSON writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("{levelname}{name}{message}", style="{"))
    logging.getLogger("scope_client").addHandler(handler)
    yield stream
    logging.getLogger("scope_client").removeHandler(handler)


def facts(caplog: pytest.LogCaptureFixture, said: str) -> dict[str, Any]:
    """Those of the last record whose message begins so, or has it."""
    record = [each for each in caplog.records if said in each.getMessage()][-1]
    return {name: value for name, value in vars(record).items() if name not in PLAIN}


def test_a_retry_says_what_is_sent_again_why_and_when(
    client: ScopeClient, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers(error(503, code="overloaded", X_Request_ID="r-1", Retry_After="2"), PROMPT)
    client.get_prompt_version("greeting")
    url = f"{server.url}/api/v1/prompts/greeting/production"
    assert facts(caplog, "the next one is in") == {
        "http.request.method": "GET",
        "url.full": url,
        "http.request.resend_count": 1,
        "scope.retry.delay": 2.0,
        "error.type": "scope_client.ServerError",
        "http.response.status_code": 503,
        "scope.error.code": "overloaded",
        "scope.request.id": "r-1",
    }
    answered = facts(caplog, "answered 200")
    assert {"http.request.method": "GET", "url.full": url, "http.request.resend_count": 1}.items() <= answered.items()
    assert answered["http.response.status_code"] == 200
    assert isinstance(answered["scope.platform.request.duration"], float)
    assert isinstance(answered["scope.request.id"], str)


def test_the_number_of_a_retry_counts_on_after_a_new_token(
    client: ScopeClient, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers(error(503), error(401), error(503), PROMPT)
    client.get_prompt_version("greeting")
    told = [record for record in caplog.records if "the next one is in" in record.getMessage()]
    assert [vars(record)["http.request.resend_count"] for record in told] == [1, 3]
    assert [record.getMessage().split()[1] for record in told] == ["1", "1"]


def test_an_outage_says_its_error(make_client: Make, server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    server.answers(error(500))
    make_client(max_retries=0).get_prompt_version("greeting", fallback="Hi")
    told = facts(caplog, "the platform is down")
    assert (told["error.type"], told["http.response.status_code"]) == ("scope_client.ServerError", 500)


def test_a_token_that_cannot_be_renewed_says_when_it_ends(
    client: ScopeClient, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.gives_tokens(token(expires_in=100), error(401))
    client.get_prompt_version("greeting", cache=False)
    clock.passes(85)
    client.get_prompt_version("greeting", cache=False)
    wait_until_idle(client)
    told = facts(caplog, "could not be renewed ahead")
    assert told["scope.token.expires_in"] == 15
    assert told["error.type"] == "scope_client.InvalidCredentialsError"


def test_a_value_without_a_variable_and_a_version_that_does_not_fit_name_prompt_and_variables(
    make_client: Make, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers(prompt("Hi {{name}}", id="v_1"), prompt("Hi {{name}}, {{mood}}", id="v_2"))
    client = make_client(extra_values="warn", when_unfit="last_fitting", cache_ttl=100)
    client.render_prompt("greeting", {"name": "Ada", "of-these-tests": "secret value"})
    assert facts(caplog, "has no variable") == {
        "gen_ai.prompt.name": "greeting",
        "scope.prompt.variables": ["of-these-tests"],
    }
    clock.passes(200)
    assert client.render_prompt("greeting", {"name": "Ada"}) == "Hi Ada"
    assert facts(caplog, "which the code does not give") == {
        "gen_ai.prompt.name": "greeting",
        "scope.prompt.version_id": "v_2",
        "scope.prompt.served_version_id": "v_1",
        "scope.prompt.variables": ["mood"],
    }
    assert "secret value" not in str([vars(record) for record in caplog.records])


def test_what_a_session_leaves_out_is_a_list(make_client: Make, caplog: pytest.LogCaptureFixture) -> None:
    with requests.Session() as session:
        session.params = {"a": "b"}
        session.auth = ("user", "password")
        make_client(session=session).get_prompt_version("greeting")
    assert facts(caplog, "of the given session") == {"scope.session.left_out": ["params", "auth"]}


def test_a_callback_that_raises_says_the_class_of_its_error(
    client: ScopeClient, caplog: pytest.LogCaptureFixture
) -> None:
    unregister = Telemetry.on_request(lambda info: 1 / 0)
    client.get_prompt_version("greeting")
    unregister()
    assert facts(caplog, "a telemetry callback raised") == {"error.type": "ZeroDivisionError"}


def test_a_folder_that_breaks_says_where_it_is(
    make_client: Make, tmp_path: Any, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "greeting.md").write_text("Hi")
    server.answers(error(500))
    client = make_client(prompt_dir=tmp_path, max_retries=0)
    (tmp_path / "greeting.md").write_text("---\nmetadata: [\n---\nHi")
    for _ in range(50):
        clock.passes(2)
        client.get_prompt_version("greeting")
        if any("cannot be used" in message for message in caplog.messages):
            break
        wait_until_idle(client)
    assert facts(caplog, "cannot be used") == {"file.directory": str(tmp_path)}


def test_no_secret_is_a_fact(client: ScopeClient, server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    server.gives_tokens(error(503, "secret-1"), token("very-secret-token"))
    server.answers(error(503, "very-secret-token", code="very-secret-token"), PROMPT)
    client.get_prompt_version("greeting")
    shown = str([vars(record) for record in caplog.records])
    assert "secret-1" not in shown
    assert "very-secret-token" not in shown


def test_a_formatter_for_json_writes_them_as_fields(
    client: ScopeClient, server: FaultServer, written: io.StringIO
) -> None:
    server.answers(error(503, code="line\nbreak"), PROMPT)
    client.get_prompt_version("greeting")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    (retry,) = [line for line in lines if "next one" in line["message"]]
    assert retry["levelname"] == "INFO"
    assert retry["http.response.status_code"] == 503
    assert retry["scope.error.code"] == r"line\nbreak"


def test_the_handler_of_opentelemetry_carries_them_as_attributes(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    handler = new_handler(provider)
    logging.getLogger("scope_client").addHandler(handler)
    try:
        server.answers(error(503), PROMPT)
        client.get_prompt_version("greeting")
    finally:
        logging.getLogger("scope_client").removeHandler(handler)
    (retry,) = [each.log_record for each in exporter.get_finished_logs() if "next one" in str(each.log_record.body)]
    assert retry.attributes["http.request.resend_count"] == 1
    assert retry.attributes["error.type"] == "scope_client.ServerError"
    assert retry.trace_id == traced.span("scope.prompt.fetch").context.trace_id


def new_handler(provider: LoggerProvider) -> logging.Handler:
    try:
        from opentelemetry.instrumentation.logging.handler import LoggingHandler
    except ImportError:  # on Python 3.9, for which there is no newer one
        from opentelemetry.sdk._logs import LoggingHandler
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return LoggingHandler(logger_provider=provider)


def test_every_fact_of_a_record_is_one_that_its_row_of_the_manual_names(
    make_client: Make, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    from manual.test_logs import Record, facts_of_records

    server.gives_tokens(token(expires_in=100), error(503))
    server.answers(PROMPT, error(503), error(401), PROMPT, error(500))
    client = make_client(cache_ttl=100, extra_values="warn")
    for seconds in (0, 95, 200):
        clock.passes(seconds)
        client.render_prompt("greeting", {"name": "Ada", "more": 1})
        wait_until_idle(client)
    known = facts_of_records()
    seen = 0
    for record in caplog.records:
        (row,) = [
            each
            for each in known
            if (each.logger, each.level, each.message) == (record.name, record.levelname, as_in_the_manual(record.msg))
        ]
        assert isinstance(row, Record)
        assert {name for name in vars(record) if name not in PLAIN} <= known[row]
        seen += 1
    assert seen > 5


def as_in_the_manual(message: str) -> str:
    import re

    return re.sub(r"%(?:s|d|r|\.\d+f)", "...", message)


def test_a_record_keeps_what_the_programs_own_factory_has_put_there(
    client: ScopeClient, server: FaultServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = logging.getLogRecordFactory()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = plain(*args, **kwargs)
        vars(record).update({"error.type": "theirs", "url.full": "theirs"})
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", make)
    server.answers(error(503, code="overloaded", Retry_After="2"), PROMPT)
    client.get_prompt_version("greeting")
    found = facts(caplog, "the next one is in")
    assert (found["error.type"], found["url.full"]) == ("theirs", "theirs")
    assert found["http.response.status_code"] == 503
    assert [record.funcName for record in caplog.records if "the next one is in" in record.getMessage()] != ["log"]


def test_a_line_is_written_once_though_a_handler_raises_a_key_error(
    client: ScopeClient, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Handler(logging.Handler):
        lines: list[str] = []  # noqa: RUF012  # of this test alone

        def emit(self, record: logging.LogRecord) -> None:
            self.lines.append(record.getMessage())
            raise KeyError("url.full")

    monkeypatch.setattr(logging.getLogger("scope_client"), "handlers", [Handler()])
    server.answers(error(503, code="overloaded", Retry_After="2"), PROMPT)
    client.get_prompt_version("greeting")
    assert sum("the next one is in" in line for line in Handler.lines) == 1
