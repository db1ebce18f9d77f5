"""Credentials know their own token request, and tell their secret to nobody else."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any, Callable

import pytest
from faults.replies import error, json_answer
from faults.server import FaultServer

from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    ConfigurationError,
    InvalidCredentialsError,
    MissingApiKeyError,
    ScopeClient,
    TokenRefreshError,
)

KINDS = {
    ApiKeyCredentials: ("org_id", "api_key", "api_secret"),
    ClientCredentials: ("org_id", "client_id", "client_secret"),
}
VARIABLES = {
    ApiKeyCredentials: ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"),
    ClientCredentials: ("SCOPE_ORG_ID", "SCOPE_CLIENT_ID", "SCOPE_CLIENT_SECRET"),
}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_field = pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in KINDS for field in KINDS[kind]])


class Own:
    """Credentials of a user's: what the protocol names, and no more."""

    org_id = "org-1"
    token_path = "/v1/auth/own"

    def __init__(self, body: object) -> None:
        self._body = body

    def token_body(self) -> Any:
        return self._body() if callable(self._body) else self._body


def values(kind: type, **changes: object) -> dict[str, Any]:
    return {**{field: f"{field}-1" for field in KINDS[kind]}, KINDS[kind][-1]: "hush-hush", **changes}


def fails() -> None:
    raise RuntimeError("the vault is shut")


@pytest.mark.parametrize(
    ("credentials", "path", "body"),
    [
        (
            ApiKeyCredentials("o", "k", "s"),
            "/v1/auth/sdk-token",
            {"account_id": "o", "key_id": "k", "key_secret": "s"},
        ),
        (
            ClientCredentials("o", "c", "s"),
            "/v1/auth/applications/login",
            {"account_id": "o", "client_id": "c", "client_secret": "s"},
        ),
        (Own({"who": "é", "empty": ""}), "/v1/auth/own", {"who": "é", "empty": ""}),
    ],
)
def test_each_kind_posts_what_its_endpoint_asks_for(
    credentials: object, path: str, body: dict, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    make_client(credentials=credentials).get_prompt_version("greeting")
    (login,) = server.logins
    assert login.line == f"POST {path} HTTP/1.1"
    assert json.loads(login.body) == body
    assert login.header("Content-Type") == "application/json"
    assert login.header("Authorization") is None


@each_kind
def test_the_secret_is_shown_nowhere(kind: type) -> None:
    made = kind(**values(kind))
    for shown in (repr(made), str(made), f"{made}", str(made.to_dict()), str([made])):
        assert "hush-hush" not in shown
        assert "org_id-1" in shown


@each_kind
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_they_do_not_pickle_and_the_error_holds_no_secret(kind: type, protocol: int) -> None:
    with pytest.raises(TypeError, match="secret") as caught:
        pickle.dumps({"nested": kind(**values(kind))}, protocol)
    assert "hush-hush" not in str(caught.value)


@each_kind
def test_they_are_frozen_and_equal_by_value(kind: type) -> None:
    made = kind(**values(kind))
    for field in (*KINDS[kind], "token_path", "other"):
        with pytest.raises(AttributeError):
            setattr(made, field, "x")
    assert made == kind(**values(kind))
    assert hash(made) == hash(kind(**values(kind)))
    assert made != kind(**values(kind, org_id="other"))
    assert copy.copy(made) == copy.deepcopy(made) == made
    assert not hasattr(made, "__dict__")


@each_field
@pytest.mark.parametrize("value", ["", None])
def test_an_empty_field_is_named(kind: type, field: str, value: object) -> None:
    with pytest.raises(MissingApiKeyError, match=field):
        kind(**values(kind, **{field: value}))


@each_field
@pytest.mark.parametrize("value", ["hush\r\nX: y", "hush\n", "hush\x00", "\thush", "hush\x7f", b"hush", 5.5, ["hush"]])
def test_a_field_that_is_no_clean_text_is_named_and_not_shown(kind: type, field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=field) as caught:
        kind(**values(kind, **{field: value}))
    assert "hush" not in str(caught.value)


@each_kind
def test_from_env_reads_its_variables(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    for field, variable in zip(KINDS[kind], VARIABLES[kind]):
        monkeypatch.setenv(variable, values(kind)[field])
    assert kind.from_env() == kind(**values(kind))


@each_kind
@pytest.mark.parametrize("missing", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("is_empty", [True, False])
def test_from_env_names_all_that_is_missing_and_nothing_else(
    kind: type, missing: tuple, is_empty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, variable in enumerate(VARIABLES[kind]):
        if place not in missing or is_empty:
            monkeypatch.setenv(variable, "" if place in missing else "hush-hush")
    with pytest.raises(MissingApiKeyError) as caught:
        kind.from_env()
    needed, not_set = str(caught.value).split("; not set ")
    assert all(variable in needed for variable in (*VARIABLES[ApiKeyCredentials], *VARIABLES[ClientCredentials]))
    assert not_set.split(" ", 1)[1].split(", ") == [VARIABLES[kind][place] for place in missing]
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [fails, None, 5, "text", [1], {"a": 5}, {"a": None}, {"a": b"x"}, {5: "x"}, {"a": ["x"]}, {"a": float("nan")}],
)
def test_a_token_body_that_cannot_be_sent_is_a_token_refresh_error(
    body: object, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    with pytest.raises(TokenRefreshError, match="Own"):
        make_client(credentials=Own(body)).get_prompt_version("greeting")
    assert server.requests == []


@pytest.mark.parametrize("path", ["v1/auth/own", "@127.0.0.1:{port}/v1/auth/own", None, 5])
def test_a_token_path_that_may_lead_to_another_host_is_an_error_and_nothing_is_sent(
    path: object, make_client: Callable[..., ScopeClient], server: FaultServer, other_server: FaultServer
) -> None:
    own = Own({"secret": "hush-hush"})
    own.token_path = path.format(port=other_server.port) if isinstance(path, str) else path
    with pytest.raises((TokenRefreshError, ConfigurationError)):
        make_client(credentials=own, max_retries=0).get_prompt_version("greeting")
    assert server.requests == other_server.requests == []


def test_a_token_body_that_raises_is_the_cause(make_client: Callable[..., ScopeClient]) -> None:
    with pytest.raises(TokenRefreshError, match=r"^Own gave no token request: RuntimeError$") as caught:
        make_client(credentials=Own(fails)).get_prompt_version("greeting")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert caught.value.http_status is None


def test_a_token_body_is_asked_for_anew_with_each_token(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    turns = iter(["one", "two"])
    client = make_client(credentials=Own(lambda: {"turn": next(turns)}))
    server.answers(error(401), json_answer({"content": "x"}))
    client.get_prompt_version("greeting")
    assert [json.loads(login.body)["turn"] for login in server.logins] == ["one", "two"]


def test_an_empty_value_in_a_token_body_does_not_spoil_the_message(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.gives_tokens(error(403, "wrong key"))
    with pytest.raises(InvalidCredentialsError, match="wrong key"):
        make_client(credentials=Own({"key_secret": "s3cret", "scope": ""})).get_prompt_version("greeting")


def test_a_to_dict_that_the_protocol_does_not_name_is_not_trusted(make_client: Callable[..., ScopeClient]) -> None:
    own = Own({"secret": "hush-hush"})
    own.to_dict = own.token_body
    assert "hush-hush" not in repr(make_client(credentials=own).config)
