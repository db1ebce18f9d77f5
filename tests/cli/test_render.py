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


def test_null_is_no_value(scope, tmp_path):
    (tmp_path / "values.json").write_text('{"name": null}')
    done = scope("render", "greeting", "--label", "latest", "--vars-file", "values.json")
    assert done.code == 1
    assert done.complaint.startswith("scope: ValidationError: the value of 'name' is None")


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
    assert done.complaint.startswith("scope: MissingVariableError: no value was given for 'time_of_day'")
