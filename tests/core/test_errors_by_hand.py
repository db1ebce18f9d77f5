"""Errors that a user's test makes by hand have the facts and the message of the ones that a client raises."""

from __future__ import annotations

import copy
import pickle
from typing import Callable

import pytest
from faults.replies import error as reply
from faults.server import FaultServer

import scope_client
from scope_client import (
    MissingVariableError,
    NoProductionVersionError,
    PromptVersion,
    RateLimitError,
    RenderError,
    ScopeClient,
    ScopeError,
    ServerError,
    ValidationError,
)

STATUSES = {
    "AuthenticationError": 401,
    "InvalidCredentialsError": 401,
    "TokenRefreshError": None,
    "AuthorizationError": 403,
    "NotFoundError": 404,
    "NoProductionVersionError": 404,
    "ConflictError": 409,
    "RateLimitError": 429,
    "ServerError": 500,
    "ApiError": None,
    "ConnectionError": None,
    "TimeoutError": None,
    "ValidationError": None,
    "RenderError": None,
    "MissingVariableError": None,
    "ConfigurationError": None,
    "MissingApiKeyError": None,
    "ResourceError": None,
}
each_class = pytest.mark.parametrize(("name", "status"), STATUSES.items())
COPIERS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda error: pickle.loads(pickle.dumps(error))}
copies = pytest.mark.parametrize("copied", COPIERS.values(), ids=COPIERS)


@each_class
def test_without_arguments_each_has_its_status_and_says_what_it_stands_for(name: str, status: int | None) -> None:
    made = getattr(scope_client, name)()
    assert made.http_status == status
    assert len(made.message) > 8
    assert str(made) == made.message == made.args[0]


@each_class
def test_with_a_message_each_has_its_status_too(name: str, status: int | None) -> None:
    assert getattr(scope_client, name)("it went wrong").http_status == status


def test_a_status_that_is_given_wins() -> None:
    made = ServerError(http_status=503)
    assert (made.http_status, str(made)) == (503, "the platform failed (HTTP 503)")
    assert ServerError("down", http_status=None).http_status is None


def test_the_error_of_a_prompt_without_production_version_is_that_of_a_client(
    client: ScopeClient, server: FaultServer
) -> None:
    server.answers(reply(404, "none", code="no_production_version"))
    with pytest.raises(NoProductionVersionError) as raised:
        client.get_prompt_version("greeting")
    made = NoProductionVersionError("greeting")
    assert (str(made), made.prompt_id, made.http_status) == (
        str(raised.value),
        raised.value.prompt_id,
        raised.value.http_status,
    )


def test_with_a_message_and_a_prompt_both_are_kept() -> None:
    made = NoProductionVersionError("nothing yet", prompt_id="greeting")
    assert (str(made), made.prompt_id) == ("nothing yet", "greeting")
    assert "'greeting'" in str(NoProductionVersionError(prompt_id="greeting"))
    assert NoProductionVersionError().prompt_id is None


def test_a_sentence_in_the_place_of_a_prompt_is_the_message() -> None:
    made = NoProductionVersionError("nothing is published yet")
    assert (str(made), made.prompt_id) == ("nothing is published yet", None)


@pytest.mark.parametrize("names", [["name", "tone"], ("name", "tone"), iter(["name", "tone"])])
def test_the_names_of_missing_variables_make_the_message(names: object) -> None:
    made = MissingVariableError(names)  # type: ignore[arg-type]
    assert made.missing_variables == ("name", "tone")
    with pytest.raises(MissingVariableError) as raised:
        PromptVersion.from_api({"content": "{{name}} {{tone}}"}).render()
    assert raised.value.missing_variables == made.missing_variables
    assert str(made) in str(raised.value)


def test_a_message_of_missing_variables_is_kept() -> None:
    made = MissingVariableError("no name", missing_variables=["name"])
    assert (str(made), made.missing_variables) == ("no name", ("name",))
    assert "'name'" in str(MissingVariableError(missing_variables=["name"]))


def test_the_seconds_of_a_rate_limit() -> None:
    made = RateLimitError(retry_after=60)
    assert (made.retry_after, made.http_status) == (60, 429)
    assert "too many requests" in str(made)


def test_the_original_error_is_the_cause() -> None:
    cause = OSError("no route")
    made = scope_client.ConnectionError("gone", original_error=cause)
    assert made.original_error is made.__cause__ is cause
    assert scope_client.TimeoutError(original_error=cause, is_deadline=True).original_error is cause
    assert scope_client.ConnectionError().original_error is None


def test_the_original_error_of_one_that_a_client_raises(
    make_client: Callable[..., ScopeClient], closed_port: int
) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    with pytest.raises(scope_client.TokenRefreshError) as raised:
        make_client(base_url=url, auth_api_url=url, max_retries=0).get_prompt_version("greeting")
    refused = raised.value.__cause__
    assert isinstance(refused, scope_client.ConnectionError)
    assert refused.original_error is refused.__cause__ is not None


def test_what_a_validation_and_a_render_error_were_about() -> None:
    wrong = ValidationError("no", field="label", value="prod")
    assert (wrong.field, wrong.value) == ("label", "prod")
    assert (ValidationError("no").field, ValidationError("no").value) == (None, None)
    assert RenderError("no", template="Hi {{name}}").template == "Hi {{name}}"
    assert MissingVariableError(["name"], template="Hi {{name}}").template == "Hi {{name}}"


@copies
@pytest.mark.parametrize(
    "made",
    [
        NoProductionVersionError("greeting"),
        MissingVariableError(["name"]),
        RateLimitError(retry_after=60),
        ServerError(http_status=503),
        ValidationError("no", field="label", value="prod"),
        RenderError(template="x"),
    ],
    ids=repr,
)
def test_a_copy_has_the_same_facts(made: ScopeError, copied: Callable[[ScopeError], ScopeError]) -> None:
    again = copied(made)
    assert (type(again), str(again), again.args, vars(again)) == (type(made), str(made), made.args, vars(made))
