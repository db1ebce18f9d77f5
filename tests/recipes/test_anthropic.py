"""docs/recipes/anthropic.md: the summary of a letter, with the real client of Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic
import pytest
from faults.clock import eventually
from recipes import recipe

from scope_client import InvalidCredentialsError

if TYPE_CHECKING:
    from pathlib import Path

    from recipes.fakes.server import ModelServer

    from scope_client.local import LocalPlatform

PAGE = "recipes/anthropic.md"
FILE = "with_anthropic.py"
LETTER = "The lamp is broken."


def test_it_prints_what_the_page_shows_and_sends_the_system_prompt_apart(
    models: ModelServer, environ: dict[str, str]
) -> None:
    models.will_say("The lamp arrived broken, and Ada wants a new one.")
    done = recipe.run(FILE, environ=environ, stdin=LETTER)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == recipe.shown_output(PAGE, FILE)
    assert models.bodies == [
        {
            "model": "claude-sonnet-5",
            "max_tokens": 300,
            "stream": True,
            "system": "You sum up letters for a busy manager, in one sentence.",
            "messages": [{"role": "user", "content": LETTER}],
        }
    ]


def test_without_a_platform_the_fallback_answers(
    models: ModelServer, environ: dict[str, str], platform: LocalPlatform
) -> None:
    platform.stop()
    printed = recipe.called(FILE, environ=environ, stdin=LETTER)
    assert printed == "You sum up letters for: The lamp is broken.  [summary, version None]\n"
    assert [body["model"] for body in models.bodies] == ["claude-haiku-5-5"]


def test_refused_keys_are_an_error_that_no_fallback_hides(models: ModelServer, environ: dict[str, str]) -> None:
    with pytest.raises(InvalidCredentialsError):
        recipe.called(FILE, environ={**environ, "SCOPE_API_SECRET": "wrong"}, stdin=LETTER)
    assert models.asked == []


def test_a_reader_that_leaves_ends_the_stream(models: ModelServer, platform: LocalPlatform) -> None:
    module = recipe.load(FILE)
    models.hold_streams()
    with platform.client() as prompts, anthropic.Anthropic(base_url=models.url, api_key="no") as model:
        words = module.summary(model, prompts.get_prompt_version("summary"), LETTER)
        models.let_word_go()
        assert next(words) == "You "
        words.close()
        eventually(lambda: models.streams_cut == 1, recipe.PATIENCE)


def test_the_tests_of_its_page_pass(tmp_path: Path) -> None:
    done = recipe.run_tests_of(PAGE, tmp_path)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr
