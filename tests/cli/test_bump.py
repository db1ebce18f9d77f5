"""`scope bump` brings a lock up to date, and reports what that does to the code."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CODE = """\
import scope_client

client = scope_client.client()


def mail(name):
    return client.render_prompt("greeting", {"name": name, "time_of_day": "morning"})


def mail_again(name):
    return client.render_prompt("greeting", {"name": name, "time_of_day": "noon"})


def read():
    return client.get_prompt_version("greeting", version="v_1").render(name="Ada")


def latest():
    return client.render_prompt("greeting", {"name": "Ada"}, label="latest")


def chat(name):
    return client.get_prompt_version(name), client.get_prompt_version("support-chat").messages(question="Why?")
"""
AT_RUN_TIME = "1 use is known only at run time: src/app.py:23:12"
BY_ID = "1 use asks for a version by its ID, which no lock holds: src/app.py:15:38"


@pytest.fixture
def bump(scope, platform, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text(CODE)
    assert scope("pull", "greeting", "support-chat", "-o", "prompts").code == 0
    return scope


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and ".scope_cache" not in file.parts
    }


class TestTheLock:
    def test_that_is_up_to_date_stays(self, bump, tmp_path):
        before = files(tmp_path)
        done = bump("bump")
        assert (done.code, done.out.splitlines()[-1]) == (0, "up to date: 2 versions as on the platform")
        assert files(tmp_path) == before
        assert bump("bump", "--check").code == 0

    def test_gets_the_versions_of_the_platform(self, bump, platform, tmp_path):
        platform.publish("greeting", "{{time_of_day}}: hello {{name}}")
        done = bump("bump")
        assert (done.code, done.err) == (0, "")
        assert "prompts/greeting/v3.md" in files(tmp_path)
        assert "version = 3" in (tmp_path / "scope.lock").read_text()
        assert bump("pull", "--check").code == 0

    def test_gets_those_of_the_named_prompts_alone(self, bump, platform, tmp_path):
        platform.publish("greeting", "{{time_of_day}}: hello {{name}}")
        platform.publish("support-chat", "{{question}}")
        by_id = platform.client().get_prompt_version("support-chat").prompt_id
        assert bump("bump", by_id).out.startswith("support-chat: v1 -> v2\n")
        lock = (tmp_path / "scope.lock").read_text()
        assert ("version = 3" in lock, "version = 2" in lock) == (False, True)

    def test_stays_with_check(self, bump, platform, tmp_path):
        platform.publish("greeting", "{{time_of_day}}: hello {{name}}")
        before = files(tmp_path)
        assert bump("bump", "--check").code == 1
        assert files(tmp_path) == before

    def test_asks_the_platform_once_for_each(self, bump, platform):
        platform.publish("greeting", "{{time_of_day}}: hello {{name}}")
        asked = len(platform.requests)
        bump("bump")
        assert len([each for each in platform.requests[asked:] if each.path.endswith("/production")]) == 2


class TestTheReport:
    def test_says_what_changes_and_which_calls_it_touches(self, bump, platform):
        ids = [platform.client().get_prompt_version("greeting").id]
        platform.publish(
            "greeting", "Good {{time_of_day}}, dear {{name}}!", metadata={"model": "gpt-4o", "note": "größer"}
        )
        ids.append(platform.client().get_prompt_version("greeting").id)
        done = bump("bump")
        assert done.out == (
            "greeting: v1 -> v3\n"
            f"  ID: {ids[0]} -> {ids[1]}\n"
            '  metadata model: "gpt-4" -> "gpt-4o"\n'
            "  used in: src/app.py:7, src/app.py:11\n"
            "  safe\n"
            "  | Good {{time_of_day}}, {+dear +}{{name}}!\n"
            "\n"
            f"{AT_RUN_TIME}\n{BY_ID}\n"
            "1 of 2 versions has moved on: safe\n"
        )

    def test_names_the_calls_that_break(self, bump, platform, tmp_path):
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}, {{tone}}")
        done = bump("bump")
        assert done.code == 1
        assert (
            "  breaks 2 calls\n    src/app.py:7 prompt 'greeting' is given no value for 'tone'\n    src/app.py:11 "
            in done.out
        )
        assert done.out.endswith("1 of 2 versions has moved on: 1 of them breaks 2 calls\n")
        assert "prompts/greeting/v3.md" in files(tmp_path)

    def test_counts_no_call_that_was_broken_before(self, bump, platform, tmp_path):
        (tmp_path / "src/app.py").write_text('from app import client\nclient.render_prompt("greeting", {"nme": 1})\n')
        platform.publish("greeting", "Good {{time_of_day}} {{name}}")
        assert "  safe\n" in bump("bump").out

    def test_heeds_comments_that_ignore(self, bump, platform, tmp_path):
        ignoring = CODE.replace('"time_of_day": "morning"})', '"time_of_day": "morning"})  # scope: ignore[S103]')
        (tmp_path / "src/app.py").write_text(ignoring)
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}, {{tone}}")
        assert "breaks 1 call\n" in bump("bump").out

    def test_knows_the_calls_of_a_label(self, bump, platform):
        assert bump("pull", "greeting", "--label", "latest").code == 0
        platform.draft("greeting", "Hi {{name}} {{tone}}")
        done = bump("bump")
        assert done.out.startswith("greeting (latest): v2 -> v3\n")
        assert "  used in: src/app.py:19\n  breaks 1 call\n" in done.out

    def test_of_a_prompt_that_nobody_uses_says_so(self, bump, platform, tmp_path):
        os.unlink(tmp_path / "src/app.py")
        platform.publish("greeting", "Hi {{tone}}")
        done = bump("bump")
        assert (done.code, "  used in: nowhere\n  safe\n" in done.out) == (0, True)

    def test_looks_at_the_code_that_it_is_told_to(self, bump, platform, tmp_path):
        (tmp_path / "other").mkdir()
        (tmp_path / "other/a.py").write_text('client.render_prompt("greeting", {"name": 1, "time_of_day": 2})\n')
        platform.publish("greeting", "Hi {{name}}{{time_of_day}}")
        assert (
            "used in: other/a.py:1, src/app.py:7, src/app.py:11\n"
            in bump("bump", "--check", "--code", "src", "other").out
        )
        assert "used in: other/a.py:1\n" in bump("bump", "--check", "--code", "other").out
        (tmp_path / "pyproject.toml").write_text('[tool.scope.check]\npaths = ["src"]\n')
        assert "used in: src/app.py:7, src/app.py:11\n" in bump("bump", "--check").out

    def test_goes_into_a_file(self, bump, platform, tmp_path):
        platform.publish("greeting", "Good {{time_of_day}}, dear {{name}}!")
        done = bump("bump", "-o", "report.md")
        assert done == (0, "1 of 2 versions has moved on: safe\n", "")
        report = (tmp_path / "report.md").read_text()
        assert report.startswith("## 1 of 2 versions has moved on: safe\n")
        assert "\n### `greeting`: v1 → v3\n" in report
        assert "\n- used in: `src/app.py:7`, `src/app.py:11`\n- **safe**\n" in report
        assert "\n```text\nGood {{time_of_day}}, {+dear +}{{name}}!\n```\n" in report
        again = bump("bump", "-o", "report.json")
        assert again.code == 0
        assert json.loads((tmp_path / "report.json").read_text())["moved"] == []

    def test_tells_programs(self, bump, platform):
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}, {{tone}}")
        (moved,) = json.loads(bump("bump", "--format", "json").out)["moved"]
        assert moved["verdict"] == "breaks 2 calls"
        assert [(each["file"], each["line"]) for each in moved["calls"]] == [("src/app.py", 7), ("src/app.py", 11)]
        assert moved["broken"][0]["messages"] == ["prompt 'greeting' is given no value for 'tone'"]

    def test_marks_the_calls_on_github(self, bump, platform):
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}, {{tone}}")
        lines = bump("bump", "--format", "github").out.splitlines()
        assert lines[0] == (
            "::error file=src/app.py,line=7,col=33,title=New version breaks this call::"
            "greeting: v1 -> v3: prompt 'greeting' is given no value for 'tone'"
        )


class TestSafe:
    def test_leaves_out_what_breaks_calls(self, bump, platform, tmp_path):
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}, {{tone}}")
        platform.publish("support-chat", "Now a text: {{question}}")
        done = bump("bump", "--safe")
        assert done.code == 0
        assert done.out.endswith("2 of 2 versions have moved on: 1 of them breaks 2 calls, and left out\n")
        there = files(tmp_path)
        assert ("prompts/greeting/v1.md" in there, "prompts/support-chat/v2.md" in there) == (True, True)
        assert bump("bump", "--safe", "--check").code == 0
        assert bump("bump", "--check").code == 1


class TestGone:
    def test_prompts_stay_locked_and_are_told(self, bump, platform, tmp_path):
        platform.remove("greeting")
        platform.publish("support-chat", [{"role": "user", "content": "{{question}}?"}])
        done = bump("bump")
        assert done.code == 1
        assert "greeting: v1 is locked, and the platform has none any more\n" in done.out
        assert "  stays locked\n" in done.out
        assert done.out.endswith(
            "2 of 2 versions have moved on: 1 of them is gone from the platform, and stays locked\n"
        )
        assert sorted(each for each in files(tmp_path) if each.endswith(".md")) == [
            "prompts/greeting/v1.md",
            "prompts/support-chat/v2.md",
        ]
        assert bump("bump", "--safe").code == 0


class TestFailure:
    def test_of_a_platform_that_is_down(self, bump, platform, tmp_path):
        platform.stop()
        before = files(tmp_path)
        assert "it cannot be told what has moved on" in bump("bump").complaint
        assert (bump("bump").code, bump("bump", "--check").code) == (2, 2)
        assert files(tmp_path) == before

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["greting"], "scope.lock has no prompt 'greting'; the nearest one is 'greeting'. `scope pull` adds one"),
            (["--lock", "other.lock"], "the lock other.lock does not exist; `scope pull NAME -o prompts` writes one"),
            (["--code", "nowhere"], "Path 'nowhere' does not exist"),
            (["-o", "nowhere/report.md"], "there is no folder nowhere for the report; make it first"),
        ],
    )
    def test_of_a_wrong_call_is_one_line(self, arguments, says, bump, platform, tmp_path):
        platform.publish("greeting", "Hi")
        before = files(tmp_path)
        done = bump("bump", *arguments)
        assert (done.code, says in done.complaint) == (2, True), done.complaint
        assert files(tmp_path) == before

    def test_of_an_edited_file_names_the_way_out(self, bump, platform, tmp_path):
        with open(tmp_path / "prompts/greeting/v1.md", "a") as file:
            file.write("mine")
        platform.publish("greeting", "Hi")
        before = files(tmp_path)
        done = bump("bump")
        assert (done.code, "or with `scope pull --locked --force`" in done.complaint) == (2, True)
        assert files(tmp_path) == before
