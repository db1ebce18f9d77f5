"""Other people's tools, each as a context in which it is at work, and a program that reads through them in turns.

    python -m faults.tools NAME FLOW URL        prints what happened, as JSON

A tool patches its process, so each runs in one of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Callable, NamedTuple

Seen = Callable[[], list[str]]
TOKEN = {"access_token": "token-1", "expires_in": 0}  # each read buys one
TOLD = {"id": "v_1", "name": "greeting", "content": "told"}
JSON_TYPE = {"Content-Type": "application/json"}


class World(NamedTuple):
    """Where the platform is, and how often the tool was at work before for the same reader."""

    url: str
    folder: str
    turn: int

    @property
    def token_url(self) -> str:
        return f"{self.url}/v1/auth/sdk-token"

    @property
    def prompt_url(self) -> str:
        return f"{self.url}/api/v1/prompts/greeting/production"

    @property
    def address(self) -> tuple[str, int]:
        parts = urllib.parse.urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)


def unseen() -> list[str]:
    """Of a tool that tells of no request."""
    return []


@contextlib.contextmanager
def responses(world: World) -> Iterator[Seen]:
    import responses

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(world.token_url, json=TOKEN)
        mock.get(world.prompt_url, json=TOLD)
        yield lambda: [str(call.request.method) for call in mock.calls]


@contextlib.contextmanager
def requests_mock(world: World) -> Iterator[Seen]:
    import requests_mock

    with requests_mock.Mocker() as mock:
        mock.post(world.token_url, json=TOKEN)
        mock.get(world.prompt_url, json=TOLD)
        yield lambda: [request.method for request in mock.request_history]


@contextlib.contextmanager
def vcrpy(world: World) -> Iterator[Seen]:
    """Records twice, into two cassettes, and then plays the second one."""
    import vcr

    path = os.path.join(world.folder, f"{min(world.turn, 1)}.yaml")
    with vcr.use_cassette(path, record_mode="once" if world.turn < 2 else "none") as cassette:
        yield lambda: [request.method for request in cassette.requests]


@contextlib.contextmanager
def pook(world: World) -> Iterator[Seen]:
    import pook

    with pook.use():
        mocks = {
            "POST": pook.post(world.token_url, reply=200, response_json=TOKEN, persist=True),
            "GET": pook.get(world.prompt_url, reply=200, response_json=TOLD, persist=True),
        }
        yield lambda: [method for method, mock in mocks.items() for _ in range(mock.calls)]


@contextlib.contextmanager
def mocket(world: World) -> Iterator[Seen]:
    from mocket import Mocket, Mocketizer
    from mocket.mocks.mockhttp import Entry

    with Mocketizer(strict_mode=True):
        Entry.single_register(Entry.POST, world.token_url, body=json.dumps(TOKEN), headers=JSON_TYPE)
        Entry.single_register(Entry.GET, world.prompt_url, body=json.dumps(TOLD), headers=JSON_TYPE)
        yield lambda: [request.method for request in Mocket.request_list()]


@contextlib.contextmanager
def httpretty(world: World) -> Iterator[Seen]:
    import httpretty

    with httpretty.enabled(allow_net_connect=True):
        httpretty.register_uri(httpretty.POST, world.token_url, json.dumps(TOKEN), adding_headers=JSON_TYPE)
        httpretty.register_uri(httpretty.GET, world.prompt_url, json.dumps(TOLD), adding_headers=JSON_TYPE)
        yield lambda: [request.method for request in httpretty.latest_requests()]


@contextlib.contextmanager
def wsgi_intercept(world: World) -> Iterator[Seen]:
    import wsgi_intercept
    from wsgi_intercept import requests_intercept

    seen: list[str] = []

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        seen.append(environ["REQUEST_METHOD"])
        body = json.dumps(TOKEN if seen[-1] == "POST" else TOLD).encode()
        start("200 OK", [*JSON_TYPE.items(), ("Content-Length", str(len(body)))])
        return [body]

    requests_intercept.install()
    wsgi_intercept.add_wsgi_intercept(*world.address, lambda: app)
    try:
        yield lambda: seen
    finally:
        wsgi_intercept.remove_wsgi_intercept()
        requests_intercept.uninstall()


@contextlib.contextmanager
def requests_cache(world: World) -> Iterator[Seen]:
    import requests_cache

    requests_cache.install_cache(os.path.join(world.folder, "cache"))
    try:
        yield lambda: [response.request.method for response in requests_cache.get_cache().filter()]
    finally:
        requests_cache.uninstall_cache()


@contextlib.contextmanager
def _opentelemetry(kind: str) -> Iterator[Seen]:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    module, name = f"opentelemetry.instrumentation.{kind.lower()}", f"{kind}Instrumentor"
    instrumentor = getattr(importlib.import_module(module), name)()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield lambda: [span.name.split()[0] for span in exporter.get_finished_spans()]
    finally:
        instrumentor.uninstrument()


def opentelemetry_requests(world: World) -> Any:
    return _opentelemetry("Requests")


def opentelemetry_urllib3(world: World) -> Any:
    return _opentelemetry("URLLib3")


@contextlib.contextmanager
def xray(world: World) -> Iterator[Seen]:
    """Stays at work, as patches of this tool do."""
    from aws_xray_sdk.core import patch, xray_recorder

    class NoEmitter:
        def send_entity(self, entity: object) -> None: ...

        def set_daemon_address(self, address: object) -> None: ...

    xray_recorder.configure(service="reader", sampling=False, plugins=(), emitter=NoEmitter())
    patch(("requests", "httplib"), raise_errors=False)
    segment = xray_recorder.begin_segment("reads")
    try:
        yield lambda: [each.http["request"]["method"] for each in segment.subsegments if "request" in (each.http or {})]
    finally:
        xray_recorder.end_segment()


@contextlib.contextmanager
def sentry(world: World) -> Iterator[Seen]:
    import sentry_sdk

    sent: list[str] = []

    def keep(event: dict[str, Any], hint: object) -> None:
        sent.extend(span["description"].split()[0] for span in event["spans"] if span["op"] == "http.client")

    # Its integrations of other libraries import each of them, which is half a minute of work.
    options = {"traces_sample_rate": 1.0, "auto_enabling_integrations": False}
    sentry_sdk.init("http://key@127.0.0.1:9/1", before_send_transaction=keep, **options)
    transaction = sentry_sdk.start_transaction(name="reads")
    transaction.__enter__()

    def seen() -> list[str]:
        transaction.__exit__(None, None, None)
        return sent

    yield seen
    sentry_sdk.get_client().close()


@contextlib.contextmanager
def ddtrace(world: World) -> Iterator[Seen]:
    os.environ.update(DD_INSTRUMENTATION_TELEMETRY_ENABLED="false", DD_REMOTE_CONFIGURATION_ENABLED="false")
    import ddtrace
    from ddtrace.trace import TraceFilter, tracer

    methods: list[str] = []

    class Keep(TraceFilter):
        def process_trace(self, trace: Any) -> None:
            methods.extend(span.get_tag("http.method") for span in trace)

    tracer.configure(trace_processors=[Keep()])
    ddtrace.patch(requests=True)
    yield lambda: methods


@contextlib.contextmanager
def pyopenssl(world: World) -> Iterator[Seen]:
    from urllib3.contrib import pyopenssl

    pyopenssl.inject_into_urllib3()
    try:
        yield unseen
    finally:
        pyopenssl.extract_from_urllib3()


@contextlib.contextmanager
def truststore(world: World) -> Iterator[Seen]:
    import truststore

    truststore.inject_into_ssl()
    try:
        yield unseen
    finally:
        truststore.extract_from_ssl()


@contextlib.contextmanager
def gevent(world: World) -> Iterator[Seen]:
    """For good."""
    from gevent import monkey

    monkey.patch_all()
    yield unseen


@contextlib.contextmanager
def forced_ipv4(world: World) -> Iterator[Seen]:
    from urllib3.util import connection

    plain = connection.allowed_gai_family
    connection.allowed_gai_family = lambda: socket.AF_INET
    try:
        yield unseen
    finally:
        connection.allowed_gai_family = plain


@contextlib.contextmanager
def dns_cache(world: World) -> Iterator[Seen]:
    plain, kept = socket.getaddrinfo, {}

    def cached(*args: Any) -> Any:
        if args not in kept:
            kept[args] = plain(*args)
        return kept[args]

    socket.getaddrinfo = cached
    try:
        yield unseen
    finally:
        socket.getaddrinfo = plain


@contextlib.contextmanager
def own_resolver(world: World) -> Iterator[Seen]:
    """The recipe by which people give `requests` a resolver of their own."""
    from urllib3.util import connection

    plain, resolved = connection.create_connection, []

    def create(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        resolved.append(address)
        return plain(address, *args, **options)

    connection.create_connection = create
    try:
        yield unseen
    finally:
        connection.create_connection = plain


@contextlib.contextmanager
def socks(world: World) -> Iterator[Seen]:
    """All sockets of the process go through a SOCKS proxy."""
    import socks
    from faults.tunnels import SocksProxy

    plain = socket.socket
    with SocksProxy() as proxy:
        socks.set_default_proxy(socks.SOCKS5, "127.0.0.1", proxy.port)
        socket.socket = socks.socksocket
        try:
            yield unseen
        finally:
            socket.socket = plain


TOOLS: dict[str, tuple[Callable[[World], Any], str]] = {
    "responses": (responses, "responses"),
    "requests-mock": (requests_mock, "requests-mock"),
    "vcrpy": (vcrpy, "vcrpy"),
    "pook": (pook, "pook"),
    "mocket": (mocket, "mocket"),
    "httpretty": (httpretty, "httpretty"),
    "wsgi-intercept": (wsgi_intercept, "wsgi_intercept"),
    "requests-cache": (requests_cache, "requests-cache"),
    "OpenTelemetry, requests": (opentelemetry_requests, "opentelemetry-instrumentation-requests"),
    "OpenTelemetry, urllib3": (opentelemetry_urllib3, "opentelemetry-instrumentation-urllib3"),
    "AWS X-Ray": (xray, "aws-xray-sdk"),
    "Sentry": (sentry, "sentry-sdk"),
    "ddtrace": (ddtrace, "ddtrace"),
    "pyOpenSSL": (pyopenssl, "pyOpenSSL"),
    "truststore": (truststore, "truststore"),
    "gevent": (gevent, "gevent"),
    "gevent, TLS": (gevent, "gevent"),
    "PySocks": (socks, "PySocks"),
    "forced IPv4": (forced_ipv4, "urllib3"),
    "a DNS cache": (dns_cache, "urllib3"),
    "a resolver of one's own": (own_resolver, "urllib3"),
}
OVER_TLS = ("pyOpenSSL", "truststore", "gevent, TLS")


class Reader:
    """Reads the prompt and says where its text came from: "told" by the tool, "served", or "kept" from before."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._before: set[str] = set()

    def read(self) -> str:
        try:
            content = self._read()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        known = content in self._before
        self._before.add(content)
        return "told" if content == "told" else "kept" if known else "served"


def plain_reader(world: World) -> Reader:
    import requests

    session = requests.Session()

    def read() -> str:
        token = session.post(world.token_url, json={"key": "value"}, timeout=5).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return str(session.get(world.prompt_url, headers=headers, timeout=5).json()["content"])

    return Reader(read)


def reader(world: World, *, session: Any = None) -> Reader:
    from scope_client import ApiKeyCredentials, ScopeClient

    client = ScopeClient(
        credentials=ApiKeyCredentials("org-1", "key-1", "secret-1"),
        base_url=world.url,
        auth_api_url=world.url,
        max_retries=0,
        timeout=5,
        session=session,
    )
    return Reader(lambda: client.get_prompt_version("greeting", cache=False).content)


def reader_with_a_session(world: World) -> Reader:
    import requests

    return reader(world, session=requests.Session())


READERS = {"ours": reader, "given": reader_with_a_session, "plain": plain_reader}


def run(name: str, flow: str, url: str) -> dict[str, Any]:
    """What each reader met, in its turns with the tool at work and without it; and which requests the tool saw.

    The flow "fresh": the readers are made while the tool is at work; "before": each has read before that.
    """
    tool, package = TOOLS[name]
    met: dict[str, Any] = {"version": version(package)}
    for kind, make in READERS.items():
        folder = tempfile.mkdtemp()
        subject = make(World(url, folder, 0)) if flow == "before" else None
        turns: list[Any] = [] if subject is None else [subject.read()]
        for turn in range(3):
            world = World(url, folder, turn)
            with tool(world) as seen:
                subject = subject or make(world)
                content = subject.read()
                turns.append([content, sorted({"GET", "POST"}.intersection(seen()))])
            turns.append(subject.read())
        met[kind] = turns
    return met


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:])))
