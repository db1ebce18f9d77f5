"""The pages of the manual as its tests see them: their blocks of code, files and prompts; and how a program is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PATIENCE = 60.0
# What every page's platform serves, under the names of the tutorial.
PROMPTS = {
    "greeting": "---\nmetadata: {model: gpt-4, temperature: 0.7}\n---\nGood {{time_of_day}}, {{name}}!\n",
    "support-chat": (
        "---\ntype: chat\n---\n[\n"
        '  {"role": "system", "content": "You answer questions about the {{product}}."},\n'
        '  {"role": "user", "content": "{{question}}"}\n]\n'
    ),
}
_FENCE = re.compile(r"(?P<indent>\s*)(?P<marks>`{3,}|:{3,})\s*(?P<info>[^`]*)")
# `# app.py`, `{# templates/home.html #}`, `<!-- home.html -->`: the first line of a block that is a file.
_PATH = re.compile(r"(?:#|\{#|<!--) ([\w./-]+\.\w+)(?: #\}| -->)?")
_PROMPT = re.compile(r"`(prompts/[\w.-]+\.md)`:?$")
_NEEDS = re.compile(r"<!-- needs Python 3\.(\d+) -->")
_PRINTS_BESIDE = re.compile(r"\bprints `([^`]+)`[.:]")


class Block(NamedTuple):
    """A block of code: the words around it, and what it holds."""

    page: str
    language: str
    text: str
    line: int
    before: str
    """The line of text above it; empty if another block is."""
    after: str
    """The line of text below it; empty if another block is."""
    oldest_minor: int
    """The 10 of a line `<!-- needs Python 3.10 -->` above it, or 0."""

    @property
    def path(self) -> str:
        """That of the file which the block is; empty if its first line names none."""
        found = _PATH.fullmatch(self.text.partition("\n")[0].rstrip())
        return found.group(1) if found else ""

    @property
    def prompt_path(self) -> str:
        """`prompts/greeting.md`, if the line above says that the block is this file."""
        found = _PROMPT.search(self.before) if self.language == "markdown" else None
        return found.group(1) if found else ""

    @property
    def is_test(self) -> bool:
        return (
            self.language == "python"
            and not self.path
            and re.search(r"^(?:async )?def test_", self.text, re.M) is not None
        )

    @property
    def is_program(self) -> bool:
        return self.language == "python" and not self.path and not self.is_test

    @property
    def is_for_this_python(self) -> bool:
        return sys.version_info >= (3, self.oldest_minor)

    @property
    def name(self) -> str:
        """The page, and the first line that says something."""
        said = (line for line in self.text.splitlines() if line and line[0] not in " )}]#@")
        telling = next((line for line in said if not line.startswith(("import ", "from "))), self.text.splitlines()[0])
        return f"{self.page}: {telling[:60]}"


def pages() -> list[str]:
    """Every page, such as `guide/reading.md`."""
    found = (file.relative_to(DOCS) for file in DOCS.rglob("*.md"))
    return sorted(file.as_posix() for file in found if not file.parts[0].startswith("_"))


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, language: str | None = None) -> list[Block]:
    """The blocks of a page, those inside its notes too; of one language, if it is given."""
    found = _blocks_in(text_of(page).splitlines(), page, 1)
    return [block for block in found if language in (None, block.language)]


def _blocks_in(lines: list[str], page: str, first: int) -> Iterator[Block]:
    at = 0
    before, oldest = "", 0
    held: Block | None = None  # until the line below it is known
    while at < len(lines):
        line = lines[at]
        opened = _FENCE.fullmatch(line)
        if not opened:
            needs = _NEEDS.match(line)
            oldest = int(needs.group(1)) if needs else oldest
            if line.strip() and not needs:
                if held:
                    yield held._replace(after=line.strip())
                    held = None
                before, oldest = line.strip(), 0
            at += 1
            continue
        if held:
            yield held
            held = None
        end = _end_of(lines, at, opened["marks"])
        inner = textwrap.dedent("\n".join(lines[at + 1 : end])).splitlines()
        language, directive = _language(opened["info"].strip())
        if directive and not language:
            if directive not in ("eval-rst", "toctree"):
                yield from _blocks_in(inner, page, first + at + 1)
        else:
            if directive:
                inner = _without_options(inner)
            held = Block(page, language, "\n".join(inner) + "\n", first + at, before, "", oldest)
        before, oldest = "", 0
        at = end + 1
    if held:
        yield held


def _end_of(lines: list[str], start: int, marks: str) -> int:
    for at in range(start + 1, len(lines)):
        line = lines[at].strip()
        if line and set(line) == {marks[0]} and len(line) >= len(marks):
            return at
    raise ValueError(f"a block is not closed: {lines[start]}")


def _language(info: str) -> tuple[str, str]:
    """("python", "") of ```python; ("python", "code-block") of ```{code-block} python; ("", "note") of ```{note}."""
    found = re.match(r"\{([\w:-]+)\}\s*(\S*)", info)
    if not found:
        return info.split(" ")[0], ""
    return (found.group(2) if found.group(1) in ("code-block", "code") else ""), found.group(1)


def _without_options(lines: list[str]) -> list[str]:
    while lines and re.match(r":[\w-]+:", lines[0]):
        lines = lines[1:]
    return lines[1:] if lines and not lines[0] else lines


def files_of(page: str) -> dict[str, str]:
    """The files that a page shows, by path, without the line that names them; two by one name are parts of one file."""
    found: dict[str, str] = {}
    for block in blocks(page):
        if block.path:
            found[block.path] = found.get(block.path, "") + block.text.partition("\n")[2]
    return found


def prompts_of(page: str) -> dict[str, str]:
    """The prompts of a page by path, such as `prompts/greeting.md`: those of the tutorial, and what it shows itself."""
    shown: dict[str, str] = {}
    for block in blocks(page, "markdown"):
        if block.prompt_path:
            shown.setdefault(block.prompt_path, block.text)
    return {**{f"prompts/{name}.md": text for name, text in PROMPTS.items()}, **shown}


def write_prompts(page: str, folder: Path) -> None:
    """Puts the folder `prompts` of a page into a folder."""
    (folder / "prompts").mkdir(exist_ok=True)
    for path, text in prompts_of(page).items():
        (folder / path).write_text(text, encoding="utf-8")


def write_files(page: str, folder: Path, *left_out: str) -> None:
    """Puts the files of a page where it says that they are."""
    for path, text in files_of(page).items():
        if path not in left_out:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


def promised_output(page: str, program: Block) -> str | None:
    """What the page says that a program prints, in the block after it or in the line after it; None if it does not."""
    found = blocks(page)
    place = found.index(program)
    following = found[place + 1] if place + 1 < len(found) else None
    if following and following.language == "text" and following.before.endswith("prints:"):
        return following.text
    beside = _PRINTS_BESIDE.search(program.after)
    return f"{beside.group(1)}\n" if beside else None


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without its settings, with this copy of the packages, and with what is given."""
    ours = ("SCOPE_", "FLASK_", "DJANGO_", "LANGCHAIN_", "LANGSMITH_", "REDIS_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**clean, "PYTHONPATH": str(ROOT), **(given or {})}


def run(program: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a folder, whose modules it may import, with warnings as errors."""
    return python(["-W", "error", "-c", program], folder, **given)


def python(arguments: list[str], folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with these arguments in a folder, whose modules it may import."""
    paths = {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment({**paths, **given}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def run_tests(folder: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest in a folder, with the plugin of the packages and no other."""
    plugin = ["-m", "pytest", "-q", "-p", "scope_client.testing.plugin", "-p", "no:cacheprovider", *arguments]
    return python(plugin, folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", **given)
