"""What the manual says is true: each of its programs runs as it stands there, and prints what the page says."""

from __future__ import annotations

import contextlib
import re
import shlex
from typing import TYPE_CHECKING, Any

import click
import pytest
from manual import pages
from manual.pages import DOCS, ROOT, Block, blocks

from scope_client.cli._program import scope
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGES = pages.pages()
PYTHON = [block for page in PAGES for block in blocks(page, "python")]
PROGRAMS = [block for block in PYTHON if block.is_program and block.is_for_this_python]
TESTS = [block for block in PYTHON if block.is_test and block.is_for_this_python]
# A page whose files make a project, and the module that runs it.
PROJECTS = {
    "local-platform.md": "manual/test_local_platform.py",
    "command-line.md": "manual/test_command_line.py",
    "tutorial.md": "manual/test_tutorial.py",
    "integrations/django-sites.md": "manual/test_django_sites.py",
    "typed-functions.md": "manual/test_typed_functions.py",
    "locked-mode.md": "manual/test_locked_mode.py",
    "prompts-as-code.md": "manual/test_prompts_as_code.py",
    "checking.md": "manual/test_checking.py",
    "locking.md": "manual/test_locking.py",
    "testing/snapshots.md": "manual/test_snapshots.py",
    "testing/langchain.md": "manual/test_testing_langchain.py",
    "integrations/celery.md": "manual/test_celery.py",
    "integrations/fastapi.md": "manual/test_fastapi.py",
    "integrations/langchain.md": "manual/test_langchain.py",
    "testing/flask.md": "manual/test_testing_flask.py",
    "testing/django.md": "manual/test_testing_django.py",
    "integrations/flask.md": "manual/test_flask.py",
    "integrations/django.md": "manual/test_django.py",
    "operations/health.md": "manual/test_health_page.py",
    "operations/deploying.md": "manual/test_deploying.py",
    "recipes/openai.md": "recipes/test_openai.py",
    "recipes/anthropic.md": "recipes/test_anthropic.py",
    "recipes/fastapi-streaming.md": "recipes/test_fastapi_streaming.py",
    **dict.fromkeys(
        ("recipes/pydantic-ai.md", "recipes/openai-agents.md", "recipes/llamaindex.md", "recipes/litellm.md"),
        "recipes/test_frameworks.py",
    ),
    "recipes/celery.md": "recipes/test_celery.py",
    "pinned-conversations.md": "recipes/test_pinned_conversations.py",
    "recipes/aws-lambda.md": "recipes/test_aws_lambda.py",
    "recipes/docker-compose.md": "recipes/test_docker_compose.py",
    "recipes/kubernetes.md": "recipes/test_kubernetes.py",
}
LANGUAGES = {
    *(
        "",
        "console",
        "css",
        "django",
        "dockerfile",
        "html",
        "ini",
        "jinja",
        "json",
        "markdown",
        "nginx",
        "powershell",
        "promql",
    ),
    *("powershell", "python", "shell", "sql", "text", "toml", "xml", "yaml"),
}
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands(first: str) -> list[tuple[str, str]]:
    """The command lines of the manual that begin with a word, with their pages."""
    found = (
        (page, line[2:].partition("  #")[0].strip())
        for page in PAGES
        for block in blocks(page, "console")
        for line in block.text.splitlines()
        if line.startswith("$ ")
    )
    return [(page, command) for page, command in found if command.split()[0] == first]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Path, dict[str, str]]]]:
    """The folder of a page, and the environment by which its programs find the page's platform: one for all of them."""
    started: dict[str, tuple[Path, dict[str, str]]] = {}
    with contextlib.ExitStack() as platforms:

        def serve(page: str) -> tuple[Path, dict[str, str]]:
            if page not in started:
                folder = tmp_path_factory.mktemp("page")
                pages.write_prompts(page, folder)
                started[page] = folder, platforms.enter_context(LocalPlatform(folder / "prompts")).environ
            return started[page]

        yield serve


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda block: block.name)
def test_a_program_runs_and_prints_what_its_page_says(
    program: Block, served: Any, request: pytest.FixtureRequest
) -> None:
    folder, environ = served(program.page)
    if "REDIS_URL" in program.text:
        environ = {**environ, "REDIS_URL": request.getfixturevalue("redis_server").url}
    done = pages.run(program.text, folder, **environ)
    assert (done.returncode, done.stderr) == (0, ""), f"{program.page}, line {program.line}"
    promised = pages.promised_output(program.page, program)
    if promised is not None:
        assert done.stdout == promised, f"{program.page}, line {program.line}"


@pytest.mark.parametrize("test", TESTS, ids=lambda block: block.name)
def test_a_test_of_the_manual_passes(test: Block, tmp_path: Path) -> None:
    pages.write_prompts(test.page, tmp_path)
    for path, text in pages.files_of(test.page).items():
        if path == "conftest.py":
            (tmp_path / path).write_text(text)
    (tmp_path / "test_of_the_page.py").write_text(test.text)
    done = pages.run_tests(tmp_path, CI="")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_no_block_of_code_escapes(page: str) -> None:
    """What is a program or a test is run by this module; what is a file, by the module of its page."""
    for block in blocks(page):
        where = f"{page}, line {block.line}"
        assert block.language in LANGUAGES, f"{where}: a block in the language {block.language!r}"
        if block.language == "text" and block.before.endswith("prints:"):
            around = blocks(page)
            above = around[around.index(block) - 1]
            assert above.is_program or above.is_test, f"{where}: no program stands above what is printed"
        if block.path and block.path != "conftest.py":
            assert page in PROJECTS, f"{where}: {block.path} is a file of a page without a test of its own"


@pytest.mark.parametrize(("page", "module"), PROJECTS.items())
def test_a_page_of_a_project_is_read_by_its_own_test(page: str, module: str) -> None:
    if not (DOCS / page).exists():
        return
    assert page.rpartition("/")[2] in (ROOT / "tests" / module).read_text()


def test_the_manual_has_programs_to_run() -> None:
    assert len(PROGRAMS) >= 40


@pytest.mark.parametrize(("page", "command"), commands("make"))
def test_a_make_command_exists(page: str, command: str) -> None:
    names = [word for word in shlex.split(command)[1:] if "=" not in word]
    assert names, page
    assert set(names) <= MAKE_TARGETS, page


@pytest.mark.parametrize(("page", "command"), commands("scope"))
def test_a_scope_command_and_its_options_exist(page: str, command: str) -> None:
    words = shlex.split(command.partition(" | ")[0].partition(" > ")[0].rstrip("&"))[1:]
    context = click.Context(scope, info_name="scope")
    if words and not words[0].startswith("-"):
        name, found, rest = scope.resolve_command(context, words)
        assert found is not None, page
        found.make_parser(click.Context(found, info_name=name)).parse_args(list(rest))
    else:
        scope.make_parser(context).parse_args(list(words))
