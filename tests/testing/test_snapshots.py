"""Snapshots: what tests render is compared with files that people review; with pytest and pytest-xdist as they are."""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path

import pytest

GREETS = """
import scope_client

def greet(name):
    return scope_client.client().render_prompt("greeting", {"name": name, "time_of_day": "morning"})

def test_greets(scope_prompts):
    scope_prompts("greeting", "Good {{time_of_day}}, {{name}}!")
    assert greet("Ada")
    scope_prompts.snapshot()
"""
SNAPSHOT = """\
# test_greets

Made by `scope_prompts.snapshot()`. To accept a change: `pytest --scope-snapshot-update`

## `greeting`, version 1

- `time_of_day`: `morning`
- `name`: `Ada`

```text
Good morning, Ada!
```
"""


@pytest.fixture
def folder(pytester):
    return pytester.path / "__prompts__" / "test_it"


def files(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def test_the_first_run_writes_what_was_rendered_and_the_next_one_compares(run, folder):
    outcome = run(GREETS)
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines(["1 snapshot written (__prompts__/test_it/test_greets.md): look at it, and commit it"])
    assert (folder / "test_greets.md").read_text() == SNAPSHOT
    before = os.stat(folder / "test_greets.md")
    outcome = run(GREETS, ci="true")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.no_fnmatch_line("*snapshot*")
    assert os.stat(folder / "test_greets.md") == before


def test_a_difference_fails_with_the_words_and_how_to_accept_them(run, folder):
    run(GREETS)
    outcome = run(GREETS.replace("Good {{", "A good {{").replace("Ada", "Bob"))
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        [
            "what was rendered is not what __prompts__/test_it/test_greets.md has:",
            "*[[]-Ada-]{+Bob+}*",
            "[[]-Good-]{+A good+} morning, [[]-Ada-]{+Bob+}!",
            "If the change is right, accept it: pytest --scope-snapshot-update test_it.py::test_greets",
        ]
    )
    outcome.stdout.no_fnmatch_line("*_snapshots.py*")
    assert (folder / "test_greets.md").read_text() == SNAPSHOT


def test_the_command_that_accepts_a_difference_names_a_test_that_pytest_knows(run, folder):
    def code(word):
        head = f"import pytest\n{GREETS.replace('Good {{', word + ' {{')}"
        test = "def test_greets(scope_prompts, name):"
        marked = f'@pytest.mark.parametrize("name", ["Zo\u00eb\'s"])\n{test}'
        return head.replace("def test_greets(scope_prompts):", marked)

    run(code("Good")).assert_outcomes(passed=1)
    told = next(line for line in run(code("Fine")).outlines if "accept it" in line)
    update, test = shlex.split(told.partition("pytest ")[2])
    run(code("Fine"), update, test).assert_outcomes(passed=1)
    run(code("Fine"), ci="true").assert_outcomes(passed=1)


def test_an_update_writes_it_anew_with_the_permissions_that_it_had(run, folder):
    run(GREETS)
    file = folder / "test_greets.md"
    file.chmod(0o640)
    outcome = run(GREETS.replace("Ada", "Bob"), "--scope-snapshot-update", ci="1")
    outcome.assert_outcomes(passed=1)
    assert file.read_text() == SNAPSHOT.replace("Ada", "Bob")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert files(folder.parent) == ["test_it/test_greets.md"]


@pytest.mark.parametrize(
    ("ci", "is_written"), [("", True), ("false", True), ("0", True), ("true", False), ("1", False)]
)
def test_in_ci_a_missing_snapshot_fails_and_is_not_written(ci, is_written, run, folder):
    outcome = run(GREETS, ci=ci)
    outcome.assert_outcomes(passed=is_written, failed=not is_written)
    assert (folder / "test_greets.md").exists() is is_written
    if not is_written:
        outcome.stdout.fnmatch_lines(["there is no snapshot __prompts__/test_it/test_greets.md, and in CI*"])
        assert not folder.parent.exists()


def test_a_checkout_with_other_line_ends_is_the_same(run, folder):
    run(GREETS)
    file = folder / "test_greets.md"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    run(GREETS).assert_outcomes(passed=1)
    assert b"\r\n" in file.read_bytes()


WAYS = """
import asyncio
import pytest
import scope_client
from scope_client import PromptVersion, ScopeClient, prompt_functions
from scope_client.local import LocalPlatform
from scope_client.testing import PromptsClient

CHAT = [{"role": "system", "content": "Be {{tone}}."}, {"role": "placeholder", "content": "{{history}}"}]

def version():
    return PromptsClient({"a": "Hi {{name}}"}).get_prompt_version("a")

async def later():
    return await PromptsClient({"a": "Hi {{name}}"}).arender_prompt("a", {"name": "Ada"})

async def typed():
    return await prompt_functions.atext("a", {"name": "Ada"}, PromptsClient({"a": "Hi {{name}}"}))

def template():
    import jinja2
    from scope_client.frameworks import TemplateFunction
    function = TemplateFunction(lambda: PromptsClient({"a": "Hi {{name}}"}), jinja2.Undefined)
    page = jinja2.Template("{{ scope_prompt('a', name='Ada') }}")
    return page.render(scope_prompt=function)

def folder(tmp_path):
    (tmp_path / "a.md").write_text("Hi {{name}}")
    client = PromptsClient({}, prompt_dir=str(tmp_path))
    with LocalPlatform(tmp_path) as platform:
        return platform.client().render_prompt("a", {"name": "Ada"})

def langchain():
    from scope_langchain import ScopePromptTemplate
    prompt = ScopePromptTemplate.from_scope("a", client=PromptsClient({"a": "Hi {{name}}"}))
    return prompt.invoke({"name": "Ada"}).text

def live():
    from scope_langchain import scope_prompt
    return scope_prompt("a", client=PromptsClient({"a": "Hi {{name}}"})).invoke({"name": "Ada"}).text

def bound():
    return version().render

WAYS = {
    "render": lambda tmp_path: version().render(name="Ada"),
    "bound": lambda tmp_path: RENDER(name="Ada"),
    "render_prompt": lambda tmp_path: PromptsClient({"a": "Hi {{name}}"}).render_prompt("a", {"name": "Ada"}),
    "arender_prompt": lambda tmp_path: asyncio.run(later()),
    "typed": lambda tmp_path: asyncio.run(typed()),
    "template": lambda tmp_path: template(),
    "folder": folder,
    "langchain": lambda tmp_path: langchain(),
    "live": lambda tmp_path: live(),
}
RENDER = bound()

@pytest.mark.parametrize("way", WAYS)
def test_it(way, tmp_path, scope_snapshot):
    assert WAYS[way](tmp_path) == "Hi Ada"
    scope_snapshot("same")
"""


def test_whatever_renders_is_heard_once(run, folder):
    outcome = run(WAYS, "-W", "ignore")
    outcome.assert_outcomes(passed=9)
    texts = {name: (folder / name).read_text().partition("\n")[2] for name in files(folder)}
    assert len(texts) == 9
    assert set(texts.values()) == {texts["test_it[[]render].same.md".replace("[[]", "[")]}
    assert texts["test_it[render].same.md"].endswith("## `a`, version 1\n\n- `name`: `Ada`\n\n```text\nHi Ada\n```\n")


def test_messages_are_shown_one_by_one_with_what_was_given_for_a_placeholder(run, folder):
    code = """
from scope_client.testing import PromptsClient

CHAT = [
    {"role": "system", "content": "Be {{tone}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": [{"type": "text", "text": "{{tone}}?"}]},
]

class Said:
    role = "user"
    def model_dump(self, mode):
        return {"role": "user", "content": "dumped"}

def test_it(scope_snapshot):
    version = PromptsClient({"chat": CHAT}).get_prompt_version("chat")
    messages = version.messages(tone="kind", history=[{"role": "user", "content": "Hi"}, Said()])
    messages.append({"role": "assistant", "content": "added later"})
    scope_snapshot()
"""
    run(code).assert_outcomes(passed=1)
    text = (folder / "test_it.md").read_text()
    assert '- `history`: `[{"role": "user", "content": "Hi"}, {"role": "user", "content": "dumped"}]`' in text
    assert "`system`:\n\n```text\nBe kind.\n```\n\n`user`:\n\n```text\nHi\n```\n\na message:\n\n```text\n{\n" in text
    assert '"text": "kind?"' in text
    assert "added later" not in text


def test_what_is_rendered_cannot_break_the_file(run, folder):
    code = """
from scope_client.testing import PromptsClient

TEXTS = ["```\\n# not a heading\\n````", "\\r\\n ends in CRLF\\r\\n", "\\x1b[31m red", "\\ud800", "", "{{x}}", "~~~"]
TEXTS += ["| a | b |"]

def test_it(scope_snapshot):
    client = PromptsClient({"a`b\\n## c": "{{text}}"})
    for text in TEXTS:
        client.render_prompt("a`b\\n## c", {"text": text})
    scope_snapshot()
"""
    run(code).assert_outcomes(passed=1)
    run(code, ci="1").assert_outcomes(passed=1)
    text = (folder / "test_it.md").read_text()
    assert "\x1b" not in text
    assert text.count("\n## ") == 8
    assert "\n`````text\n```\n# not a heading\n````\n`````\n" in text
    assert "\\r\n ends in CRLF\\r\n" in text


def test_credentials_are_left_out(run, folder):
    code = """
import scope_client
from scope_client import ApiKeyCredentials
from scope_client.testing import PromptsClient

scope_client.configure(credentials=ApiKeyCredentials("org", "key", "configured-secret"))

def test_it(scope_snapshot, monkeypatch):
    monkeypatch.setenv("SCOPE_API_SECRET", "s3cret-of-the-environment")
    client = PromptsClient({"a": "{{text}}"})
    client.render_prompt("a", {"text": "s3cret-of-the-environment configured-secret https://u:pw@host/x"})
    scope_snapshot()
"""
    run(code).assert_outcomes(passed=1)
    assert "\n*** *** https://***@host/x\n" in (folder / "test_it.md").read_text()
    assert "s3cret" not in (folder / "test_it.md").read_text()


def test_two_snapshots_of_a_test_have_what_was_rendered_between_them(run, folder):
    code = """
def test_it(scope_prompts):
    from scope_client import client
    scope_prompts("a", "one")
    client().render_prompt("a")
    scope_prompts.snapshot()
    scope_prompts("a", "two")
    client().render_prompt("a")
    scope_prompts.snapshot()
    client().render_prompt("a")
    scope_prompts.snapshot("at the end/of: it")
"""
    run(code).assert_outcomes(passed=1)
    names = files(folder)
    assert names[0] == "test_it.2.md"
    assert len(names) == 3
    assert "# test_it.at the end/of: it\n" in (folder / names[1]).read_text()
    assert "one" in (folder / "test_it.md").read_text()
    assert "version 2" in (folder / "test_it.2.md").read_text()
    run(code, ci="1").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("scope_snapshot()", "nothing was rendered before this snapshot: call snapshot() after the code that renders"),
        (
            "render(); scope_snapshot('x'); render(); scope_snapshot('x')",
            "the snapshot 'x' was taken twice in one test*",
        ),
        ("render(); scope_snapshot(3)", "the name of a snapshot must be text, got 3"),
        ("render(); scope_snapshot('')", "the name of a snapshot must be text, got ''"),
    ],
)
def test_a_snapshot_that_cannot_be_says_why(body, said, run):
    code = f"""
from scope_client.testing import PromptsClient

def render():
    PromptsClient({{"a": "x"}}).render_prompt("a")

def test_it(scope_snapshot):
    {body}
"""
    outcome = run(code)
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines([said])


def test_odd_parameters_make_files_that_any_disk_holds(run, folder):
    code = """
import pytest
from scope_client.testing import PromptsClient

IDS = ["a/b", "a:b", "..", "<>|?*", "é", "", "a b", "CON", "a\\\\b", "x" * 250, "a.md", "%41", "\\n"]

@pytest.mark.parametrize("text", IDS, ids=IDS)
def test_it(text, scope_snapshot):
    PromptsClient({"a": "{{text}}"}).render_prompt("a", {"text": text})
    scope_snapshot()

class TestMore:
    class TestInner:
        def test_it(self, scope_snapshot):
            PromptsClient({"a": "x"}).render_prompt("a")
            scope_snapshot()
"""
    run(code).assert_outcomes(passed=14)
    run(code, ci="1").assert_outcomes(passed=14)
    names = files(folder)
    assert len(names) == 14
    assert all(
        len(part.encode()) < 250 and not set('<>:"\\|?*') & set(part) for name in names for part in name.split("/")
    )
    assert "TestMore.TestInner.test_it.md" in names


THREADS = """
import threading
from concurrent.futures import ThreadPoolExecutor
import random
from scope_client.testing import PromptsClient

def test_it(scope_snapshot):
    client = PromptsClient({"a": "{{text}}"})
    numbers = [number % 7 for number in range(100)]
    random.shuffle(numbers)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: client.render_prompt("a", {"text": number}), numbers))
    scope_snapshot()
"""


def test_the_order_in_which_threads_render_does_not_count(run, folder):
    run(THREADS).assert_outcomes(passed=1)
    before = (folder / "test_it.md").read_text()
    assert before.count("(15 times)") == 2
    for _ in range(3):
        run(THREADS, ci="1").assert_outcomes(passed=1)
    run(THREADS, "--scope-snapshot-update").assert_outcomes(passed=1)
    assert (folder / "test_it.md").read_text() == before
    run(THREADS.replace("% 7", "% 6"), ci="1").assert_outcomes(failed=1)


def test_nothing_is_replaced_when_nobody_listens(run):
    code = """
from scope_client import PromptVersion
from scope_client.testing import PromptsClient

BEFORE = PromptVersion.messages, PromptVersion._render

def test_with(scope_snapshot):
    PromptsClient({"a": "x"}).render_prompt("a")
    scope_snapshot()
    assert (PromptVersion.messages, PromptVersion._render) != BEFORE

def test_without():
    assert (PromptVersion.messages, PromptVersion._render) == BEFORE
"""
    run(code).assert_outcomes(passed=2)


def test_prompts_may_come_from_anywhere(run, folder):
    code = """
import scope_client
from scope_client.local import LocalPlatform

def test_platform(scope_platform, scope_snapshot):
    scope_platform.publish("a", "from the platform")
    assert scope_client.client().render_prompt("a")
    scope_snapshot()

def test_fallback(scope_platform, scope_snapshot):
    scope_platform.stop()
    scope_client.configure(max_retries=0)
    assert scope_client.client().render_prompt("a", {"name": "Ada"}, fallback="Hi {{name}}")
    scope_snapshot()

def test_prompt_folder(scope_platform, scope_snapshot, tmp_path):
    (tmp_path / "a.md").write_text("from the folder")
    scope_platform.stop()
    scope_client.configure(max_retries=0, prompt_dir=tmp_path)
    assert scope_client.client().render_prompt("a")
    scope_snapshot()

def test_module(scope_prompts_module):
    scope_prompts_module("a", "of the module")
    assert scope_client.client().render_prompt("a")
    scope_prompts_module.snapshot()

def test_session(scope_prompts_session):
    scope_prompts_session("b", "of the session")
    client = scope_client.client()
    assert client.render_prompt("b")
    scope_prompts_session.snapshot("x")

def test_dynamic(request):
    scope_prompts = request.getfixturevalue("scope_prompts")
    scope_prompts("a", "dynamic")
    assert scope_client.client().render_prompt("a")
    scope_prompts.snapshot()
"""
    run(code).assert_outcomes(passed=6)
    run(code, ci="1").assert_outcomes(passed=6)
    assert "## `a`, a fallback" in (folder / "test_fallback.md").read_text()
    assert "## `a`, version 1, from the prompt folder" in (folder / "test_prompt_folder.md").read_text()
    assert len(files(folder)) == 6


def test_workers_of_xdist_write_and_compare_as_one_process_does(run, folder):
    code = """
import pytest
from scope_client import client

@pytest.mark.parametrize("number", range(8))
def test_it(number, scope_prompts):
    scope_prompts("a", "{{number}}")
    client().render_prompt("a", {"number": number})
    scope_prompts.snapshot()
"""
    workers = ("-p", "xdist.plugin", "-n", "2")
    outcome = run(code, *workers)
    outcome.assert_outcomes(passed=8)
    outcome.stdout.fnmatch_lines(["8 snapshots written (__prompts__/test_it/test_it[[]0].md, *"])
    assert len(files(folder)) == 8
    (folder / "test_gone.md").write_text("# test_gone\n")
    outcome = run(code, *workers, ci="1")
    outcome.assert_outcomes(passed=8)
    outcome.stdout.fnmatch_lines(["1 snapshot that no test takes (__prompts__/test_it/test_gone.md): delete*"])
    outcome.stdout.no_fnmatch_line("*written*")
    run(code.replace("{{number}}", "No {{number}}"), *workers, ci="1").assert_outcomes(failed=8)
    run(code.replace("{{number}}", "No {{number}}"), *workers, "--scope-snapshot-update").assert_outcomes(passed=8)


UNUSED = """
import pytest
from scope_client.testing import PromptsClient

def render():
    PromptsClient({"a": "x"}).render_prompt("a")

def test_one(scope_snapshot):
    render()
    scope_snapshot()

@pytest.mark.parametrize("x", [1, 2])
def test_two(x, scope_snapshot):
    render()
    scope_snapshot()
    render()
    scope_snapshot("named")

def test_three(scope_snapshot):
    render()
    scope_snapshot()
"""
UNUSED_LINE = re.compile(r"(\d+) snapshots? that no test takes? \((.*)\): delete")


def unused(outcome):
    found = UNUSED_LINE.search(outcome.stdout.str())
    return sorted(Path(name).stem for name in found[2].split(", ")) if found else []


def test_snapshots_that_no_test_takes_are_named(run, folder):
    assert unused(run(UNUSED)) == []
    assert unused(run(UNUSED)) == []
    changed = UNUSED.replace('    scope_snapshot("named")\n', "").replace(
        "def test_three(scope_snapshot)", "def test_four(scope_snapshot)"
    )
    assert unused(run(changed)) == ["test_three", "test_two[1].named", "test_two[2].named"]
    without = UNUSED.replace(
        "def test_one(scope_snapshot):\n    render()\n    scope_snapshot()", "def test_one():\n    pass"
    )
    assert unused(run(without)) == ["test_four", "test_one"]
    assert unused(run("def test_one():\n    pass\n")) == [
        *("test_four", "test_one", "test_three", "test_two[1]", "test_two[1].named", "test_two[2]", "test_two[2].named")
    ]
    (folder.parent / "test_elsewhere").mkdir()
    (folder.parent / "test_elsewhere" / "test_x.md").write_text("# test_x")
    (folder / "test_four.md").unlink()
    assert unused(run(UNUSED)) == ["test_x"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["test_it.py::test_one"],
        ["-k", "test_one"],
        ["-k", "not test_two", "-x"],
        ["--deselect", "test_it.py::test_two"],
    ],
)
def test_snapshots_of_tests_that_were_left_out_are_not(arguments, run):
    run(UNUSED)
    assert unused(run(UNUSED, *arguments)) == []


def test_snapshots_of_a_test_that_failed_or_was_skipped_are_not(run):
    run(UNUSED)
    for change in ("render()\n    assert False", "pytest.skip('x')"):
        assert (
            unused(run(UNUSED.replace("x, scope_snapshot):\n    render()", f"x, scope_snapshot):\n    {change}"))) == []
        )


def test_a_snapshot_that_cannot_be_written_fails_its_test_in_one_sentence(run, pytester):
    (pytester.path / "__prompts__").write_text("in the way")
    outcome = run(GREETS)
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["the snapshot __prompts__/test_it/test_greets.md cannot be read or written*"])


def test_what_fixtures_render_belongs_to_the_test_that_they_are_made_for(run, folder):
    code = """
from scope_client.testing import PromptsClient
import pytest

@pytest.fixture(params=[1, 2], autouse=True)
def before():
    PromptsClient({"before": "x"}).render_prompt("before")

def test_it(scope_snapshot):
    PromptsClient({"a": "x"}).render_prompt("a")
    scope_snapshot()
"""
    run(code).assert_outcomes(passed=2)
    assert (folder / "test_it[1].md").read_text().count("\n## ") == 2
