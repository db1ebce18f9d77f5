"""`scope.pin_requests(app)`: a request, or a session, sees one version of each prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.reading import warnings
from flask import Flask, render_template_string, session, stream_with_context

from scope_flask import Scope, current_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client.local import LocalPlatform


@pytest.fixture
def promote(platform: LocalPlatform) -> Callable[[], object]:
    return lambda: platform.publish("greeting", f"number {len(platform.requests)}")


@pytest.fixture
def make_site(make_app: Callable[..., Flask], promote: Callable[[], object]) -> Callable[..., Flask]:
    def make(session_key: str | None = None, *, is_pinned: bool = True, **config: Any) -> Flask:
        scope = Scope()
        app = make_app(scope, **{"SCOPE_CACHE_TTL": 0, "SECRET_KEY": "secret", **config})
        promote()

        def read(label: Any = "production") -> str:
            return scope.client.get_prompt_version("greeting", label=label).content

        @app.before_request
        def early() -> None:
            current_scope.get_cached_version("greeting")

        @app.get("/twice")
        def twice() -> str:
            first = read()
            promote()
            return f"{first}|" + render_template_string('{{ scope_prompt("greeting") }}')

        @app.get("/awaited")
        async def awaited() -> str:
            first = (await scope.client.aget_prompt_version("greeting")).content
            promote()
            return f"{first}|{(await scope.client.aget_prompt_version('greeting')).content}"

        def body(first: str) -> Iterator[str]:
            yield f"{first}|"
            promote()
            yield app.extensions["scope"].client().get_prompt_version("greeting").content

        app.add_url_rule("/streamed", "streamed", lambda: body(read()))
        app.add_url_rule("/with_context", "with_context", lambda: app.response_class(stream_with_context(body(read()))))
        app.add_url_rule("/once", "once", read)
        app.add_url_rule("/nothing", "nothing", lambda: repr(scope.pins) if is_pinned else "")
        app.add_url_rule("/token", "token", lambda: (read(), scope.pins.token)[1])
        app.add_url_rule("/anew", "anew", lambda: (session.pop("pins", None), read("latest"), read())[2])
        app.add_url_rule("/fails", "fails", lambda: 1 / 0)
        if is_pinned:
            scope.pin_requests(app, session_key=session_key)
        return app

    return make


Make = Callable[..., Flask]


@pytest.mark.parametrize("url", ["/twice", "/awaited", "/streamed", "/with_context"])
def test_a_request_sees_one_version(url: str, make_site: Make) -> None:
    first, second = make_site().test_client().get(url).text.split("|")
    assert first == second
    first, second = make_site(is_pinned=False).test_client().get(url).text.split("|")
    assert first != second


def test_each_request_begins_anew_and_leaves_nothing(make_site: Make, promote: Callable[[], object]) -> None:
    app = make_site()
    client = app.extensions["scope"].client()
    plain = client._entries
    visitor = app.test_client()
    first = visitor.get("/once").text
    promote()
    assert visitor.get("/once").text != first
    for url in ("/twice", "/streamed", "/with_context", "/fails", "/nowhere", "/awaited"):
        visitor.get(url).close()
        assert client._entries is plain, url


def test_a_session_goes_on_with_what_its_first_request_has_read(make_site: Make, promote: Callable[[], object]) -> None:
    app = make_site("pins")
    visitor, found = app.test_client(), []
    for url in ("/once", "/once", "/anew", "/once", "/once"):
        promote()
        found.append(visitor.get(url).text)
    first, second, renewed, then, last = found
    assert first == second == renewed
    assert then == last != first
    assert app.test_client().get("/once").text != first


def test_the_secret_key_of_an_app_rotates(
    make_site: Make, promote: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_site("pins", SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"])
    visitor = app.test_client()
    first = app.test_client().get("/once").text
    with visitor.session_transaction() as opened:
        opened["pins"] = app.extensions["scope"].client().pin("greeting", secret="old").token
    promote()
    assert visitor.get("/once").text == first
    assert warnings(caplog) == []
    with visitor.session_transaction() as opened:
        opened["pins"] = "broken"
    promote()
    renewed = visitor.get("/once").text
    assert renewed != first
    (told,) = warnings(caplog)
    assert told.startswith("a session's pins are left aside, and its prompts are pinned anew: token is not what")
    assert visitor.get("/once").text == renewed


def test_a_session_that_has_read_nothing_and_a_file_set_no_cookie(make_site: Make) -> None:
    visitor = make_site("pins").test_client()
    for url in ("/nothing", "/static/a.css"):
        assert "Set-Cookie" not in visitor.get(url).headers
    assert "Vary" not in visitor.get("/static/a.css").headers


def test_a_view_hands_the_token_on(make_site: Make, promote: Callable[[], object]) -> None:
    app = make_site()
    token = app.test_client().get("/token").text
    expected = app.test_client().get("/once").text
    promote()
    client = app.extensions["scope"].client()
    with client.pin(token=token, secret="secret"):
        assert client.get_prompt_version("greeting").content == expected


def test_pages_go_on_in_an_app_that_has_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    app = Flask("bare")
    scope = Scope(app)
    scope.pin_requests(app)
    app.add_url_rule("/", "page", lambda: "page")
    assert app.test_client().get("/").text == "page"


def test_what_is_not_set_up_says_so(make_app: Callable[..., Flask]) -> None:
    scope = Scope()
    with pytest.raises(RuntimeError, match="is not set up for this app"):
        scope.pin_requests(Flask("bare"))
    app = make_app(scope)
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="Scope has no pins here"):
        _ = scope.pins
    with pytest.raises(RuntimeError, match="Scope has no pins here"):
        _ = scope.pins
    scope.pin_requests(app)
    with pytest.raises(RuntimeError, match="pinned already"):
        scope.pin_requests(app)
