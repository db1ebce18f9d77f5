"""`scope pull` writes a folder and a lock, and says what it did; with `--check` it says what has moved on."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli.conftest import environment, run_after

from scope_client import ScopeClient
from scope_client.cli._progress import Progress
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("greeting", "support-chat")
NASTY = "```\n</details><script>alert(1)</script>\n| a | b |\n::error::forged\n\x1b[31mred @everyone `x` {{name}}"


@pytest.fixture
def pulled(scope, platform):
    assert scope("pull", *NAMES, "-o", "prompts").code == 0
    return scope


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class TestPull:
    def test_says_what_came(self, scope, tmp_path):
        done = scope("pull", *NAMES, "-o", "prompts")
        assert done == (
            0,
            "greeting: v1 is new\nsupport-chat: v1 is new\nscope.lock and prompts have 2 prompts, 2 versions changed\n",
            "",
        )
        assert sorted(files(tmp_path)) == [
            "prompts/.gitattributes",
            "prompts/greeting/v1.md",
            "prompts/support-chat/v1.md",
            "scope.lock",
        ]

    def test_says_that_nothing_had_to_be_done(self, pulled, tmp_path):
        before = files(tmp_path)
        expected = (0, "scope.lock and prompts are up to date, with 2 prompts\n", "")
        assert pulled("pull", *NAMES, "-o", "prompts") == pulled("pull") == pulled("pull", "-o", "prompts/") == expected
        assert files(tmp_path) == before

    def test_says_what_has_changed(self, pulled, platform):
        platform.publish("greeting", "Hello {{name}}")
        assert pulled("pull").out == "greeting: v1 -> v3\nscope.lock and prompts have 2 prompts, 1 version changed\n"

    def test_takes_a_folder_and_a_lock_anywhere(self, scope, tmp_path):
        assert scope("pull", "greeting", "-o", str(tmp_path / "a/b")).code == 0
        assert scope("pull", "greeting", "-o", "a/b", "--lock", "a/my.lock").code == 0
        assert (tmp_path / "a/my.lock").read_text() == (tmp_path / "scope.lock").read_text().replace("a/b", "b")
        assert scope("pull", SCOPE_LOCK="a/my.lock").out == "a/my.lock and a/b are up to date, with 1 prompt\n"

    def test_puts_the_lock_beside_a_folder_that_is_not_below_the_working_directory(self, scope, tmp_path):
        scope.folder = tmp_path / "here"
        scope.folder.mkdir()
        assert scope("pull", "greeting", "-o", str(tmp_path / "there/prompts")).code == 0
        assert (tmp_path / "there/scope.lock").exists()

    def test_tells_programs(self, scope):
        told = json.loads(scope("pull", "greeting", "-o", "prompts", "--format", "json").out)
        assert [(each["name"], each["old"]) for each in told["moved"]] == [("greeting", None)]
        assert told["written"] == ["prompts/.gitattributes", "prompts/greeting/v1.md"]
        assert (told["removed"], told["lock"]) == ([], "scope.lock")

    def test_pulls_what_production_does_not_have_yet(self, scope, tmp_path):
        assert scope("pull", "newsletter", "-o", "prompts").code == 1
        assert scope("pull", "newsletter", "-o", "prompts", "--label", "latest").code == 0
        assert 'label = "latest"' in (tmp_path / "scope.lock").read_text()

    def test_makes_what_a_client_and_a_local_platform_serve(self, pulled, platform, tmp_path):
        served = platform.client().get_prompt_version("greeting")
        with LocalPlatform(tmp_path / "prompts") as copy:
            assert copy.client().get_prompt_version("greeting") == served
        with ScopeClient(
            credentials=platform.credentials,
            base_url="http://127.0.0.1:9",
            auth_api_url="http://127.0.0.1:9",
            max_retries=0,
            prompt_dir=tmp_path / "prompts",
        ) as client:
            assert client.get_prompt_version("greeting").to_dict() == served.to_dict()


class TestFailure:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["pull"], "the lock scope.lock does not exist; `scope pull NAME -o prompts` writes one"),
            (["pull", "greeting"], "the lock scope.lock does not exist; `scope pull NAME -o prompts` writes one"),
            (["pull", "--check"], "the lock scope.lock does not exist; `scope pull NAME -o prompts` writes one"),
            (["pull", "--check", "--force"], "--force and --check exclude each other"),
            (["pull", "greeting", "-o", "prompts", "--label", "staging"], "'staging' is not one of"),
            (["pull", "greeting", "-o", "prompts", "--used-by", "nowhere"], "'nowhere' does not exist"),
        ],
    )
    def test_of_a_wrong_call_is_2(self, arguments, says, scope, tmp_path):
        done = scope(*arguments)
        assert (done.code, says in done.complaint) == (2, True), done.complaint
        assert files(tmp_path) == {}

    def test_of_a_pull_is_1_and_one_line(self, scope, tmp_path):
        done = scope("pull", "greeting", "nobody", "nothing", "-o", "prompts")
        assert done.code == 1
        assert "nothing was written, because the platform did not give nobody: " in done.complaint
        assert "; nothing: " in done.complaint
        assert files(tmp_path) == {}

    def test_of_a_check_is_2(self, pulled, platform):
        platform.refuse_credentials()
        assert pulled("pull", "--check").code == 2
        platform.recover()
        platform.stop()
        done = pulled("pull", "--check")
        assert done.code == 2
        assert "it cannot be told what has moved on, because the platform did not give " in done.complaint
        missing = pulled("pull", "--check", SCOPE_API_SECRET="")
        assert (missing.code, "set SCOPE_API_SECRET" in missing.complaint) == (2, True)

    @pytest.mark.parametrize(
        ("former", "new", "says"),
        [
            ("format = 1", "format = 2", "has the format 2, and this version of scope-prompts reads 1; update it"),
            ("format = 1", "format = 0", "has the format 0, which is older than 1; restore it from version control"),
            ("format = 1", "", "does not begin with its format"),
            ("format = 1", "<<<<<<< ours\nformat = 1", "settle the merge first"),
            ('organisation = "', 'organisation = "other-', "is of the organisation 'other-local-org'"),
            (
                'folder = "prompts"',
                'folder = "../prompts"',
                "names the folder '../prompts', which is not beside or below it",
            ),
            ('sha256 = "', 'sha256 = "x', "is not 64 hexadecimal digits"),
            ('label = "production"', 'label = "staging"', "has the label 'staging', not one of production, latest"),
        ],
    )
    def test_of_a_lock_that_cannot_be_used_is_one_sentence(self, former, new, says, pulled, tmp_path):
        lock = tmp_path / "scope.lock"
        lock.write_text(lock.read_text().replace(former, new))
        before = files(tmp_path)
        done = pulled("pull")
        assert (done.code, says in done.complaint) == (1, True), done.complaint
        assert pulled("pull", "--check").code == 2
        assert files(tmp_path) == before

    def test_of_a_file_that_was_edited_names_it_and_the_way_out(self, pulled, tmp_path):
        with open(tmp_path / "prompts/greeting/v1.md", "a") as file:
            file.write("mine")
        done = pulled("pull")
        assert done.code == 1
        assert done.complaint == (
            "scope: ConfigurationError: prompts/greeting/v1.md is not as scope.lock has it (publish changes on the "
            "platform): put it back with git, or with `scope pull --locked --force`"
        )
        assert pulled("pull", "--force").out == "scope.lock and prompts have 2 prompts, 1 file written anew\n"
        assert pulled("pull", "--check").code == 0


class TestCheck:
    def test_of_the_same_is_0_and_writes_nothing(self, pulled, tmp_path):
        before = files(tmp_path)
        assert pulled("pull", "--check") == (0, "2 versions are as the lock has them\n", "")
        assert files(tmp_path) == before

    def test_of_what_has_moved_on_is_1_with_the_words_that_changed(self, pulled, platform, tmp_path):
        before = files(tmp_path)
        ids = [platform.client().get_prompt_version("greeting").id]
        platform.publish(
            "greeting",
            "Good {{time_of_day}}, dear {{name}}!",
            metadata={"model": "gpt-4o", "top_p": 1},
            tags=["vip"],
            variables=["tone"],
        )
        ids.append(platform.client().get_prompt_version("greeting").id)
        done = pulled("pull", "--check")
        assert (done.code, done.err) == (1, "")
        assert done.out == (
            "greeting: v1 -> v3\n"
            f"  ID: {ids[0]} -> {ids[1]}\n"
            "  variable added: tone\n"
            "  tag added: vip\n"
            '  metadata model: "gpt-4" -> "gpt-4o"\n'
            '  metadata note removed: "größer"\n'
            "  metadata top_p added: 1\n"
            "  | Good {{time_of_day}}, {+dear +}{{name}}!\n"
            "\n"
            "1 of 2 versions has moved on\n"
        )
        assert files(tmp_path) == before

    def test_of_one_name_looks_at_no_other(self, pulled, platform):
        platform.publish("greeting", "Hi")
        assert pulled("pull", "--check", "support-chat") == (0, "1 version is as the lock has it\n", "")
        assert pulled("pull", "--check", "greeting").code == 1

    def test_of_what_is_not_locked_is_1(self, pulled, platform):
        platform.publish("third", "Hi")
        assert pulled("pull", "--check", "third") == (1, "third: v1 is new\n\n1 of 1 version has moved on\n", "")
        assert pulled("pull", "--check", "nobody").code == 2

    def test_of_what_is_gone_is_1(self, pulled, platform):
        platform.remove("greeting")
        done = pulled("pull", "--check")
        assert done.code == 1
        assert done.out == (
            "greeting: v1 is locked, and the platform has none any more\n"
            "  Prompt 'greeting' was not found (HTTP 404, code prompt_not_found)\n"
            "\n"
            "1 of 2 versions has moved on\n"
        )

    def test_of_a_file_that_is_missing_or_edited_is_1(self, pulled, platform, tmp_path):
        os.unlink(tmp_path / "prompts/greeting/v1.md")
        with open(tmp_path / "prompts/support-chat/v1.md", "a") as file:
            file.write(" ")
        done = pulled("pull", "--check")
        assert (done.code, done.err) == (1, "")
        assert done.out == (
            "prompts/greeting/v1.md: is missing\nprompts/support-chat/v1.md: is not as scope.lock has it\n"
            "2 versions are as the lock has them; 2 files are not as the lock has them\n"
        )

    def test_has_the_former_text_from_the_platform_if_no_file_has_it(self, pulled, platform, tmp_path):
        os.unlink(tmp_path / "prompts/greeting/v1.md")
        platform.publish("greeting", "Good {{time_of_day}}, dear {{name}}!")
        assert "{+dear +}" in pulled("pull", "--check").out
        platform.remove("greeting")
        platform.publish("greeting", "Hi")
        assert "  nobody knows any more what was locked\n" in pulled("pull", "--check").out

    def test_shows_spaces_that_changed(self, pulled, platform):
        platform.publish("greeting", "Good\u00a0{{time_of_day}},  {{name}}! \n")
        assert "Good[-·-]{+\\xa0+}{{time_of_day}},[-·-]{+··+}{{name}}!{+·⏎\n  | +}" in pulled("pull", "--check").out

    def test_shows_a_chat_message_by_message(self, pulled, platform):
        platform.publish(
            "support-chat",
            [{"role": "system", "content": "Be very brief."}, {"role": "user", "content": "{{question}}"}],
        )
        assert "  | [system]\n  | Be {+very +}brief.\n  |\n  | [user]\n" in pulled("pull", "--check").out

    def test_marks_words_by_colour_on_a_terminal(self, pulled, platform):
        platform.publish("greeting", "Good {{time_of_day}}, dear {{name}}!")
        shown = on_a_terminal(pulled, "pull", "--check")
        assert "\x1b[32m\x1b[4mdear \x1b[0m" in shown
        assert "{+" not in shown
        assert "{+dear +}" in on_a_terminal(pulled, "pull", "--check", NO_COLOR="1")

    def test_tells_programs(self, pulled, platform):
        platform.publish("greeting", "Good {{time_of_day}}, dear {{name}}!", metadata={"model": None})
        done = pulled("pull", "--check", "--format", "json")
        told = json.loads(done.out)
        assert done.code == 1
        (moved,) = told["moved"]
        assert (moved["name"], moved["label"], moved["old"]["version_number"], moved["new"]["version_number"]) == (
            "greeting",
            "production",
            1,
            3,
        )
        assert {"field": "metadata", "key": "model", "old": "gpt-4", "new": None} in moved["differences"]
        assert moved["text"] == [["same", "Good {{time_of_day}}, "], ["new", "dear "], ["same", "{{name}}!"]]
        assert told["same"] == 1

    def test_in_markdown_no_prompt_can_break_out(self, pulled, platform, tmp_path):
        platform.publish("greeting", NASTY, metadata={"a`b|c": "```\n<b>"}, tags=["`"])
        done = pulled("pull", "--check", "--format", "markdown")
        assert done.code == 1
        lines = done.out.splitlines()
        (begin, end) = [place for place, line in enumerate(lines) if line.startswith("````")]
        assert lines[begin] == "````text"
        assert lines[end] == "````"
        outside = "\n".join([*lines[:begin], *lines[end + 1 :]])
        without_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
        for sign in ("<", "|", "script", "`", "@"):
            assert sign not in without_code
        assert "- tag `` ` `` added" in lines
        assert "\x1b" not in done.out

    def test_on_github_no_prompt_can_give_a_command(self, pulled, platform):
        platform.publish("greeting", NASTY)
        done = pulled("pull", "--check", "--format", "github")
        assert done.code == 1
        commands = [line for line in done.out.splitlines() if line.startswith("::")]
        assert len(commands) == 1
        assert commands[0].startswith(
            "::warning file=prompts/greeting/v1.md,line=1,title=Prompt has moved on::greeting: v1 -> v3%0A"
        )
        assert "%0A::error::forged" in commands[0]

    def test_on_github_the_tenth_says_how_many_more_there_are(self, scope, platform):
        names = [f"prompt-{number:02}" for number in range(13)]
        for name in names:
            platform.publish(name, "Hi")
        scope("pull", *names, "-o", "prompts")
        for name in names:
            platform.publish(name, "Hello")
        lines = scope("pull", "--check", "--format", "github").out.splitlines()
        annotations = [line for line in lines if line.startswith("::warning")]
        assert len(annotations) == 10
        assert "and 3 warnings more" in annotations[-1]
        assert lines[-1] == "13 of 13 versions have moved on"


def on_a_terminal(scope, *arguments: str, first: str = "", **variables: str) -> str:
    """What the command shows if its output is a terminal."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *run_after(first), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=child,
        cwd=scope.folder,
        env=environment(**{"NO_COLOR": "", "TERM": "xterm", **scope.variables, **variables}),
    )
    os.close(child)
    shown = b""
    while True:
        try:
            octets = os.read(parent, 65536)
        except OSError:  # the other end is closed
            octets = b""
        if not octets:
            break
        shown += octets
    os.close(parent)
    process.wait(30)
    return shown.decode().replace("\r\n", "\n")


class TestProgress:
    def test_is_shown_on_a_terminal_once_a_second_is_over(self, pulled):
        at_once = "from scope_client.cli import _progress; _progress.PROGRESS_AFTER_SECONDS = 0.0"
        assert re.search(r"pulling +\[#+\] +2/2", on_a_terminal(pulled, "pull", first=at_once))
        later = "from scope_client.cli import _progress; _progress.PROGRESS_AFTER_SECONDS = 1000.0"
        assert "pulling" not in on_a_terminal(pulled, "pull", first=later)

    def test_is_not_shown_on_a_pipe(self, pulled):
        at_once = "from scope_client.cli import _progress; _progress.PROGRESS_AFTER_SECONDS = 0.0"
        assert pulled("pull", how=run_after(at_once)) == (
            0,
            "scope.lock and prompts are up to date, with 2 prompts\n",
            "",
        )

    def test_waits_for_a_second(self, monkeypatch, capsys):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        now = 0.0
        with Progress("pulling", now=lambda: now) as progress:
            now = 0.9
            progress.step(1, 3)
            assert capsys.readouterr().err == ""
            now = 1.1
            progress.step(2, 3)
            assert "2/3" in capsys.readouterr().err


class TestUsedBy:
    @pytest.fixture
    def code(self, tmp_path):
        (tmp_path / "src").mkdir()
        (tmp_path / "src/app.py").write_text(
            "import scope_client\n\nclient = scope_client.client()\n"
            'client.render_prompt("greeting", {"name": 1})\n'
            'client.get_prompt_version("newsletter", label="latest")\n'
            'client.get_prompt_version("greeting", version="v_1")\n'
            "client.get_prompt_version(input())\n"
        )
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates/page.html").write_text("{% scope_prompt 'support-chat' question=q %}")
        return tmp_path

    def test_locks_what_code_and_templates_use_and_says_what_it_cannot_know(self, scope, code):
        done = scope("pull", "--used-by", "src", "templates", "-o", "prompts")
        assert (done.code, sorted(done.out.splitlines()[:3])) == (
            0,
            ["greeting: v1 is new", "newsletter (latest): v1 is new", "support-chat: v1 is new"],
        )
        assert done.err.splitlines() == [
            "1 use is known only at run time: src/app.py:7:1",
            "1 use asks for a version by its ID, which no lock holds: src/app.py:6:27",
        ]

    def test_may_stand_beside_names_and_be_given_twice(self, scope, code, platform):
        platform.publish("third", "Hi")
        one = scope("pull", "third", "--used-by", "src", "templates", "-o", "prompts")
        assert one.code == 0
        lock = (code / "scope.lock").read_bytes()
        os.unlink(code / "scope.lock")
        other = scope("pull", "--used-by", "templates", "-o", "prompts", "--used-by=src", "--", "third")
        assert other.code == 0
        assert (code / "scope.lock").read_bytes() == lock

    def test_heeds_the_settings_of_the_check(self, scope, code):
        (code / "pyproject.toml").write_text('[tool.scope.check]\ncalls = ["app.ask:0"]\nexclude = ["src/*"]\n')
        (code / "more.py").write_text('from app import ask\nask("support-chat")\n')
        done = scope("pull", "--used-by", ".", "-o", "prompts")
        assert done.out.startswith("support-chat: v1 is new\nscope.lock")

    def test_of_nothing_says_so(self, scope, code):
        (code / "empty").mkdir()
        done = scope("pull", "--used-by", "empty", "-o", "prompts")
        assert (done.code, "no prompt is used in empty; name other files or folders" in done.complaint) == (1, True)

    def test_names_a_file_that_cannot_be_read(self, scope, code):
        (code / "src/broken.py").write_text("def")
        assert (
            "src/broken.py:1:4 S100 the file cannot be read" in scope("pull", "--used-by", "src", "-o", "prompts").err
        )


class TestLocked:
    def test_puts_the_files_back_and_leaves_the_lock(self, pulled, platform, tmp_path):
        before = files(tmp_path)
        platform.publish("greeting", "Other {{name}}")
        (tmp_path / "prompts/greeting/v1.md").unlink()
        (tmp_path / "prompts/support-chat/v1.md").write_text("mine")
        assert "put it back with git, or with `scope pull --locked --force`" in pulled("pull", "--locked").complaint
        done = pulled("pull", "--locked", "--force")
        assert done == (0, "2 versions in prompts are as scope.lock has them; 2 files written\n", "")
        assert files(tmp_path)["scope.lock"] == before["scope.lock"]
        assert pulled("pull", "--locked", "greeting").out == "1 version in prompts is as scope.lock has it\n"
        assert json.loads(pulled("pull", "--locked", "--format", "json").out)["written"] == []

    @pytest.mark.parametrize("option", [("--check",), ("--label", "latest"), ("--used-by", ".")])
    def test_goes_with_no_option_that_asks_for_other_versions(self, option, pulled):
        assert (pulled("pull", "--locked", *option).code, pulled("pull", "--locked", "greting").code) == (2, 1)
