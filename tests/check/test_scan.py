"""The scan: what all files show, whatever is wrong with some of them, in one process or several, anew or cached."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from scope_client._check import scan_cache, worker_processes
from scope_client._check.configured_calls import configured_call
from scope_client._check.scan import Scan, scan

ROOT = Path(__file__).resolve().parents[2]
TAG = '{% load scope %}\n{% scope_prompt "tagged" name=user %}'
CALL = '{{ scope_prompt("called", name=user) }}'
CODE = 'import scope_client\n\nscope_client.get_client().render_prompt("coded", {"name": 1})\n'


def put(folder: Path, **files: str | bytes) -> None:
    """Writes files; `__` in a name is a slash, and `_` before the ending a dot."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/")[::-1].replace("_", ".", 1)[::-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def names(found: Scan) -> list[tuple[str, str | None]]:
    return [(str(use.place), use.name) for use in found.uses]


def told(found: Scan) -> list[str]:
    return list(map(str, found.findings))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, app__views_py=CODE, templates__a_html=TAG, templates__b_html=CALL)
    return tmp_path


def test_it_finds_what_files_of_all_kinds_show_in_the_order_of_places(project: Path) -> None:
    cell = {"cell_type": "code", "source": CODE}
    put(
        project,
        notebooks__a_ipynb=json.dumps({"cells": [cell]}),
        empty_py="",
        plain_html="<p>",
        docs__a_txt="scope_prompt",
    )
    found = scan(["."])
    assert names(found) == [
        ("app/views.py:3:41", "coded"),
        ("notebooks/a.ipynb:cell 1:3:41", "coded"),
        ("templates/a.html:2:17", "tagged"),
        ("templates/b.html:1:17", "called"),
    ]
    assert found.counted == {"python": 2, "notebook": 1, "template": 3}
    assert (found.findings, found.left_out) == ((), ())
    assert [each[1] for each in names(scan(["."], kinds=("python", "notebook")))] == ["coded", "coded"]


def test_it_finds_the_calls_that_a_project_configures(project: Path) -> None:
    put(project, app__llm_py="from app.llm import prompt\nprompt('mine')\n")
    calls = [configured_call("app.llm.prompt:0")]
    assert ("app/llm.py:2:8", "mine") in names(scan(["."], calls=calls))
    assert ("app/llm.py:2:8", "mine") not in names(scan(["."]))


class TestBadFiles:
    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("a_py", "def f(:\n", "a.py:1:7 S100 the file cannot be read: "),
            ("a_py", CODE + "\nx = (\n", "a.py:5:"),
            ("a_py", "x = 1\n  y = 2\n", "a.py:2:"),
            ("a_py", b"x = '\0'", "a.py:1:1 S100 the file cannot be read: "),
            ("a_py", b"x = '\xff'", "a.py:1:6 S100 the file cannot be read: "),
            ("a_py", b"# coding: klingon\n", "a.py:1:1 S100 the file cannot be read: unknown encoding"),
            ("a_py", "print 'hi'\n", "a.py:1:"),
            ("a_py", "(" * 3000 + ")" * 3000, "a.py:1:"),
            ("a_py", "x = " + "-" * 100_000 + "1", "a.py:1:1 S100 the file cannot be read: it is nested too deeply"),
            ("a_ipynb", "{", "a.ipynb:1:1 S100 the file cannot be read: "),
            ("a_ipynb", "[]", "a.ipynb:1:1 S100 the file cannot be read: it is not a notebook"),
            ("a_html", "{% scope_prompt %}", "a.html:1:1 S100 the tag scope_prompt cannot be read: it has no name"),
        ],
    )
    def test_one_that_cannot_be_read_is_a_finding_and_the_others_are_read(
        self, name: str, content: str | bytes, said: str, project: Path
    ) -> None:
        put(project, **{name: content})
        found = scan(["."])
        assert len(names(found)) == 3
        (finding,) = told(found)
        assert finding.startswith(said)

    def test_templates_that_are_not_text_are_named_if_they_mention_prompts(self, project: Path) -> None:
        put(
            project, a_html=b"\xff" + TAG.encode(), b_html=b"\0" + TAG.encode(), c_html=b"\xff\0", d_html="\ufeff" + TAG
        )
        found = scan(["."])
        assert [tuple(each) for each in found.left_out] == [
            ("a.html", "it is not text in UTF-8"),
            ("b.html", "it is not text"),
        ]
        assert found.unread == found.left_out
        assert ("d.html:2:17", "tagged") in names(found)

    def test_what_may_ask_for_prompts_is_told_apart_from_what_is_left_out_on_purpose(self, project: Path) -> None:
        put(project, a_html=b"\xff" + TAG.encode(), node_modules__a_js="", b_py=CODE, venv__pyvenv_cfg="")
        (project / "c.py").symlink_to(ROOT / "README.md")
        found = scan(["."], exclude=["b.py"])
        assert [each.file for each in found.left_out] == ["a.html", "b.py", "c.py", "node_modules/", "venv/"]
        assert [each.file for each in found.unread] == ["a.html", "c.py"]

    def test_one_that_is_named_itself_is_a_finding(self, project: Path) -> None:
        put(project, a_html=b"\xff" + TAG.encode(), c_png=b"\0PNG")
        assert told(scan(["a.html", "c.png"])) == [
            "a.html:1:1 S100 the file cannot be read: it is not text in UTF-8",
            "c.png:1:1 S100 the file cannot be read: it is not text",
        ]

    def test_huge_ones_are_named_if_they_may_ask_for_prompts(self, project: Path) -> None:
        put(project, a_py=CODE + "#" * 2_000_000, b_py="#" * 2_000_001, c_html=TAG + "x" * 10_000_000)
        found = scan(["."])
        assert told(found) == ["a.py:1:1 S100 the file cannot be read: over 2 MB"]
        assert [tuple(each) for each in found.left_out] == [("c.html", "over 10 MB")]
        assert len(names(found)) == 3

    def test_one_that_vanishes_and_one_that_may_not_be_opened(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(project, gone_py=CODE, gone_html=TAG)
        os.symlink("/proc/self/mem", project / "secret.py")
        vanish_and_look = worker_processes.look_at_all

        def look(files: Any, task: Any, processes: Any) -> Any:
            (project / "gone.py").unlink(missing_ok=True)
            (project / "gone.html").unlink(missing_ok=True)
            return vanish_and_look(files, task, processes)

        monkeypatch.setattr("scope_client._check.scan.look_at_all", look)
        found = scan(["."])
        assert told(found) == ["gone.py:1:1 S100 the file cannot be read: it has vanished"]
        assert [tuple(each) for each in found.left_out] == [
            ("gone.html", "it has vanished"),
            ("secret.py", "a link that leads out of what is checked"),
        ]
        found = scan(["secret.py"])
        assert told(found) == ["secret.py:1:1 S100 the file cannot be read: cannot be opened: Input/output error"]

    def test_a_file_of_another_encoding_is_read(self, project: Path) -> None:
        put(
            project,
            latin_py=b"# coding: latin1\nx = '\xe9'\nimport scope_client\nscope_client.get_client().read_prompt('l')\n",
        )
        assert ("latin.py:4:39", "l") in names(scan(["."]))

    def test_warnings_of_somebodys_text_are_not_told(self, project: Path, recwarn: pytest.WarningsRecorder) -> None:
        put(project, a_py="x = '\\d'\n" + CODE, b_py="assert (1, 'x')\ny = '\\d'\n")
        scan(["."])
        assert not recwarn.list


class TestConstants:
    IMPORT = "import scope_client\nfrom names import GREETING\nscope_client.get_client().get_prompt_version(GREETING)\n"

    def prompt(self) -> str | None:
        (use,) = scan(["app"]).uses
        return use.name

    @pytest.mark.parametrize("place", ["app/names.py", "names.py", "src/names.py", "src/names/__init__.py"])
    def test_those_of_other_modules_are_found_though_these_are_not_checked(self, place: str, project: Path) -> None:
        put(project, app__views_py=self.IMPORT)
        (project / place).parent.mkdir(parents=True, exist_ok=True)
        (project / place).write_text("GREETING = 'hello'\n")
        assert self.prompt() == "hello"

    def test_those_that_are_handed_on_are_too(self, project: Path) -> None:
        put(
            project, app__views_py=self.IMPORT, names_py="from other import HI as GREETING\n", other_py="HI = 'hello'\n"
        )
        assert self.prompt() == "hello"
        put(project, other_py="HI = 'goodbye'\n")
        assert self.prompt() == "goodbye"

    def test_modules_that_import_each_other_come_to_an_end(self, project: Path) -> None:
        put(
            project,
            app__views_py=self.IMPORT,
            names_py="from other import *\n",
            other_py="from names import GREETING\n",
        )
        assert self.prompt() is None

    def test_what_was_kept_goes_with_the_module(self, project: Path, watch: Watch) -> None:
        put(project, app__views_py=self.IMPORT)
        assert self.prompt() is None
        put(project, src__names_py="GREETING = 'one'\n")
        assert self.prompt() == "one"
        put(project, src__names_py="GREETING = 'two'\n")
        assert self.prompt() == "two"
        put(project, app__names_py="GREETING = 'nearer'\n")
        assert self.prompt() == "nearer"
        (project / "app/names.py").unlink()
        assert self.prompt() == "two"

    def test_a_module_that_cannot_be_read_has_none(self, project: Path) -> None:
        put(project, app__views_py=self.IMPORT, names_py="GREETING = (\n")
        assert self.prompt() is None


def age(folder: Path) -> None:
    """Has all files be older than a tick of the clock, so that what is seen in them may be kept."""
    for path in folder.rglob("*"):
        if path.is_file() and ".scope_cache" not in path.parts:
            os.utime(path, ns=(1, time.time_ns() - 10_000_000_000))


class Watch:
    """How many files were looked at, and not remembered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: list[str] = []
        whole = worker_processes.look  # type: ignore[attr-defined]  # which it imports

        def look(file: Any, *more: Any) -> Any:
            self.files.append(file.shown)
            return whole(file, *more)

        monkeypatch.setattr(worker_processes, "look", look)
        monkeypatch.setattr(scan_cache, "_CLOCK_TICK_NANOSECONDS", -(10**12))

    def taken(self) -> list[str]:
        files, self.files = self.files, []
        return sorted(files)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


class TestKept:
    def test_what_did_not_change_is_not_looked_at_again(self, project: Path, watch: Watch) -> None:
        put(
            project,
            broken_py="(",
            odd_html=b"\xff" + TAG.encode(),
            c_html=TAG + " {# scope: ignore[S102] #} {# scope: ignore #}",
        )
        put(
            project,
            d_html='{{ scope_prompt("a", b=[{"role": x}], label="l", fallback="f", **more) }}{# scope: ignore[S101] #}',
        )
        first = scan(["."])
        assert len(watch.taken()) == 7
        assert scan(["."]) == first
        assert watch.taken() == []
        put(project, templates__a_html=TAG + TAG)
        assert len(scan(["."]).uses) == len(first.uses) + 1
        assert watch.taken() == ["templates/a.html"]

    def test_it_is_a_folder_that_git_leaves_alone(self, project: Path) -> None:
        scan(["."])
        assert sorted(os.listdir(project / ".scope_cache")) == [".gitignore", "seen.json"]
        assert "\n*\n" in (project / ".scope_cache/.gitignore").read_text()

    def test_it_may_be_off_or_elsewhere(self, project: Path, watch: Watch, tmp_path: Path) -> None:
        scan(["."], cache=False)
        assert not (project / ".scope_cache").exists()
        scan(["."], cache=str(tmp_path / "deep/kept"))
        assert (tmp_path / "deep/kept/seen.json").exists()
        watch.taken()
        scan(["."], cache=str(tmp_path / "deep/kept"))
        assert watch.taken() == []

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"\xff\0",
            b"[]",
            b"null",
            b"{}",
            b'{"identity": 1, "rows": {}}',
            b"[" * 100_000,
        ],
    )
    def test_one_that_cannot_be_read_is_made_anew(self, content: bytes, project: Path, watch: Watch) -> None:
        first = scan(["."])
        (project / ".scope_cache/seen.json").write_bytes(content)
        watch.taken()
        assert scan(["."]) == first
        assert len(watch.taken()) == 3
        scan(["."])
        assert watch.taken() == []

    @pytest.mark.parametrize("row", [None, [], [1], "x", {}, 5, [[1, 2, 3], [], []]])
    def test_so_is_a_row_that_is_not_one(self, row: Any, project: Path, watch: Watch) -> None:
        first = scan(["."])
        path = project / ".scope_cache/seen.json"
        whole = json.loads(path.read_text())
        for number, key in enumerate(sorted(whole["rows"])):
            whole["rows"][key] = [whole["rows"][key][0], *row[1:]] if number and isinstance(row, list) else row
        path.write_text(json.dumps(whole))
        assert scan(["."]) == first

    def test_other_calls_or_another_version_look_anew(
        self, project: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scan(["."])
        watch.taken()
        scan(["."], calls=[configured_call("app.prompt:0")])
        assert len(watch.taken()) == 3
        monkeypatch.setattr(scan_cache, "__version__", "0.0.0")
        scan(["."], calls=[configured_call("app.prompt:0")])
        assert len(watch.taken()) == 3

    def test_a_part_of_the_project_leaves_the_rest_as_it_is_kept(self, project: Path, watch: Watch) -> None:
        scan(["."])
        put(project, app__views_py=CODE + CODE)
        scan(["app"])
        (project / "templates/b.html").unlink()
        put(project, app__views_py=CODE)
        scan(["app"])
        watch.taken()
        scan(["."])
        assert watch.taken() == []
        assert "b.html" not in (project / ".scope_cache/seen.json").read_text()

    def test_a_file_that_is_named_is_not_one_that_was_found(self, project: Path, watch: Watch) -> None:
        put(project, a_html=b"\xff" + TAG.encode())
        assert len(scan(["."]).left_out) == 1
        assert len(scan(["a.html"]).findings) == 1

    def test_a_change_within_one_tick_of_the_clock_is_seen(self, project: Path) -> None:
        path = project / "templates/a.html"
        for name in ("aaaaaa", "bbbbbb", "cccccc"):
            path.write_text(TAG.replace("tagged", name))
            assert name in [use.name for use in scan(["."]).uses]

    def test_a_folder_that_cannot_be_written_is_no_error(self, project: Path, tmp_path: Path) -> None:
        put(project, blocked_txt="")
        assert len(scan(["."], cache="blocked.txt").uses) == 3
        assert len(scan(["."], cache="/proc/kept").uses) == 3

    def test_a_link_is_not_followed(self, project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (project / ".scope_cache").symlink_to(elsewhere)
        scan(["."])
        assert os.listdir(elsewhere) == []


class TestProcesses:
    @pytest.fixture
    def large(self, project: Path) -> Path:
        for number in range(40):
            put(project, **{f"pkg{number % 3}__mod{number}_py": CODE, f"templates__t{number}_html": CALL})
        put(
            project,
            broken_py="(",
            names_py="N = 'n'\n",
            user_py="import scope_client, names\nscope_client.get_client().get_prompt_version(names.N)",
        )
        return project

    @pytest.mark.parametrize("processes", [2, 3])
    def test_the_result_is_the_same_with_any_number(self, processes: int, large: Path) -> None:
        alone = scan(["."], cache=False, processes=1)
        assert scan(["."], cache=False, processes=processes) == alone
        assert len(alone.uses) == 84

    def test_the_result_is_the_same_with_more_than_there_are_files(self, project: Path) -> None:
        put(project, **{f"t{number}_html": CALL for number in range(4)})
        alone = scan(["."], cache=False, processes=1)
        assert scan(["."], cache=False, processes=200) == alone
        assert len(alone.uses) >= 4

    @pytest.mark.parametrize("way", ["spawn", "forkserver"])
    def test_it_is_the_same_however_they_are_started(
        self, way: str, large: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker_processes, "_way_to_start", lambda: way)
        assert scan(["."], cache=False, processes=2) == scan(["."], cache=False, processes=1)

    def test_without_any_one_does_it_all(self, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(name: Any) -> Any:
            raise OSError("no more processes")

        alone = scan(["."], cache=False, processes=1)
        monkeypatch.setattr("multiprocessing.get_context", refuse)
        assert scan(["."], cache=False, processes=3) == alone

    def test_what_a_killed_one_owes_is_done_by_the_first(self, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        alone = scan(["."], cache=False, processes=1)
        parent = os.getpid()
        whole = worker_processes.look  # type: ignore[attr-defined]  # which it imports

        def look(file: Any, *more: Any) -> Any:
            if os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(file, *more)

        monkeypatch.setattr(worker_processes, "look", look)
        monkeypatch.setattr(worker_processes, "_way_to_start", lambda: "fork")
        assert scan(["."], cache=False, processes=2) == alone

    def test_few_files_are_not_worth_one(self, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_processes, "_helper", None)
        assert len(scan(["."], cache=False).uses) == 84

    def test_an_interrupt_ends_it_at_once_and_leaves_no_process(self, project: Path) -> None:
        program = textwrap.dedent(
            """
            import os, sys, time
            from scope_client._check import worker_processes
            from scope_client._check.scan import scan

            def look(file, *more):
                os.write(1, b"%d\\n" % os.getpid())
                time.sleep(60)

            worker_processes.look = look
            try:
                scan(["."], cache=False, processes=3)
            except KeyboardInterrupt:
                sys.exit(130)
            """
        )
        child = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert child.stdout is not None
        pids = {int(child.stdout.readline()) for _ in range(3)}
        os.killpg(child.pid, signal.SIGINT)
        _, said = child.communicate(timeout=60)
        assert (child.returncode, said) == (130, "")
        assert len(pids) == 3
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
