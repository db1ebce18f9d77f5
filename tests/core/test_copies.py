"""A copy of a client, or of whatever holds one, reads through the same client."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any, Callable

import pytest
import requests
from faults.replies import prompt
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, ClientCredentials, Configuration, MemoryStore, RedisStore, ScopeClient
from scope_client.testing import PromptsClient

COPIES = [copy.copy, copy.deepcopy]


class OwnCredentials:
    """A third kind, of a user's."""

    org_id = "org-1"
    token_path = "/v1/auth/own"

    def token_body(self) -> dict[str, str]:
        return {"key": "value"}


class OwnClient(ScopeClient):
    """A user's class, with something of its own in it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: list[str] = []


@dataclasses.dataclass
class Service:
    client: ScopeClient
    names: list[str]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_a_client_is_that_client(
    copied: Callable[[Any], Any], client: ScopeClient, keys: ApiKeyCredentials
) -> None:
    own = OwnClient(credentials=keys)
    of_a_mapping = PromptsClient({"greeting": "Hello"})
    for each in (client, own, of_a_mapping):
        assert copied(each) is each
    assert copied(of_a_mapping).render_prompt("greeting") == "Hello"


def test_what_holds_a_client_is_copied_with_the_client_in_it(client: ScopeClient, server: FaultServer) -> None:
    server.answers(lambda peer: peer.send(prompt("Hello")))
    service = copy.deepcopy(Service(client, ["greeting"]))
    assert (service.client, service.names) == (client, ["greeting"])
    assert dataclasses.asdict(Service(client, ["greeting"]))["client"] is client
    held = copy.deepcopy({"clients": [client], "read": client.render_prompt})
    assert held["clients"][0] is client
    assert held["read"]("greeting") == "Hello"
    assert copy.deepcopy(functools.partial(client.render_prompt, "greeting"))() == "Hello"


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    "credentials",
    [ApiKeyCredentials("o", "k", "s"), ClientCredentials("o", "i", "s"), OwnCredentials()],
    ids=lambda each: type(each).__name__,
)
def test_a_copy_of_a_configuration_holds_the_very_same_things(copied: Callable[[Any], Any], credentials: Any) -> None:
    store = MemoryStore()
    with requests.Session() as session:
        config = Configuration(credentials=credentials, session=session, cache_store=store, cache_ttl=7)
        made = copied(config)
        assert made == config
        assert (made.credentials, made.session, made.cache_store) == (credentials, session, store)
        assert copied({"config": config})["config"].session is session


def test_options_that_are_copied_before_a_client_is_made_of_them_hold_the_same_store(keys: ApiKeyCredentials) -> None:
    for store in (MemoryStore(), RedisStore("redis://127.0.0.1:1/0")):
        options = copy.deepcopy({"cache_store": store, "credentials": keys})
        with ScopeClient(**options) as client:
            assert client.config.cache_store is store


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_a_version_is_as_good(copied: Callable[[Any], Any]) -> None:
    version = PromptsClient({"greeting": "Hello {{name}}"}).get_prompt_version("greeting")
    assert copied(version) == version
    assert copied(version).render(name="Ada") == "Hello Ada"
