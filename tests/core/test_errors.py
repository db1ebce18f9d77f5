"""One family of errors: a strict tree, each with its facts, which survive a pickle."""

from __future__ import annotations

import builtins
import copy
import pickle

import pytest

import scope_client
from scope_client import errors

TREE = {
    "ScopeError": "Exception",
    "ConfigurationError": "ScopeError",
    "MissingApiKeyError": "ConfigurationError",
    "ApiError": "ScopeError",
    "AuthenticationError": "ApiError",
    "TokenRefreshError": "AuthenticationError",
    "InvalidCredentialsError": "AuthenticationError",
    "AuthorizationError": "ApiError",
    "NotFoundError": "ApiError",
    "ConflictError": "ApiError",
    "RateLimitError": "ApiError",
    "ServerError": "ApiError",
    "ConnectionError": "ScopeError",
    "TimeoutError": "ConnectionError",
    "ResourceError": "ScopeError",
    "ValidationError": "ResourceError",
    "RenderError": "ResourceError",
    "MissingVariableError": "RenderError",
    "NoProductionVersionError": "ResourceError",
}
FACTS = {"http_status": 418, "http_body": "short and stout", "error_code": "teapot", "request_id": "req-1"}
MORE = {
    "RateLimitError": {"retry_after": 1.5},
    "MissingVariableError": {"missing_variables": ("a", "b")},
    "NoProductionVersionError": {"prompt_id": "greeting"},
}

every_error = pytest.mark.parametrize("name", TREE)


def make(name: str) -> errors.ScopeError:
    return getattr(scope_client, name)("it went wrong", **FACTS, **MORE.get(name, {}))


def test_the_tree_is_the_one_that_is_promised() -> None:
    found = {
        name: kind.__bases__[0].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert found == TREE


@every_error
def test_every_error_can_be_imported_from_the_package(name: str) -> None:
    assert getattr(scope_client, name) is getattr(errors, name)


@every_error
def test_an_error_carries_its_facts(name: str) -> None:
    error = make(name)
    assert str(error) == error.message == "it went wrong"
    assert {**vars(error), "message": None} == {**vars(error), **FACTS, **MORE.get(name, {}), "message": None}


@every_error
def test_a_fact_that_is_not_known_is_none(name: str) -> None:
    error = getattr(scope_client, name)("it went wrong", http_status=None)
    assert [getattr(error, fact) for fact in FACTS] == [None] * len(FACTS)


@every_error
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_pickles_with_its_facts(name: str, protocol: int) -> None:
    error = make(name)
    copied = pickle.loads(pickle.dumps(error, protocol))
    assert type(copied) is type(error)
    assert (str(copied), copied.args, vars(copied)) == (str(error), error.args, vars(error))


def test_an_error_that_was_pickled_under_its_name_in_scope_client_errors_is_read_too() -> None:
    stored = b"cscope_client.errors\n_revive\n(cscope_client.errors\nNotFoundError\n(Vgone\ntp1\n(dVcode\nI5\nstR."
    error = pickle.loads(stored)
    assert type(error) is scope_client.NotFoundError
    assert (str(error), error.code) == ("gone", 5)


@every_error
@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
def test_a_copied_error_has_its_facts(name: str, copier: object) -> None:
    assert vars(copier(make(name))) == vars(make(name))


@every_error
def test_an_error_of_a_users_own_subclass_pickles(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type("Own", (getattr(scope_client, name),), {"__module__": __name__, "__init__": own_init})
    monkeypatch.setitem(globals(), "Own", kind)
    copied = pickle.loads(pickle.dumps(kind(5)))
    assert (str(copied), copied.number) == ("number 5", 5)


def own_init(self: errors.ScopeError, number: int) -> None:
    super(type(self), self).__init__(f"number {number}")
    self.number = number


@pytest.mark.parametrize("name", ["ConnectionError", "TimeoutError"])
def test_network_errors_are_the_builtins_too(name: str) -> None:
    assert issubclass(getattr(scope_client, name), getattr(builtins, name))
    with pytest.raises(OSError, match="it went wrong"):
        raise make(name)


def test_a_time_out_is_a_connection_error_in_both_families() -> None:
    assert issubclass(scope_client.TimeoutError, scope_client.ConnectionError)
    assert issubclass(scope_client.TimeoutError, builtins.ConnectionError)


def test_a_star_import_hides_no_builtin() -> None:
    names: dict[str, object] = {}
    exec("from scope_client import *", names)
    assert "ScopeClient" in names
    assert not (set(names) - {"__builtins__"}) & set(dir(builtins))


def test_a_star_import_brings_every_error_but_those_two() -> None:
    assert set(TREE) - set(scope_client.__all__) == {"ConnectionError", "TimeoutError"}


def test_http_body_is_cut_at_2000_characters() -> None:
    assert errors.ScopeError("x", http_body="é" * 2001).http_body == "é" * 2000
    assert errors.ScopeError("x", http_body="a" * 2000).http_body == "a" * 2000
    assert errors.ScopeError("x", http_body="").http_body == ""


def test_missing_variables_are_kept_in_order_and_cannot_be_changed() -> None:
    assert errors.MissingVariableError("x", missing_variables=["b", "a"]).missing_variables == ("b", "a")


def test_an_unknown_fact_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="http_stauts"):
        errors.ApiError("x", http_stauts=500)
