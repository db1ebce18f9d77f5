"""Errors as users meet them, each provoked for real. The page on errors is held against what they say."""

from __future__ import annotations

import functools
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable
from unittest import mock

import cachelib
import django.template
import redis.asyncio
import requests
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from faults.certificate import certificate
from faults.clock import ManualClock
from faults.locking import GREETING as LOCKED
from faults.locking import answer_of, write_lock
from faults.replies import Gate, answer, error, hangs, json_answer, prompt
from faults.server import FaultServer
from flask import Flask
from langchain_core.language_models import FakeListChatModel

import scope_client
import scope_django
import scope_langchain
from scope_client import ApiKeyCredentials, ClientCredentials, Configuration, RedisStore, ScopeClient, Telemetry
from scope_client.cli._program import scope
from scope_client.local import LocalPlatform
from scope_client.testing import PromptsClient
from scope_django.middleware import PinSessionMiddleware
from scope_django.test import override_prompts
from scope_flask import Scope, current_scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = ApiKeyCredentials("org", "key", "secret")
GREETING = "Good {{time_of_day}}, {{name}}!"
MANY = {f"prompt number {number}": GREETING for number in range(200)}
CHAT = [{"role": "placeholder", "content": "{{history}}"}]
SCOPE = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": "zx81"}
HTML = {"Content-Type": "text/html"}
PATIENT_CACHE = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}


class Scene:
    """Where an error is provoked: the folder is the working directory."""

    def __init__(self, folder: Path, platform: LocalPlatform, server: FaultServer) -> None:
        self.folder = folder
        self.platform = platform
        self.server = server

    def client(self, **options: Any) -> ScopeClient:
        """A client of the fault server."""
        given = {"base_url": self.server.url, "auth_api_url": self.server.url, "max_retries": 0, **options}
        return ScopeClient(credentials=KEYS, **given)

    def met(self, reply: Any, fallback: Any = None, **options: Any) -> object:
        """What becomes of a read that the platform answers so."""
        self.server.answers(reply)
        return self.client(**options).get_prompt_version("greeting", label="latest", fallback=fallback)

    def bought(self, reply: Any) -> object:
        """What becomes of a read if this is the answer to the request for a token."""
        self.server.gives_tokens(reply)
        return self.client().get_prompt_version("greeting")

    def filled(self, content: object = GREETING, /, **values: object) -> object:
        return PromptsClient({"greeting": content}).get_prompt_version("greeting").messages(**values)

    def folder_with(self, text: str) -> object:
        (self.folder / "odd").mkdir()
        (self.folder / "odd" / "greeting.md").write_text(text)
        return ScopeClient(credentials=KEYS, prompt_dir=self.folder / "odd")

    def locked(self, reply: bytes = b"", name: str = "greeting", *, base_url: str = "", text: str = "") -> object:
        """What becomes of a read with a lock that has no copies; `text` is what somebody has written into the lock."""
        lock = write_lock(self.folder, [LOCKED], organisation="other-org", has_copies=False)
        if text:
            lock.write_text(text)
        self.server.answers(reply)
        return self.client(lock=lock, **({"base_url": base_url} if base_url else {})).get_prompt_version(name)


Provocation = Callable[[Scene], object]


class Value:
    """Has no text of its own."""

    def method(self) -> str:
        return ""


class Later:
    def __await__(self) -> Iterator[None]:
        yield


class Broken:
    def __str__(self) -> str:
        raise KeyError("name")


def without(module: str, call: Callable[[], object]) -> object:
    """What becomes of a call where a package is not installed."""
    with mock.patch.dict(sys.modules, {module: None}):
        return call()


def awaited_nowhere(scene: Scene) -> object:
    waiting = scene.client().aget_prompt_version("greeting")
    try:
        return waiting.send(None)
    finally:
        waiting.close()


def asked_again_by_a_callback(scene: Scene) -> object:
    client = scene.client()
    raised: list[BaseException] = []

    def ask(_: object) -> None:
        try:
            client.get_prompt_version("greeting")
        except Exception as met:
            raised.append(met)

    Telemetry.on_request(ask)
    client.get_prompt_version("greeting")
    raise raised[0]


def behind_a_proxy(scene: Scene, url: str = "") -> object:
    with FaultServer(greeting=b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as proxy:
        session = requests.Session()
        session.proxies = {"https": url or proxy.url}
        return scene.client(base_url="https://api.example.com", session=session).get_prompt_version("greeting")


def in_a_handshake_that_hangs(scene: Scene) -> object:
    url = scene.server.url.replace("http", "https")
    return scene.client(base_url=url, open_timeout=1).get_prompt_version("greeting")


def past_the_deadline(scene: Scene) -> object:
    client = scene.client()
    client.get_prompt_version("another")
    scene.server.answers(hangs())
    return client.get_prompt_version("greeting", deadline=0.3)


def without_time_for_another_attempt(scene: Scene) -> object:
    scene.server.answers(json_answer({}, 503))
    pauses = {"max_retries": 1, "retry_base_delay": 100, "retry_max_delay": 100}
    return scene.client(**pauses, deadline=5, clock=ManualClock().clock).get_prompt_version("greeting")


def behind_another_thread(scene: Scene) -> object:
    gate = Gate()
    scene.server.answers(gate.holds(prompt()))
    client = scene.client()
    first = threading.Thread(target=client.get_prompt_version, args=("greeting",))
    first.start()
    scene.server.wait_for_reads(1)
    try:
        return client.get_prompt_version("greeting", deadline=0.2)
    finally:
        gate.open()
        first.join()


def over_tls(scene: Scene, verify: object = True, cert: str | None = None) -> object:
    session = requests.Session()
    session.verify, session.cert = verify, cert  # type: ignore[assignment]  # what users write there
    with FaultServer(tls=True) as secure:
        return scene.client(base_url=secure.url, session=session).get_prompt_version("greeting")


def closed(scene: Scene) -> object:
    with FaultServer() as gone:
        url = gone.url
    return scene.client(base_url=url).get_prompt_version("greeting")


def checked(**settings: Any) -> list[checks.CheckMessage]:
    """What `manage.py check --deploy` says of a site of these settings."""
    with override_settings(**settings):
        return [each for each in checks.run_checks(include_deployment_checks=True) if str(each.id).startswith("scope_")]


def in_django(text: str, **context: Any) -> object:
    with override_prompts({"greeting": "Hello {{name}}"}):
        return django.template.engines["django"].from_string("{% load scope %}" + text).render(context)


@override_settings(SCOPE={"default": SCOPE})
def of_another_organisation(scene: Scene) -> object:
    return scope_django.get_client("eu")


class Keyless:
    """Credentials that have no secret of their own."""

    org_id = "org"
    token_path = "/token"

    def token_body(self) -> dict[str, str]:
        return {}


class Record:
    """As Django's models are to be told from other objects."""

    _meta = pk = 1


class Unwritten:
    def __str__(self) -> str:
        raise OSError("it has none")


def flask_app(**config: Any) -> Flask:
    app = Flask("page")
    app.config.from_mapping(config)
    return app


def in_flask(app: Flask, call: Callable[[], object]) -> object:
    with app.app_context():
        return call()


def without_credentials_in_flask(scene: Scene) -> object:
    app = flask_app(SCOPE_ORG_ID="org")
    Scope(app)
    return in_flask(app, lambda: current_scope.config)


def set_up_twice(scene: Scene) -> object:
    app = flask_app()
    return Scope(app).init_app(app)


def without_a_session() -> object:
    with override_settings(SCOPE=SCOPE):
        return PinSessionMiddleware(lambda request: HttpResponse())(HttpRequest())


def pin_requests_twice(scene: Scene) -> object:
    app = flask_app()
    pinned = Scope(app)
    pinned.pin_requests(app)
    return pinned.pin_requests(app)


def a_quart_app() -> object:
    kind = type("Quart", (), {"__module__": "quart.app"})
    return kind()


live = functools.partial(scope_langchain.scope_prompt, "greeting")

PROVOCATIONS: list[Provocation] = [
    # Credentials and settings
    lambda scene: ScopeClient(),
    lambda scene: ScopeClient(config=Configuration()),
    lambda scene: ApiKeyCredentials("org", "key", ""),
    lambda scene: ApiKeyCredentials("org", "key", "secret\n"),
    lambda scene: scope.main(["get", "greeting"], standalone_mode=False),
    lambda scene: Configuration(cache_ttl=-5),
    lambda scene: Configuration(prompt_dir="nowhere"),
    lambda scene: Configuration(base_url="http://scope.example.com"),
    lambda scene: Configuration(base_url="https://scope.example.com/api/v2"),
    lambda scene: Configuration(retries=3),
    lambda scene: Configuration(cach_ttl=3),
    lambda scene: Configuration(label="latest"),
    lambda scene: ScopeClient(credentials=KEYS, base_url="https://scope.example.com"),
    lambda scene: ScopeClient(credentials=KEYS, auth_api_url="https://scope.example.com"),
    lambda scene: pickle.dumps(KEYS),
    lambda scene: ScopeClient(config={"timeout": 5}),
    lambda scene: ScopeClient(Configuration()),
    lambda scene: ApiKeyCredentials("org", api_key="key", api_secret="zx81", client_id="app", client_secret="zx82"),
    lambda scene: ClientCredentials("org", api_key="key", api_secret="zx81"),
    lambda scene: without("redis", lambda: RedisStore("redis://localhost:6379/0")),
    lambda scene: RedisStore("localhost:6379"),
    lambda scene: RedisStore(redis.asyncio.Redis()),
    # Calls
    lambda scene: scene.client().get_prompt_version("greeting", label="prod"),
    lambda scene: scene.client().get_prompt_version("greeting", version="2"),
    lambda scene: scene.client().get_prompt_version("greeting", label="latest", version="v_1"),
    lambda scene: scene.client().get_prompt_version(""),
    lambda scene: scene.client().get_prompt_version(None),
    lambda scene: scene.client().render_prompt("greeting", {}, tone="warm"),
    lambda scene: scene.client().render_prompt("greeting", ["Ada"]),
    lambda scene: PromptsClient({"greeting": GREETING}).get_prompt_version("greeting").render({"name": "Ada"}),
    lambda scene: scene.client().get_prompt_version("greeting", fallback=3),
    lambda scene: scene.client().read_prompt("greeting", fallbak="Hi"),
    lambda scene: scene.client().get_prompt_version("greeting", requires="name"),
    lambda scene: scene.client().prefetch("greeting"),
    lambda scene: scene.client().pin(["greeting"]),
    lambda scene: scene.client().pin(("greeting", None, "v_1")),
    lambda scene: scene.client().pin(token=5),
    lambda scene: scene.client().pin(token="A" * 8_001),
    lambda scene: scene.client().pin(token="a token"),
    lambda scene: scene.client().pin(token="1.W10.AAAA"),
    lambda scene: PromptsClient(MANY).pin(*MANY).token,
    lambda scene: scene.client().pin(secret=""),
    lambda scene: ScopeClient(credentials=Keyless()).pin().token,
    lambda scene: pickle.dumps(scene.client().pin()),
    lambda scene: scene.client().get_prompt_version("greeting", key=1.5),
    lambda scene: scene.client().get_prompt_version("greeting", key=""),
    lambda scene: scene.client().get_prompt_version("greeting", key=Record()),
    lambda scene: scene.client().get_prompt_version("greeting", key=Unwritten()),
    lambda scene: scene.client().clear_cache(label="latest"),
    lambda scene: scene.met(json_answer({}, 503), fallback=lambda: 3),
    awaited_nowhere,
    asked_again_by_a_callback,
    # Filling in
    lambda scene: scene.filled(time_of_day="noon"),
    lambda scene: scene.filled(time_of_day="noon", name="Ada", tone="warm"),
    lambda scene: scene.filled("Hello {{ name }}", name="Ada"),
    lambda scene: PromptsClient({"greeting": GREETING}).get_prompt_version("greeting", requires=["name"]),
    lambda scene: scene.filled(time_of_day="noon", name=None),
    lambda scene: scene.filled(time_of_day="noon", name=Value().method),
    lambda scene: scene.filled(time_of_day="noon", name=Later()),
    lambda scene: scene.filled(time_of_day="noon", name=b"Ada"),
    lambda scene: scene.filled(time_of_day="noon", name=(each for each in "Ada")),
    lambda scene: scene.filled(time_of_day="noon", name=Value()),
    lambda scene: scene.filled(time_of_day="noon", name=[Value()]),
    lambda scene: scene.filled(time_of_day="noon", name=Broken()),
    lambda scene: scene.filled(CHAT, history="Hi"),
    lambda scene: scene.filled(CHAT, history=[{"text": "Hi"}]),
    # The platform's answers
    lambda scene: scene.bought(error(401, "Wrong key", "invalid_credentials")),
    lambda scene: scene.bought(json_answer({"token": "t"})),
    lambda scene: scene.bought(json_answer({}, 500)),
    lambda scene: scene.met(error(401, "No such token", "invalid_token")),
    lambda scene: scene.met(json_answer({}, 403)),
    lambda scene: scene.platform.client().get_prompt_version("greting"),
    lambda scene: scene.platform.draft("drafted", "Hi") and scene.platform.client().get_prompt_version("drafted"),
    lambda scene: scene.server.answers(answer("gone", 404)) or scene.client().get_prompt_version("greeting"),
    lambda scene: scene.met(json_answer({}, 404)),
    lambda scene: scene.met(json_answer({}, 410)),
    lambda scene: scene.met(json_answer({}, 429)),
    lambda scene: scene.met(json_answer({}, 500)),
    lambda scene: scene.met(json_answer({}, 409)),
    lambda scene: scene.met(json_answer({}, 418)),
    lambda scene: scene.met(answer("", 302, Location="https://elsewhere.example.com")),
    lambda scene: scene.met(answer("<html>", 200, **HTML)),
    lambda scene: scene.met(answer("", 200)),
    lambda scene: scene.met(answer("<html>", 502, **HTML)),
    lambda scene: scene.met(json_answer({"name": "greeting"})),
    lambda scene: scene.met(json_answer({"name": "greeting", "prompt_type": "chat", "content": "Hi"})),
    # The network
    closed,
    in_a_handshake_that_hangs,
    lambda scene: scene.met(hangs(), timeout=1),
    past_the_deadline,
    without_time_for_another_attempt,
    behind_another_thread,
    over_tls,
    lambda scene: over_tls(scene, verify="/nowhere/ca.pem"),
    lambda scene: over_tls(scene, str(certificate().authority), str(certificate().stranger)),
    behind_a_proxy,
    lambda scene: behind_a_proxy(scene, "http://[::1"),
    # A prompt folder
    lambda scene: scene.folder_with("---\nstatus: [\n---\nHi"),
    lambda scene: scene.folder_with("---\nstate: draft\n---\nHi"),
    lambda scene: scene.folder_with("---\nstatus: live\n---\nHi"),
    lambda scene: scene.folder_with("---\nstatus: draft\nHi"),
    lambda scene: scene.folder_with("\n---\nstatus: draft\n---\nHi"),
    # A lock
    lambda scene: scene.client(lock="nowhere.lock"),
    lambda scene: scene.locked(text="[["),
    lambda scene: scene.locked(base_url="https://scope.example.com"),
    lambda scene: scene.locked(name="greetin"),
    lambda scene: scene.locked(answer_of({**LOCKED, "content": "edited"})),
    lambda scene: scene.locked(json_answer({}, 404)),
    # Django
    lambda scene: checked(SCOPE=["ORG_ID"]),
    lambda scene: checked(SCOPE={**SCOPE, "CACHE_TLL": 60}),
    lambda scene: checked(SCOPE={**SCOPE, "CACHE_TTL": "soon"}),
    lambda scene: checked(SCOPE={}),
    lambda scene: checked(SCOPE={**SCOPE, "CLIENT_ID": "app", "CLIENT_SECRET": "zx82"}),
    lambda scene: checked(SCOPE={"eu": SCOPE}),
    lambda scene: checked(SCOPE={**SCOPE, "CACHE_ALIAS": "prompts"}),
    lambda scene: checked(SCOPE={**SCOPE, "BASE_URL": "http://scope.example.com"}),
    lambda scene: checked(SCOPE=SCOPE),
    lambda scene: checked(SCOPE={**SCOPE, "BASE_URL": "http://127.0.0.1:8750"}),
    lambda scene: checked(SCOPE=SCOPE, CACHES={"default": PATIENT_CACHE}),
    lambda scene: in_django('{% scope_prompt "greeting" name=user.name %}'),
    lambda scene: in_django("{% scope_prompt chosen %}"),
    lambda scene: in_django('{% scope_prompt "greeting" variables=values name="Ada" %}', values={"name": "Bob"}),
    lambda scene: in_django("{% scope_prompt %}"),
    lambda scene: in_django('{% scope_prompt "greeting" label="latest" version="v_1" name="Ada" %}'),
    of_another_organisation,
    lambda scene: without_a_session(),
    # Flask
    lambda scene: Scope(flask_app()).pins,
    pin_requests_twice,
    lambda scene: Scope(flask_app(SCOPE_CACHE_TLL=60)),
    without_credentials_in_flask,
    lambda scene: in_flask(flask_app(), lambda: current_scope.config),
    lambda scene: current_scope.config,
    set_up_twice,
    lambda scene: Scope(a_quart_app()),
    lambda scene: Scope(flask_app(SCOPE_CACHE=3)),
    lambda scene: Scope(flask_app(SCOPE_CACHE=cachelib.SimpleCache(), SCOPE_CACHE_STORE=scope_client.MemoryStore())),
    lambda scene: Scope(flask_app(SCOPE_CACHE="nowhere.cache")),
    # LangChain
    lambda scene: scope_langchain.ScopePromptTemplate.from_scope("chat", client=PromptsClient({"chat": CHAT})),
    lambda scene: live(client=PromptsClient({"greeting": GREETING})).invoke({"name": "Ada"}),
    lambda scene: live(client=PromptsClient({"greeting": "{{stop}}"})).invoke({"stop": "x"}),
    lambda scene: live(clinet=None),
    lambda scene: pickle.dumps(live(client=PromptsClient({"greeting": GREETING}))),
    lambda scene: scope_langchain.scope_model(FakeListChatModel(responses=["Hi"]), options="model"),
    # Tests and the local platform
    lambda scene: PromptsClient({"greeting": GREETING}).get_prompt_version("greting"),
    lambda scene: LocalPlatform({"greeting": GREETING}, port=scene.platform.port).start(),
]
