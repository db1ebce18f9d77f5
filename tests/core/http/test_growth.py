"""What an answer costs is bounded by its size, and so is the message of its error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults import growth
from faults.replies import answer, chunked, closes, echoes, error, json_answer, prompt, token

from scope_client import ScopeError, TokenRefreshError

if TYPE_CHECKING:
    import requests
    from faults.server import FaultServer, Reply

    from scope_client import ScopeClient

ANSWERS: dict[str, tuple[Callable[[int], Any], int]] = {
    "a message": (lambda n: error(400, "m" * n), 20_000),
    "a message about the prompt": (lambda n: error(404, "prompt " * n), 5_000),
    "a message with slashes": (lambda n: error(400, "/" * n), 5_000),
    "a code": (lambda n: error(400, code="c" * n), 20_000),
    "a request ID": (lambda n: error(400, X_Request_ID="r" * n), 1_000),
    "a number in Retry-After": (lambda n: error(429, Retry_After="9" * n), 1_000),
    "a text in Retry-After": (lambda n: error(429, Retry_After="Mon, 1 " * n), 500),
    "a date in Retry-After": (lambda n: error(429, Retry_After=f"Mon, {'1' * n} Jan 2030 00:00:00 GMT"), 1_000),
    "a Date": (lambda n: error(429, Retry_After="Tue, 01 Jan 2030 00:00:00 GMT", Date=f"{'1' * n} Jan"), 1_000),
    "a header": (lambda n: error(400, X_Other="x" * n), 1_000),
    "a content type": (lambda n: answer("x", Content_Type="a/" * n), 500),
    "a body that is not JSON": (lambda n: answer("x" * n), 20_000),
    "a body of brackets": (lambda n: answer("[" * n), 20_000),
    "an object with many names": (lambda n: json_answer({f"k{number}": 1 for number in range(n)}, 400), 1_000),
    "a type": (lambda n: prompt("x", type="t" * n), 20_000),
    "a content": (lambda n: prompt("x" * n), 20_000),
    "chunks": (lambda n: chunked(*[b"x"] * n), 500),
    "interim answers": (lambda n: b"HTTP/1.1 103 Early Hints\r\n\r\n" * n + prompt(), 100),
    "a status line": (lambda n: closes(b"HTTP/1.1 " + b"x" * n + b"\r\n\r\n"), 1_000),
    "no HTTP": (lambda n: closes(b"x" * n), 1_000),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer(what: str, make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    reply, first = ANSWERS[what]
    client = make_client(max_retries=0)

    def prepared(size: int) -> Callable[[], object]:
        server.answers(reply(size))
        return lambda: client.get_prompt_version("greeting", cache=False)

    growth.check(prepared, first)


def echo(status: int) -> Reply:
    return echoes(lambda said: answer(said * 3, status))


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_token_that_comes_back(status: int, make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    server.answers(echo(status))

    def prepared(size: int) -> Callable[[], object]:
        server.gives_tokens(token("aab" * (size // 3)))
        client = make_client(max_retries=0)
        return lambda: client.get_prompt_version("greeting", cache=False)

    growth.check(prepared, 2_000)


def nested(width: int) -> list[object]:
    """Few objects, which unfold to width to the power of five."""
    each: list[object] = ["text"]
    for _ in range(5):
        each = [each] * width
    return each


def wrapped(depth: int) -> Exception:
    error: Exception = ValueError("a hook failed")
    for _ in range(depth):
        cause, error = error, RuntimeError("and failed again")
        error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("local", "raised", "first"), [(nested, lambda size: ValueError(size), 25), (lambda size: size, wrapped, 250)]
)
def test_a_hook_of_a_session_that_fails(
    local: Any, raised: Any, first: int, make_client: Callable[..., ScopeClient], session: requests.Session
) -> None:
    def prepared(size: int) -> Callable[[], object]:
        variable, error = local(size), raised(size)

        def hook(*_: object, **__: object) -> None:
            held = variable
            raise error.with_traceback(None) if held is not None else error

        session.hooks["response"] = [hook]
        client = make_client(session=session, max_retries=0)
        return lambda: client.get_prompt_version("greeting", cache=False)

    growth.check(prepared, first)


def test_a_token_that_no_server_would_take_is_refused(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.gives_tokens(token("t" * 100_000))
    with pytest.raises(TokenRefreshError, match="without a usable access_token"):
        make_client(max_retries=0).get_prompt_version("greeting")


def test_the_facts_of_an_error_are_short(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    server.answers(error(400, "m" * 9_000, code="c" * 9_000, X_Request_ID="r" * 9_000))
    with pytest.raises(ScopeError) as caught:
        make_client(max_retries=0).get_prompt_version("greeting")
    facts = [value for value in vars(caught.value).values() if isinstance(value, str)]
    assert len(facts) == 4
    assert max(map(len, facts)) <= 2_000
