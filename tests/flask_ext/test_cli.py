"""`flask scope`: what each command prints, how it ends, and that nothing a template holds makes a traceback of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
from cachelib import FileSystemCache
from flask import Blueprint, Flask
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader, FunctionLoader

from scope_client import ApiKeyCredentials
from scope_client.local import LocalPlatform
from scope_flask import Scope

if TYPE_CHECKING:
    from click.testing import Result

Make = Callable[..., Flask]
COMMANDS = ("check", "get", "render", "list", "warm")
GOOD = "{{ scope_prompt('greeting', time_of_day='morning', name=name) }}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    templates = tmp_path / "templates"
    templates.mkdir()
    return templates


@pytest.fixture
def app(make_app: Make, folder: Path, tmp_path: Path) -> Flask:
    made = make_app(SCOPE_MAX_RETRIES=0, SCOPE_CACHE=FileSystemCache(str(tmp_path / "cache")))
    made.jinja_loader = FileSystemLoader(str(folder))
    return made


def run(app: Flask, *words: str) -> Result:
    """No exception but the exit of a program."""
    result = app.test_cli_runner().invoke(args=["scope", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def data(result: Result) -> Any:
    """What is printed as JSON; what follows is for people."""
    return json.JSONDecoder().raw_decode(result.output)[0]


def paths(platform: LocalPlatform) -> list[str]:
    return [each.path for each in platform.requests if "/prompts/" in each.path]


def write(folder: Path, **templates: str) -> None:
    for name, source in templates.items():
        (folder / f"{name}.html").write_text(source)


def test_each_command_explains_itself(app: Flask) -> None:
    said = run(app, "--help")
    assert said.exit_code == 0
    assert all(command in said.output for command in COMMANDS)
    assert "..." not in said.output.partition("Commands:")[2]
    for command in COMMANDS:
        said = run(app, command, "--help")
        assert said.exit_code == 0
        assert "--format" in said.output
        assert "--json" in said.output


@pytest.mark.parametrize("words", [["check"], ["get", "greeting"], ["list"], ["warm", "greeting"]])
def test_json_and_format_say_the_same(words: list[str], app: Flask) -> None:
    run(app, "warm", "greeting")
    text, as_json = run(app, *words, "--format", "text").output, run(app, *words, "--json").output
    assert isinstance(json.loads(as_json), dict)
    assert text != as_json
    for more in (["--format", "json"], ["--json", "--format", "json"]):
        assert json.loads(run(app, *words, *more).output).keys() == json.loads(as_json).keys()
    contradiction = run(app, *words, "--json", "--format", "text")
    assert contradiction.exit_code == 1
    assert "--json and --format text exclude each other: give one of them" in contradiction.output


def test_values_come_from_a_file_or_standard_input_and_v_wins(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "values.json").write_text('{"name": "Bob", "time_of_day": "night"}')
    file = str(tmp_path / "values.json")
    assert run(app, "render", "greeting", "--vars-file", file).output == "Good night, Bob!\n"
    assert run(app, "render", "greeting", "--vars-file", file, "-v", "name=Eve").output == "Good night, Eve!\n"
    words = ["scope", "render", "greeting", "--vars-file", "-"]
    piped = app.test_cli_runner().invoke(args=words, input='{"name": "Zoë", "time_of_day": "day"}')
    assert piped.output == "Good day, Zoë!\n"
    refused = app.test_cli_runner().invoke(args=words, input="")
    assert refused.exit_code == 1
    assert "standard input is empty" in refused.output


def test_an_unknown_command_or_option_is_a_usage_error(app: Flask) -> None:
    assert run(app, "nothing").exit_code == 2
    assert run(app, "check", "--nothing").exit_code == 2
    assert run(app, "check", "--format", "yaml").exit_code == 2
    assert run(app, "get").exit_code == 2
    assert run(app, "get", "greeting", "--label", "staging").exit_code == 2


def test_get_prints_the_prompt_as_it_is(app: Flask) -> None:
    said = run(app, "get", "greeting")
    assert (said.exit_code, said.output) == (0, "Good {{time_of_day}}, {{name}}!\n")


def test_get_as_json_tells_all_of_the_version(app: Flask) -> None:
    said = data(run(app, "get", "greeting", "--format", "json"))
    assert (said["name"], said["content"]) == ("greeting", "Good {{time_of_day}}, {{name}}!")


def test_get_takes_a_label_or_a_version(app: Flask, platform: LocalPlatform) -> None:
    first = platform.publish("motto", "one")
    platform.draft("motto", "two ünï")
    assert run(app, "get", "motto", "--label", "latest").output == "two ünï\n"
    assert run(app, "get", "motto", "--version", first.id).output == "one\n"
    both = run(app, "get", "motto", "--label", "latest", "--version", first.id)
    assert both.exit_code == 1
    assert "Error: TypeError" in both.output


@pytest.mark.parametrize("command", ["get", "render"])
@pytest.mark.parametrize("name", ["nothing", "..", "../x", ""])
def test_a_prompt_that_is_not_there_is_one_line_and_exit_code_1(command: str, name: str, app: Flask) -> None:
    said = run(app, command, name)
    assert said.exit_code == 1
    assert said.output.startswith("Error: ")
    assert len(said.output.splitlines()) == 1


def test_render_fills_in(app: Flask) -> None:
    said = run(app, "render", "greeting", "-v", "name=Ada <b>=1", "--var", "time_of_day=")
    assert (said.exit_code, said.output) == (0, "Good , Ada <b>=1!\n")


def test_render_as_json_has_the_text_and_the_messages(app: Flask, platform: LocalPlatform) -> None:
    platform.publish("chat", [{"role": "system", "content": "Be {{mood}}."}])
    said = data(run(app, "render", "chat", "-v", 'mood="kind"', "--format", "json"))
    assert said["messages"] == [{"role": "system", "content": 'Be "kind".'}]
    assert json.loads(said["text"]) == said["messages"]


@pytest.mark.parametrize("pair", ["name", "=x", "", "nmae=Ada"])
def test_render_says_what_is_wrong_with_a_value(pair: str, app: Flask) -> None:
    said = run(app, "render", "greeting", "-v", "time_of_day=x", "-v", "name=y", "-v", pair)
    assert said.exit_code == 1
    assert "Error: ValidationError" in said.output


def test_render_names_what_is_missing(app: Flask) -> None:
    said = run(app, "render", "greeting")
    assert said.exit_code == 1
    assert "MissingVariableError" in said.output
    assert "time_of_day" in said.output


def test_check_is_clean_where_all_is_well(app: Flask, folder: Path) -> None:
    write(folder, home=f"<p>\n{GOOD}\n{GOOD}", other="{# scope_prompt('nothing') #}", plain="<p>")
    said = run(app, "check")
    assert said.exit_code == 0
    assert "2 uses of 1 prompt" in said.output
    shown = data(run(app, "check", "--format", "json"))
    assert {key: shown[key] for key in ("findings", "unchecked", "unlisted", "left_out")} == {
        "findings": [],
        "unchecked": [],
        "unlisted": [],
        "left_out": [],
    }
    assert (shown["uses"], shown["checked"], shown["prompts"]) == (2, 2, 1)


def test_check_without_a_template_asks_for_the_platform_and_the_credentials(
    app: Flask, platform: LocalPlatform
) -> None:
    said = run(app, "check")
    assert said.exit_code == 0
    assert "good" in said.output
    assert paths(platform)


MISTAKES = {
    "an unknown prompt": ("scope_prompt('greetings')", "S101 prompt 'greetings' does not exist"),
    "an unknown variable": (
        "scope_prompt('greeting', time_of_day=1, nmae=2)",
        "S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'",
    ),
    "a missing variable": (
        "scope_prompt('greeting', name=2)",
        "S103 prompt 'greeting' is given no value for 'time_of_day'",
    ),
    "one in the mapping": (
        "scope_prompt('greeting', variables={'time_of_day': 1, 'name': 2, 'zzz': 3})",
        "no variable 'zzz'",
    ),
    "no production version": ("scope_prompt('unpublished')", "S104 prompt 'unpublished' has no production version"),
    "an unknown version": ("scope_prompt('greeting', version='v_nothing')", "has no version 'v_nothing'"),
    "an unknown label": ("scope_prompt('greeting', label='staging')", "latest"),
    "a label with a version": ("scope_prompt('greeting', label='latest', version='v_01')", "label and version exclude"),
    "no name at all": ("scope_prompt('')", "S101 prompt ''"),
    "a name that is none": ("scope_prompt('..')", "S101 prompt '..'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("around", ["{{{{ {} }}}}", "{{% set x = {} %}}", "{{% if {} %}}{{% endif %}}"])
def test_check_names_a_mistake_with_its_file_and_line(
    mistake: str, around: str, app: Flask, folder: Path, platform: LocalPlatform
) -> None:
    call, expected = MISTAKES[mistake]
    platform.draft("unpublished", "x")
    write(folder, home=f"<p>\n{GOOD}\n" + around.format(call))
    said = run(app, "check")
    assert said.exit_code == 1
    lines = [line for line in said.output.splitlines() if line.startswith(f"{folder / 'home.html'}:3:")]
    assert any(expected in line for line in lines)
    found = data(run(app, "check", "--format", "json"))["findings"]
    assert {(finding["file"], finding["line"]) for finding in found} == {(str(folder / "home.html"), 3)}


def test_a_variable_that_the_platform_declares_is_no_problem(app: Flask, folder: Path, platform: LocalPlatform) -> None:
    platform.publish("toned", "Hi {{name}}", variables=["tone"])
    write(folder, home="{{ scope_prompt('toned', name=name, tone='warm') }}\n{{ scope_prompt('toned', name=name) }}")
    assert run(app, "check").exit_code == 0
    write(folder, home="{{ scope_prompt('toned', name=name, tune='warm') }}")
    assert "has no variable 'tune'; the nearest one is 'tone'" in run(app, "check").output


def test_check_ends_with_the_number_of_problems(app: Flask, folder: Path) -> None:
    write(folder, home="{{ scope_prompt('one') }}\n{{ scope_prompt('two') }}", other="{{ scope_prompt('one') }}")
    said = run(app, "check")
    assert said.exit_code == 1
    assert said.output.rstrip().endswith("Error: 3 problems found")
    assert sum(".html:" in line for line in said.output.splitlines()) == 3


DYNAMIC = [
    "{{ scope_prompt(name) }}",
    "{{ scope_prompt('a' ~ name) }}",
    "{{ scope_prompt('greeting', label=which) }}",
    "{{ scope_prompt('greeting', version=which) }}",
    "{{ scope_prompt(*names) }}",
    "{{ scope_prompt('a' if x else 'b') }}",
]


@pytest.mark.parametrize("source", DYNAMIC)
def test_check_tells_how_many_are_named_only_when_rendered(source: str, app: Flask, folder: Path) -> None:
    write(folder, home=source, other=GOOD)
    said = run(app, "check")
    assert said.exit_code == 0
    assert "1 more is known only at run time (-v lists them)" in said.output
    (unchecked,) = data(run(app, "check", "--format", "json"))["unchecked"]
    assert (unchecked["file"], unchecked["line"]) == (str(folder / "home.html"), 1)
    assert f"{folder / 'home.html'}:1:{unchecked['column']} not checked: its " in run(app, "check", "-v").output


@pytest.mark.parametrize(
    "source",
    [
        "{{ scope_prompt('greeting', **values) }}",
        "{{ scope_prompt('greeting', variables=values) }}",
        "{{ scope_prompt('greeting', variables={'name': 1, key: 2}) }}",
        "{{ scope_prompt('greeting', name=1, **values) }}",
    ],
)
def test_check_misses_no_variable_where_more_may_come(source: str, app: Flask, folder: Path) -> None:
    write(folder, home=source)
    assert run(app, "check").exit_code == 0


def test_check_asks_the_platform_past_the_cache(app: Flask, folder: Path, platform: LocalPlatform) -> None:
    write(folder, home=GOOD)
    assert run(app, "check").exit_code == 0
    platform.publish("greeting", "Hello {{name}}")
    said = run(app, "check")
    assert said.exit_code == 1
    assert "no variable 'time_of_day'" in said.output


@pytest.mark.parametrize("command", ["check", "list", "warm"])
@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("<p>\n\n{{ scope_prompt('greeting' }}", 3),
        ("{% if x %}{{ scope_prompt('greeting') }}", 1),
        ("{{ scope_prompt('greeting') }}\n{% nonsense %}", 2),
        ("{{ scope_prompt('greeting') }}\n{% endblock %}", 2),
        ("{{ 'scope_prompt }}", 1),
        ("{{ scope_prompt('a', x=1, x=2, **) }}", 1),
    ],
)
def test_a_template_that_does_not_parse_is_named_with_its_line(
    command: str, source: str, line: int, app: Flask, folder: Path
) -> None:
    write(folder, broken=source, home=GOOD)
    said = run(app, command)
    if command != "warm":
        assert said.exit_code == 1
        code = r"\d+ S100 " if command == "check" else " "
        place = re.escape(f"{folder / 'broken.html'}:{line}:")
        assert re.search(rf"^{place}{code}cannot be read: TemplateSyntaxError", said.output, re.MULTILINE)


@pytest.mark.parametrize("command", ["check", "list", "warm"])
def test_a_template_that_does_not_parse_and_names_no_prompt_is_left_alone(
    command: str, app: Flask, folder: Path
) -> None:
    write(folder, broken="{% if %}", home=GOOD)
    assert run(app, command).exit_code == 0


@pytest.mark.parametrize("command", ["check", "list", "warm"])
def test_a_file_that_is_no_text_among_the_templates_stops_no_command(command: str, app: Flask, folder: Path) -> None:
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    write(folder, home=GOOD)
    said = run(app, command)
    assert said.exit_code == 0
    assert "UnicodeDecodeError" not in said.output


@pytest.mark.parametrize("command", ["check", "list", "warm"])
def test_a_link_that_leads_nowhere_among_the_templates_stops_no_command(command: str, app: Flask, folder: Path) -> None:
    (folder / "gone.html").symlink_to(folder / "nothing.html")
    write(folder, home=GOOD)
    assert "home.html" in run(app, "list").output
    run(app, command)


@pytest.mark.parametrize("command", ["check", "list", "warm"])
def test_a_loader_that_cannot_list_its_templates_is_no_traceback(command: str, app: Flask) -> None:
    app.jinja_loader = FunctionLoader(lambda name: GOOD)
    run(app, command)


def test_templates_that_are_no_files_are_named_as_the_app_names_them(app: Flask) -> None:
    app.jinja_loader = DictLoader({"mail/welcome.txt": "\n{{ scope_prompt('nothing') }}"})
    assert "mail/welcome.txt:2:1 S101 prompt 'nothing' does not exist" in run(app, "check").output


def test_blueprints_templates_and_folders_below_are_among_them(app: Flask, folder: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "blueprint"
    (theirs / "pages").mkdir(parents=True)
    (theirs / "pages" / "part.html").write_text("\n\n{{ scope_prompt('of-a-blueprint') }}")
    app.register_blueprint(Blueprint("pages", __name__, template_folder=str(theirs)))
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "x.txt").write_text("{{ scope_prompt('deep') }}")
    said = run(app, "list")
    assert said.exit_code == 0
    assert f"{theirs / 'pages' / 'part.html'}:3  prompt 'of-a-blueprint'" in said.output
    assert f"{folder / 'deep' / 'er' / 'x.txt'}:1  prompt 'deep'" in said.output
    assert f"{theirs / 'pages' / 'part.html'}:3:17 S101 " in run(app, "check").output


def test_a_blueprints_template_that_the_app_replaces_is_not_counted(app: Flask, folder: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "blueprint"
    theirs.mkdir()
    (theirs / "home.html").write_text("{{ scope_prompt('replaced') }}")
    app.register_blueprint(Blueprint("pages", __name__, template_folder=str(theirs)))
    write(folder, home=GOOD)
    assert "replaced" not in run(app, "list").output


def test_several_loaders_are_walked(app: Flask) -> None:
    loaders = [DictLoader({"a.html": GOOD}), DictLoader({"b.html": GOOD})]
    app.jinja_loader = ChoiceLoader(loaders)
    assert {"a.html:1", "b.html:1"} <= set(run(app, "list").output.split())


def test_extensions_and_delimiters_of_the_app_are_those_of_the_walk(folder: Path, platform: LocalPlatform) -> None:
    app = Flask("site")
    app.jinja_options = {"extensions": ["jinja2.ext.i18n", "jinja2.ext.do"], "variable_start_string": "[["}
    app.jinja_options["variable_end_string"] = "]]"
    app.jinja_loader = FileSystemLoader(str(folder))
    Scope(app)
    i18n = "{% trans x=scope_prompt('one') %}[[ x ]]{% endtrans %}"
    write(folder, home=i18n + "{% do scope_prompt('two') %}[[ scope_prompt('three') ]]")
    said = run(app, "list").output
    assert all(f"'{name}'" in said for name in ("one", "two", "three"))


def test_list_names_label_version_and_variables(app: Flask, folder: Path) -> None:
    labelled = "{{ scope_prompt('a', label='latest', x=1, variables={'y': 2}) }}"
    write(folder, home=f"{labelled}\n{{{{ scope_prompt('b', version='v_9') }}}}\n{{{{ scope_prompt(c) }}}}")
    said = run(app, "list")
    assert said.exit_code == 0
    assert [line.split("  ", 1)[1] for line in said.output.splitlines()] == [
        "prompt 'a', label 'latest', with x, y",
        "prompt 'b', version 'v_9'",
        "a prompt named when rendered",
    ]
    uses = data(run(app, "list", "--format", "json"))["uses"]
    assert [use["line"] for use in uses] == [1, 2, 3]
    assert [use["is_dynamic"] for use in uses] == [False, False, True]


def test_list_asks_nobody_and_needs_no_credentials(folder: Path) -> None:
    app = Flask("bare")
    app.jinja_loader = FileSystemLoader(str(folder))
    Scope(app)
    assert run(app, "list").output == "no template asks for a prompt\n"
    write(folder, home=GOOD)
    assert run(app, "list").exit_code == 0


def test_warm_fetches_what_templates_use_and_what_is_named(app: Flask, folder: Path, platform: LocalPlatform) -> None:
    platform.publish("motto", "x")
    write(folder, home=GOOD + GOOD + "{{ scope_prompt(c) }}")
    said = run(app, "warm", "motto", "greeting")
    assert said.exit_code == 0
    assert said.output.splitlines() == ["greeting: version 1", "motto: version 1"]
    assert len(paths(platform)) == 2
    platform.stop()
    again = data(run(app, "warm", "motto", "--format", "json"))["prompts"]
    assert [(each["name"], each["is_warm"]) for each in again] == [("greeting", True), ("motto", True)]


def test_warm_tells_what_could_not_be_fetched(app: Flask) -> None:
    said = run(app, "warm", "greeting", "nothing")
    assert said.exit_code == 1
    assert "greeting: version 1" in said.output
    assert "nothing: NotFoundError" in said.output
    assert "1 of 2 prompts" in said.output
    assert run(app, "warm", "..").exit_code == 1


def test_warm_without_anything_to_do_says_so(app: Flask) -> None:
    said = run(app, "warm")
    assert (said.exit_code, said.output) == (0, "no template names a prompt\n")


@pytest.mark.parametrize("words", [[], ["--json"], ["--format", "json"]])
def test_status_is_one_line_that_says_where_the_status_of_the_servers_is(words: list[str], app: Flask) -> None:
    assert "status" not in run(app, "--help").output
    said = run(app, "status", *words)
    assert said.exit_code == 1
    assert said.output == (
        "Error: a command cannot see the servers' clients: for their status open the health page (scope_flask.health); "
        "flask scope check asks the platform\n"
    )


@pytest.mark.parametrize("words", [["check"], ["get", "greeting"], ["render", "greeting"], ["warm", "greeting"]])
def test_wrong_credentials_are_named_and_not_shown(words: list[str], make_app: Make, folder: Path) -> None:
    app = make_app(SCOPE_CREDENTIALS=ApiKeyCredentials("local-org", "local-key", "wrong-Hush-0123"))
    app.jinja_loader = FileSystemLoader(str(folder))
    write(folder, home=GOOD)
    for shown_as in ("text", "json"):
        said = run(app, *words, "--format", shown_as)
        assert said.exit_code == 1
        assert "InvalidCredentialsError" in said.output
        assert "wrong-Hush-0123" not in said.output


@pytest.mark.parametrize("words", [["check"], ["get", "greeting"], ["render", "greeting"], ["warm", "greeting"]])
def test_a_platform_that_is_down_is_named(words: list[str], app: Flask, folder: Path, platform: LocalPlatform) -> None:
    write(folder, home=GOOD, other="{{ scope_prompt('b') }}")
    platform.stop()
    said = run(app, *words)
    assert said.exit_code == 1
    assert "Error" in said.output
    assert "127.0.0.1" in said.output


def test_check_names_a_failing_platform_once(app: Flask, folder: Path, platform: LocalPlatform) -> None:
    write(folder, home=GOOD, other="{{ scope_prompt('b') }}{{ scope_prompt('c') }}")
    platform.fail(503)
    said = run(app, "check")
    assert said.exit_code == 1
    assert said.output.count("ServerError") == 1


@pytest.mark.parametrize("words", [["check"], ["get", "x"], ["render", "x"], ["warm", "x"]])
@pytest.mark.parametrize("shown_as", ["text", "json"])
def test_without_credentials_the_keys_that_lack_are_named(words: list[str], shown_as: str) -> None:
    app = Flask("bare")
    Scope(app)
    said = run(app, *words, "--format", shown_as)
    assert said.exit_code == 1
    assert all(key in said.output for key in ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"))


def test_every_app_of_a_process_has_the_commands_for_itself(make_app: Make) -> None:
    with LocalPlatform({"greeting": "of the other"}) as other:
        keys = {"SCOPE_BASE_URL": other.url, "SCOPE_AUTH_API_URL": other.url, "SCOPE_CREDENTIALS": other.credentials}
        scope = Scope()
        one, two = make_app(scope), make_app(scope, name="two", **keys)
        for _ in range(2):
            assert run(one, "get", "greeting").output == "Good {{time_of_day}}, {{name}}!\n"
            assert run(two, "get", "greeting").output == "of the other\n"


def test_an_app_without_the_extension_has_no_such_command() -> None:
    result = Flask("bare").test_cli_runner().invoke(args=["scope", "list"])
    assert result.exit_code == 2


def test_no_entry_point_gives_every_flask_the_commands() -> None:
    found = metadata.entry_points()
    groups = found.select(group="flask.commands") if hasattr(found, "select") else found.get("flask.commands", ())
    assert not [point for point in groups if point.name == "scope" or "scope" in point.value]
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    assert "flask.commands" not in project.read_text()


SITE = """
from flask import Flask
from scope_flask import Scope

def create_app():
    app = Flask(__name__)
    app.config.from_prefixed_env()
    Scope(app)
    return app
"""


def flask(site: Path, platform: LocalPlatform, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "flask", "--app", "site_app", "scope", *words],
        cwd=site,
        env={**os.environ, **platform.environ, "PYTHONPATH": path, "FLASK_SCOPE_MAX_RETRIES": "0", **environ},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


def test_in_a_process_of_its_own_results_and_errors_have_a_stream_each(
    tmp_path: Path, folder: Path, platform: LocalPlatform
) -> None:
    (tmp_path / "site_app.py").write_text(SITE)
    write(folder, home=f"{GOOD}\n{{{{ scope_prompt('nothing') }}}}")
    platform.publish("unicode", "ünï 💡")
    found = flask(tmp_path, platform, "check", "--format", "json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["findings"][0]["line"] == 2
    assert found.stderr == "Error: 1 problem found\n"
    good = flask(tmp_path, platform, "get", "unicode")
    assert (good.returncode, good.stdout, good.stderr) == (0, "ünï 💡\n", "")
    bad = flask(tmp_path, platform, "get", "nothing")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert len(bad.stderr.splitlines()) == 1


def test_a_bad_setting_is_named(tmp_path: Path, platform: LocalPlatform) -> None:
    (tmp_path / "site_app.py").write_text(SITE)
    said = flask(tmp_path, platform, "check", FLASK_SCOPE_CACHE_TTL="soon")
    assert said.returncode != 0
    assert "SCOPE_CACHE_TTL must be" in said.stderr


def test_a_prompt_that_no_terminal_can_show_is_no_traceback(tmp_path: Path, platform: LocalPlatform) -> None:
    (tmp_path / "site_app.py").write_text(SITE)
    platform.publish("odd", "a\x00b\x1b[2J")
    assert flask(tmp_path, platform, "get", "odd").returncode == 0
    platform.publish("unicode", "ünï 💡")
    said = flask(tmp_path, platform, "get", "unicode", PYTHONIOENCODING="ascii")
    assert "Traceback" not in said.stderr
