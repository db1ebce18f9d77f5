"""The middleware: a request, or a session, sees one version of each prompt."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path
from faults.reading import warnings

from scope_client import ConfigurationError
from scope_client.local import LocalPlatform
from scope_django import aget_prompt_version, get_client
from scope_django.middleware import PinMiddleware, PinSessionMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PINNED = "scope_django.middleware.PinMiddleware"
OF_SESSION = "scope_django.middleware.PinSessionMiddleware"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


def promote() -> None:
    """What a platform does in the middle of a request, in these tests."""
    number = len(_platform[0].requests)
    _platform[0].publish("greeting", f"number {number}")


_platform: list[LocalPlatform] = []


def twice(request: HttpRequest) -> HttpResponse:
    first = get_client().get_prompt_version("greeting").content
    promote()
    template = engines["django"].from_string('{% load scope %}{% scope_prompt "greeting" %}')
    return HttpResponse(f"{first}|{template.render({}, request)}")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    first = get_client().get_prompt_version("greeting").content

    def body() -> Iterator[str]:
        yield f"{first}|"
        promote()
        yield get_client().get_prompt_version("greeting").content

    return StreamingHttpResponse(body())


async def atwice(request: HttpRequest) -> HttpResponse:
    first = (await aget_prompt_version("greeting")).content
    await asyncio.get_running_loop().run_in_executor(None, promote)
    return HttpResponse(f"{first}|{(await aget_prompt_version('greeting')).content}")


async def astreamed(request: HttpRequest) -> StreamingHttpResponse:
    first = (await aget_prompt_version("greeting")).content

    async def body() -> AsyncIterator[str]:
        yield f"{first}|"
        await asyncio.get_running_loop().run_in_executor(None, promote)
        yield (await aget_prompt_version("greeting")).content

    return StreamingHttpResponse(body())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


def once(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_client().get_prompt_version("greeting").content)


def anew(request: HttpRequest) -> HttpResponse:
    request.session.pop("scope_pins", None)
    get_client().get_prompt_version("greeting", label="latest")  # so that there is more to keep than before
    return once(request)


def token(request: HttpRequest) -> HttpResponse:
    once(request)
    return HttpResponse(request.scope_pins.token)  # type: ignore[attr-defined]


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.scope_pins))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def site(settings: Any, scope_settings: Callable[..., Any], platform: LocalPlatform) -> Iterator[None]:
    scope_settings(CACHE_TTL=0, CACHE_ALIAS=None)
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [PINNED]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    platform.publish("greeting", "number 0")
    _platform[:] = [platform]
    yield
    _platform.clear()


def body(response: Any) -> str:
    return b"".join(response.streaming_content if response.streaming else [response.content]).decode()


async def abody(url: str) -> str:
    response = await AsyncClient().get(url)
    if not response.streaming:
        return response.content.decode()  # type: ignore[no-any-return]
    return b"".join([chunk async for chunk in response.streaming_content]).decode()


@pytest.mark.parametrize("url", ["/twice/", "/streamed/", "/atwice/"])
def test_a_request_sees_one_version(url: str, settings: Any) -> None:
    first, second = body(Client().get(url)).split("|")
    assert first == second
    settings.MIDDLEWARE = []
    first, second = body(Client().get(url)).split("|")
    assert first != second


@pytest.mark.parametrize("url", ["/twice/", "/atwice/", "/astreamed/"])
def test_so_does_an_asynchronous_one(url: str, settings: Any) -> None:
    first, second = asyncio.run(abody(url)).split("|")
    assert first == second
    settings.MIDDLEWARE = []
    first, second = asyncio.run(abody(url)).split("|")
    assert first != second


@pytest.mark.django_db  # a response that is closed looks at the connections of the thread
def test_a_file_is_left_to_the_server_which_may_send_it_by_itself() -> None:
    response: Any = PinMiddleware(file)(RequestFactory().get("/"))
    try:
        assert response.file_to_stream is not None
        assert body(response) == Path(__file__).read_text()
    finally:
        response.close()


def test_each_request_begins_anew() -> None:
    first = body(Client().get("/once/"))
    promote()
    assert body(Client().get("/once/")) != first


@pytest.mark.django_db  # a response that is closed looks at the connections of the thread
def test_after_a_request_nothing_is_pinned() -> None:
    client = get_client()
    plain = client._entries
    for url in ("/once/", "/twice/", "/streamed/"):
        body(Client().get(url))
        assert client._entries is plain
    Client().get("/streamed/").close()
    assert client._entries is plain


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_session_goes_on_with_what_its_first_request_has_read(is_awaited: bool, settings: Any) -> None:
    settings.MIDDLEWARE = [SESSIONS, OF_SESSION]

    def texts(urls: list[str]) -> list[str]:
        if not is_awaited:
            client = Client()
            return [(promote(), body(client.get(url)))[1] for url in urls]

        async def main() -> list[str]:
            client = AsyncClient()
            found = []
            for url in urls:
                await asyncio.get_running_loop().run_in_executor(None, promote)
                found.append((await client.get(url)).content.decode())
            return found

        return asyncio.run(main())

    first, second, renewed, then, last = texts(["/once/", "/once/", "/anew/", "/once/", "/once/"])
    assert first == second == renewed
    assert then == last != first


def test_another_session_has_pins_of_its_own(settings: Any) -> None:
    settings.MIDDLEWARE = [SESSIONS, OF_SESSION]
    visitor, other = Client(), Client()
    first = body(visitor.get("/once/"))
    promote()
    assert body(other.get("/once/")) != first
    assert body(visitor.get("/once/")) == first


def test_a_deployment_between_two_requests_changes_nothing(settings: Any) -> None:
    settings.MIDDLEWARE = [SESSIONS, OF_SESSION]
    visitor = Client()
    first = body(visitor.get("/once/"))
    promote()
    from django_app.process import reset_client

    reset_client()
    assert body(visitor.get("/once/")) == first


def test_the_secret_key_of_a_site_rotates(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.MIDDLEWARE = [SESSIONS, OF_SESSION]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    settings.SECRET_KEY = "old"
    visitor = Client()
    first = body(visitor.get("/once/"))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    promote()
    assert body(visitor.get("/once/")) == first
    assert warnings(caplog) == []
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "newest", []
    session = visitor.session
    session["scope_pins"] = get_client().pin("greeting", secret="another").token
    session.save()
    promote()
    renewed = body(visitor.get("/once/"))
    assert renewed != first
    (told,) = warnings(caplog)
    assert told.startswith("a session's pins are left aside, and its prompts are pinned anew: token was changed")
    assert body(visitor.get("/once/")) == renewed


def test_a_view_hands_the_token_on(settings: Any) -> None:
    handed = body(Client().get("/token/"))
    expected = get_client().get_prompt_version("greeting").content
    promote()
    with get_client().pin(token=handed, secret=settings.SECRET_KEY):
        assert get_client().get_prompt_version("greeting").content == expected


def test_a_session_that_has_read_nothing_is_not_touched(settings: Any) -> None:
    settings.MIDDLEWARE = [SESSIONS, OF_SESSION]
    response = Client().get("/nothing/")
    assert response.cookies == {}
    assert body(response) == "Pins({})"


def test_a_session_without_its_middleware_says_so(settings: Any) -> None:
    settings.MIDDLEWARE = [OF_SESSION]
    with pytest.raises(ConfigurationError, match=r"put django.contrib.sessions.middleware.SessionMiddleware before"):
        Client().get("/once/")


@pytest.mark.parametrize("scope", [{}, {"ORG_ID": 5}, {"a": {}, "b": {}}, "text"], ids=str)
def test_pages_without_prompts_go_on_on_a_site_that_cannot_read(scope: Any, settings: Any) -> None:
    settings.SCOPE = scope
    assert body(Client().get("/nothing/")) == "None"


def test_each_organisation_is_pinned(
    settings: Any, scope_settings: Callable[..., Any], platform: LocalPlatform
) -> None:
    settings.MIDDLEWARE = [SESSIONS, OF_SESSION]
    ours = dict(scope_settings(CACHE_TTL=0, CACHE_ALIAS=None))
    settings.SCOPE = {"default": ours, "other": ours}
    visitor = Client()
    first = body(visitor.get("/both/"))
    assert len(set(first.split("|"))) == 1
    promote()
    assert body(visitor.get("/both/")) == first
    assert {"scope_pins", "scope_pins:other"} <= visitor.session.keys()


def both(request: HttpRequest) -> HttpResponse:
    def read() -> list[str]:
        return [get_client(each).get_prompt_version("greeting").content for each in ("default", "other")]

    before = read()
    promote()
    return HttpResponse("|".join([*before, *read()]))


urlpatterns = [
    path(f"{view.__name__}/", view) for view in (twice, streamed, atwice, astreamed, once, anew, token, nothing, both)
]


def test_it_stands_in_chains_of_both_kinds() -> None:
    assert iscoroutinefunction(PinMiddleware(atwice))  # type: ignore[arg-type]
    assert not iscoroutinefunction(PinMiddleware(twice))
    assert issubclass(PinSessionMiddleware, PinMiddleware)
    assert (PinMiddleware.sync_capable, PinMiddleware.async_capable) == (True, True)
