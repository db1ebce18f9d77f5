"""Reads on an event loop: what is cached does not leave it, what is not does not hold it up."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, ClassVar

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.template.response import TemplateResponse
from django.test import AsyncClient
from django.urls import path
from django.views.generic import TemplateView
from django_app.caching import Caching
from django_app.process import reset_client
from faults import inside
from faults.crowd import crowd
from faults.greeting import GREETING, VALUES
from faults.reading import reads

import scope_django
from scope_client import (
    ConnectionError,
    InvalidCredentialsError,
    MissingApiKeyError,
    MissingVariableError,
    NotFoundError,
    ScopeClient,
    ScopeError,
    ServerError,
    TimeoutError,
    ValidationError,
)
from scope_client.local import LocalPlatform
from scope_django import aget_prompt_version, arender, arender_prompt, get_client
from scope_django.test import override_prompts

if TYPE_CHECKING:
    pass


@pytest.fixture(autouse=True)
def site(scope_settings: Callable[..., dict]) -> Callable[..., dict]:
    return scope_settings


class NoThreads(ThreadPoolExecutor):
    """Where `sync_to_async` and `run_in_executor` would take their threads from."""

    def submit(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("it left the event loop")


def on_the_loop_alone(call: Callable[[], Any]) -> Any:
    """Runs the coroutine that `call` makes on a loop that has no thread to give away."""

    async def run() -> Any:
        asyncio.get_running_loop().set_default_executor(NoThreads(1))
        before = threading.active_count()
        found = await call()
        assert threading.active_count() <= before
        return found

    return asyncio.run(run())


def outcome_of(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


@pytest.fixture
def database_cache(caching: Caching) -> None:
    """The cache is a table in an SQLite file."""
    caching.use("database_file")
    connections["file"].close()


class TestACachedRead:
    @pytest.fixture(autouse=True)
    def warm(self) -> None:
        for label in (None, "latest"):
            get_client().get_prompt_version("greeting", label=label)

    def test_does_not_leave_the_loop(self) -> None:
        found = on_the_loop_alone(lambda: aget_prompt_version("greeting"))
        assert found is get_client().get_prompt_version("greeting")
        assert on_the_loop_alone(lambda: aget_prompt_version("greeting", label="latest")).content == GREETING
        assert on_the_loop_alone(lambda: arender_prompt("greeting", VALUES)) == "Good morning, Ada!"
        assert on_the_loop_alone(lambda: arender_prompt("greeting", VALUES, fallback="Hi", deadline=5)) == (
            "Good morning, Ada!"
        )

    def test_asks_neither_the_platform_nor_the_loop_for_another_turn(self, platform: LocalPlatform) -> None:
        before = len(platform.requests)
        coroutine = aget_prompt_version("greeting")
        with pytest.raises(StopIteration) as ended:
            coroutine.send(None)
        assert ended.value.value.content == GREETING
        assert len(platform.requests) == before

    def test_does_not_leave_the_loop_with_a_cache_in_the_database(self, database_cache: None) -> None:
        get_client().get_prompt_version("greeting")
        connections["file"].close()
        assert on_the_loop_alone(lambda: aget_prompt_version("greeting")).content == GREETING

    def test_does_not_leave_the_loop_when_it_is_due_to_be_renewed(self, site: Any, platform: LocalPlatform) -> None:
        """The renewal has a thread of its own."""
        site(CACHE_ALIAS=None, CACHE_TTL=1000)
        entry_of_now = get_client().get_prompt_version("greeting")
        entry = inside.entry(get_client())
        entry.due_at = entry.fetched_at
        entry.expires_at = entry.fetched_at + 60
        entry.fetched_at -= 940

        async def read() -> Any:
            asyncio.get_running_loop().set_default_executor(NoThreads(1))
            return await aget_prompt_version("greeting")

        assert asyncio.run(read()) == entry_of_now


class TestAFetch:
    @pytest.mark.parametrize("options", [{}, {"cache": False}, {"cache_ttl": 0}], ids=repr)
    def test_leaves_the_loop_its_threads(self, options: dict, platform: LocalPlatform) -> None:
        async def read() -> str:
            asyncio.get_running_loop().set_default_executor(NoThreads(1))
            return (await aget_prompt_version("greeting", **options)).content

        assert asyncio.run(read()) == GREETING
        assert reads(platform) == 1

    def test_lets_the_loop_go_on(self, platform: LocalPlatform) -> None:
        platform.latency = 0.3

        async def read_and_tick() -> tuple[str, int]:
            reading = asyncio.ensure_future(arender_prompt("greeting", VALUES))
            ticks = 0
            while not reading.done():
                await asyncio.sleep(0.01)
                ticks += 1
            return reading.result(), ticks

        text, ticks = asyncio.run(read_and_tick())
        assert text == "Good morning, Ada!"
        assert ticks >= 5

    def test_is_one_request_for_many_at_once(self, platform: LocalPlatform) -> None:
        platform.latency = 0.1

        async def read_many() -> list[str]:
            found = await asyncio.gather(*(aget_prompt_version("greeting") for _ in range(50)))
            return [each.content for each in found]

        assert asyncio.run(read_many()) == [GREETING] * 50
        assert reads(platform) == 1

    def test_makes_the_first_client_of_the_process_off_the_loop_and_only_one(self, platform: LocalPlatform) -> None:
        async def read_many() -> set[int]:
            async def read() -> int:
                await aget_prompt_version("greeting")
                return id(get_client())

            return set(await asyncio.gather(*(read() for _ in range(20))))

        assert len(asyncio.run(read_many())) == 1

    def test_makes_the_first_client_of_the_process_in_a_thread(
        self, platform: LocalPlatform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reset_client()
        makers: list[str] = []
        make = ScopeClient.__init__

        def watched(self: Any, **options: Any) -> None:
            makers.append(threading.current_thread().name)
            make(self, **options)

        monkeypatch.setattr(ScopeClient, "__init__", watched)
        assert asyncio.run(arender_prompt("greeting", VALUES)) == "Good morning, Ada!"
        assert makers == ["scope-async-read"]

    def test_that_is_given_up_harms_no_later_one(self, platform: LocalPlatform) -> None:
        platform.latency = 0.3

        async def give_up() -> str:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(aget_prompt_version("greeting"), 0.02)
            return (await aget_prompt_version("greeting")).content

        assert asyncio.run(give_up()) == GREETING
        assert reads(platform) == 1

    def test_works_in_one_loop_after_another(self) -> None:
        for _ in range(3):
            assert asyncio.run(arender_prompt("greeting", VALUES)) == "Good morning, Ada!"

    def test_works_in_loops_of_several_threads(self, platform: LocalPlatform) -> None:
        assert crowd(6, lambda: asyncio.run(arender_prompt("greeting", VALUES))) == ["Good morning, Ada!"] * 6
        assert reads(platform) == 1


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "error"),
        [
            ({"name": "unknown"}, NotFoundError),
            ({"name": ".."}, ValidationError),
            ({"name": "greeting", "label": "staging"}, ValidationError),
            ({"name": "greeting", "label": "latest", "version": "v_1"}, TypeError),
            ({"name": "greeting", "cache_ttl": -1}, ValidationError),
            ({"name": "greeting", "deadline": 0}, ValidationError),
            ({"name": "greeting", "fallback": 5}, ValidationError),
            ({"name": None}, ValidationError),
        ],
        ids=repr,
    )
    def test_of_the_client_come_through_as_they_are(self, options: dict, error: type) -> None:
        with pytest.raises(error):
            asyncio.run(aget_prompt_version(**options))
        with pytest.raises(error):
            asyncio.run(arender_prompt(**options))

    @pytest.mark.parametrize("is_cached", [True, False])
    def test_a_keyword_that_no_read_knows_is_a_type_error(self, is_cached: bool) -> None:
        if is_cached:
            get_client().get_prompt_version("greeting")
        for read in (aget_prompt_version, arender_prompt):
            with pytest.raises(TypeError, match="lable"):
                asyncio.run(read("greeting", lable="latest"))

    @pytest.mark.parametrize(
        ("status", "on", "error"),
        [(503, "api", ServerError), (401, "auth", InvalidCredentialsError)],
    )
    def test_of_the_platform_come_through(
        self, status: int, on: str, error: type, site: Any, platform: LocalPlatform
    ) -> None:
        site(MAX_RETRIES=0)
        platform.fail(status, on=on)
        with pytest.raises(error):
            asyncio.run(aget_prompt_version("greeting"))

    def test_of_the_network_come_through(self, site: Any, platform: LocalPlatform) -> None:
        site(MAX_RETRIES=0)
        asyncio.run(aget_prompt_version("greeting"))
        platform.stop()
        with pytest.raises(ConnectionError):
            asyncio.run(aget_prompt_version("greeting", cache=False))

    def test_a_deadline_is_kept(self, platform: LocalPlatform) -> None:
        platform.latency = 30
        with pytest.raises(TimeoutError):
            asyncio.run(aget_prompt_version("greeting", deadline=0.2))

    def test_of_the_settings_come_through(self, settings: Any) -> None:
        settings.SCOPE = {}
        with pytest.raises(MissingApiKeyError):
            asyncio.run(aget_prompt_version("greeting"))

    def test_a_fallback_and_a_last_known_good_version_are_served(self, site: Any, platform: LocalPlatform) -> None:
        site(MAX_RETRIES=0, CACHE_TTL=0)
        asyncio.run(aget_prompt_version("greeting"))
        platform.fail(503)
        assert asyncio.run(arender_prompt("greeting", VALUES)) == "Good morning, Ada!"
        assert asyncio.run(arender_prompt("unknown", {"a": 1}, fallback="{{a}}")) == "1"
        assert asyncio.run(arender_prompt("unknown", fallback=lambda: "called")) == "called"


@pytest.mark.parametrize(
    "variables",
    [
        VALUES,
        None,
        {},
        {"name": "Ada"},
        {**VALUES, "more": 1},
        {**VALUES, "self": 1},
        {"time_of_day": None, "name": "Ada"},
        {1: "x"},
        {None: "x", **VALUES},
        [("name", "Ada")],
        "name",
        5,
    ],
    ids=repr,
)
@pytest.mark.parametrize("is_cached", [True, False])
def test_rendering_ends_as_that_of_the_client_does(variables: Any, is_cached: bool) -> None:
    if is_cached:
        get_client().get_prompt_version("greeting")
    ended = outcome_of(lambda: asyncio.run(arender_prompt("greeting", variables)))
    assert ended == outcome_of(lambda: get_client().render_prompt("greeting", variables))


def test_variables_of_any_name_are_rendered(platform: LocalPlatform) -> None:
    platform.publish("odd", "{{self}} {{name}} {{label}} {{variables}} {{cache}} {{ключ}}")
    values = {"self": 1, "name": 2, "label": 3, "variables": 4, "cache": 5, "ключ": 6}
    assert asyncio.run(arender_prompt("odd", values)) == "1 2 3 4 5 6"


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(MissingVariableError) as raised:
        asyncio.run(arender_prompt("greeting", {"name": "Ada"}))
    assert raised.value.missing_variables == ("time_of_day",)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(aget_prompt_version, ScopeClient.get_prompt_version), (arender_prompt, ScopeClient.render_prompt)],
)
def test_the_arguments_are_those_of_the_client(ours: Any, theirs: Any) -> None:
    assert inspect.iscoroutinefunction(ours)
    parameters = list(inspect.signature(theirs).parameters.values())[1:]
    assert list(inspect.signature(ours).parameters.values()) == parameters
    assert getattr(scope_django, ours.__name__) is ours


async def greets(request: HttpRequest) -> HttpResponse:
    return HttpResponse(await arender_prompt("greeting", {"time_of_day": "day", "name": request.GET["name"]}))


async def greets_by_template(request: HttpRequest) -> HttpResponse:
    template = Template('{% load scope %}{% scope_prompt "greeting" time_of_day="day" name=n %}')
    return HttpResponse(template.render(Context({"n": request.GET["name"]})))


def greets_in_a_thread(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_client().render_prompt("greeting", {"time_of_day": "day", "name": request.GET["name"]}))


async def shows_a_page(request: HttpRequest, prompt: str) -> HttpResponse:
    return await arender(request, "page.html", {"prompt": prompt}, status=203)


async def responds_with_a_template(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "page.html", {"prompt": "greeting"})


class Generic(TemplateView):
    template_name = "page.html"
    extra_context: ClassVar = {"prompt": "greeting"}


urlpatterns = [
    path("page/<prompt>/", shows_a_page),
    path("response/", responds_with_a_template),
    path("generic/", Generic.as_view()),
    path("async/", greets),
    path("template/", greets_by_template),
    path("sync/", greets_in_a_thread),
]


@pytest.mark.parametrize("where", ["async", "template", "sync"])
class TestUnderASGIWithACacheInTheDatabase:
    @pytest.fixture(autouse=True)
    def routed(self, settings: Any, database_cache: None) -> None:
        settings.ROOT_URLCONF = __name__

    def test_a_view_answers(
        self, where: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inside.forgets_the_warning(monkeypatch)

        async def asks() -> list[str]:
            answers = [await AsyncClient().get(f"/{where}/?name=%3CAda%3E") for _ in range(3)]
            return [answer.content.decode() for answer in answers]

        name = "&lt;Ada&gt;" if where == "template" else "<Ada>"
        assert asyncio.run(asks()) == [f"Good day, {name}!"] * 3
        said = [record for record in caplog.records if record.name.startswith("scope_client")]
        if where == "template":  # it is rendered on the loop
            (warning,) = said
            assert warning.name == "scope_client.reads"
            assert "`await scope_django.arender(request, template, context)` for a page" in warning.getMessage()
        else:
            assert said == []
        assert get_client().status().counters["store_failures"] == 0

    def test_many_requests_at_once_are_answered(self, where: str, platform: LocalPlatform) -> None:
        async def asks() -> set[str]:
            answers = await asyncio.gather(*(AsyncClient().get(f"/{where}/?name=Ada") for _ in range(12)))
            return {answer.content.decode() for answer in answers}

        assert asyncio.run(asks()) == {"Good day, Ada!"}
        assert reads(platform) == 1


class TestAPage:
    """`arender`, under Django's own ASGI handler."""

    @pytest.fixture(autouse=True)
    def page(self, settings: Any) -> None:
        source = '{% load scope %}{% scope_prompt prompt time_of_day="day" name=request.GET.name %}'
        settings.TEMPLATES = [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "loaders": [("django.template.loaders.locmem.Loader", {"page.html": source})],
                },
            }
        ]
        settings.ROOT_URLCONF = __name__

    @staticmethod
    async def got(prompt: str = "greeting", path: str = "/page/{}/") -> tuple[int, str]:
        scope = {"type": "http", "method": "GET", "path": path.format(prompt), "query_string": b"name=%3CAda%3E"}
        asked = ApplicationCommunicator(get_asgi_application(), {**scope, "headers": []})
        await asked.send_input({"type": "http.request", "body": b""})
        start, body = [await asked.receive_output(20) for _ in range(2)]
        await asked.wait(20)
        return start["status"], body["body"].decode()

    @pytest.mark.parametrize("path", ["/response/", "/generic/"])
    def test_a_response_that_django_renders_needs_nothing(
        self, path: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inside.forgets_the_warning(monkeypatch)
        assert asyncio.run(self.got(path=path)) == (200, "Good day, &lt;Ada&gt;!")
        assert not [record for record in caplog.records if record.name.startswith("scope_client")]

    def test_shows_a_prompt_and_warns_of_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        async def main() -> tuple[int, str]:
            asyncio.get_running_loop().set_default_executor(NoThreads(1))
            return await self.got()

        assert asyncio.run(main()) == (203, "Good day, &lt;Ada&gt;!")
        assert not [record for record in caplog.records if record.name.startswith("scope_client")]

    def test_that_waits_for_the_platform_holds_up_no_other(self, platform: LocalPlatform) -> None:
        platform.publish("slow", GREETING)

        async def main() -> list[tuple[int, str]]:
            await self.got()  # has a token now
            platform.latency = 3
            slow = asyncio.ensure_future(self.got("slow"))
            while not reads(platform, "slow"):
                await asyncio.sleep(0.005)
            platform.latency = 0
            quick = await self.got("greeting")
            assert not slow.done()
            return [quick, await slow]

        assert asyncio.run(main()) == [(203, "Good day, &lt;Ada&gt;!")] * 2

    def test_takes_what_the_shortcut_of_django_takes(self) -> None:
        from django.shortcuts import render

        assert inspect.iscoroutinefunction(arender)
        assert list(inspect.signature(arender).parameters) == list(inspect.signature(render).parameters)


def test_a_template_on_the_loop_with_a_cache_in_the_database_is_no_error_and_warned_of_once(
    database_cache: None,
    caplog: pytest.LogCaptureFixture,
    platform: LocalPlatform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside.forgets_the_warning(monkeypatch)
    template = Template('{% load scope %}{% scope_prompt "greeting" time_of_day="day" name="Ada" %}')

    async def renders() -> list[str]:
        return [template.render(Context()) for _ in range(3)]

    assert asyncio.run(renders()) == ["Good day, Ada!"] * 3
    assert [record.name for record in caplog.records] == ["scope_client.reads"]
    assert get_client().status().counters["store_failures"] == 0
    assert reads(platform) == 1


def test_what_was_fetched_off_the_loop_is_in_the_database_for_others(
    database_cache: None, platform: LocalPlatform
) -> None:
    asyncio.run(aget_prompt_version("greeting"))
    reset_client()
    assert get_client().get_prompt_version("greeting").content == GREETING
    connections["file"].close()
    assert reads(platform) == 1


def test_prompts_given_to_a_test_are_read_on_a_loop_too(platform: LocalPlatform) -> None:
    async def read() -> str:
        with override_prompts({"greeting": "Hi {{name}}"}):
            return await arender_prompt("greeting", {"name": "Ada"})

    assert asyncio.run(read()) == "Hi Ada"
    assert not platform.requests


@pytest.mark.parametrize("prompts", [{"greeting": NotFoundError("gone")}, {}], ids=["given", "not given"])
def test_errors_given_to_a_test_are_raised_on_a_loop_too(prompts: dict) -> None:
    async def read() -> Any:
        with override_prompts({"other": "x", **prompts}):
            return await aget_prompt_version("greeting")

    with pytest.raises(ScopeError):
        asyncio.run(read())
