"""The wheel and the source distribution: what they hold; and that the wheel works without any extra."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from faults.commands import run
from faults.environments import make_environment
from faults.once import made_once

from scope_client.local import LocalPlatform

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("scope_client", "scope_django", "scope_flask", "scope_langchain")
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-\d")
KEY_FILES = {".der", ".jks", ".key", ".keystore", ".p12", ".pem", ".pfx", ".ppk"}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The files of the source distribution, by their names in it."""

    def build(folder):
        run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(folder), str(ROOT))

    with tarfile.open(next(made_once(tmp_path_factory, "sdist", build).glob("*.tar.gz"))) as archive:
        files = [member for member in archive if member.isfile()]
        return {file.name.partition("/")[2]: archive.extractfile(file).read() for file in files}


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """A new environment with the wheel and nothing that it does not ask for."""

    def install(folder):
        make_environment(folder, str(wheel))

    return made_once(tmp_path_factory, "bare", install) / "bin"


def test_the_wheel_holds_four_typed_packages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for package in PACKAGES:
        assert f"{package}/__init__.py" in names
        assert f"{package}/py.typed" in names


def test_the_oldest_python_is_tested_with_the_oldest_langchain_core_that_is_promised():
    floor = re.search(r'"langchain-core>=([0-9.]+)"', (ROOT / "pyproject.toml").read_text()).group(1)
    oldest = next(
        line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("libraries[.venv-3.9]")
    )
    assert f'"langchain-core=={floor}"' in oldest
    assert f"langchain-core {floor} to the newest" in (ROOT / "README.md").read_text()


def test_the_wheel_holds_no_test_and_no_benchmark(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_brings_the_prompts_of_the_demo(wheel):
    assert any(
        name.startswith("scope_client/cli/") and name.endswith(".md") for name in zipfile.ZipFile(wheel).namelist()
    )


def test_the_wheel_brings_the_pages_of_the_local_platform(wheel):
    face = ROOT / "scope_client" / "local" / "_face"
    files = {str(file.relative_to(ROOT)) for kind in ("templates", "static") for file in (face / kind).iterdir()}
    assert len(files) > 15
    assert files <= set(zipfile.ZipFile(wheel).namelist())


def test_the_source_distribution_holds_the_tests_and_what_a_reader_is_told_to_read(sdist):
    assert {"README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "Makefile", "tests/conftest.py"} <= sdist.keys()


def test_no_file_of_the_source_distribution_holds_a_private_key(sdist):
    assert not [name for name, content in sdist.items() if PRIVATE_KEY.search(content)]
    assert not [name for name in sdist if Path(name).suffix.lower() in KEY_FILES]


def test_the_core_needs_requests_and_cachetools_and_no_more(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert sorted(line.split()[1].split(">")[0].split("<")[0] for line in needed) == ["cachetools", "requests"]


def test_without_extras_a_prompt_is_fetched_and_rendered(bare):
    program = (
        "from scope_client import ApiKeyCredentials, ScopeClient\n"
        "client = ScopeClient(credentials=ApiKeyCredentials.from_env())\n"
        "print(client.render_prompt('greeting', {'name': 'Ada'}))\n"
    )
    with LocalPlatform({"greeting": "Hello, {{name}}!"}) as platform:
        done = run(str(bare / "python"), "-I", "-W", "error", "-c", program, **platform.environ)
    assert done.stdout == "Hello, Ada!\n"


def test_without_extras_the_command_says_what_to_install(bare):
    done = run(str(bare / "scope"), "demo", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        'scope: the command scope needs click, which is not installed: pip install "scope-prompts[local]"\n'
    )


@pytest.mark.parametrize(
    ("program", "named"),
    [
        (
            "import scope_client.local",
            'the local platform needs Flask and PyJWT, which are not installed: pip install "scope-prompts[local]"',
        ),
        (
            "import scope_client; scope_client.RedisStore('redis://localhost')",
            'RedisStore needs redis, which is not installed: pip install "scope-prompts[redis]"',
        ),
        (
            "import scope_django",
            'scope_django needs Django, which is not installed: pip install "scope-prompts[django]"',
        ),
        (
            "import scope_django.test",
            'scope_django needs Django, which is not installed: pip install "scope-prompts[django]"',
        ),
        (
            "import scope_flask",
            'scope_flask needs Flask, which is not installed: pip install "scope-prompts[flask]"',
        ),
        (
            "import scope_langchain",
            'scope_langchain needs langchain-core, which is not installed: pip install "scope-prompts[langchain]"',
        ),
    ],
)
def test_without_extras_an_import_names_the_packages_that_are_missing_and_their_extra(bare, program, named):
    done = run(str(bare / "python"), "-I", "-c", program, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"Error: {named}")
