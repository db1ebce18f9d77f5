"""The module that `scope types` writes is a use of each of its prompts, for every command that looks at code."""

from __future__ import annotations

import pytest

GREETING = ("Good {{time_of_day}}, {{name}}!", "Good {{time_of_day}}, {{name}}, {{tone}}!")


@pytest.fixture
def typed(scope, platform, tmp_path):
    """The module that `scope types --lock` makes of the locked prompts, and a call of one of its functions."""
    assert scope("pull", "greeting", "support-chat", "-o", "prompts").code == 0
    (tmp_path / "llm").mkdir()
    assert scope("types", "--lock", "scope.lock", "-o", "llm/typed.py").code == 0
    (tmp_path / "mail.py").write_text(
        "from llm.typed import greeting\nprint(greeting(name='Ada', time_of_day='day'))\n"
    )
    return tmp_path / "llm/typed.py"


def line_of(typed, text):
    return 1 + typed.read_text().split("\n").index(text)


def test_a_prompt_that_fits_is_checked(scope, typed):
    for against in ("scope.lock", "prompts", "platform"):
        done = scope("check", "--against", against, "--strict")
        assert (done.code, done.err) == (0, ""), done.out
        assert done.out.startswith("2 uses of 2 prompts fit "), done.out


def test_a_version_that_needs_another_variable_breaks_its_function(scope, platform, typed):
    line = line_of(typed, '        "greeting",')
    platform.publish("greeting", GREETING[1])
    done = scope("check", "--against", "platform")
    assert done.code == 1
    lines = done.out.splitlines()
    advice = "; run `scope types` again"
    assert f"llm/typed.py:{line}:9 S103 prompt 'greeting' is given no value for 'tone'{advice}" in lines
    done = scope("bump", "--safe")
    assert done.code == 0
    assert f"used in: llm/typed.py:{line}" in done.out
    assert "breaks 1 call" in done.out
    assert f"prompt 'greeting' is given no value for 'tone'{advice}" in done.out


def test_running_types_again_mends_it(scope, platform, typed):
    platform.publish("greeting", GREETING[1])
    assert scope("bump").code == 1
    assert scope("check", "--against", "scope.lock").code == 1
    assert scope("types", "--lock", "scope.lock", "-o", "llm/typed.py").code == 0
    assert scope("check", "--against", "scope.lock").code == 0


def test_its_prompts_are_found_by_used_by(scope, typed, tmp_path):
    (tmp_path / "scope.lock").unlink()
    done = scope("pull", "--used-by", "llm", "-o", "again", "--lock", "again.lock")
    assert (done.code, done.err) == (0, ""), done.out
    assert sorted(each.name for each in (tmp_path / "again").iterdir() if each.is_dir()) == ["greeting", "support-chat"]
