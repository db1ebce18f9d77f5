"""The walk: which files a check looks at, each once, and what it says of the others."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from scope_client._check.files import File, files
from scope_client.errors import ConfigurationError


class Walked:
    def __init__(self, here: Path, *paths: str, exclude: tuple[str, ...] = (), kinds: tuple[str, ...] = ()) -> None:
        self.notes: dict[str, str] = {}
        more = {"kinds": kinds} if kinds else {}
        found = files(paths or (".",), exclude, note=self.notes.__setitem__, here=str(here), **more)
        self.files: list[File] = list(found)
        self.shown = sorted(file.shown for file in self.files)
        self.kinds = {file.shown: file.kind for file in self.files}


def put(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


class TestKinds:
    def test_they_are_told_by_the_ending(self, tmp_path: Path) -> None:
        expected = {
            **dict.fromkeys(["a.py", "b.PYW", "pkg/mod.py"], "python"),
            "notes/a.ipynb": "notebook",
            **dict.fromkeys(
                ["a.html", "b.HTM", "c.txt", "d.jinja", "e.jinja2", "f.j2", "g.djhtml", "h.xml"], "template"
            ),
            **dict.fromkeys(["i.email", "j.mjml", "k.html.j2", "l.svg", "m.tmpl"], "template"),
        }
        put(tmp_path, *expected)
        put(tmp_path, "a.pyc", "a.js", "a.css", "a.png", "README.md", "a.md", "a.rst", "Makefile", "a.json", "a.pyi")
        assert Walked(tmp_path).kinds == expected

    def test_below_a_folder_of_templates_any_text_is_one(self, tmp_path: Path) -> None:
        names = ["templates/mail/welcome", "app/templates/a.md", "app/jinja2/b.css", "templates/x.js"]
        put(tmp_path, *names, "templates/a.png", "templates/README.md", "templates/a.html.bak", "mytemplates/a.js")
        assert Walked(tmp_path).kinds == dict.fromkeys(names, "template")

    def test_texts_among_documents_are_none(self, tmp_path: Path) -> None:
        put(tmp_path, "docs/guide.txt", "docs/templates/a.txt", "docs/page.html", "README.txt")
        assert Walked(tmp_path).shown == ["docs/page.html", "docs/templates/a.txt"]

    def test_a_file_that_is_named_is_looked_at_whatever_its_ending_is(self, tmp_path: Path) -> None:
        put(tmp_path, "notes.md", "README.md", "tool", ".hidden")
        put(tmp_path, "script", text="#!/usr/bin/env python3\n")
        found = Walked(tmp_path, "notes.md", "README.md", "tool", "script", ".hidden")
        assert found.kinds == {
            **dict.fromkeys(["notes.md", "README.md", "tool", ".hidden"], "template"),
            "script": "python",
        }
        assert all(file.is_named for file in found.files)

    def test_some_kinds_alone_may_be_wanted(self, tmp_path: Path) -> None:
        put(tmp_path, "a.py", "b.ipynb", "c.html")
        assert Walked(tmp_path, kinds=("python", "notebook")).shown == ["a.py", "b.ipynb"]


class TestWhatIsLeftOut:
    def test_folders_of_tools_and_packages(self, tmp_path: Path) -> None:
        silent = [
            ".git/a.py",
            ".hg/a.py",
            ".venv/a.py",
            ".tox/x/a.py",
            "app/.hidden/a.html",
            ".scope_cache/a.py",
            ".a.py",
        ]
        named = {
            "venv/": "a virtual environment",
            "node_modules/": "a folder of packages",
            "x/site-packages/": "a folder of packages",
            "a.egg-info/": "made by a tool",
            "app/__pycache__/": "made by a tool",
            "build/": "made by a build",
            "dist/": "made by a build",
        }
        put(
            tmp_path,
            *silent,
            *(f"{folder}sub/a.py" for folder in named),
            "venv/pyvenv.cfg",
            "pyproject.toml",
            "app/ok.py",
        )
        found = Walked(tmp_path)
        assert found.shown == ["app/ok.py"]
        assert found.notes == named

    def test_a_package_may_be_named_build(self, tmp_path: Path) -> None:
        put(tmp_path, "pyproject.toml", "src/build/a.py", "src/dist/b.py")
        assert Walked(tmp_path).shown == ["src/build/a.py", "src/dist/b.py"]

    @pytest.mark.parametrize("name", [".github", "venv", "build", "node_modules"])
    def test_one_that_is_named_itself_is_looked_into(self, name: str, tmp_path: Path) -> None:
        put(tmp_path, "pyproject.toml", f"{name}/a.py", "venv/pyvenv.cfg")
        assert Walked(tmp_path, name).shown == [f"{name}/a.py"]

    @pytest.mark.parametrize(
        ("pattern", "out"),
        [
            ("tests", {"tests/a.py", "app/tests/b.html"}),
            ("./tests/", {"tests/a.py", "app/tests/b.html"}),
            ("app/tests", {"app/tests/b.html"}),
            ("*.html", {"app/tests/b.html"}),
            ("app/**/b.html", {"app/tests/b.html"}),
            ("c.py", {"app/c.py"}),
            ("est", set()),
        ],
    )
    def test_what_a_pattern_names(self, pattern: str, out: set[str], tmp_path: Path) -> None:
        every = {"tests/a.py", "app/tests/b.html", "app/c.py"}
        put(tmp_path, *every)
        found = Walked(tmp_path, exclude=(pattern,))
        assert set(found.shown) == every - out
        assert set(found.notes.values()) == ({"--exclude"} if out else set())

    def test_a_file_that_is_named_is_left_out_too(self, tmp_path: Path) -> None:
        put(tmp_path, "tests/a.py")
        assert Walked(tmp_path, "tests/a.py", exclude=("tests",)).notes == {"tests/a.py": "--exclude"}

    def test_what_gitignore_names_is_looked_at(self, tmp_path: Path) -> None:
        put(tmp_path, "a.py")
        put(tmp_path, ".gitignore", text="*.py\n")
        assert Walked(tmp_path).shown == ["a.py"]


class TestLinks:
    def test_loops_end(self, tmp_path: Path) -> None:
        put(tmp_path, "app/a.py")
        (tmp_path / "app/loop").symlink_to(tmp_path)
        (tmp_path / "app/self").symlink_to("self")
        (tmp_path / "one").symlink_to("two")
        (tmp_path / "two").symlink_to("one")
        found = Walked(tmp_path)
        assert (found.shown, found.notes) == (["app/a.py"], {})

    def test_a_file_is_read_once_by_its_own_path(self, tmp_path: Path) -> None:
        put(tmp_path, "z/a.py", "z/sub/b.html")
        (tmp_path / "a").symlink_to("z")
        (tmp_path / "b.py").symlink_to("z/a.py")
        (tmp_path / "c.html").symlink_to("z/sub/b.html")
        assert Walked(tmp_path).shown == ["z/a.py", "z/sub/b.html"]
        assert Walked(tmp_path, ".", "z", "z/a.py", "a/a.py").shown == ["z/a.py", "z/sub/b.html"]

    def test_one_within_is_followed_to_what_nothing_else_leads_to(self, tmp_path: Path) -> None:
        put(tmp_path, ".data/v1/a.html", ".data/v1/b.py")
        (tmp_path / ".data/current").symlink_to("v1")
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates/a.html").symlink_to("../.data/current/a.html")
        (tmp_path / "code").symlink_to(".data/current")
        assert Walked(tmp_path).shown == ["code/b.py", "templates/a.html"]

    def test_one_that_leads_out_is_named_and_not_followed(self, tmp_path: Path) -> None:
        put(tmp_path, "outside/a.py", "project/b.py", "outside/c.png")
        (tmp_path / "project/out").symlink_to(tmp_path / "outside")
        (tmp_path / "project/a.py").symlink_to(tmp_path / "outside/a.py")
        (tmp_path / "project/c.png").symlink_to(tmp_path / "outside/c.png")
        found = Walked(tmp_path / "project")
        assert found.shown == ["b.py"]
        assert found.notes == dict.fromkeys(["a.py", "out"], "a link that leads out of what is checked")

    def test_one_that_is_named_itself_is_followed(self, tmp_path: Path) -> None:
        put(tmp_path, "outside/a.py", "project/b.py")
        (tmp_path / "project/out").symlink_to(tmp_path / "outside")
        (tmp_path / "project/a.py").symlink_to(tmp_path / "outside/a.py")
        assert Walked(tmp_path / "project", "out").shown == ["out/a.py"]
        assert Walked(tmp_path / "project", "a.py").shown == ["a.py"]

    def test_a_project_behind_a_link_has_paths_of_its_own(self, tmp_path: Path) -> None:
        put(tmp_path, "real/app/a.py")
        (tmp_path / "link").symlink_to("real")
        assert Walked(tmp_path / "link").shown == ["app/a.py"]
        assert Walked(tmp_path / "link", str(tmp_path / "real")).shown == ["app/a.py"]


class TestPaths:
    def test_those_outside_are_as_they_were_given(self, tmp_path: Path) -> None:
        put(tmp_path, "one/a.py", "two/b.py")
        assert Walked(tmp_path / "one", str(tmp_path / "two")).shown == [f"{tmp_path}/two/b.py"]
        assert Walked(tmp_path / "one", "../two").shown == [f"{tmp_path}/two/b.py"]

    @pytest.mark.parametrize("path", ["app", "./app", "app/", "app/../app", "app//"])
    def test_they_are_relative_however_they_are_written(self, path: str, tmp_path: Path) -> None:
        put(tmp_path, "app/a.py")
        assert Walked(tmp_path, path).shown == ["app/a.py"]

    @pytest.mark.parametrize("path", ["nowhere", "a.py/b", "", "nul\0", "x" * 300])
    def test_one_that_is_not_there_is_refused_before_anything_is_read(self, path: str, tmp_path: Path) -> None:
        put(tmp_path, "a.py")
        with pytest.raises(ConfigurationError, match="cannot be checked: ") as caught:
            Walked(tmp_path, "a.py", path)
        assert str(caught.value).startswith(repr(path) if len(path) < 100 else "'xxx")

    def test_one_that_is_neither_file_nor_folder_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.py")
        with pytest.raises(ConfigurationError, match=r"'pipe.py' cannot be checked: it is neither a file nor a folder"):
            Walked(tmp_path, "pipe.py")

    def test_pipes_and_sockets_below_a_folder_are_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        os.mkfifo(tmp_path / "pipe.py")
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("socket.py")
            assert Walked(tmp_path).shown == []

    def test_names_that_are_not_utf_8_are_looked_at(self, tmp_path: Path) -> None:
        with open(os.path.join(os.fsencode(tmp_path), b"\xff.py"), "w") as opened:
            opened.write("x")
        assert Walked(tmp_path).shown == ["\udcff.py"]

    def test_many_folders_deep_is_not_too_deep(self, tmp_path: Path) -> None:
        deep = tmp_path / "/".join("a" * 200)
        put(deep, "x.py")
        assert len(Walked(tmp_path).files) == 1


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "shut/a.py", "b.py")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = Walked(tmp_path)
    assert (found.shown, found.notes) == (["b.py"], {"shut": "cannot be opened: Permission denied"})
