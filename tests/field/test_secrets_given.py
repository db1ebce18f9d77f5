"""Whoever gives a secret with something wrong beside it is told what, and no error tracker is told the secret."""

from __future__ import annotations

import copy
import pickle
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Callable

import flask
import pytest
import redis
import valkey
from faults.secrets import NUMBER, SECRET, Watch, World
from faults.timelimit import TimeLimit

import scope_client
from scope_client import (
    ApiKeyCredentials,
    ClientCredentials,
    Configuration,
    MemoryStore,
    MissingApiKeyError,
    RedisStore,
    ScopeClient,
)
from scope_client.testing import PromptsClient
from scope_django import _conf
from scope_flask import Scope

VARIABLES = {
    ApiKeyCredentials: ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"),
    ClientCredentials: ("SCOPE_ORG_ID", "SCOPE_CLIENT_ID", "SCOPE_CLIENT_SECRET"),
}
KEYS = ApiKeyCredentials("org", "key", SECRET)
URL = f"https://user:{SECRET}@scope.example"
FLAWS = ("{}\n", "{}\r\n", "\n{}", "{}\x7f", "one\ntwo{}", "\t{}")
each_kind = pytest.mark.parametrize("kind", VARIABLES)
each_flaw = pytest.mark.parametrize("flaw", FLAWS)


def set_environment(world: World, kind: type, *values: str) -> None:
    for variable, value in zip(VARIABLES[kind], values):
        world.patch.setenv(variable, value)


@each_kind
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("is_empty", [True, False])
def test_a_variable_is_missing(kind: Any, place: int, is_empty: bool, world: World, watch: Watch) -> None:
    set_environment(world, kind, SECRET, SECRET, SECRET)
    world.patch.setenv(VARIABLES[kind][place], "") if is_empty else world.patch.delenv(VARIABLES[kind][place])
    watch(kind.from_env)


@each_kind
@each_flaw
def test_a_variable_holds_a_line_break(kind: Any, flaw: str, world: World, watch: Watch) -> None:
    set_environment(world, kind, "org", "id", flaw.format(SECRET))
    watch(kind.from_env)


@each_kind
@each_flaw
def test_a_variable_beside_the_secret_holds_a_line_break(kind: Any, flaw: str, world: World, watch: Watch) -> None:
    set_environment(world, kind, flaw.format("org"), "id", SECRET)
    watch(kind.from_env)


def test_one_of_two_pairs_is_wrong(world: World, watch: Watch) -> None:
    set_environment(world, ApiKeyCredentials, "org", "key", SECRET + "\n")
    set_environment(world, ClientCredentials, "org", "id", SECRET)
    watch(ApiKeyCredentials.from_env)


ARGUMENTS = {
    **{repr(flaw): ("org", "id", flaw.format(SECRET)) for flaw in (*FLAWS, "{}\x00")},
    "bytes": ("org", "id", SECRET.encode()),
    "a number": ("org", "id", NUMBER),
    "a list": ("org", "id", [SECRET]),
    "a dict": ("org", "id", {"secret": SECRET}),
    "a tuple": ("org", "id", (SECRET,)),
    "a set": ("org", "id", {SECRET}),
    "no organisation": (None, "id", SECRET),
    "an empty ID": ("org", "", SECRET),
    "an ID over two lines": ("org", "a\r\nb", SECRET),
    "an organisation in bytes": (b"org", "id", SECRET),
    "too many": ("org", "id", SECRET, SECRET),
    "the secret as the ID": ("org", f"{SECRET}\n", ""),
}


@each_kind
@pytest.mark.parametrize("given", ARGUMENTS.values(), ids=ARGUMENTS)
def test_credentials_cannot_be_made(kind: Any, given: tuple, watch: Watch) -> None:
    watch(lambda: kind(*given))


def test_a_keyword_is_that_of_the_other_kind(watch: Watch) -> None:
    watch(lambda: ClientCredentials("org", "id", api_secret=SECRET))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("other", [{"org_id": ""}, {"org_id": 5}, {"org_id": "org\n"}, {"org_id": "org", "more": "x"}])
def test_credentials_of_the_other_kind_cannot_be_made(other: dict, watch: Watch) -> None:
    watch(lambda: ApiKeyCredentials(**other, client_id="id", client_secret=SECRET))
    watch(lambda: ClientCredentials(**other, api_key="id", api_secret=SECRET))


WAYS: dict[str, Callable[[dict], object]] = {
    "Configuration": lambda options: Configuration(**options),
    "merge": lambda options: Configuration().merge(**options),
    "ScopeClient": lambda options: ScopeClient(**{"credentials": KEYS, **options}),
    "ScopeClient with a config": lambda options: ScopeClient(config=Configuration(credentials=KEYS), **options),
    "ScopeClient by position": lambda options: ScopeClient(options.pop("credentials", KEYS), **options),
    "configure": lambda options: scope_client.configure(**options),
    "client": lambda options: scope_client.client(**{"credentials": KEYS, **options}),
    "PromptsClient": lambda options: PromptsClient({}, **options),
}
OPTIONS = {
    "credentials that are a dict": {"credentials": {"api_secret": SECRET}},
    "credentials that are a tuple": {"credentials": ("org", "key", SECRET)},
    "credentials that are text": {"credentials": SECRET},
    "a password in base_url": {"base_url": URL},
    "a key in auth_api_url": {"auth_api_url": f"http://{SECRET}@scope.example/x"},
    "base_url as bytes": {"base_url": URL.encode()},
    "a query in base_url": {"base_url": f"https://scope.example/?key={SECRET}"},
    "a fragment in base_url": {"base_url": f"https://scope.example/#{SECRET}"},
    "base_url over http": {"base_url": "http://scope.example", "credentials": KEYS},
    "an unknown option": {"api_secret": SECRET},
    "a wrong option beside credentials": {"timeout": -1, "credentials": KEYS},
    "a session that is a URL": {"session": f"http://user:{SECRET}@proxy.example"},
    "a store that is a URL": {"cache_store": f"redis://:{SECRET}@redis.example/0"},
    "two wrong ones": {"cache_store": 5, "base_url": URL},
    "prompts that are credentials": {"prompt_dir": {"key": SECRET}},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_an_option_is_wrong(way: Callable[[dict], object], options: dict, watch: Watch) -> None:
    watch(lambda: way(options))


@pytest.mark.parametrize("variable", ["SCOPE_API_URL", "SCOPE_AUTH_API_URL", "SCOPE_TOKEN_REFRESH_BUFFER"])
def test_a_url_with_a_password_is_in_the_environment(variable: str, world: World, watch: Watch) -> None:
    world.patch.setenv(variable, URL)
    watch(lambda: ScopeClient(credentials=KEYS))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["credentials", "configuration", "client"])
def test_what_holds_a_secret_does_not_pickle(kind: str, protocol: int, world: World, watch: Watch) -> None:
    holder = {"credentials": KEYS, "configuration": Configuration(credentials=KEYS), "client": world.client()}[kind]
    if kind == "client":
        holder.get_prompt_version("greeting")
    watch(lambda: pickle.dumps({"in it": holder}, protocol))


def test_a_client_that_has_a_token_does_not_copy(world: World, watch: Watch) -> None:
    client = world.client()
    client.get_prompt_version("greeting")
    watch(lambda: copy.deepcopy(client))


REDIS_URLS = {
    "another scheme": "http://:{}@127.0.0.1:9/0",
    "no scheme": "user:{}@127.0.0.1:9/0",
    "an unknown option": "redis://:{}@127.0.0.1:9/0?no_such_option=1",
    "an option that is no number": "redis://:{}@127.0.0.1:9/0?socket_timeout=soon",
    "an option of TLS": "rediss://:{}@127.0.0.1:9/0?ssl_cert_reqs=soon",
    "a slash": "redis://:{}/x@127.0.0.1:9/0",
    "a hash": "redis://:{}#x@127.0.0.1:9/0",
    "a bracket": "redis://:[{}@127.0.0.1:9/0",
    "the password in the place of the port": "redis://127.0.0.1:{}/0",
    "the password in the query": "redis://127.0.0.1:9/0?password={}&no_such_option=1",
}
each_redis_url = pytest.mark.parametrize("url", [url.format(SECRET) for url in REDIS_URLS.values()], ids=REDIS_URLS)


@each_redis_url
@pytest.mark.parametrize("wrapped", [str, str.encode, lambda url: [url]], ids=["text", "bytes", "list"])
def test_the_url_of_a_redis_is_wrong(url: str, wrapped: Callable[[str], object], watch: Watch) -> None:
    watch(lambda: RedisStore(wrapped(url)))


CALLS: dict[str, Callable[[RedisStore], object]] = {
    "get_many": lambda store: store.get_many(["a"]),
    "set": lambda store: store.set("a", "b", 1),
    "add": lambda store: store.add("a", "b", 1),
    "delete": lambda store: store.delete("a"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("fault", ["refuses connections", "has another password", "hangs", "hangs for too long"])
def test_a_redis_does_not_answer(call: Callable[[RedisStore], object], fault: str, world: World, watch: Watch) -> None:
    address = "127.0.0.1:9"
    if "password" in fault:
        address = world.fixture("redis_server").url.partition("//")[2]
    if "hangs" in fault:  # it takes the connection and the password, and says nothing
        listener = world.opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    store = RedisStore(f"redis://user:{SECRET}@{address}")
    limit = TimeLimit(RuntimeError("time is up"), 0.1 if "too long" in fault else 60)

    def limited() -> None:
        with limit:
            call(store)

    watch(limited)
    assert limit.has_struck is ("too long" in fault)


@pytest.mark.parametrize("kind", [redis.Redis, valkey.Valkey])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_client_of_the_callers_does_not_reach_its_redis(
    kind: Any, call: Callable[[RedisStore], object], world: World, watch: Watch
) -> None:
    address, _, port = world.fixture("redis_server").url.partition("//")[2].partition("/")[0].partition(":")
    server = kind(host=address, port=int(port), username="user", password=SECRET, socket_timeout=0.5, retry=None)
    watch(lambda: call(RedisStore(server)))


class OwnStore(MemoryStore):
    """A store of the caller's, on a Redis."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._redis = redis.Redis(port=port, username="user", password=SECRET)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        return self._redis.mget(keys)


def test_ctrl_c_strikes_while_a_store_of_the_callers_hangs(world: World, watch: Watch) -> None:
    listener = world.opened.enter_context(socket.create_server(("127.0.0.1", 0)))
    client = world.client(cache_store=OwnStore(listener.getsockname()[1]))
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.get_prompt_version("greeting")
    finally:
        signal.signal(signal.SIGALRM, before)
    watch(lambda: [caught.value])


def test_a_client_shares_a_redis_that_does_not_answer(world: World, watch: Watch) -> None:
    client = world.client(cache_store=RedisStore(f"redis://user:{SECRET}@127.0.0.1:9"))
    watch(lambda: client.get_prompt_version("greeting") and None)


@pytest.mark.parametrize("password", ["{}", "12/{}", "12#{}", "12?{}", "12@{}"])
def test_a_store_of_the_callers_says_its_url(password: str, world: World, watch: Watch) -> None:
    class Tells(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
            raise OSError(f"no connection to redis://user:{password.format(SECRET)}@redis.example:6379/0 (refused)")

    client = world.client(cache_store=Tells())
    watch(lambda: client.get_prompt_version("greeting") and None)


SETTINGS = {
    "another one is wrong": {"TIMEOUT": -1},
    "one is unknown": {"TIMEOOUT": 1},
    "the secret has another name": {"APISECRET": SECRET},
    "the secret has a line break": {"API_SECRET": f"{SECRET}\n"},
    "the secret is bytes": {"API_SECRET": SECRET.encode()},
    "the secret is a number": {"API_SECRET": NUMBER},
    "the secret is a list": {"API_SECRET": [SECRET]},
    "the organisation has a line break": {"ORG_ID": "org\n"},
    "the key is missing": {"API_KEY": ""},
    "both secrets are there": {"CLIENT_SECRET": SECRET},
    "the secret is in another place": {"CACHE_TTL": SECRET},
    "credentials are a dict": {"CREDENTIALS": {"API_SECRET": SECRET}},
    "credentials stand beside a secret": {"CREDENTIALS": KEYS},
    "a password is in the URL": {"BASE_URL": URL},
    "the URL is http": {"BASE_URL": "http://scope.example"},
    "the store is a URL": {"CACHE_STORE": f"redis://:{SECRET}@redis.example/0"},
}
GIVEN = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": SECRET}
each_setting = pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)


def django_client(world: World, given: object) -> None:
    world.fixture("settings").SCOPE = given
    _conf.configuration()


def flask_client(given: dict) -> None:
    app = flask.Flask("app")
    app.config.update({f"SCOPE_{name}": value for name, value in given.items()})
    Scope(app)
    with app.app_context():
        scope_client_of(app)


def scope_client_of(app: flask.Flask) -> ScopeClient:
    return app.extensions["scope"].client()


@each_setting
def test_a_setting_of_django_is_wrong(setting: dict, world: World, watch: Watch) -> None:
    watch(lambda: django_client(world, {**GIVEN, **setting}))


# A number is good there: `from_prefixed_env` makes one of a secret that is digits.
@pytest.mark.parametrize("name", [name for name, each in SETTINGS.items() if each != {"API_SECRET": NUMBER}])
def test_a_setting_of_flask_is_wrong(name: str, watch: Watch) -> None:
    watch(lambda: flask_client({**GIVEN, **SETTINGS[name]}))


@pytest.mark.parametrize("made", [django_client, lambda world, given: flask_client(given)], ids=["Django", "Flask"])
def test_a_setting_is_wrong_and_the_secret_is_in_the_environment(made: Any, world: World, watch: Watch) -> None:
    set_environment(world, ApiKeyCredentials, "org\n", "key", SECRET)
    watch(lambda: made(world, {"TIMEOUT": -1}))


@pytest.mark.parametrize("given", [SECRET, [("API_SECRET", SECRET)], {SECRET}, ("org", SECRET)], ids=type)
def test_the_settings_of_django_are_not_a_dict(given: object, world: World, watch: Watch) -> None:
    watch(lambda: django_client(world, given))


def test_a_url_stands_for_the_name_of_a_cache_of_django(world: World, watch: Watch) -> None:
    watch(lambda: django_client(world, {**GIVEN, "CACHE_ALIAS": f"redis://:{SECRET}@127.0.0.1"}))


@each_redis_url
@pytest.mark.parametrize("wrapped", [str, str.encode, lambda url: [url]], ids=["text", "bytes", "list"])
def test_the_url_of_the_cache_of_flask_is_wrong(url: str, wrapped: Callable[[str], object], watch: Watch) -> None:
    watch(lambda: flask_client({**GIVEN, "CACHE": wrapped(url)}))


# What stays.


class Odd:
    """Credentials of the caller's, with a bug."""

    token_path = "/v1/auth/own"

    @property
    def org_id(self) -> str:
        raise RuntimeError("a bug of the caller's")

    def token_body(self) -> dict[str, str]:
        return {}


def test_a_bug_of_the_callers_keeps_the_frames_of_the_callers_code() -> None:
    with pytest.raises(RuntimeError) as caught:
        Configuration(credentials=Odd())
    assert caught.traceback[-1].name == "org_id"


def test_the_error_that_the_caller_was_handling_keeps_its_frames() -> None:
    with pytest.raises(MissingApiKeyError) as caught:
        fails_while_it_handles_an_error()
    handled = caught.value.__context__
    assert isinstance(handled, KeyError)
    assert handled.__traceback__ is not None


def fails_while_it_handles_an_error() -> None:
    try:
        {}["a"]
    except KeyError:
        ApiKeyCredentials("", "", "")
