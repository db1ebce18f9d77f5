"""`make langchain-tests` puts Scope's templates in place of LangChain's, and notices a test that no longer passes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from langchain_theirs import comparison
from langchain_theirs.comparison import Comparison, compare

SETTINGS = "[pytest]\naddopts = -p no:django\n"  # which would look for the settings of the suite
TESTS = """
import langchain_core.prompts as prompts
from langchain_core.load import dumps, loads
from langchain_core.prompts import ChatPromptTemplate, FewShotPromptTemplate, PromptTemplate, StringPromptTemplate
from langchain_core.prompts.chat import HumanMessagePromptTemplate
from langchain_core.prompts.prompt import PromptTemplate as FromItsHome


def is_of_scope(kind):
    return any(base.__module__.startswith("scope_langchain") for base in kind.__mro__)


def test_the_classes_are_scopes():
    assert is_of_scope(PromptTemplate) and is_of_scope(ChatPromptTemplate) and is_of_scope(prompts.PromptTemplate)
    assert FromItsHome is PromptTemplate


def test_what_langchain_makes_is_scopes():
    assert is_of_scope(type(HumanMessagePromptTemplate.from_template("{a}").prompt))
    assert is_of_scope(type(loads(dumps(PromptTemplate.from_template("{a}")))))


def test_the_names_are_langchains():
    assert repr(PromptTemplate.from_template("{a}")).startswith("PromptTemplate(")
    assert ChatPromptTemplate.from_messages(["{a}"]).get_name() == "ChatPromptTemplate"


def test_what_has_their_classes_as_a_base_keeps_them():
    assert not is_of_scope(FewShotPromptTemplate) and not is_of_scope(StringPromptTemplate)


def test_none_is_a_value():
    assert PromptTemplate.from_template("{a}").format(a=None) == "None"


def test_that_never_passes():
    assert False
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "test_small.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(SETTINGS)
    return compare(sys.executable, folder, "test_small.py")


def test_scopes_templates_are_in_place_of_langchains(compared: Comparison) -> None:
    changed = {name.partition("::")[2] for name, was in compared.theirs.items() if was != compared.ours[name]}
    assert changed == {"test_the_classes_are_scopes", "test_what_langchain_makes_is_scopes", "test_none_is_a_value"}
    assert compared.ours["test_small::test_the_classes_are_scopes"] == "passed"
    assert compared.ours["test_small::test_what_langchain_makes_is_scopes"] == "passed"
    assert compared.ours["test_small::test_that_never_passes"] == "failure"


def test_a_test_that_passes_with_langchains_alone_is_named(
    compared: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compared.worse == compared.unexplained() == ["test_small::test_none_is_a_value"]
    assert compared.report().splitlines() == [
        "as they are             3 passed, 3 failed, 0 skipped",
        "with Scope templates    4 passed, 2 failed, 0 skipped",
        "test_small::test_none_is_a_value: NOT EXPLAINED",
    ]
    monkeypatch.setitem(comparison.EXCEPTIONS, "test_small::test_none_is_a_value", "None is an error")
    assert compared.unexplained() == []
    assert compared.report().splitlines()[-1] == "test_small::test_none_is_a_value: None is an error"


def test_a_folder_where_no_test_passes_is_an_error_that_shows_why(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "test_none.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(RuntimeError, match=r"(?s)^no test passed:.*nothing_of_this_name"):
        compare(sys.executable, tmp_path, "test_none.py")
