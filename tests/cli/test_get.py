"""`scope get` prints a version as it is."""

from __future__ import annotations

import json

import pytest


def test_the_content_goes_to_stdout_and_the_facts_to_stderr(scope, platform):
    found = platform.client().get_prompt_version("greeting")
    done = scope("get", "greeting")
    assert done.code == 0
    assert done.out == "Good {{time_of_day}}, {{name}}!\n"
    assert done.err == (
        f"greeting, version 1 ({found.id}), published, text; variables: time_of_day, name; "
        'metadata: {"model": "gpt-4", "note": "größer"}\n'
    )


def test_the_facts_name_the_variables_that_are_declared_too(scope, platform):
    platform.publish("toned", "Hi {{name}}", variables=["tone"])
    assert "; variables: name, tone; " in scope("get", "toned").err
    assert json.loads(scope("get", "toned", "--json").out)["variables"] == ["name", "tone"]
    assert scope("render", "toned", "-v", "name=Ada", "-v", "tone=warm").out == "Hi Ada\n"


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        ("two\r\nlines", "two\r\nlines\n"),
        ("ends itself\n", "ends itself\n"),
        (" \x1b[31mred\x1b[0m ", " \x1b[31mred\x1b[0m \n"),
        ("", "\n"),
    ],
)
def test_the_content_is_printed_to_the_byte_and_ends_in_a_newline(scope, platform, content, printed):
    platform.publish("odd", content)
    assert scope("get", "odd").out == printed


def test_a_label_and_an_id_choose_the_version(scope, platform):
    latest = scope("get", "greeting", "--label", "latest")
    assert latest.out == "Hi {{name}}\n"
    assert "version 2" in latest.err
    first = platform.client().get_prompt_version("greeting")
    assert scope("get", str(first.prompt_id), "--version", str(first.id)).out == f"{first.content}\n"


def test_the_help_says_what_an_id_looks_like_and_where_it_is_shown(scope, platform):
    found = platform.client().get_prompt_version("greeting")
    assert str(found.id).startswith("v_")
    said = " ".join(scope("get", "--help").out.split())
    assert "The version with this ID, such as v_31G0...; `scope get` as JSON shows it." in said


def test_json_is_everything_that_is_known_and_nothing_goes_to_stderr(scope, platform):
    done = scope("get", "greeting", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == platform.client().get_prompt_version("greeting").to_dict()
    assert '\n  "name": "greeting",\n' in done.out
    assert "größer" in done.out


@pytest.mark.parametrize("command", [("get", "greeting"), ("render", "greeting", "--label", "latest", "-v", "name=A")])
def test_json_and_format_say_the_same(command, scope):
    text, as_json = scope(*command), scope(*command, "--json")
    assert json.loads(as_json.out)["name"] == "greeting"
    assert scope(*command, "--format", "text") == text
    assert scope(*command, "--format", "json") == scope(*command, "--json", "--format", "json") == as_json
    contradiction = scope(*command, "--json", "--format", "text")
    assert contradiction.code == 2
    assert "--json and --format text exclude each other: give one of them" in contradiction.complaint


def test_the_facts_stay_one_line_that_no_terminal_obeys(scope, platform):
    platform.publish("odd\n\x1b[2Jname", "x", metadata={"a": "\u009b2J"})
    facts = scope("get", "odd\n\x1b[2Jname").err
    assert len(facts.splitlines()) == 1
    assert facts.rstrip("\n").isprintable()


def test_client_credentials_are_used_where_there_is_no_api_key(scope, platform):
    keys = platform.client_credentials
    client = {"SCOPE_CLIENT_ID": keys.client_id, "SCOPE_CLIENT_SECRET": keys.client_secret}
    done = scope("get", "greeting", SCOPE_API_KEY="", SCOPE_API_SECRET="", **client)
    assert done.code == 0
    assert platform.requests[0].path == "/v1/auth/applications/login"


def test_an_api_key_wins_over_client_credentials(scope, platform):
    assert scope("get", "greeting", SCOPE_CLIENT_ID="x", SCOPE_CLIENT_SECRET="yyyy").code == 0
    assert platform.requests[0].path == "/v1/auth/sdk-token"


@pytest.mark.parametrize(
    "terminal",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["latin-1", "ascii"],
)
def test_a_terminal_that_lacks_a_character_gets_its_escape(scope, platform, terminal):
    platform.publish("price", "only 5 \u20ac")
    done = scope("get", "price", **terminal)
    assert (done.code, done.out) == (0, "only 5 \\u20ac\n")
