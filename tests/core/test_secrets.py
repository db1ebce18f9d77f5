"""No token and no secret is in an error, a log record or telemetry, even where the server sends them back."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import re
import traceback
from typing import TYPE_CHECKING, Callable

import pytest
from faults import inside
from faults.replies import PROMPT, answer, closes, echoes, error, hangs, json_answer, prompt, resets, token
from faults.server import FaultServer

from scope_client import ApiError, ApiKeyCredentials, Clock, ScopeClient, ScopeError, TokenRefreshError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.conftest import Heard

TOKEN = "eyJhbGciOiJSUzI1NiJ9." + "".join(f"{number:04}TokenPart" for number in range(70))  # as long as a JWT is
SECRET = "s3cret-" + "".join(f"{number:02}Hush" for number in range(10))
ODD_SECRET = 's3cret "quoted" pässwörd/\\ ' + "".join(f"{number:02}Hush" for number in range(10))
FILLER = "x" * 1_000_000
GIVEN_AWAY = 24  # characters in a row that nobody has by chance
ECHOES = {
    "HTML": echoes(lambda said: answer(f"<html>{said}</html>", 500)),
    "an HTML 200": echoes(lambda said: answer(f"<html>{said}</html>")),
    "a JSON list": echoes(lambda said: json_answer([said])),
    "a JSON message": echoes(lambda said: error(400, said.splitlines()[-2] + said.splitlines()[-1])),
    "a nested JSON message": echoes(lambda said: json_answer({"error": {"message": said.replace("\n", " ")}}, 422)),
    "a long JSON message": echoes(lambda said: error(403, "x" * 450 + said)),
    "a JSON code": echoes(lambda said: error(400, code=said)),
    "a JSON body as it was sent": echoes(lambda said: answer('{"sent": ' + said.splitlines()[-1] + "}", 400)),
    "the secret over and over": lambda peer: peer.send(answer(last_words(peer) * 250, 500)),
    "a 404": echoes(lambda said: error(404, said)),
    "a 503": echoes(lambda said: error(503, said)),
    "a 429": echoes(lambda said: error(429, said, Retry_After="9999")),
    "a redirect": echoes(lambda said: answer(said, 302, Location="http://example.com/?" + said.replace("\n", "&"))),
    "a body that is cut short": lambda peer: closes(answer(peer.request.text(), Content_Length=99999))(peer),
    "a body that is reset": lambda peer: resets(answer(peer.request.text(), Content_Length=99999))(peer),
    "an object that is no prompt": echoes(lambda said: json_answer({"content": [said]})),
    "a prompt of another type": echoes(lambda said: json_answer({"content": "x", "prompt_type": said})),
    "a chat that is none": echoes(lambda said: json_answer({"content": said, "prompt_type": "chat"})),
    "no HTTP": lambda peer: closes("\n".join(reversed(peer.request.text().splitlines())).encode())(peer),
    "a status line": lambda peer: closes(f"HTTP/1.1 {last_words(peer)}\r\n\r\n".encode())(peer),
    "a Content-Type": lambda peer: peer.send(answer("x", 200, Content_Type=last_words(peer))),
    "a Content-Encoding": lambda peer: peer.send(answer("x", 200, Content_Encoding=last_words(peer))),
    "an X-Request-ID": lambda peer: peer.send(error(400, X_Request_ID=last_words(peer))),
    "a header": lambda peer: peer.send(error(400, X_Debug=last_words(peer))),
    "a Set-Cookie": lambda peer: peer.send(error(400, Set_Cookie="a=" + last_words(peer))),
    "a WWW-Authenticate": lambda peer: peer.send(error(403, WWW_Authenticate=last_words(peer))),
}


def last_words(peer: object) -> str:
    """What is secret in a request: its token, or else the value at the end of its body."""
    bearer = peer.request.header("Authorization")
    return bearer.split()[1] if bearer else json.loads(peer.request.body)["key_secret"]


def chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, found.__context__]


def surfaces(error: BaseException) -> Iterator[str]:
    for found in chain(error):
        yield from (str(found), repr(found), repr(found.args))
        if isinstance(found, ScopeError):
            yield repr(vars(found))
    yield pickle.dumps(error).decode("latin-1")
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
    yield "\n".join(line for line in lines if not line.startswith("    "))  # without the lines of source code


def shown_by_debug_pages(error: BaseException) -> Iterator[str]:
    """The local variables of every frame that an error came through, but for those of the tests."""
    for found in chain(error):
        for frame, _ in traceback.walk_tb(found.__traceback__):
            if "tests" not in frame.f_code.co_filename:
                yield from (repr(value) for value in frame.f_locals.values())


@pytest.mark.parametrize("options", [{}, {"timeout": 0.3}, {"max_retries": 0}])
@pytest.mark.parametrize("where", ["answers", "gives_tokens"])
@pytest.mark.parametrize("reply", [closes(), resets(), error(500), error(404), hangs(), answer("<html>")])
def test_no_frame_of_an_error_shows_a_token_or_a_secret(
    reply: object, where: str, options: dict, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    keys = ApiKeyCredentials("org", "key", SECRET)
    client = make_client(credentials=keys, clock=Clock(), deadline=1.5, **{"max_retries": 1, **options})
    server.gives_tokens(token(TOKEN))
    if where == "answers":
        client.get_prompt_version("known")
        server.answers(reply)
    else:
        server.gives_tokens(reply)
    with pytest.raises(ScopeError) as caught:
        client.get_prompt_version("greeting")
    shown = "\n".join(shown_by_debug_pages(caught.value))
    assert "greeting" in shown
    assert not leaks(TOKEN, shown) + leaks(SECRET, shown)


@pytest.mark.parametrize(
    "odd",
    [f"{TOKEN}\n", f"Bearer {TOKEN}", f"{TOKEN}\u2603", [TOKEN], {"text": TOKEN}],
    ids=["newline", "space", "not ASCII", "list", "object"],
)
def test_no_frame_shows_what_came_in_place_of_a_token(
    odd: object, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.gives_tokens(json_answer({"access_token": odd, "expires_in": 3600}))
    with pytest.raises(TokenRefreshError, match=r"^the token endpoint answered without a usable") as caught:
        make_client(max_retries=0).get_prompt_version("greeting")
    assert not leaks(TOKEN, "\n".join([*shown_by_debug_pages(caught.value), *surfaces(caught.value)]))


def test_no_frame_shows_a_token_that_the_platform_echoes_in_a_version(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.gives_tokens(token(TOKEN))
    server.answers(prompt("x", type=TOKEN))
    with pytest.raises(ApiError) as caught:
        make_client(max_retries=0).get_prompt_version("greeting")
    assert not leaks(TOKEN, "\n".join([*shown_by_debug_pages(caught.value), *surfaces(caught.value)]))


def test_an_error_about_a_version_does_not_keep_the_answer_alive(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.answers(prompt(["no content"], type="text", filler=FILLER))
    with pytest.raises(ApiError) as caught:
        make_client(max_retries=0).get_prompt_version("greeting")
    assert not keeps_filler(caught.value)


def test_an_error_about_a_token_does_not_keep_what_came_in_its_place(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.gives_tokens(json_answer({"access_token": None, "filler": FILLER}))
    with pytest.raises(TokenRefreshError) as caught:
        make_client(max_retries=0).get_prompt_version("greeting")
    assert not keeps_filler(caught.value)


def keeps_filler(error: BaseException) -> bool:
    held = inside.Graph(*(frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)))
    return any(len(each) >= len(FILLER) for each in held.texts)


def test_headers_that_break_off_are_in_no_log_of_urllib3s(
    make_client: Callable[..., ScopeClient], server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.gives_tokens(token(TOKEN))
    server.answers(f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{TOKEN}\r\n\r\n{{}}".encode())
    with pytest.raises(ApiError, match="headers that broke off"):
        make_client(max_retries=0).get_prompt_version("greeting")
    assert not leaks(TOKEN, caplog.text)


def pieces(secret: str) -> Iterator[str]:
    """The secret as it may be written, in parts that each would give it away."""
    for written in {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]}:
        for place in range(0, len(written) - GIVEN_AWAY + 1, GIVEN_AWAY // 2):
            yield written[place : place + GIVEN_AWAY].lower()


def leaks(secret: str, text: str) -> list[str]:
    lowered = text.lower()
    return [piece for piece in pieces(secret) if piece in lowered]


@pytest.fixture
def tells(make_client: Callable, heard: Heard, caplog: pytest.LogCaptureFixture) -> Callable[..., list[str]]:
    """All that a client with these options tells while it fails."""
    caplog.set_level(logging.DEBUG)

    def tells(**options: object) -> list[str]:
        with pytest.raises(ScopeError) as caught:
            make_client(max_retries=1, **options).get_prompt_version("greeting")
        events = [*heard.requests, *heard.responses, *heard.errors]
        assert len(events) >= 3
        assert caplog.records
        return [*surfaces(caught.value), *map(repr, events), caplog.text]

    return tells


@pytest.mark.parametrize("fault", ECHOES)
def test_a_token_that_comes_back_is_told_to_nobody(
    fault: str, tells: Callable[..., list[str]], server: FaultServer
) -> None:
    server.gives_tokens(token(TOKEN))
    server.answers(ECHOES[fault])
    for told in tells():
        assert leaks(TOKEN, told) == []


@pytest.mark.parametrize("fault", ECHOES)
@pytest.mark.parametrize("secret", [SECRET, ODD_SECRET], ids=["plain", "odd"])
def test_a_secret_that_comes_back_is_told_to_nobody(
    secret: str, fault: str, tells: Callable[..., list[str]], server: FaultServer
) -> None:
    server.gives_tokens(ECHOES[fault])
    for told in tells(credentials=ApiKeyCredentials("org-1", "key-1", secret)):
        assert leaks(secret, told) == []


def test_a_token_that_was_refused_twice_is_told_to_nobody(tells: Callable[..., list[str]], server: FaultServer) -> None:
    server.gives_tokens(token(TOKEN))
    server.answers(echoes(lambda said: error(401, said)))
    for told in tells():
        assert leaks(TOKEN, told) == []


@pytest.mark.parametrize(
    "reply",
    [json_answer([{"access_token": TOKEN}]), answer(f"access_token={TOKEN}"), json_answer({"token": TOKEN})],
    ids=["a list", "a form", "another name"],
)
def test_a_token_in_an_answer_that_cannot_be_read_is_told_to_nobody(
    reply: bytes, tells: Callable[..., list[str]], server: FaultServer
) -> None:
    server.gives_tokens(reply)
    for told in tells():
        assert leaks(TOKEN, told) == []


def test_a_short_id_in_a_message_stays_readable(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    server.gives_tokens(error(403, "the key of this account is disabled"))
    with pytest.raises(ScopeError, match="the key of this account is disabled"):
        make_client(credentials=ApiKeyCredentials("a", "e", "s")).get_prompt_version("greeting")


def test_so_does_the_id_of_the_organisation(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    server.gives_tokens(error(403, f"organisation-42 has no key {SECRET}"))
    with pytest.raises(ScopeError, match="organisation-42 has no key") as caught:
        make_client(credentials=ApiKeyCredentials("organisation-42", "key-4711", SECRET)).get_prompt_version("greeting")
    assert not leaks(SECRET, str(caught.value))


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/token", {"secret": SECRET, "odd": 5}, r"^Own must give token_path as text, and"),
        ("token", {"secret": SECRET}, r"^Own must give a token_path that"),
        ("/token", {"secret": SECRET}, r"^the token endpoint answered without a usable"),
    ],
)
def test_no_frame_shows_a_token_request_that_brings_no_token(
    path: str, body: dict[str, object], message: str, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.gives_tokens(json_answer({}))

    class Own:
        org_id, token_path = "org", path

        def token_body(self) -> object:
            return dict(body)

    with pytest.raises(ScopeError, match=message) as caught:
        make_client(credentials=Own(), max_retries=0).get_prompt_version("greeting")
    assert not leaks(SECRET, "\n".join([*shown_by_debug_pages(caught.value), *surfaces(caught.value)]))


def test_a_client_shows_neither_token_nor_secret(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    server.gives_tokens(token(TOKEN))
    server.answers(PROMPT)
    client = make_client(credentials=ApiKeyCredentials("org-1", "key-1", SECRET))
    version = client.get_prompt_version("greeting")
    for shown in (repr(client), repr(client.config), str(client.config.to_dict()), repr(version), repr(vars(client))):
        assert leaks(TOKEN, shown) == leaks(SECRET, shown) == []


PARTS: dict[str, Callable[[str], object]] = {
    "a slice": lambda secret: secret[3:],
    "a character": lambda secret: secret[0],
    "stripped": lambda secret: secret.strip("s"),
    "split": lambda secret: secret.split("0"),
    "lines": lambda secret: secret.splitlines(),
    "halves": lambda secret: secret.partition("0"),
    "halves from the right": lambda secret: secret.rpartition("0"),
    "replaced": lambda secret: secret.replace("0", ""),
    "in capitals": lambda secret: secret.upper(),
    "without a prefix": lambda secret: secret.lstrip("s"),
    "bytes": lambda secret: secret.encode(),
    "a slice of bytes": lambda secret: secret.encode()[2:],
    "bytes and back": lambda secret: secret.encode().decode("latin-1"),
    "split bytes": lambda secret: secret.encode().split(b"0"),
    "added to": lambda secret: secret + "x",
    "added": lambda secret: "Bearer " + secret,
    "added to bytes": lambda secret: b"Bearer " + secret.encode() + b"x",
    "twice": lambda secret: 2 * secret,
    "formatted": lambda secret: f"{secret}",
    "formatted with a width": lambda secret: f"{secret:>99}",
    "put into a template": lambda secret: "Bearer %s" % secret,  # noqa: UP031  # what this is about
    "pickled and read": lambda secret: pickle.loads(pickle.dumps(secret)),
    "copied": copy.deepcopy,
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_what_is_made_of_a_secret_is_not_shown_either(part: Callable[[str], object]) -> None:
    secret = ApiKeyCredentials("org", "key", SECRET).api_secret
    assert part(secret) == part(SECRET)
    assert re.sub(r"b?'\*\*\*'|[\[\](), ]", "", repr(part(secret))) == ""


def test_text_that_shows_a_secret_on_purpose_is_plain() -> None:
    secret = ApiKeyCredentials("org", "key", SECRET).api_secret
    assert repr(str(secret)) == repr(SECRET)
    assert json.dumps({"key_secret": secret}) == json.dumps({"key_secret": SECRET})


def test_a_client_does_not_pickle(client: ScopeClient) -> None:
    client.get_prompt_version("greeting")
    with pytest.raises(TypeError):
        pickle.dumps(client)
