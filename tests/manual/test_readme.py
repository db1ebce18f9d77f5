"""The README is short, true where it stands and on the package's page, and its code runs."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

import pytest
from faults.sites import free_port
from manual import pages
from manual.pages import DOCS, ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from scope_client.local import LocalPlatform

PAGE = "../README.md"
TEXT = pages.text_of(PAGE)
MOST_LINES = 150
RESULTS = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
BULLETS = "\n".join(re.findall(r"^- (.+(?:\n  .+)*)$", TEXT, re.MULTILINE))
# What a figure of a bullet is in the tables of results: its row, and the text in it.
FIGURES = {
    "323 ns": ("cached read", "323 ns"),
    "three times": ("cached read", "2.88 x"),
    "1.3 ms": ("platform gone, cache expired", "1.26 ms"),
    "0.2 ms": ("platform gone, cache expired", "170 us"),
    "64 threads": ("64 threads, one cold name: requests that reach the server", "| 1 |"),
    "1.1 µs": ("render, 2 kB, 5 variables", "1.12 us"),
}


def programs() -> list[pages.Block]:
    return [block for block in blocks(PAGE, "python") if block.is_program]


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= MOST_LINES


def test_its_links_work_on_the_package_page() -> None:
    """There is no folder around it there."""
    targets = re.findall(r"^\[[\w-]+\]: (\S+)$", TEXT, re.MULTILINE)
    assert len(targets) > 10
    assert [target for target in targets if not target.startswith("https://")] == []
    inline = [target for target in re.findall(r"\]\(([^)]+)\)", TEXT) if not target.startswith("https://")]
    assert inline == []


def test_each_of_its_links_has_an_address_and_each_address_is_linked() -> None:
    defined = re.findall(r"^\[([\w-]+)\]: ", TEXT, re.MULTILINE)
    used = re.findall(r"\]\[([\w-]+)\]", TEXT)
    assert sorted(set(used)) == sorted(defined)


def test_each_of_its_addresses_leads_to_a_file_of_the_project() -> None:
    found = re.findall(
        r"^\[[\w-]+\]: https://github\.com/[\w-]+/[\w-]+/(?:blob|raw)/main/([^\s#]+)(?:#\S+)?$", TEXT, re.MULTILINE
    )
    assert len(found) == len(re.findall(r"^\[[\w-]+\]: ", TEXT, re.MULTILINE))
    assert [path for path in found if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_of_its_bullets_was_measured(figure: str) -> None:
    row, measured = FIGURES[figure]
    assert figure in BULLETS
    found = [line for line in RESULTS.splitlines() if line.startswith((f"| {row} |", f"| {row} (", f"| {row}:"))]
    assert any(measured in line for line in found)


def test_each_bullet_has_a_figure() -> None:
    each = re.findall(r"^- (.+(?:\n  .+)*)$", TEXT, re.MULTILINE)
    assert len(each) == 5
    assert [bullet for bullet in each if not re.search(r"\d", bullet)] == []


def test_the_extras_that_it_names_are_there_and_it_names_all() -> None:
    extras = set(re.findall(r"^(\w+) = \[", PYPROJECT.partition("[project.optional-dependencies]")[2], re.MULTILINE))
    said = TEXT.partition("## Install")[2].partition("## ")[0]
    named = {*re.findall(r"scope-prompts\[(\w+)\]", said), *re.findall(r"`(\w+)`", said.partition("are ")[2])}
    assert named >= {"local", "django", "flask", "langchain", "redis", "all"}
    assert named - {"requests", "cachetools"} <= extras


def test_the_quick_start_is_twelve_lines_and_prints_what_it_says(folder: Path, platform: LocalPlatform) -> None:
    program = programs()[0]
    assert len(program.text.splitlines()) <= 12
    done = pages.run(program.text, folder, **platform.environ)
    assert (done.stderr, done.stdout) == ("", pages.promised_output(PAGE, program))
    assert done.stdout == "Good morning, Alice!\n"


def test_the_quick_start_with_a_wrong_secret_prints_one_line(folder: Path, platform: LocalPlatform) -> None:
    done = pages.run(programs()[0].text, folder, **{**platform.environ, "SCOPE_API_SECRET": "a-wrong-secret"})
    assert done.returncode == 1
    assert re.fullmatch(r"InvalidCredentialsError: .+\n", done.stderr)
    assert "a-wrong-secret" not in done.stderr


def test_the_chain_runs(folder: Path, platform: LocalPlatform) -> None:
    _, chain = programs()
    done = pages.run(chain.text, folder, **platform.environ)
    assert (done.stderr, done.stdout) == ("", "Good morning, Alice!\n")
    assert [request.path for request in platform.requests][-1].endswith("/greeting/production")


def test_the_flask_app_answers(folder: Path, platform: LocalPlatform) -> None:
    pages.write_files(PAGE, folder)
    visit = "from app import app\nprint(app.test_client().get('/Bob').text)"
    done = pages.run(visit, folder, **platform.environ)
    assert (done.stderr, done.stdout) == ("", "Good morning, Bob!\n")


def test_the_django_template_shows_its_prompt(folder: Path, platform: LocalPlatform) -> None:
    (template,) = blocks(PAGE, "django")
    (app,) = re.findall(r'`INSTALLED_APPS = \["(\w+)", \.\.\.\]`', TEXT)
    backend = "django.template.backends.django.DjangoTemplates"
    program = (
        "import django\nfrom django.conf import settings\n"
        f"settings.configure(INSTALLED_APPS=[{app!r}], TEMPLATES=[{{'BACKEND': {backend!r}}}])\n"
        "django.setup()\nfrom django.template import engines\n"
        f"template = engines['django'].from_string({template.text!r})\n"
        "print(template.render({'user': {'first_name': '<Ada>'}}).strip())\n"
    )
    done = pages.run(program, folder, **platform.environ)
    assert (done.stderr, done.stdout) == ("", "Good morning, &lt;Ada&gt;!\n")


@pytest.fixture
def picture() -> ModuleType:
    """The program that draws the picture."""
    spec = importlib.util.spec_from_file_location("terminal", DOCS / "_pictures" / "terminal.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words_of(svg: str) -> list[str]:
    """The lines without times and durations, which differ from run to run."""
    text = "\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)).replace("&#160;", " ")
    timeless = re.sub(r"\d\d:\d\d:\d\d|\s+\d+(?:\.\d)? (?:ms|µs)", "", text)
    return [" ".join(line.split()) for line in timeless.splitlines() if line.strip(" │")]


def test_the_picture_shows_what_the_two_terminals_print(picture: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET", "SCOPE_API_URL", "SCOPE_AUTH_API_URL"):
        monkeypatch.setenv(name, "")  # so that it is put back: the picture sets it
    port = free_port()
    above, below = picture.recorded(port)
    again = picture.drawn(above.replace(str(port), str(picture.PORT)), below)
    assert words_of(picture.PICTURE.read_text(encoding="utf-8")) == words_of(again)
    assert "stale" in again
