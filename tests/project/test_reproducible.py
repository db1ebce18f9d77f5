"""The wheel and the source distribution: built again elsewhere, by somebody else, they are the same to the byte."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from faults.commands import run
from faults.once import made_once

ROOT = Path(__file__).resolve().parents[2]
LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", ".hypothesis", ".coverage*", ".ci-logs", "__pycache__", "_build", "dist", "build"
)
LITTER = (
    ".venv/bin/python",
    ".coverage",
    ".pytest_cache/README.md",
    "docs/_build/html/index.html",
    "dist/scope_prompts-0.0.0.tar.gz",
    "example_projects/django_site/var/db.sqlite3",
    "scope_client/__pycache__/errors.cpython-311.pyc",
    "tests/.hypothesis/examples",
)


def build(source: Path, folder: Path, **environment: str) -> None:
    python = (sys.executable, "-m", "build", "--sdist", "--wheel", "--no-isolation")
    run(*python, "--outdir", str(folder), str(source), **environment)


def elsewhere(folder: Path) -> Path:
    """A copy as another machine may have it: made in another order, with other rights and times, and with litter."""
    copy = folder / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_BEHIND)
    for number, path in enumerate(sorted(copy.rglob("*"), reverse=True)):
        if path.is_file():
            path.rename(f"{path}.renamed")
            Path(f"{path}.renamed").rename(path)
            path.chmod(0o600 | path.stat().st_mode & 0o100)
        os.utime(path, (number, 10**9 + number))
    for name in LITTER:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("litter")
    return copy


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "built-here", lambda folder: build(ROOT, folder))


@pytest.fixture(scope="module")
def built_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        before = os.umask(0o077)
        try:
            build(elsewhere(folder), folder, TZ="Pacific/Auckland", LC_ALL="C", PYTHONHASHSEED="77")
        finally:
            os.umask(before)

    return made_once(tmp_path_factory, "built-elsewhere", make)


def test_they_are_the_same_to_the_byte_whoever_builds_them(built, built_elsewhere):
    assert len(hashes(built)) == 2
    assert hashes(built_elsewhere) == hashes(built)


def test_a_wheel_of_the_tree_is_that_of_the_source_distribution(built, wheel):
    assert hashes(built)[wheel.name] == hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_the_wheel_says_the_addresses_and_the_pythons(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    names = [
        line.partition(": ")[2].partition(",")[0] for line in metadata.splitlines() if line.startswith("Project-URL:")
    ]
    assert sorted(names) == ["Changelog", "Documentation", "Homepage", "Issues", "Security", "Source"]
    assert "Classifier: Programming Language :: Python :: 3 :: Only" in metadata
