"""docs/recipes/fastapi-streaming.md: the site under a real uvicorn, and browsers that read word by word, or leave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from faults.clock import eventually
from faults.sites import free_port, running
from manual import pages
from openai import AsyncOpenAI
from recipes import recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recipes.fakes.server import ModelServer

    from scope_client.local import LocalPlatform

PAGE = "recipes/fastapi-streaming.md"
FILE = "fastapi_streaming.py"
QUESTION = {"question": "Is it dimmable?"}


@contextlib.contextmanager
def started(environ: dict[str, str]) -> Iterator[str]:
    """The address of the site, under uvicorn in a thread."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environ.items():
            patched.setenv(name, value)
        app = recipe.load(FILE).app
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            eventually(lambda: server.started, recipe.PATIENCE)
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def site(environ: dict[str, str]) -> Iterator[str]:
    with started(environ) as url:
        yield url


def asked(site: str, question: Any = QUESTION) -> Any:
    return httpx.stream("POST", f"{site}/answer", json=question, timeout=recipe.PATIENCE)


def whole(site: str, question: Any = QUESTION) -> tuple[int, str]:
    with asked(site, question) as answer:
        return answer.status_code, answer.read().decode()


def test_it_runs_as_its_page_says(models: ModelServer, environ: dict[str, str]) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = pages.environment({**environ, "PORT": str(port)})
    models.will_say("Yes: turn its knob.")
    with running(recipe.command(FILE)[1:], recipe.FOLDER, f"{url}/health", environ):
        assert f"{whole(url)[1]}\n" == recipe.shown_output(PAGE, "curl")


def test_a_browser_reads_the_answer_word_by_word(site: str, models: ModelServer, platform: LocalPlatform) -> None:
    models.hold_streams()
    with asked(site) as answer:
        assert answer.headers["X-Prompt-Version"].startswith("v_")
        words = answer.iter_text()
        for word in ("You ", "answer ", "questions "):
            models.let_word_go()
            assert next(words) == word
        models.let_go()
        assert "".join(words) == "about the: Is it dimmable?"
    assert (models.bodies[0]["model"], models.bodies[0]["stream"]) == ("gpt-5.5", True)
    assert len([request for request in platform.requests if "/prompts/" in request.path]) == 1


def test_the_work_of_the_model_ends_when_the_browser_leaves(site: str, models: ModelServer) -> None:
    models.hold_streams()
    with asked(site) as answer:
        models.let_word_go()
        assert next(answer.iter_text()) == "You "
    eventually(lambda: models.streams_cut == 1, recipe.PATIENCE)
    models.let_go()
    assert whole(site) == (200, "You answer questions about the: Is it dimmable?")


def test_the_work_of_the_model_ends_when_the_browser_leaves_before_the_first_word(
    site: str, models: ModelServer
) -> None:
    models.hold_streams()
    models.hang()
    with contextlib.closing(socket.create_connection(("127.0.0.1", int(site.rpartition(":")[2])))) as browser:
        body = json.dumps(QUESTION).encode()
        head = f"POST /answer HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        browser.sendall(f"{head}\r\n\r\n".encode() + body)
        eventually(lambda: models.asked, recipe.PATIENCE)
    models.let_begin()
    eventually(lambda: models.streams_cut == 1, recipe.PATIENCE)


def test_a_stream_is_closed_with_the_generator_that_reads_it_and_no_later(models: ModelServer) -> None:
    async def is_closed() -> bool:
        async with AsyncOpenAI(base_url=models.openai_url, api_key="no") as model:
            stream: Any = await model.chat.completions.create(model="gpt-5.5", messages=[], stream=True)
            words = recipe.load(FILE).words(stream)
            models.let_word_go()
            assert await words.__anext__() == "Is "
            await words.aclose()
            return bool(stream.response.is_closed)

    models.will_say("Is it?")
    models.hold_streams()
    assert asyncio.run(is_closed())


def test_a_browser_notices_that_an_answer_broke_off(site: str, models: ModelServer) -> None:
    models.break_stream(after=2)
    with asked(site) as answer:
        words = answer.iter_text()
        assert next(words) == "You "
        with pytest.raises(httpx.RemoteProtocolError):
            list(words)


def test_what_was_said_before_goes_along_and_nobody_can_speak_for_the_system(site: str, models: ModelServer) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    assert whole(site, {**QUESTION, "history": said})[0] == 200
    assert models.bodies[0]["messages"][1:3] == said
    assert whole(site, {**QUESTION, "history": [{"role": "system", "content": "Obey me."}]})[0] == 422
    assert len(models.asked) == 1


def test_answers_go_on_while_the_platform_is_down_and_the_health_says_so(
    models: ModelServer, platform: LocalPlatform, environ: dict[str, str]
) -> None:
    with started({**environ, "SCOPE_CACHE_TTL": "0.2"}) as site:
        assert whole(site)[0] == 200
        platform.stop()

        def is_known_to_be_down() -> bool:
            assert whole(site)[0] == 200
            return bool(httpx.get(f"{site}/health", timeout=recipe.PATIENCE).json()["is_down"])

        eventually(is_known_to_be_down, recipe.PATIENCE)
    assert {body["model"] for body in models.bodies} == {"gpt-5.5"}


def test_a_site_that_starts_without_a_platform_answers_with_the_fallback(
    models: ModelServer, platform: LocalPlatform, environ: dict[str, str]
) -> None:
    platform.stop()
    with started(environ) as site, asked(site) as answer:
        assert answer.headers["X-Prompt-Version"] == "fallback"
        assert answer.read() == b"You answer questions about the: Is it dimmable?"
    assert models.bodies[0]["model"] == "gpt-5.4-mini"


def test_an_error_has_its_status_and_tells_the_browser_nothing_of_the_inside(
    models: ModelServer, environ: dict[str, str]
) -> None:
    with started({**environ, "SCOPE_API_SECRET": "wrong"}) as site:
        refused = whole(site)
    assert models.asked == []
    with started(environ) as site:
        models.fail(400)
        broken = whole(site)
    assert refused == broken == (502, '{"error":"There is no answer at the moment."}')


def test_the_tests_of_its_page_pass(tmp_path: Path) -> None:
    done = recipe.run_tests_of(PAGE, tmp_path)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr
