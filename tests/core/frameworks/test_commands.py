"""The commands of every framework, for a site of no framework."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scope_client import ConfigurationError, MemoryStore, NotFoundError, ValidationError
from scope_client.frameworks import (
    ARGUMENTS,
    COMMANDS,
    Finding,
    PromptUse,
    Report,
    SettingProblem,
    Site,
    Survey,
    health,
)
from scope_client.testing import PromptsClient

HI = PromptUse("page.html", 3, "hi", variables=("name",))
PROBLEM = SettingProblem("value", "TIMEOUT", "TIMEOUT is wrong", "correct it")
WITH_A_NETWORK = ("doctor",)  # which looks up hosts
ALL = {
    "paths": [],
    "against": None,
    "lock": None,
    "strict": None,
    "baseline": None,
    "write_baseline": False,
    "verbose": False,
    "format": None,
    "name": "hi",
    "label": None,
    "version": None,
    "var": ["name=Ada"],
    "vars_file": None,
    "names": ["hi"],
    "exclude": [],
}


def run(
    command_name: str, /, *uses: PromptUse, unread: tuple[Finding, ...] = (), problems: tuple = (), **changes: Any
) -> Report:
    client = PromptsClient({"hi": "Hi {{name}}", "other": "Other"})
    found = Survey(list(uses), list(unread), [], [])
    site = Site(lambda: client, lambda: problems, lambda exclude: found, lambda client: None)
    command = COMMANDS[command_name]
    return command.run(site, **{key: {**ALL, **changes}[key] for key in command.arguments})


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_does_and_takes_known_arguments(name: str) -> None:
    assert COMMANDS[name].help.endswith(".")
    assert set(COMMANDS[name].arguments) <= set(ARGUMENTS)
    assert name in WITH_A_NETWORK or run(name, HI).failure is None


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in WITH_A_NETWORK])
def test_each_report_is_lines_and_json_of_the_same(name: str) -> None:
    report = run(name, HI)
    assert report.text() == "\n".join(report.lines)
    assert json.loads(report.text(as_json=True)) == json.loads(json.dumps(report.data))


def test_get_has_the_content_and_a_note_of_facts() -> None:
    report = run("get")
    assert report.lines == ("Hi {{name}}",)
    assert report.note is not None
    assert report.note.startswith("hi, version 1 (")


def test_render_takes_values_as_pairs() -> None:
    assert run("render", var=["name=a=b"]).lines == ("Hi a=b",)
    with pytest.raises(ValidationError, match="key=value, got 'name'"):
        run("render", var=["name"])


@pytest.mark.parametrize("name", ["get", "render"])
def test_what_cannot_be_read_is_raised(name: str) -> None:
    with pytest.raises(NotFoundError):
        run(name, name="nowhere")
    with pytest.raises(TypeError, match="label and version"):
        run(name, label="latest", version="v_1")


def test_check_names_what_is_wrong_with_its_place() -> None:
    gone = PromptUse("page.html", 4, "gone")
    odd = PromptUse("page.html", 5, "hi", variables=("nmae",))
    report = run("check", HI, gone, odd, unread=(Finding("cannot be read: x", "b.html", 1),))
    assert report.failure == "4 problems found"
    assert [line.split(" prompt")[0] for line in report.lines] == [
        "b.html:1:1 S100 cannot be read: x",
        "page.html:4:1 S101",
        "page.html:5:1 S102",
        "page.html:5:1 S103",
    ]
    assert report.lines[-1] == "page.html:5:1 S103 prompt 'hi' is given no value for 'name'"


def test_check_asks_for_no_prompt_while_the_settings_are_wrong() -> None:
    def cannot_be_made() -> Any:
        raise ConfigurationError("TIMEOUT is wrong")

    found = Survey([PromptUse("page.html", 4, "gone")], [], [], [])
    report = COMMANDS["check"].run(Site(cannot_be_made, lambda: (PROBLEM,), lambda exclude: found, lambda client: None))
    assert report.lines == ("TIMEOUT is wrong (correct it)",)
    assert report.failure == "1 problem found"


def test_a_use_that_is_named_when_rendered_is_counted_and_not_asked_for() -> None:
    dynamic = PromptUse("page.html", 4, None, is_dynamic=True)
    report = run("check", HI, dynamic)
    assert report.lines[-1] == "1 more is known only at run time (-v lists them)"
    (unchecked,) = report.data["unchecked"]
    assert (unchecked["file"], unchecked["line"]) == ("page.html", 4)
    assert run("check", dynamic, dynamic).lines[-1] == "2 more are known only at run time (-v lists them)"
    assert run("check", dynamic, verbose=True).lines[0] == (
        "page.html:4:1 not checked: its name is known only at run time"
    )
    assert run("warm", dynamic, names=[]).lines == ("no template names a prompt",)
    assert run("list", dynamic).lines == ("page.html:4  a prompt named when rendered",)


def test_warm_goes_on_after_a_mistake() -> None:
    report = run("warm", HI, names=["..", "nowhere", "other"])
    assert [line.split(": ")[0] for line in report.lines] == ["hi", "..", "nowhere", "other"]
    assert [prompt["is_warm"] for prompt in report.data["prompts"]] == [True, False, False, True]
    assert report.failure == "2 of 4 prompts could not be fetched"


class Broken(MemoryStore):
    """A store whose every write ends in one error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def set(self, key: str, value: str, ttl: float | None) -> None:
        raise self.error


class OperationalError(Exception):
    __module__ = "django.db.utils"


NO_REDIS = ModuleNotFoundError("No module named 'redis'", name="redis")
NO_OTHER = ModuleNotFoundError("No module named 'valkey'", name="valkey")
PIP = ' (pip install "scope-prompts[redis]")'
CREATE = " (run manage.py createcachetable)"


@pytest.mark.parametrize("name", ["check", "warm"])
@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (NO_REDIS, PIP),
        (NO_OTHER, ""),
        (OSError("refused"), ""),
        (OperationalError("no such table: prompts"), CREATE),
        (OperationalError('relation "prompts" does not exist\nLINE 1: SELECT'), CREATE),
        (OperationalError("(1146, \"Table 'site.prompts' doesn't exist\")"), CREATE),
        (OperationalError('FATAL: database "site" does not exist'), ""),
        (RuntimeError("no such table: prompts"), ""),
    ],
    ids=str,
)
def test_a_shared_cache_that_does_not_work_is_told_with_what_to_do(name: str, error: Exception, advice: str) -> None:
    client = PromptsClient({"hi": "Hi {{name}}"}, cache_store=Broken(error))
    site = Site(lambda: client, lambda: (), lambda exclude: Survey([HI], [], [], []), lambda client: None)
    report = COMMANDS[name].run(site, **{"names": [], "exclude": []} if name == "warm" else {})
    said = f"the shared cache does not work: {type(error).__name__}: {error}{advice}".replace("\n", "\\n")
    assert said in (report.failure if name == "warm" else report.lines)


@pytest.mark.parametrize("name", ["list", "warm"])
def test_a_template_that_cannot_be_read_fails_the_command_and_stops_nothing(name: str) -> None:
    report = run(name, HI, unread=(Finding("cannot be read: x", "b.html"),))
    assert report.failure == "1 template could not be read"
    assert report.lines[-1] == "b.html: cannot be read: x"
    assert len(report.lines) == 2


def test_health_is_503_if_there_can_be_no_client() -> None:
    data, status = health(lambda: PromptsClient({}))
    assert (data["ok"], status) == (True, 200)

    def no_client() -> PromptsClient:
        raise ConfigurationError("no keys")

    assert health(no_client) == ({"ok": False, "error": "ConfigurationError: no keys"}, 503)
