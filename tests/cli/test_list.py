"""`scope list` says what is in a folder of prompts, without a platform."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "prompts"
    (folder / "greeting").mkdir(parents=True)
    (folder / "greeting" / "v1.md").write_text("---\nstatus: archived\n---\nHi {{name}}\n")
    (folder / "greeting" / "v2.md").write_text(
        "---\nstatus: published\nvariables: [tone]\ntags: [a]\nmetadata: {model: m, day: 2024-01-31}\n---\n"
        "Good {{time_of_day}}, {{name}}!\n"
    )
    (folder / "greeting" / "v10.md").write_text("Hello\n")
    (folder / "chat.md").write_text('---\ntype: chat\n---\n[{"role": "user", "content": "{{question}}"}]\n')
    (folder / "README.md").write_text("Not a prompt")
    return folder


LINES = """\
NAME      VERSION  STATUS     TYPE  VARIABLES
chat      v1       published  chat  question
greeting  v1       archived   text  name
greeting  v2       published  text  time_of_day, name, tone
greeting  v10      draft      text
"""


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["prompts"], {}),
        (["--prompt-dir", "prompts"], {}),
        (["--format", "text"], {"SCOPE_PROMPT_DIR": "prompts"}),
        (["prompts"], {"SCOPE_PROMPT_DIR": "."}),
        (["prompts", "--prompt-dir", "."], {}),
    ],
)
def test_each_version_is_a_line(arguments, variables, scope, platform, folder):
    assert scope("list", *arguments, **variables) == (0, LINES, "")
    assert platform.requests == ()


def test_json_has_what_the_lines_have_and_the_ids(scope, folder):
    done = scope("list", "prompts", "--json")
    assert done == scope("list", "prompts", "--format", "json")
    chat, greeting = json.loads(done.out)["prompts"]
    assert (chat["name"], greeting["name"]) == ("chat", "greeting")
    assert greeting["id"].startswith("prompt_")
    assert [each["version_number"] for each in greeting["versions"]] == [1, 2, 10]
    second = greeting["versions"][1]
    assert second.pop("id").startswith("v_")
    assert second.pop("updated_at").endswith("Z")
    assert second == {
        "version_number": 2,
        "type": "text",
        "status": "published",
        "is_production": True,
        "variables": ["time_of_day", "name", "tone"],
        "metadata": {"model": "m", "day": "2024-01-31"},
        "tags": ["a"],
    }


def test_what_it_lists_is_what_the_platform_serves(scope, folder, serve):
    names = {line.split()[0] for line in scope("list", "prompts").out.splitlines()[1:]}
    opening = " ".join(serve(folder).read_until("The requests:")).split()
    assert names == {"chat", "greeting"} == names & set(opening)


def test_an_empty_folder_is_no_failure(scope, tmp_path):
    assert scope("list", ".") == (0, "no prompt yet: write a file greeting.md into the folder\n", "")
    assert json.loads(scope("list", ".", "--json").out) == {"prompts": []}


def test_without_a_folder_it_says_how_to_name_one(scope):
    done = scope("list")
    assert done.code == 2
    assert "name a folder of prompts, or set SCOPE_PROMPT_DIR; the platform's API lists no prompts" in done.complaint


@pytest.mark.parametrize(
    "words", [["gone"], ["file.txt"], ["--prompt-dir", "gone"], [".", "--json", "--format", "text"]]
)
def test_wrong_usage_is_exit_code_2(words, scope, tmp_path):
    (tmp_path / "file.txt").write_text("x")
    done = scope("list", *words)
    assert done.code == 2
    assert done.complaint


def test_a_broken_file_is_named(scope, folder):
    (folder / "chat.md").write_text("\n---\nstatus: draft\n---\nHi\n")
    done = scope("list", "prompts")
    assert done.code == 1
    assert "chat.md: line 2: front matter must begin" in done.complaint


def test_a_link_out_of_the_folder_is_noted_and_not_listed(scope, folder, tmp_path):
    (tmp_path / "secret.md").write_text("secret")
    (folder / "away.md").symlink_to("../secret.md")
    done = scope("list", "prompts")
    assert done.out == LINES
    assert "links that lead out of it, which are not followed: away.md" in done.err


def test_a_name_that_a_terminal_would_obey_is_made_printable(scope, folder):
    (folder / "\x1b[2J.md").write_text("Hi")
    done = scope("list", "prompts")
    assert done.code == 0
    assert done.out.replace("\n", "").isprintable()


def test_a_prompt_in_a_folder_and_one_of_an_odd_name_are_listed_on_a_line_each(scope, tmp_path):
    for file in ("support/greeting/v7.md", "support/v1.md", "a%0Ab.md", "what%3F.md"):
        (tmp_path / "odd" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "odd" / file).write_text(
            "---\nprompt_id: prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A\n---\n" * (file[-4] == "7")
        )
    names = [line.split()[0] for line in scope("list", "odd").out.splitlines()]
    assert names == ["NAME", r"a\nb", "support/greeting", "support", "what?"]
    prompts = json.loads(scope("list", "odd", "--json").out)["prompts"]
    assert {each["name"]: each["id"] for each in prompts}["support/greeting"] == "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"
