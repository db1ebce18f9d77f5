"""Either class of credentials takes the variables and the keywords of the other, and makes the kind that fits them."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any, Callable

import pytest
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, ClientCredentials, Credentials, MissingApiKeyError, ScopeClient

ORG = {"SCOPE_ORG_ID": "o"}
KEY = {"SCOPE_API_KEY": "k", "SCOPE_API_SECRET": "ks"}
CLIENT = {"SCOPE_CLIENT_ID": "c", "SCOPE_CLIENT_SECRET": "cs"}
API_KEY = ApiKeyCredentials("o", "k", "ks")
APPLICATION = ClientCredentials("o", "c", "cs")
each_kind = pytest.mark.parametrize("kind", [ApiKeyCredentials, ClientCredentials])


def set_all(monkeypatch: pytest.MonkeyPatch, *variables: dict[str, str]) -> None:
    for each in variables:
        for name, value in each.items():
            monkeypatch.setenv(name, value)


@each_kind
@pytest.mark.parametrize(
    ("pair", "stray", "made"),
    [
        (KEY, {}, API_KEY),
        (CLIENT, {}, APPLICATION),
        (KEY, {"SCOPE_CLIENT_ID": "c"}, API_KEY),
        (KEY, {"SCOPE_CLIENT_SECRET": "cs"}, API_KEY),
        (CLIENT, {"SCOPE_API_KEY": "k"}, APPLICATION),
        (CLIENT, {"SCOPE_API_SECRET": "ks", "SCOPE_API_KEY": ""}, APPLICATION),
    ],
)
def test_the_environment_decides_which_kind_it_is(
    kind: Any, pair: dict, stray: dict, made: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, ORG, pair, stray)
    assert kind.from_env() == made


@pytest.mark.parametrize(("kind", "made"), [(ApiKeyCredentials, API_KEY), (ClientCredentials, APPLICATION)])
def test_where_both_pairs_are_set_each_class_takes_its_own(
    kind: Any, made: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, ORG, KEY, CLIENT)
    assert kind.from_env() == made


@each_kind
def test_a_key_and_the_secret_of_a_client_are_no_credentials(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ORG, {"SCOPE_API_KEY": "k", "SCOPE_CLIENT_SECRET": "cs"})
    with pytest.raises(MissingApiKeyError, match="not set is SCOPE_API_SECRET"):
        kind.from_env()


def test_a_subclass_reads_its_own_pair_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(ClientCredentials):
        __slots__ = ()

    set_all(monkeypatch, ORG, CLIENT)
    assert type(Mine.from_env()) is Mine


@each_kind
def test_without_any_variable_the_error_names_both_pairs(kind: Any) -> None:
    with pytest.raises(MissingApiKeyError) as caught:
        kind.from_env()
    assert all(variable in str(caught.value) for variable in {**ORG, **KEY, **CLIENT})


def test_the_keywords_of_the_other_kind_make_the_other_kind() -> None:
    assert ApiKeyCredentials("o", client_id="c", client_secret="cs") == APPLICATION
    assert ApiKeyCredentials(org_id="o", client_id="c", client_secret="cs") == APPLICATION
    with pytest.warns(DeprecationWarning, match="ApiKeyCredentials"):
        assert ClientCredentials("o", api_key="k", api_secret="ks") == API_KEY


def test_the_warning_names_the_line_of_the_program() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        line = sys._getframe().f_lineno + 1
        ClientCredentials(org_id="o", api_key="k", api_secret="ks")
    assert [(each.filename, each.lineno) for each in told] == [(__file__, line)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ApiKeyCredentials("o", "k", client_id="c", client_secret="cs"),
        lambda: ApiKeyCredentials("o", api_secret="ks", client_id="c"),
        lambda: ClientCredentials("o", "c", "cs", api_key="k"),
        lambda: ClientCredentials("o", client_id="c", api_secret="ks"),
    ],
)
def test_parts_of_both_kinds_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=r"give \w+ and \w+, or \w+ and \w+, and not both"):
        make()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "missing"),
    [
        (lambda: ApiKeyCredentials("o", client_id="c"), "client_secret"),
        (lambda: ClientCredentials("o", api_key="k"), "api_secret"),
        (lambda: ApiKeyCredentials(client_id="c", client_secret="cs"), "org_id"),
        (lambda: ApiKeyCredentials("o", "k"), "api_secret"),
        (lambda: ApiKeyCredentials(), "org_id"),
    ],
)
def test_a_part_that_is_missing_is_named(make: Callable[[], object], missing: str) -> None:
    with pytest.raises(MissingApiKeyError, match=f"needs {missing}"):
        make()


def test_an_unknown_keyword_beside_those_of_the_other_kind_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="clientid"):
        ApiKeyCredentials("o", client_id="c", client_secret="cs", clientid="c")  # type: ignore[call-overload]


@pytest.mark.parametrize("made", [API_KEY, APPLICATION], ids=repr)
def test_both_kinds_are_read_by_either_pair_of_names(made: Any) -> None:
    assert (made.api_key, made.api_secret) == (made.client_id, made.client_secret)
    assert made.validate() is None
    assert isinstance(made, Credentials)
    assert made.to_dict()["auth_type"] == made.auth_type


def test_the_kinds_say_their_names() -> None:
    assert (API_KEY.auth_type, APPLICATION.auth_type) == ("api_key", "client_credentials")


def test_what_lacks_a_member_is_not_of_the_protocol() -> None:
    assert not isinstance(object(), Credentials)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: ClientCredentials("o", api_key="k", api_secret="s"), "/v1/auth/sdk-token"),
        (lambda: ApiKeyCredentials("o", client_id="c", client_secret="s"), "/v1/auth/applications/login"),
    ],
)
def test_the_token_is_bought_where_that_kind_buys_it(
    make: Callable[[], Any], path: str, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    make_client(credentials=make()).get_prompt_version("greeting")
    (login,) = server.logins
    assert login.line == f"POST {path} HTTP/1.1"
    assert "s" in json.loads(login.body).values()
