"""`--scope-coverage`: which prompts, versions and variables the tests of a project rendered, and if that is enough."""

from __future__ import annotations

import pytest
import yaml  # noqa: F401  # pytester forgets a module that is first imported in its test, and YAML's does not survive it
from frontmatter import default_handlers  # noqa: F401

from scope_client import PromptVersion
from scope_client._folder.reader import read_prompt_dir
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion, text_of

HALF = """
import scope_client

def test_greets(scope_prompts):
    scope_prompts("greeting", "Good {{time_of_day}}, {{name}}!")
    scope_prompts("farewell", "Bye {{name}}")
    scope_client.client().render_prompt("greeting", {"time_of_day": "morning", "name": "Ada"})
"""
FOLDER = """
import pytest
import scope_client
from scope_client.local import LocalPlatform

@pytest.fixture(scope="module")
def client():
    with LocalPlatform("prompts") as platform:
        yield platform.client()

@pytest.mark.parametrize("name", ["Ada", "Bob"])
def test_greets(client, name):
    assert client.render_prompt("support/greeting", {"time_of_day": "morning", "name": name})

def test_other(client):
    client.get_prompt_version("chat").messages(history=[], question="Why?")

def test_more():
    pass
"""


@pytest.fixture
def folder(pytester):
    folder = pytester.path / "prompts"
    for name, text in {
        "support/greeting/v1.md": "---\nstatus: archived\n---\nHi {{who}}\n",
        "support/greeting/v2.md": "---\nstatus: published\n---\nGood {{time_of_day}}, {{name}}!\n",
        "support/greeting/v3.md": "Newer {{tone}}\n",
        "chat.md": (
            '---\ntype: chat\nvariables: [spare]\n---\n[{"role": "placeholder", "content": "{{history}}"}, '
            '{"role": "user", "content": "{{question}}"}]\n'
        ),
        "drafted.md": "---\nstatus: draft\n---\nDraft {{month}}\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    return folder


def lines(outcome):
    text = outcome.stdout.str()
    assert text.count("scope coverage ===") <= 1
    return text.partition(" scope coverage ")[2].partition("\n")[2].partition("\n===")[0].strip("\n").splitlines()


def test_without_a_folder_it_is_of_what_the_tests_published(run):
    outcome = run(HALF, "--scope-coverage")
    assert lines(outcome) == [
        "farewell  never rendered; missing: version 1 and variables name",
        "greeting  rendered version 1; variables time_of_day, name",
        "TOTAL 60.0 %: 1 of 2 prompts, 2 of 3 variables",
    ]
    assert outcome.ret == 0


def test_it_is_of_a_folder(run, folder):
    outcome = run(FOLDER, "--scope-coverage=prompts")
    assert lines(outcome) == [
        "chat              rendered version 1; variables history, question",
        "drafted           never rendered; missing: version 1 and variables month",
        "support/greeting  rendered version 2; variables time_of_day, name",
        "TOTAL 75.0 %: 2 of 3 prompts, 4 of 5 variables",
    ]


def test_it_is_of_a_lock(run, folder):
    entries = []
    for name, number in (("support/greeting", 1), ("chat", 1)):
        record = next(each for each in read_prompt_dir(folder)[name] if each.number == number)
        sha256 = digest_of(PromptVersion.from_api(record.to_body()))
        entries.append(LockedVersion(name, "production", record.id, sha256, number))
    (folder.parent / "scope.lock").write_text(text_of("org", "prompts", entries))
    assert lines(run(FOLDER, "--scope-coverage=scope.lock")) == [
        "chat              rendered version 1; variables history, question",
        "support/greeting  rendered in another version; missing: version 1 and variables who",
        "TOTAL 80.0 %: 2 of 2 prompts, 2 of 3 variables",
    ]


def test_what_was_rendered_and_is_not_there_is_named(run, folder):
    assert "rendered too, and not among these: greeting" in lines(run(HALF, "--scope-coverage=prompts"))


@pytest.mark.parametrize(("least", "code"), [("60", 0), ("60.1", 1), ("0", 0), ("100", 1)])
def test_too_little_fails_the_run_with_a_line(least, code, run):
    outcome = run(HALF, f"--scope-coverage-fail-under={least}")
    outcome.assert_outcomes(passed=1)
    assert outcome.ret == code
    said = f"FAIL: scope coverage of 60.0 % is under the {least} % that are asked for"
    assert (said in lines(outcome)) is bool(code)


def test_a_run_that_fails_otherwise_keeps_its_exit_code(run):
    assert run("def test_it():\n    assert False\n", "--scope-coverage-fail-under=50").ret == 1
    assert run("raise KeyboardInterrupt\n", "--scope-coverage-fail-under=50").ret == 2
    assert run("", "--scope-coverage-fail-under=50").ret == 5


@pytest.mark.parametrize("workers", ["1", "3"])
def test_workers_of_xdist_tell_what_they_rendered(workers, run, folder):
    alone = run(FOLDER, "--scope-coverage=prompts")
    shared = run(FOLDER, "--scope-coverage=prompts", "-p", "xdist.plugin", "-n", workers)
    assert lines(shared) == lines(alone)
    outcome = run(HALF, "--scope-coverage-fail-under=61", "-p", "xdist.plugin", "-n", workers)
    assert lines(outcome)[-2:] == [
        "TOTAL 60.0 %: 1 of 2 prompts, 2 of 3 variables",
        "FAIL: scope coverage of 60.0 % is under the 61 % that are asked for",
    ]
    assert outcome.ret == 1


def test_the_settings_of_a_project_have_the_folder_and_the_percentage(run, folder, pytester):
    (pytester.path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\nscope_coverage = "prompts"\nscope_coverage_fail_under = "76"\n'
    )
    (pytester.path / "inner").mkdir()
    outcome = run(FOLDER, "--scope-coverage")
    assert outcome.ret == 1
    assert lines(outcome)[-1] == "FAIL: scope coverage of 75.0 % is under the 76 % that are asked for"
    assert run(FOLDER, "--scope-coverage", "--scope-coverage-fail-under=75").ret == 0
    assert lines(run(FOLDER)) == []


@pytest.mark.parametrize("words", [["inner"], ["--", "inner"], ["inner/test_inner.py::test_greets"]])
def test_a_word_after_the_option_names_tests_and_no_prompts(words, run, pytester):
    inner = pytester.mkdir("inner")
    (inner / "conftest.py").write_text("def pytest_addoption(parser):\n    parser.addoption('--of-inner')\n")
    (inner / "test_inner.py").write_text(HALF)
    words = [*words, "--of-inner=1"] if "--" not in words else ["--of-inner=1", *words]
    outcome = run("def test_other():\n    assert False\n", "--scope-coverage", *words)
    assert outcome.ret == 0
    assert lines(outcome)[-1] == "TOTAL 60.0 %: 1 of 2 prompts, 2 of 3 variables"


def test_the_option_in_the_settings_or_the_environment_takes_no_word_either(run, folder, pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--scope-coverage")
    assert lines(run(HALF, "test_it.py"))[-1] == "TOTAL 60.0 %: 1 of 2 prompts, 2 of 3 variables"
    monkeypatch.delenv("PYTEST_ADDOPTS")
    pytester.makeini("[pytest]\naddopts = --scope-coverage\n")
    assert lines(run(HALF, "test_it.py"))[-1] == "TOTAL 60.0 %: 1 of 2 prompts, 2 of 3 variables"
    assert lines(run(FOLDER, "test_it.py", "--scope-coverage=prompts"))[-1].startswith("TOTAL 75.0 %")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scope-coverage=nowhere"], "'nowhere' does not exist; name a folder of prompts or a scope.lock"),
        (["--scope-coverage=empty"], "'empty' has no prompt; name a folder"),
        (["--scope-coverage=test_it.py"], "the lock 'test_it.py' is not TOML"),
        (
            ["--scope-coverage-fail-under=half"],
            "--scope-coverage-fail-under must be a number from 0 to 100, got 'half'",
        ),
        (["--scope-coverage-fail-under=101"], "must be a number from 0 to 100, got '101'"),
        (["--scope-coverage-fail-under=nan"], "must be a number from 0 to 100, got 'nan'"),
        (["--scope-coverage-fail-under=-1"], "must be a number from 0 to 100, got '-1'"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, said, run, pytester):
    (pytester.path / "empty").mkdir()
    outcome = run(HALF, *arguments)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert said in outcome.stderr.str()
    assert "Traceback" not in outcome.stderr.str()


def test_nothing_published_and_nothing_named_says_what_to_name(run):
    outcome = run("def test_it():\n    pass\n", "--scope-coverage")
    assert lines(outcome) == [
        "no prompt was published by scope_prompts; name a folder or a lock: --scope-coverage=prompts"
    ]
    assert outcome.ret == 0


def test_a_fallback_of_the_caller_covers_nothing_and_a_declared_variable_is_not_asked_for(run):
    code = """
import scope_client

def test_it(scope_platform, scope_prompts):
    scope_prompts("a", "x {{y}}", variables=["z"])
    scope_platform.fail(503)
    scope_client.configure(max_retries=0)
    assert scope_client.client().render_prompt("a", fallback="fallback")
"""
    assert lines(run(code, "--scope-coverage"))[-1] == "TOTAL 0.0 %: 0 of 1 prompts, 0 of 1 variables"


def test_all_versions_of_a_platform_count_and_two_platforms_are_told_as_one(run):
    code = """
import scope_client

def test_one(scope_prompts):
    scope_prompts("a", "{{x}}")
    scope_prompts("a", "{{y}}")
    scope_client.client().render_prompt("a", {"y": 1})

def test_two(scope_prompts):
    scope_prompts("a", "{{z}}")
"""
    assert lines(run(code, "--scope-coverage")) == [
        "a  rendered version 2; variables y; missing: version 1 and variables x, z",
        "TOTAL 50.0 %: 1 of 1 prompts, 1 of 3 variables",
    ]


def test_snapshots_and_the_coverage_go_together_and_nothing_stays_replaced(run, monkeypatch):
    monkeypatch.delenv("CI", raising=False)  # where no snapshot is written
    code = """
import scope_client

def test_one(scope_prompts):
    scope_prompts("a", "{{x}}")
    scope_client.client().render_prompt("a", {"x": 1})
    scope_prompts.snapshot()

def test_two(scope_platform):
    scope_platform.publish("b", "{{x}}")
    scope_client.client().get_prompt_version("b").messages(x=1)
"""
    outcome = run(code, "--scope-coverage")
    outcome.assert_outcomes(passed=2)
    assert lines(outcome)[-1] == "TOTAL 100.0 %: 2 of 2 prompts, 2 of 2 variables"


@pytest.mark.parametrize("arguments", [["-p", "no:terminal"], ["--collect-only"], ["-q"]])
def test_other_ways_to_run_do_not_disturb_it(arguments, run):
    outcome = run(HALF, "--scope-coverage-fail-under=90", *arguments)
    assert outcome.ret == (0 if "--collect-only" in arguments else 1)
    assert "INTERNALERROR" not in outcome.stdout.str() + outcome.stderr.str()
