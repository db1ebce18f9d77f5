"""`scope check`: what it is compared with, how it is printed, and how it ends."""

from __future__ import annotations

import json
import os

import pytest

from scope_client import ScopeClient
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion, text_of
from scope_client.local import LocalPlatform

RIGHT = '{{ scope_prompt("greeting", time_of_day=a, name=b) }}\n'
WRONG = '{{ scope_prompt("greeting", time_of_day=a, nmae=b) }}\n'
WRONG_LINES = [
    "templates/page.html:1:17 S103 prompt 'greeting' is given no value for 'name'",
    "templates/page.html:1:44 S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'",
    "2 findings in 1 use of 1 prompt",
]


@pytest.fixture
def write(tmp_path):
    def write(text, name="templates/page.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    return write


@pytest.fixture
def folder(write, tmp_path):
    write("Good {{time_of_day}}, {{name}}!", "prompts/greeting.md")
    return tmp_path / "prompts"


@pytest.fixture
def lock(folder, write):
    """The lock of the folder's prompts, written as `scope pull` writes it."""
    with LocalPlatform(folder) as platform:
        keys, url = platform.credentials, platform.url
        with ScopeClient(credentials=keys, base_url=url, auth_api_url=url) as client:
            found = client.get_prompt_version("greeting")
    locked = LockedVersion("greeting", "production", found.id, digest_of(found), 1, found.prompt_id)
    write(text_of("local-org", "prompts", [locked]), "scope.lock")
    return "scope.lock"


def without_a_platform(platform):
    platform.stop()
    return {"SCOPE_API_SECRET": "", "SCOPE_API_KEY": "", "SCOPE_ORG_ID": ""}


class TestAgainst:
    def test_the_platform_is_asked_by_default(self, scope, write, platform):
        write(RIGHT)
        done = scope("check")
        assert (done.code, done.out, done.err) == (0, "1 use of 1 prompt fits the platform\n", "")
        assert [each.path for each in platform.requests if "prompts" in each.path] == [
            "/api/v1/prompts/greeting/production"
        ]
        write(WRONG)
        done = scope("check", "templates")
        assert (done.code, done.out.splitlines(), done.err) == (1, WRONG_LINES, "")

    def test_a_folder_needs_no_platform_and_no_credentials(self, scope, write, folder, platform):
        keyless = without_a_platform(platform)
        write(RIGHT)
        done = scope("check", "--against", "prompts", **keyless)
        assert (done.code, done.out) == (0, "1 use of 1 prompt fits the folder prompts\n")
        write(WRONG)
        done = scope("check", "--against", "prompts", **keyless)
        assert (done.code, done.out.splitlines()) == (1, WRONG_LINES)

    def test_nothing_is_kept_without_a_cache(self, scope, write, folder, tmp_path):
        write(RIGHT)
        assert scope("check", "--against", "prompts", "--no-cache").code == 0
        assert not (tmp_path / ".scope_cache").exists()
        assert scope("check", "--against", "prompts").code == 0
        assert (tmp_path / ".scope_cache").exists()

    def test_so_does_a_lock(self, scope, write, lock, platform):
        keyless = without_a_platform(platform)
        write(RIGHT)
        for how in (["--against", lock], []):
            done = scope("check", *how, SCOPE_LOCK=lock, **keyless)
            assert (done.code, done.out) == (0, "1 use of 1 prompt fits the lock scope.lock\n")
        write(WRONG)
        done = scope("check", SCOPE_LOCK=lock, **keyless)
        assert (done.code, done.out.splitlines()) == (1, WRONG_LINES)

    def test_the_platform_is_asked_past_the_lock_of_the_environment(self, scope, write, lock):
        write(RIGHT)
        done = scope("check", "--against", "platform", "--lock", "scope.lock", SCOPE_LOCK=lock)
        assert done.code == 1
        assert " S106 prompt 'greeting' has been edited since it was locked, in v1; " in done.out

    def test_drift_from_the_lock_in_the_current_folder_is_told(self, scope, write, lock, platform):
        write(RIGHT)
        assert "page.html:1:17 S106 prompt 'greeting' has been edited since it was locked" in scope("check").out
        os.rename(scope.folder / "scope.lock", scope.folder / "other.lock")
        assert scope("check").code == 0
        assert scope("check", "--lock", "other.lock").code == 1

    def test_what_a_promotion_would_break_is_told(self, scope, write, platform):
        platform.draft("greeting", "Good {{time_of_day}}, {{name}}, {{tone}}")
        write(RIGHT)
        done = scope("check", "--label", "latest")
        assert done.code == 1
        assert done.out.splitlines()[0] == (
            "templates/page.html:1:17 S103 promoting v3 breaks templates/page.html:1: needs 'tone' (prompt 'greeting')"
        )
        assert scope("check").code == 0


class TestCannotTell:
    """Exit code 2, one line, nothing on standard output."""

    @pytest.mark.parametrize("how", ["down", "failing", "refused"])
    def test_a_platform_that_does_not_answer(self, how, scope, write, platform):
        write(RIGHT)
        more = {}
        if how == "down":
            platform.stop()
        elif how == "failing":
            platform.fail(403)
        else:
            more = {"SCOPE_API_SECRET": "wrong-0815"}
        done = scope("check", **more)
        assert done.code == 2
        assert "Error: " in done.complaint

    def test_no_credentials(self, scope, write):
        write(RIGHT)
        done = scope("check", SCOPE_API_KEY="")
        assert done.code == 2
        assert "set SCOPE_API_KEY in the environment" in done.complaint
        assert done.complaint.endswith("; or name a folder or a lock: --against prompts")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["nowhere"], "'nowhere' cannot be checked: there is no such file or folder"),
            (["--against", "nowhere"], "'nowhere' is neither a folder of prompts nor a lock"),
            (["--against", "templates/page.html"], "the lock 'templates/page.html' is not TOML"),
            (["--lock", "nowhere.lock"], "the lock 'nowhere.lock' does not exist"),
            (["--baseline", "nowhere.json"], "the baseline 'nowhere.json' does not exist"),
            (["--baseline", "templates/page.html"], "is not JSON"),
            (["--write-baseline"], "--write-baseline needs --baseline FILE"),
            (["--format", "yaml"], "'yaml' is not one of 'text', 'json', 'github', 'sarif'"),
            (["--json", "--format", "sarif"], "--json and --format sarif exclude each other"),
            (["--label", "staging"], "'staging'"),
            (["--nonsense"], "--nonsense"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_wrong_usage_and_files_that_cannot_be_used(self, words, said, scope, write):
        write(RIGHT)
        done = scope("check", *words)
        assert done.code == 2
        assert said in done.complaint

    def test_a_lock_of_another_organisation(self, scope, write, lock):
        write(RIGHT)
        (scope.folder / lock).write_text((scope.folder / lock).read_text().replace("local-org", "other-org"))
        done = scope("check", SCOPE_API_URL="https://scope.invalid", SCOPE_AUTH_API_URL="https://scope.invalid")
        assert done.code == 2
        assert "is of the organisation 'other-org', and the credentials are of 'local-org'" in done.complaint

    def test_settings_with_a_mistake(self, scope, write):
        write("[tool.scope.check]\nagianst = 'prompts'", "pyproject.toml")
        done = scope("check")
        assert done.code == 2
        assert done.complaint.endswith("has no key 'agianst'; the nearest one is 'against'")


class TestSettings:
    def test_they_stand_for_the_options_which_win(self, scope, write, folder):
        write(WRONG)
        write(RIGHT, "other/page.html")
        write('[tool.scope.check]\nagainst = "prompts"\npaths = ["other"]\nstrict = true', "pyproject.toml")
        assert scope("check").out == "1 use of 1 prompt fits the folder prompts\n"
        assert scope("check", "templates").out.splitlines() == WRONG_LINES
        write("{{ scope_prompt(which) }}", "other/more.html")
        assert scope("check").code == 1
        assert scope("check", "--no-strict").code == 0

    def test_patterns_of_both_add_up(self, scope, write, folder):
        write(WRONG, "a/page.html")
        write(WRONG, "b/page.html")
        write('[tool.scope.check]\nagainst = "prompts"\nexclude = ["a"]', "pyproject.toml")
        assert scope("check").out.splitlines()[-1] == "2 findings in 1 use of 1 prompt"
        assert scope("check", "--exclude", "b").out == "0 files, no prompt used\n"

    def test_those_of_a_folder_above_lead_from_there(self, scope, write, folder):
        write(WRONG, "part/page.html")
        write('[tool.scope.check]\nagainst = "prompts"\nbaseline = "known.json"', "pyproject.toml")
        assert scope("check", "--write-baseline").out == "known.json has 2 findings\n"
        scope.folder = scope.folder / "part"
        done = scope("check")
        assert done.out.endswith("; 2 findings in the baseline\n")

    def test_calls_of_a_projects_own_are_followed_or_counted(self, scope, write, folder):
        write('[tool.scope.check]\nagainst = "prompts"\ncalls = ["llm.prompts.ask:0 values=1"]', "pyproject.toml")
        calls = ['ask("greeting", {"time_of_day": 1, "nmae": 2})', "ask(which)", 'ask(prompt="greeting")', "ask()"]
        write("\n".join(["from llm.prompts import ask", *calls]), "app.py")
        assert scope("check").out.splitlines() == [
            "app.py:2:5 S103 prompt 'greeting' is given no value for 'name'",
            "app.py:2:36 S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'",
            "2 findings in 1 use of 1 prompt; 3 more are known only at run time (-v lists them)",
        ]

    def test_a_call_that_cannot_be_read_is_told(self, scope, write, folder):
        write('[tool.scope.check]\ncalls = ["ask"]', "pyproject.toml")
        done = scope("check", "--against", "prompts")
        assert done.code == 2
        assert "a call in `calls` must be a dotted path" in done.complaint


class TestBaseline:
    def test_what_is_known_is_not_told(self, scope, write, folder):
        against = ("check", "--against", "prompts", "--baseline", "known.json")
        write(WRONG)
        assert scope(*against, "--write-baseline").out == "known.json has 2 findings\n"
        done = scope(*against)
        assert (done.code, done.out) == (0, "1 use of 1 prompt fits the folder prompts; 2 findings in the baseline\n")
        write(f"\n\n{WRONG}{WRONG}")
        done = scope(*against)
        assert done.code == 1
        assert [line.split(" ")[0] for line in done.out.splitlines()[:-1]] == [
            "templates/page.html:4:17",
            "templates/page.html:4:44",
        ]
        write(RIGHT)
        done = scope(*against)
        assert done.code == 0
        assert "2 entries of the baseline no longer apply: templates/page.html S102 (greeting nmae), " in done.out

    def test_none_is_written_if_the_check_cannot_be_made(self, scope, write, platform):
        write(WRONG)
        platform.stop()
        assert scope("check", "--baseline", "known.json", "--write-baseline").code == 2
        assert not (scope.folder / "known.json").exists()


class TestPiles:
    def test_what_is_known_only_at_run_time_is_counted_listed_and_fails_if_it_is_told_to(self, scope, write, folder):
        write(RIGHT + "{{ scope_prompt(which) }}\n")
        against = ("check", "--against", "prompts")
        done = scope(*against)
        counts = "1 use of 1 prompt fits the folder prompts; 1 more is known only at run time"
        assert (done.code, done.out) == (0, f"{counts} (-v lists them)\n")
        done = scope(*against, "-v")
        assert (done.code, done.out.splitlines()) == (
            0,
            ["templates/page.html:2:4 not checked: its name is known only at run time", counts],
        )
        done = scope(*against, "--strict")
        assert (done.code, done.out.splitlines()[0]) == (
            1,
            "templates/page.html:2:4 S108 a prompt is not checked: its name is known only at run time",
        )

    def test_a_comment_accepts_what_is_known_only_at_run_time(self, scope, write, folder):
        write("{{ scope_prompt(which) }} {# scope: ignore[S108] #}\n")
        done = scope("check", "--against", "prompts", "--strict")
        assert (done.code, done.out) == (0, "0 uses of 0 prompts fit the folder prompts; 1 ignored by comments\n")

    def test_nothing_found_says_how_much_was_looked_at(self, scope, write, folder):
        write("<p>")
        write("print()", "app.py")
        done = scope("check", "--against", "prompts")
        assert (done.code, done.out) == (0, "2 files, no prompt used\n")


class TestFormats:
    def test_each_says_the_same(self, scope, write, folder):
        write(WRONG)
        against = ("check", "--against", "prompts", "--format")
        found = json.loads(scope(*against, "json").out)["findings"]
        assert [(each["file"], each["line"], each["column"], each["code"]) for each in found] == [
            ("templates/page.html", 1, 17, "S103"),
            ("templates/page.html", 1, 44, "S102"),
        ]
        (run,) = json.loads(scope(*against, "sarif").out)["runs"]
        regions = [result["locations"][0]["physicalLocation"]["region"] for result in run["results"]]
        assert regions == [{"startLine": 1, "startColumn": 17}, {"startLine": 1, "startColumn": 44}]
        lines = scope(*against, "github").out.splitlines()
        assert [line.split("::")[1] for line in lines[:-1]] == [
            "error file=templates/page.html,line=1,col=17,title=S103 missing variable",
            "error file=templates/page.html,line=1,col=44,title=S102 unknown variable",
        ]
        assert scope("check", "--against", "prompts", "--json").out == scope(*against, "json").out

    @pytest.mark.parametrize("name", ["json", "github", "sarif"])
    def test_they_exit_alike(self, name, scope, write, folder):
        write(RIGHT)
        assert scope("check", "--against", "prompts", "--format", name).code == 0
        write(WRONG)
        assert scope("check", "--against", "prompts", "--format", name).code == 1
        assert scope("check", "nowhere", "--against", "prompts", "--format", name).code == 2


def test_a_file_that_cannot_be_parsed_is_a_finding_and_no_end(scope, write, folder):
    write("def f(:\n", "app.py")
    write(RIGHT)
    done = scope("check", "--against", "prompts")
    assert done.code == 1
    assert done.out.startswith("app.py:1:")
    assert " S100 the file cannot be read: " in done.out
    assert done.out.endswith("1 finding in 1 use of 1 prompt\n")


def test_the_help_is_quick_and_asks_for_nothing_that_checks(scope, after):
    blocked = "import sys; sys.modules.update(dict.fromkeys(['yaml', 'frontmatter', 'flask', 'jwt']))"
    done = scope("check", "--help", how=after(blocked))
    assert done.code == 0
    assert "--write-baseline" in done.out
