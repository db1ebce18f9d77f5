"""docs/recipes/: Pydantic AI, the OpenAI Agents SDK, LlamaIndex and LiteLLM, each the real library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from faults.clock import eventually
from manual import pages
from recipes import apart, recipe
from recipes.conversation import QUIET, Conversation

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipes.fakes.server import ModelServer

    from scope_client.local import LocalPlatform

FALLBACK_MODEL = "gpt-5.4-mini"
PATIENCE = 240.0
PROMOTED = "Promoted: {{product}}"
REWRITTEN = "What does the dimmable lamp cost?"


class Kind(NamedTuple):
    """A recipe of a library."""

    page: str
    file: str
    prompt: str
    model: str
    """What the model is called when it is asked, by the version that is in production first."""
    next_model: str
    """What the metadata of the next one says."""
    next_content: Any
    is_apart: bool = True
    has_tools: bool = False


PYDANTIC_AI = Kind(
    *("recipes/pydantic-ai.md", "with_pydantic_ai.py", "shop-agent", "gpt-5.5", "gpt-next", PROMOTED),
    is_apart=False,
    has_tools=True,
)
AGENTS = Kind(
    *("recipes/openai-agents.md", "with_openai_agents.py", "shop-agent", "gpt-5.5", "gpt-next", PROMOTED),
    has_tools=True,
)
LLAMAINDEX = Kind(
    *("recipes/llamaindex.md", "with_llamaindex.py", "answer-from", "gpt-5.5", "gpt-5.4"),
    "Promoted: {{documents}} {{question}}",
)
LITELLM = Kind(
    *("recipes/litellm.md", "with_litellm.py", "any-model", "claude-sonnet-5", "openai/gpt-next"),
    [
        {"role": "system", "content": PROMOTED},
        {"role": "placeholder", "content": "{{history}}"},
        {"role": "user", "content": "{{question}}"},
    ],
)
every_kind = pytest.mark.parametrize(
    "kind", [PYDANTIC_AI, AGENTS, LLAMAINDEX, LITELLM], ids=lambda kind: kind.file.partition(".")[0]
)


@pytest.fixture
def python_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Path]:
    """The Python that has the library of a recipe."""

    def found(kind: Kind) -> Path:
        return apart.made(tmp_path_factory) if kind.is_apart else Path(sys.executable)

    return found


@pytest.fixture
def environ(environ: dict[str, str], models: ModelServer) -> dict[str, str]:
    """LlamaIndex finds a server of OpenAI's protocol by a name of its own."""
    return {**environ, "OPENAI_API_BASE": models.openai_url}


def shown_conversation(kind: Kind) -> list[tuple[str, str]]:
    """The questions and the answers that a page shows."""
    lines = recipe.shown_output(kind.page, kind.file).splitlines()
    questions = [line.removeprefix("> ") for line in lines if line.startswith("> ") and line != "> "]
    return list(zip(questions, [line for line in lines if line and not line.startswith(">")]))


def texts_of(body: dict[str, Any]) -> str:
    """All that a model was told, but for its tools."""
    return str({**body, "tools": None})


@pytest.mark.timeout(420)  # it may be the first to make the environment
@every_kind
def test_it_falls_back_recovers_answers_as_its_page_shows_follows_a_promotion_and_outlives_the_platform(
    kind: Kind, python_of: Callable[[Kind], Path], models: ModelServer, platform: LocalPlatform, environ: dict[str, str]
) -> None:
    platform.stop()
    with Conversation(python_of(kind), kind.file, environ) as chat:
        assert chat.ask("Is anybody there?").endswith(f"  [{kind.prompt}, version None]")
        assert models.bodies[-1]["model"] == FALLBACK_MODEL
        platform.start()
        eventually(lambda: chat.ask("And now?").endswith("version 1]"), recipe.PATIENCE)
        for question, answer in shown_conversation(kind):
            if kind is LLAMAINDEX:
                models.will_say(REWRITTEN)
            if kind.has_tools:
                models.will_call("stock", product="Lamp")
            models.will_say(answer.partition("  [")[0])
            assert chat.ask(question) == answer
            assert models.bodies[-1]["model"] == kind.model
        platform.publish(kind.prompt, kind.next_content, metadata={"model": kind.next_model})
        eventually(lambda: chat.ask("And after a promotion?").endswith("version 2]"), recipe.PATIENCE)
        platform.stop()
        assert chat.ask("And in an outage?").endswith(f"  [{kind.prompt}, version 2]")
    assert models.bodies[-1]["model"] == kind.next_model.rpartition("/")[2]
    assert "Promoted: " in texts_of(models.bodies[-1])
    see_the_conversation(kind, models)


def see_the_conversation(kind: Kind, models: ModelServer) -> None:
    """What was said before goes to the model again: LlamaIndex's has a prompt of its own for that."""
    *_, before, last = models.bodies
    told = texts_of(before if kind is LLAMAINDEX else last)
    for question, answer in shown_conversation(kind):
        assert answer.partition("  [")[0] in told
        assert kind is LLAMAINDEX or question in told
    if kind.has_tools:
        assert [item["output"] for item in last["input"] if item.get("type") == "function_call_output"] == ["3", "3"]
    if kind is LLAMAINDEX:
        assert "You rewrite the last question" in told
        assert before["model"] == "gpt-5.4-mini"
        assert "The lamp is dimmable." in texts_of(last)
    if kind is LITELLM:
        assert {asked.path: asked.body["model"] for asked in models.asked} == {
            "/v1/messages": "claude-sonnet-5",
            "/v1/chat/completions": "gpt-next",
        }


@pytest.mark.timeout(420)
@pytest.mark.parametrize("kinds", [[PYDANTIC_AI], [AGENTS, LLAMAINDEX, LITELLM]], ids=["beside", "apart"])
def test_the_tests_of_their_pages_pass(kinds: list[Kind], python_of: Callable[[Kind], Path], tmp_path: Path) -> None:
    for kind in kinds:
        pages.write_files(kind.page, tmp_path)
    plugin = ["-m", "pytest", "-q", "-p", "scope_client.testing.plugin", "-p", "no:cacheprovider"]
    environ = {"PYTHONPATH": f"{tmp_path}:{pages.ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **QUIET}
    done = subprocess.run(
        [python_of(kinds[0]), *plugin],
        cwd=tmp_path,
        env=pages.environment(environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    passed = f"{2 * len(kinds)} passed"
    assert (done.returncode, passed in done.stdout) == (0, True), done.stdout + done.stderr
