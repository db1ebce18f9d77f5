"""docs/recipes/openai.md: the chat in the terminal, with the real client of OpenAI."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import openai
from faults.clock import eventually
from manual import pages
from recipes import recipe

if TYPE_CHECKING:
    from pathlib import Path

    from recipes.fakes.server import ModelServer

    from scope_client.local import LocalPlatform

PAGE = "recipes/openai.md"
FILE = "with_openai.py"
SYSTEM = "You answer questions about the Lamp, in one sentence."
QUESTION = "Is it dimmable?"


def test_it_prints_what_the_page_shows_and_sends_settings_and_conversation(
    models: ModelServer, environ: dict[str, str]
) -> None:
    models.will_say("Yes: turn its knob.", "Yes, to ten percent.")
    done = recipe.run(FILE, environ=environ, stdin=f"{QUESTION}\nEven at night?\n")
    typed = re.sub(r"^> .*\n", "> ", recipe.shown_output(PAGE, FILE), flags=re.MULTILINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{typed}> "
    first, second = models.bodies
    settings = {"model": "gpt-5.5", "reasoning_effort": "low", "max_completion_tokens": 1000, "stream": True}
    asked = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    assert first == {**settings, "messages": asked}
    answered = [{"role": "assistant", "content": "Yes: turn its knob."}, {"role": "user", "content": "Even at night?"}]
    assert second["messages"] == [*asked, *answered]


def test_without_a_platform_the_fallback_answers(
    models: ModelServer, environ: dict[str, str], platform: LocalPlatform
) -> None:
    platform.stop()
    printed = recipe.called(FILE, environ=environ, stdin=f"{QUESTION}\n")
    assert printed == "> You answer questions about the: Is it dimmable?  [answer, version None]\n> "
    assert [(body["model"], body["reasoning_effort"]) for body in models.bodies] == [("gpt-5.4-mini", "none")]


def test_questions_go_on_while_the_platform_is_gone_and_get_what_was_promoted_meanwhile(
    environ: dict[str, str], platform: LocalPlatform
) -> None:
    short = pages.environment({**environ, "SCOPE_CACHE_TTL": "0.2"})
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(recipe.command(FILE), env=short, **pipes) as chat:  # type: ignore[call-overload]

        def ask() -> str:
            chat.stdin.write(f"{QUESTION}\n")
            chat.stdin.flush()
            return str(chat.stdout.readline())

        assert ask().endswith("[answer, version 1]\n")
        platform.stop()
        assert [ask().rpartition("  ")[2] for _ in range(3)] == ["[answer, version 1]\n"] * 3
        platform.start()
        platform.publish("answer", recipe.load(FILE).FALLBACK)
        eventually(lambda: ask().endswith("[answer, version 2]\n"), recipe.PATIENCE)
        chat.stdin.close()
        assert chat.wait(recipe.PATIENCE) == 0


def test_a_promotion_brings_its_model_and_a_reader_that_leaves_ends_the_stream(
    models: ModelServer, platform: LocalPlatform
) -> None:
    module = recipe.load(FILE)
    models.hold_streams()
    with platform.client(cache_ttl=0.001) as prompts, openai.OpenAI(base_url=models.openai_url, api_key="no") as model:
        platform.publish("answer", module.FALLBACK, metadata={"model": "gpt-next"})
        words = module.answer(model, prompts.get_prompt_version("answer"), [], QUESTION)
        models.let_word_go()
        assert next(word for word in words if word) == "You "
        words.close()
        eventually(lambda: models.streams_cut == 1, recipe.PATIENCE)
    assert models.bodies[0]["model"] == "gpt-next"


def test_the_responses_api_takes_the_messages_as_its_input(models: ModelServer, platform: LocalPlatform) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "How can I help?"}]
    with platform.client() as prompts, openai.OpenAI(base_url=models.openai_url, api_key="no") as model:
        version = prompts.get_prompt_version("answer")
        messages = version.messages(product="Lamp", history=said, question=QUESTION)
        effort = {"effort": version.get_metadata("reasoning_effort")}
        made = model.responses.create(model="gpt-5.5", input=messages, reasoning=effort, max_output_tokens=1000)
    assert made.output_text == "You answer questions about the: Is it dimmable?"
    assert [message["role"] for message in models.bodies[0]["input"]] == ["system", "user", "assistant", "user"]


def test_the_tests_of_its_page_pass(tmp_path: Path) -> None:
    done = recipe.run_tests_of(PAGE, tmp_path)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr
