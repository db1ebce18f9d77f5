"""A name or a version ID becomes exactly one segment of the path, seen in the request line on the wire."""

from __future__ import annotations

from typing import Callable
from urllib.parse import unquote

import pytest
from faults.replies import error
from faults.server import FaultServer
from hypothesis import given
from hypothesis import strategies as st

from scope_client import NotFoundError, ScopeClient, ValidationError
from scope_client._prompt.ref import PromptRef

SEGMENTS = {
    "greeting": "greeting",
    "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A": "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A",
    "Az09-._~": "Az09-._~",
    "a/b": "a%2Fb",
    "/": "%2F",
    "//evil.example/x": "%2F%2Fevil.example%2Fx",
    "https://evil.example": "https%3A%2F%2Fevil.example",
    "../admin": "..%2Fadmin",
    "..\\admin": "..%5Cadmin",
    "...": "...",
    ".hidden": ".hidden",
    "./.": ".%2F.",
    "%2e%2e": "%252e%252e",
    "%2E": "%252E",
    "..%2f": "..%252f",
    "100%": "100%25",
    "a%b": "a%25b",
    "a?b=c": "a%3Fb%3Dc",
    "a#b": "a%23b",
    "a b": "a%20b",
    " a ": "%20a%20",
    "a+b": "a%2Bb",
    "a&b;c,d": "a%26b%3Bc%2Cd",
    "user@host:80": "user%40host%3A80",
    "{{name}}": "%7B%7Bname%7D%7D",
    "[::1]": "%5B%3A%3A1%5D",
    "a'b\"c": "a%27b%22c",
    "\x00": "%00",
    "a\r\nX-Evil: 1": "a%0D%0AX-Evil%3A%201",
    "a HTTP/1.1\r\n\r\nGET /": "a%20HTTP%2F1.1%0D%0A%0D%0AGET%20%2F",
    "\t\x7f\x85": "%09%7F%C2%85",
    "é": "%C3%A9",
    "e\u0301": "e%CC%81",
    "日本": "%E6%97%A5%E6%9C%AC",
    "\u202egnp": "%E2%80%AEgnp",
    "🎉": "%F0%9F%8E%89",
    "\uff0e\uff0e": "%EF%BC%8E%EF%BC%8E",
    "production": "production",
    "latest": "latest",
    "versions": "versions",
}
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text not in (".", ".."))
LONG = "x" * 20_000
refused = pytest.mark.parametrize("value", ["", ".", "..", "\ud800", "a\udfff", 5, b"greeting", ["greeting"], True])
each_segment = pytest.mark.parametrize(("given", "segment"), SEGMENTS.items())


@each_segment
def test_a_name_is_one_segment(given: str, segment: str, client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version(given)
    client.get_prompt_version(given, label="latest")
    assert [request.line for request in server.reads] == [
        f"GET /api/v1/prompts/{segment}/production HTTP/1.1",
        f"GET /api/v1/prompts/{segment}/latest HTTP/1.1",
    ]


@given(ANY_TEXT, ANY_TEXT.filter(lambda text: not text.strip().isdecimal()))
def test_any_text_comes_out_of_its_segment_as_it_went_in(name: str, version: str) -> None:
    path = PromptRef.of(name, version=version).path
    assert path.isascii()
    assert path.isprintable()
    _, prompts, first, versions, second = path.split("/")
    assert (prompts, unquote(first), versions, unquote(second)) == ("prompts", name, "versions", version)


@each_segment
def test_a_version_id_is_one_segment(given: str, segment: str, client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version("greeting", version=given)
    assert [request.line for request in server.reads] == [f"GET /api/v1/prompts/greeting/versions/{segment} HTTP/1.1"]


@each_segment
def test_a_proxy_sees_the_same_segment(
    given: str,
    segment: str,
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    url = "http://scope.example"
    make_client(base_url=url, auth_api_url=url, allow_insecure=True).get_prompt_version(given)
    (read,) = server.reads
    assert read.line == f"GET {url}/api/v1/prompts/{segment}/production HTTP/1.1"


def test_a_very_long_name_arrives_whole(client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version(LONG)
    assert server.reads[0].target == f"/api/v1/prompts/{LONG}/production"


@refused
def test_a_name_that_is_no_segment_is_a_validation_error_and_nothing_is_sent(
    value: object, client: ScopeClient, server: FaultServer
) -> None:
    for options in ({}, {"label": "latest"}, {"version": "v_1"}, {"cache": False}):
        with pytest.raises(ValidationError, match="name"):
            client.get_prompt_version(value, **options)
    assert server.accepted == 0


@refused
def test_a_version_id_that_is_no_segment_is_a_validation_error_and_nothing_is_sent(
    value: object, client: ScopeClient, server: FaultServer
) -> None:
    with pytest.raises(ValidationError, match="version"):
        client.get_prompt_version("greeting", version=value)
    assert server.accepted == 0


def test_a_name_that_is_missing_is_a_validation_error(client: ScopeClient, server: FaultServer) -> None:
    with pytest.raises(ValidationError, match="name"):
        client.get_prompt_version(None)
    assert server.accepted == 0


def test_a_cached_prompt_is_not_reached_by_what_is_no_name(client: ScopeClient) -> None:
    client.get_prompt_version("greeting", label="latest")
    with pytest.raises(ValidationError, match="name"):
        client.get_prompt_version(("greeting", "latest", None))


@pytest.mark.parametrize("label", ["", "Production", "staging", "latest ", "v1", 5, True, ["latest"], b"latest"])
def test_an_unknown_label_is_a_validation_error_that_lists_both(
    label: object, client: ScopeClient, server: FaultServer
) -> None:
    with pytest.raises(ValidationError, match=r"production.*latest"):
        client.get_prompt_version("greeting", label=label)
    assert server.accepted == 0


@pytest.mark.parametrize("label", ["production", "latest", "unknown"])
def test_a_label_and_a_version_together_are_a_type_error(label: str, client: ScopeClient, server: FaultServer) -> None:
    with pytest.raises(TypeError, match=r"label.*version"):
        client.get_prompt_version("greeting", label=label, version="v_1")
    assert server.accepted == 0


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        ({}, "production"),
        ({"label": None}, "production"),
        ({"label": "production"}, "production"),
        ({"label": "latest"}, "latest"),
        ({"version": "v_1"}, "versions/v_1"),
        ({"version": "latest"}, "versions/latest"),
        ({"version": "production"}, "versions/production"),
    ],
)
def test_what_is_asked_for_is_in_the_path(options: dict, ending: str, client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version("greeting", **options)
    assert server.reads[0].target == f"/api/v1/prompts/greeting/{ending}"


def test_the_platform_decides_what_is_an_id(client: ScopeClient, server: FaultServer) -> None:

    server.answers(error(404, "Prompt 'prompt_x' not found", "prompt_not_found"))
    with pytest.raises(NotFoundError):
        client.get_prompt_version("prompt_x")
    assert server.reads[0].target == "/api/v1/prompts/prompt_x/production"
