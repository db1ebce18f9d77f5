"""`scope render` prints a version with its variables filled in."""

from __future__ import annotations

import json

import pytest


def test_with_five_variables_in_the_environment_it_prints_the_text(scope):
    done = scope("render", "greeting", "-v", "name=Alice", "-v", "time_of_day=morning")
    assert done == (0, "Good morning, Alice!\n", "")


def test_a_value_may_hold_anything_after_the_first_equals_sign(scope):
    done = scope("render", "greeting", "--label", "latest", "-v", "name=a=b {{name}}")
    assert done.out == "Hi a=b {{name}}\n"


def test_values_come_from_a_file_and_v_wins(scope, tmp_path):
    (tmp_path / "values.json").write_text('{"name": "Bob", "time_of_day": 12}', encoding="utf-8-sig")
    assert scope("render", "greeting", "--vars-file", "values.json").out == "Good 12, Bob!\n"
    assert scope("render", "greeting", "--vars-file", "values.json", "-v", "name=Eve").out == "Good 12, Eve!\n"


@pytest.mark.parametrize(
    "octets",
    [b'{"name": "Zo\xc3\xab"}', b'\xef\xbb\xbf{"name": "Zo\xc3\xab"}\n', '{"name": "Zoë"}'.encode("utf-16")],
    ids=["utf-8", "with a mark", "utf-16"],
)
def test_values_come_from_standard_input_and_v_wins(octets, scope):
    asked = ("render", "greeting", "--label", "latest", "--vars-file", "-")
    assert scope(*asked, stdin=octets).out == "Hi Zoë\n"
    assert scope(*asked, "-v", "name=Eve", stdin=octets).out == "Hi Eve\n"


def test_a_file_with_the_name_of_standard_input_is_read_by_its_path(scope, tmp_path):
    (tmp_path / "-").write_text('{"name": "Bob"}')
    asked = ("render", "greeting", "--label", "latest", "--vars-file")
    assert scope(*asked, "./-", stdin=b'{"name": "Eve"}').out == "Hi Bob\n"


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf", "is not JSON"),
        (b"name: Alice", "is not JSON"),
        (b'{"name": "Alice"', "is not JSON"),
        (b'{"name": "\xff"}', "is not JSON"),
        (b"[1]", "holds a JSON list"),
        (b'{"name": 1e999}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_standard_input_that_has_no_values_is_wrong_usage(octets, said, scope, platform):
    done = scope("render", "greeting", "--vars-file", "-", stdin=octets)
    assert done.code == 2
    assert f"standard input {said}" in done.complaint
    assert 'it must be a file with a JSON object such as {"name": "Alice"}' in done.complaint
    assert platform.requests == ()


def test_standard_input_that_is_closed_is_empty(scope, after):
    closed = after("import os, sys; os.close(0); sys.stdin = None")
    done = scope("render", "greeting", "--vars-file", "-", how=closed)
    assert (done.code, "standard input is empty" in done.complaint) == (2, True)


def test_null_is_no_value(scope, tmp_path):
    (tmp_path / "values.json").write_text('{"name": null}')
    done = scope("render", "greeting", "--label", "latest", "--vars-file", "values.json")
    assert done.code == 1
    assert done.complaint.startswith("scope: ValidationError: prompt 'greeting': the value of 'name' is None")


def test_a_chat_prompt_is_printed_as_its_json_text(scope):
    done = scope("render", "support-chat", "-v", 'question=Why "me"?')
    assert json.loads(done.out)[1] == {"role": "user", "content": 'Why "me"?'}
    assert len(done.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "values", "text", "message"),
    [
        ("greeting", ["name=Zoë", "time_of_day=night"], "Good night, Zoë!", "Good night, Zoë!"),
        ("support-chat", ["question=Zoë?"], None, "Zoë?"),
    ],
)
def test_json_holds_the_text_the_messages_and_what_was_read(scope, platform, name, values, text, message):
    found = platform.client().get_prompt_version(name)
    done = scope("render", name, "--json", *(part for value in values for part in ("-v", value)))
    whole = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert (whole["name"], whole["version_number"], whole["id"]) == (name, 1, found.id)
    assert whole["messages"][-1] == {"role": "user", "content": message}
    assert whole["text"] == text or json.loads(whole["text"]) == whole["messages"]


def test_a_missing_variable_is_named(scope):
    done = scope("render", "greeting", "-v", "name=Alice")
    assert done.code == 1
    assert done.complaint.startswith("scope: MissingVariableError: prompt 'greeting': no value was given for")
