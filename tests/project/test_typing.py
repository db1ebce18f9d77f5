"""What type checkers and editors say of programs: of mistakes, of right calls, and of each option."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import sys
import typing
from pathlib import Path
from types import FunctionType

import pytest
from faults.commands import run

from scope_client import Options, ScopeError
from scope_client.testing import PromptsClient

from . import hovers, mistakes
from .checkers import COMPLAINTS, complaints_of_mypy, marked

pytestmark = pytest.mark.timeout(600)  # the environment may take long to install
HERE = Path(__file__).parent
MISTAKES = HERE / "mistakes.py"
RIGHT_CALLS = HERE / "right_calls.py"
CHECKERS = ("mypy", "pyright")
EXAMPLES = [
    function
    for name, function in vars(mistakes).items()
    if isinstance(function, FunctionType)
    and function.__module__ == mistakes.__name__
    and name != "says"
    and not inspect.iscoroutinefunction(function)
]
"""The mistakes, each a function."""


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_finds_the_mistakes_that_it_can_find_and_nothing_else(
    checker: str, scripts: Path, tmp_path: Path
) -> None:
    found = COMPLAINTS[checker](scripts, MISTAKES, tmp_path)
    assert found.keys() == marked(checker, MISTAKES), {
        line: found[line] for line in found.keys() - marked(checker, MISTAKES)
    }


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_has_nothing_to_say_of_right_calls_and_of_messages_for_a_model(
    checker: str, scripts: Path, tmp_path: Path
) -> None:
    assert COMPLAINTS[checker](scripts, RIGHT_CALLS, tmp_path) == {}


def test_the_type_of_every_public_name_of_the_core_is_known(scripts: Path) -> None:
    first_on_path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    asked = ("--verifytypes", "scope_client", "--ignoreexternal", "--outputjson")
    done = run(str(scripts / "pyright"), *asked, check=False, PATH=first_on_path)
    found = json.loads(done.stdout)["typeCompleteness"]
    unknown = [each["name"] for each in found["symbols"] if each["isExported"] and not each["isTypeKnown"]]
    assert (found["completenessScore"], unknown) == (1, [])


def test_the_packages_for_frameworks_have_the_same_types(tmp_path: Path) -> None:
    file = HERE / "framework_calls.py"
    found = complaints_of_mypy(Path(sys.executable).parent, file, tmp_path)
    assert found.keys() == marked("mypy", file), found


@pytest.mark.parametrize("mistake", EXAMPLES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_named_when_it_runs_unless_a_checker_alone_can_find_it(mistake: FunctionType) -> None:
    answer = mistakes.ANSWERS.get(mistake.__name__)
    if answer is None:
        mistake()
        return
    with pytest.raises((ScopeError, TypeError, AttributeError)) as caught:
        mistake()
    assert re.match(answer, f"{type(caught.value).__name__}: {caught.value}")


def test_there_are_forty_mistakes_and_each_is_found_by_somebody() -> None:
    assert len(EXAMPLES) >= 40
    found = marked("mypy", MISTAKES)
    for mistake in EXAMPLES:
        source, first = inspect.getsourcelines(mistake)
        is_found = found & set(range(first, first + len(source)))
        assert is_found or mistake.__name__ in mistakes.ANSWERS


def fields_of_reads() -> list[str]:
    parameters = inspect.signature(PromptsClient.get_prompt_version).parameters
    return [name for name in parameters if name not in ("self", "name")]


def test_an_editor_says_what_each_option_means(scripts: Path, tmp_path: Path) -> None:
    calls = [f"ScopeClient({option}=None)" for option in typing.get_type_hints(Options)]
    reads = [f"ScopeClient().get_prompt_version('greeting', {option}=None)" for option in fields_of_reads()]
    lines = ["from scope_client import ScopeClient", *calls, *reads]
    with hovers.opened("\n".join(lines), tmp_path, scripts) as (editor, uri):
        for number, line in enumerate(lines[1:], 1):
            keyword = re.search(r"(\w+)=None", line)
            assert keyword is not None
            kind, _, meaning = editor.hover(uri, number, keyword.start(1)).partition("\n")
            assert keyword[1] in kind, line
            assert len(meaning.strip()) > 20, line


def test_the_methods_that_read_say_the_same_of_their_keywords() -> None:
    from scope_client import ScopeClient

    module = importlib.import_module(ScopeClient.get_prompt_version.__globals__["ReadByLabel"].__module__)
    assert {*module.ReadByLabel.__annotations__, *module.ReadByVersion.__annotations__} == set(fields_of_reads())
