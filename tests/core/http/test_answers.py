"""An answer becomes an error with its facts by its status, and what is no answer of the API is said to be none."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from faults.clock import ManualClock
from faults.replies import PROMPT, answer, brief, chunked, closes, error, head, json_answer, prompt, resets
from faults.server import FaultServer

from scope_client import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    ConflictError,
    ConnectionError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeClient,
    ScopeError,
    ServerError,
    Telemetry,
)

KINDS = {
    **dict.fromkeys((400, 402, 405, 406, 408, 412, 415, 418, 422, 451, 300, 304, 201, 202, 204, 206, 999), ApiError),
    **dict.fromkeys((404, 410), NotFoundError),
    **dict.fromkeys((500, 501, 502, 503, 504, 507, 511, 599), ServerError),
    401: AuthenticationError,
    403: AuthorizationError,
    409: ConflictError,
    429: RateLimitError,
}
FLAT = {"code": "some_code", "message": "said the server"}
SHAPES = [FLAT, {"error": FLAT}, {**FLAT, "error": None}, {"error": {**FLAT, "more": [1]}, "message": "not this one"}]
GZIP = b"\x1f\x8b\x08\x00" + b"x" * 20


@pytest.fixture
def patient(make_client: Callable[..., ScopeClient]) -> ScopeClient:
    """A client that never tries again."""
    return make_client(max_retries=0)


def caught_from(client: ScopeClient, label: str = "latest") -> Exception:
    with pytest.raises(Exception, match=r".") as caught:
        client.get_prompt_version("greeting", label=label)
    return caught.value


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_a_status_has_its_class(status: int, kind: type, patient: ScopeClient, server: FaultServer) -> None:
    server.answers(head(status) if status in (204, 304) else json_answer(FLAT, status))
    found = caught_from(patient)
    assert type(found) is kind
    assert found.http_status == status


@pytest.mark.parametrize("body", SHAPES)
def test_an_error_has_the_facts_of_either_shape(body: dict, patient: ScopeClient, server: FaultServer) -> None:
    server.answers(json_answer(body, 422, X_Request_ID="req-77"))
    found = caught_from(patient)
    assert "said the server" in str(found)
    assert (found.http_status, found.error_code, found.request_id) == (422, "some_code", "req-77")
    assert "some_code" in found.http_body


def test_an_error_as_plain_text_is_told(patient: ScopeClient, server: FaultServer) -> None:
    server.answers(json_answer({"error": "quota used up"}, 402))
    assert "quota used up" in str(caught_from(patient))


def test_the_request_id_that_was_sent_is_told_where_the_platform_names_none(
    patient: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(422))
    assert caught_from(patient).request_id == server.reads[0].header("X-Request-ID")


@pytest.mark.parametrize("fault", [closes(), resets()], ids=["closed", "reset"])
def test_the_request_id_is_told_where_no_answer_came(fault: object, patient: ScopeClient, server: FaultServer) -> None:
    server.answers(fault)
    found = caught_from(patient)
    assert isinstance(found, ConnectionError)
    assert found.request_id == server.reads[0].header("X-Request-ID")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" \n", b"<html><h1>Bad gateway</h1></html>", b"Bad gateway", b"\xff\xfe\x00", b"[" * 100_000, b"[]"),
        *(b"null", b"5", b'"x"', b'{"code": 5, "message": ["x"]}', b'{"error": []}', b'{"error": {"message": null}}'),
        *(b'{"message": ""}', b"{}", GZIP, b"\x00" * 50),
    ],
    ids=brief,
)
@pytest.mark.parametrize(("status", "kind"), [(403, AuthorizationError), (500, ServerError), (418, ApiError)])
def test_an_error_body_of_any_kind_leaves_the_class_and_the_status(
    status: int, kind: type, body: bytes, patient: ScopeClient, server: FaultServer
) -> None:
    server.answers(answer(body, status, Content_Type="text/html; charset=latin-9"))
    found = caught_from(patient)
    assert type(found) is kind
    assert found.http_status == status
    assert len(found.http_body) <= 2000
    assert found.error_code is None


@pytest.mark.parametrize(
    ("reply", "got"),
    [
        (answer(b""), "empty"),
        (answer(b" \r\n "), "empty"),
        (head(Connection="close"), "empty"),
        (answer("<html>sign in</html>", Content_Type="text/html; charset=utf-8"), "HTML"),
        (answer("<!doctype html>"), "HTML"),
        (json_answer([prompt().decode()]), "list"),
        (json_answer("text"), "str"),
        (json_answer(5), "int"),
        (json_answer(None), "NoneType"),
        (answer("{'content': 'x'}"), "not JSON"),
        (answer('{"content": "x"'), "not JSON"),
        (answer('{"content": "x"} and more'), "not JSON"),
        (answer(b'{"content": "\xff"}', Content_Type="application/json"), "not JSON"),
        (answer(b'{"content": "h\xe9"}', Content_Type="application/json; charset=latin-1"), "not JSON"),
        (answer("[" * 100_000), "nested|not JSON"),
        (answer('{"a":' * 100_000), "nested|not JSON"),
        (answer("[" * 900 + "]" * 900), "list|nested|not JSON"),
        (answer('{"a":' * 900 + "1" + "}" * 900), "nested"),
        (answer('{"content": "x", "metadata": ' + '{"a":' * 5000 + "1" + "}" * 5001), "nested|not JSON"),
        (answer('{"content": "x", "a": ' + "9" * 5000 + "}"), "not JSON"),
        (answer(GZIP, Content_Encoding="gzip"), "gzip"),
        (answer(b'{"content": "x"}', Content_Encoding="gzip"), "gzip"),
        (answer(GZIP, Content_Encoding="identity, GZIP"), "gzip"),
        (answer(GZIP, Content_Encoding="br"), "br"),
        (answer(GZIP, Content_Encoding="x" * 5000), "something odd"),
        (answer(GZIP), "not JSON"),
        (chunked(GZIP, Content_Encoding="deflate"), "deflate"),
    ],
    ids=brief,
)
def test_a_200_that_is_not_what_the_api_promises_is_an_api_error_that_says_what_came(
    reply: bytes, got: str, patient: ScopeClient, server: FaultServer
) -> None:
    server.answers(closes(reply))
    found = caught_from(patient)
    assert type(found) is ApiError
    assert found.http_status == 200
    with pytest.raises(ApiError, match=rf"(?i)expected a JSON object, got .*({got})"):
        raise found


@pytest.mark.parametrize("body", [{}, {"content": None}, {"content": 5}, {"content": "x", "prompt_type": "image"}])
def test_an_object_that_is_no_prompt_version_is_an_api_error_with_the_facts_of_its_answer(
    body: dict, patient: ScopeClient, server: FaultServer
) -> None:
    server.answers(json_answer(body, X_Request_ID="req-77"))
    found = caught_from(patient)
    assert type(found) is ApiError
    assert "expected a prompt" in str(found)
    assert (found.http_status, found.request_id) == (200, "req-77")


@pytest.mark.parametrize(
    "reply",
    [
        *(PROMPT, PROMPT.replace(b"HTTP/1.1", b"HTTP/1.0"), PROMPT.replace(b"Content-Length", b"content-length")),
        *(PROMPT.replace(b"200 Said", b"200"), PROMPT.replace(b"200 Said", b"200 \xe9t\xe9"), PROMPT + b"and more"),
        *(chunked(PROMPT.split(b"\r\n\r\n")[1]), chunked(*(bytes([one]) for one in PROMPT.split(b"\r\n\r\n")[1]))),
        head() + PROMPT.split(b"\r\n\r\n")[1],
        head(100) + head(100, Link="</x>") + PROMPT,
        json_answer({"content": "Hello, {{name}}!"}, Content_Type="text/plain; charset=utf-16"),
        answer(b'\xef\xbb\xbf{"content": "Hello, {{name}}!"}'),
        json_answer({"content": "Hello, {{name}}!"}, Content_Encoding="identity"),
        json_answer({"content": "Hello, {{name}}!"}, X_Long="x" * 60_000),
        json_answer({"content": "Hello, {{name}}!"}, **{f"X_{number}": "x" for number in range(90)}),
    ],
    ids=brief,
)
def test_every_legal_form_of_an_answer_is_read(reply: bytes, patient: ScopeClient, server: FaultServer) -> None:
    server.answers(closes(reply))
    assert patient.get_prompt_version("greeting").content == "Hello, {{name}}!"


@pytest.mark.parametrize(
    "reply",
    [
        *(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n{}", b"HTTP/1.1 abc OK\r\n\r\n", b"\x00" * 1000),
        *(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}", b"GET / HTTP/1.1\r\n\r\n", b"{}", b"\n", b"HTTP/9.9"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{}   ",
    ],
    ids=brief,
)
def test_what_is_no_http_is_a_connection_error(reply: bytes, patient: ScopeClient, server: FaultServer) -> None:
    server.answers(closes(reply))
    assert isinstance(caught_from(patient), ConnectionError)


@pytest.mark.parametrize(
    "reply",
    [
        PROMPT[:-1],
        PROMPT[:-60],
        json_answer({"content": "x"}, Content_Length=500),
        json_answer({"content": "x"}, Content_Length="9" * 25),
        json_answer({"content": "x"}, Content_Length="0500"),
        chunked(b'{"content": "x"}', is_whole=False),
        chunked(b'{"content": "x"}')[:-25],
        head(Content_Length=500),
        head(Transfer_Encoding="chunked"),
        head(Transfer_Encoding="chunked") + b"zz\r\n",
    ],
    ids=brief,
)
def test_an_answer_that_is_cut_short_is_an_api_error_that_says_so(
    reply: bytes, patient: ScopeClient, server: FaultServer
) -> None:
    server.answers(closes(reply))
    found = caught_from(patient)
    assert type(found) is ApiError
    with pytest.raises(ApiError, match=r"broke off|bytes, over the limit"):
        raise found


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": "prompt_not_found", "message": "x"}, NotFoundError),
        ({"error": {"code": "prompt_not_found"}}, NotFoundError),
        ({"code": "prompt_not_found", "message": "no production version"}, NotFoundError),
        ({"code": "not_found", "message": "Prompt 'greeting' not found"}, NotFoundError),
        ({"code": "not_found", "message": "The prompt was not found."}, NotFoundError),
        ({"message": "PROMPT NOT FOUND"}, NotFoundError),
        ({"error": "Prompt not found"}, NotFoundError),
        ({"message": "Prompt greeting does not exist"}, NotFoundError),
        ({"message": "No such prompt: greeting"}, NotFoundError),
        ({"code": "no_production_version", "message": "No production version"}, NoProductionVersionError),
        ({"error": {"code": "no_production_version"}}, NoProductionVersionError),
        ({"message": "Prompt 'greeting' has no production version"}, NoProductionVersionError),
        ({"message": "Production version of prompt not found"}, NoProductionVersionError),
        ({"message": "not found"}, NoProductionVersionError),
        ({"code": "not_found"}, NoProductionVersionError),
        ({}, NoProductionVersionError),
        (None, NoProductionVersionError),
        ("<html>", NoProductionVersionError),
    ],
)
def test_a_404_on_production_is_read_closely(
    body: object, kind: type, patient: ScopeClient, server: FaultServer
) -> None:
    server.answers(json_answer(body, 404, X_Request_ID="req-77"))
    for label in (None, "production"):
        found = caught_from(patient, label)
        assert type(found) is kind
        assert (found.http_status, found.request_id) == (404, "req-77")


@pytest.mark.parametrize("name", ["production", "my production prompt", "version", "published", "prompt", "a.b*c"])
def test_a_name_that_speaks_of_production_does_not_mislead(
    name: str, patient: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(404, f"Prompt '{name}' not found", "not_found"))
    with pytest.raises(NotFoundError):
        patient.get_prompt_version(name)


def test_no_production_version_tells_the_name_that_was_asked_for(patient: ScopeClient, server: FaultServer) -> None:
    server.answers(error(404, "no version is published", "no_production_version"))
    with pytest.raises(NoProductionVersionError, match="greeting") as caught:
        patient.get_prompt_version("greeting")
    assert caught.value.prompt_id == "greeting"
    assert caught.value.error_code == "no_production_version"
    assert isinstance(caught.value.__cause__, NotFoundError)


@pytest.mark.parametrize("options", [{"label": "latest"}, {"version": "v_1"}])
def test_any_other_404_is_not_found(options: dict, patient: ScopeClient, server: FaultServer) -> None:
    server.answers(error(404, "no production version", "no_production_version"))
    with pytest.raises(NotFoundError):
        patient.get_prompt_version("greeting", **options)


def test_an_error_can_be_printed_whatever_the_platform_said(patient: ScopeClient, server: FaultServer) -> None:
    server.answers(answer(r'{"message": "\ud800 no", "code": "\udfff"}', 422))
    found = caught_from(patient)
    for said in (str(found), found.message, found.error_code, found.http_body):
        assert said.encode().decode() == said


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one(
    client: ScopeClient, server: FaultServer
) -> None:
    server.answers(PROMPT + prompt("poison"), PROMPT)
    for name in ("one", "two", "three"):
        assert client.get_prompt_version(name).content == "Hello, {{name}}!"


def test_a_refusal_of_the_platform_is_remembered_for_a_second(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(404, "Prompt not found"), PROMPT)
    for _ in range(3):
        with pytest.raises(NotFoundError):
            client.get_prompt_version("greeting")
    assert len(server.reads) == 1
    clock.passes(1)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


@pytest.mark.parametrize("coding", ["chunked ", "chunked\t", "CHUNKED", "identity, chunked", "identity,chunked "])
def test_chunks_are_read_however_their_coding_is_written(
    coding: str, patient: ScopeClient, server: FaultServer
) -> None:
    body = PROMPT.split(b"\r\n\r\n")[1]
    server.answers(chunked(body).replace(b": chunked", f": {coding}".encode()))
    for name in ("a", "b"):
        assert patient.get_prompt_version(name).content == "Hello, {{name}}!"
    assert server.accepted == 1


@pytest.mark.parametrize(
    "broken",
    [
        b"zz\r\n",
        b"\r\n",
        b'5\r\n{"a":\r\nhello\r\n',
        b"-5\r\n",
        b"5;" + b"a" * 70_000,
        b"1\r\n{\r\n0\r\nX" + b"a" * 70_000,
    ],
    ids=brief,
)
def test_the_rest_of_an_answer_that_broke_is_never_the_next_one(
    broken: bytes, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    torn = set()

    def answers(peer: Any) -> None:
        if not torn:
            torn.add(peer)
            peer.send(head(Transfer_Encoding="chunked") + broken)
        else:
            peer.send(prompt("the rest" if peer in torn else "the next"))

    server.answers(answers)
    client = make_client(max_retries=0, timeout=0.5)
    assert isinstance(caught_from(client), ScopeError)
    assert client.get_prompt_version("next").content == "the next"


def test_headers_of_an_answer_reach_the_hooks_as_one_line_each(patient: ScopeClient, server: FaultServer) -> None:
    seen: list[Any] = []
    Telemetry.on_response(seen.append)
    server.answers(json_answer({"content": "x"}, X_Folded="b\r\n  c", X_Twice="a\r\nX-Twice: b"))
    patient.get_prompt_version("greeting")
    assert (seen[-1].headers["X-Folded"], seen[-1].headers["X-Twice"]) == ("b c", "a, b")
    assert "Content-Length" in seen[-1].headers


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer("<html>", 503), "the platform failed (expected a JSON object, got HTML (no content type)) (HTTP 503)"),
        (answer("", 410), "it is gone (expected a JSON object, got an empty body) (HTTP 410)"),
        (answer("", 418), "the platform refused (expected a JSON object, got an empty body) (HTTP 418)"),
        (json_answer({}, 409), "the platform refused, and gave no reason (HTTP 409)"),
        (
            answer("<html>"),
            (
                "expected a JSON object, got HTML (no content type); "
                "check that base_url and auth_api_url lead to the API (HTTP 200)"
            ),
        ),
    ],
)
def test_an_error_without_a_reason_says_what_can_be_said(
    reply: bytes, said: str, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.answers(reply)
    with pytest.raises(ApiError) as caught:
        make_client(max_retries=0).get_prompt_version("greeting", cache=False)
    assert str(caught.value) == said


def test_a_version_that_is_not_what_was_promised_has_the_pause_that_was_asked_for(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.answers(json_answer({"no": "content"}, Retry_After="4"))
    with pytest.raises(ApiError, match="its content") as caught:
        make_client(max_retries=0).get_prompt_version("greeting", cache=False)
    assert caught.value.retry_after == 4.0


def test_a_body_that_breaks_off_says_how_much_of_it_came(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.answers(closes(head(200, Content_Length=95) + b"x" * 90))
    with pytest.raises(ApiError, match=r"^expected a JSON object, got a body that broke off after 90") as caught:
        make_client(max_retries=0).get_prompt_version("greeting", cache=False)
    assert "base_url" not in str(caught.value)
