"""The cost of a prompt folder is bounded by its size, and so are its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest
from faults import growth

from scope_client._folder.reader import PromptFolder, read_prompt_dir
from scope_client._folder.version_file import read_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BROKEN = "---\nstatsu: draft\n---\n"


def lines(size: int, line: str = "k{}: v") -> str:
    return "\n".join(map(line.format, range(size)))


def bombs(size: int, first: str, line: str) -> str:
    """Each line stands for twice as much as the one before it."""
    return "\n".join([first, *(line.format(number + 1, number) for number in range(size))])


FRONTS: dict[str, tuple[Callable[[int], str], int]] = {
    "unknown keys": (lines, 250),
    "a long unknown key": (lambda n: f"{'k' * n}: v", 5_000),
    "metadata": (lambda n: "metadata:\n" + lines(n, "  k{}: v"), 250),
    "metadata under a long name": (lambda n: f"metadata:\n  ? {'k' * n}\n  :\n{lines(n // 10, '    k{}: v')}", 2_500),
    "metadata that JSON cannot hold": (lambda n: "metadata: {a: [" + "x, " * n + ".nan]}", 1_000),
    "tags": (lambda n: "tags: [" + "t, " * n + "]", 1_000),
    "tags that are not text": (lambda n: "tags: [" + "1, " * n + "]", 1_000),
    "a long id": (lambda n: "id: " + "x" * n, 10_000),
    "a long status": (lambda n: "status: " + "x" * n, 10_000),
    "lists in lists": (lambda n: "metadata: " + "[" * n, 5_000),
    "a number with colons": (lambda n: "id: 1" + ":1" * n, 2_000),
    "a long number": (lambda n: "id: " + "1" * n, 10_000),
    "a list of one long text": (lambda n: f"metadata: {{a: &a {'x' * n}, b: [{'*a, ' * n}]}}", 1_000),
    "aliases of aliases": (lambda n: f"metadata:\n{bombs(n, '  a0: &a0 [x]', '  a{0}: &a{0} [*a{1}, *a{1}]')}", 8),
    "merges of merges": (lambda n: bombs(n, "a0: &a0 {x: 1}", "a{0}: &a{0}\n  <<: [*a{1}, *a{1}]"), 8),
    "an odd line": (lambda n: "a: b: " + "c" * n, 10_000),
}


@pytest.mark.parametrize("what", FRONTS)
def test_front_matter(what: str, tmp_path: Path) -> None:
    front, first = FRONTS[what]

    def prepared(size: int) -> Callable[[], object]:
        file = tmp_path / "p.md"
        file.write_text(f"---\n{front(size)}\n---\ntext")
        return lambda: read_version(str(file), "p", 1, "draft")

    growth.check(prepared, first)


CONTENTS: dict[str, tuple[Callable[[int], str], int]] = {
    "text": (lambda n: "x" * n, 100_000),
    "fences": (lambda n: "---\n---\n" * n, 2_000),
    "one fence": (lambda n: "---\n" + "--- \t" * n, 2_000),
    "a fence with much room": (lambda n: "---" + " " * n + "x", 20_000),
    "line ends": (lambda n: "\r\n" * n, 20_000),
    "a file that is too long": (lambda n: "x" * (17_000_000 + n), 1_000),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_a_file(what: str, tmp_path: Path) -> None:
    content, first = CONTENTS[what]

    def prepared(size: int) -> Callable[[], object]:
        file = tmp_path / "p.md"
        file.write_text(content(size))
        return lambda: read_version(str(file), "p", 1, "draft")

    growth.check(prepared, first)


FILES: dict[str, Callable[[int], Iterable[tuple[str, str]]]] = {
    "prompts": lambda n: ((f"p{i}.md", "text") for i in range(n)),
    "broken prompts": lambda n: ((f"p{i}.md", BROKEN) for i in range(n)),
    "versions": lambda n: ((f"p/v{i + 1}.md", "text") for i in range(n)),
    "broken versions": lambda n: ((f"p/v{i + 1}.md", BROKEN) for i in range(n)),
    "published versions": lambda n: ((f"p/v{i + 1}.md", "---\nstatus: published\n---\n") for i in range(n)),
    "versions of one id": lambda n: ((f"p/v{i + 1}.md", "---\nid: same\n---\n") for i in range(n)),
    "files with a wrong name": lambda n: ((f"p/x{i}.md", "text") for i in range(n)),
    "other files": lambda n: ((f"x{i}.txt", "text") for i in range(n)),
}


def written(root: Path, files: Iterable[tuple[str, str]]) -> Path:
    for name, text in files:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.mark.parametrize("what", FILES)
def test_files(what: str, tmp_path: Path) -> None:
    def prepared(size: int) -> Callable[[], object]:
        root = written(tmp_path / str(size), FILES[what](size))
        return lambda: read_prompt_dir(root)

    growth.check(prepared, 50)


def test_looks_at_prompts_that_all_break(tmp_path: Path) -> None:
    def prepared(size: int) -> Callable[[], object]:
        root = written(tmp_path / str(size), FILES["prompts"](size))
        told: list[str] = []
        seconds = [0.0]
        folder = PromptFolder(root, told.append, look_seconds=1.0, now=lambda: seconds[0])
        written(root, FILES["broken prompts"](size))

        def looks() -> None:
            seconds[0] += 2.0
            for number in range(size):
                folder.look(f"p{number}")
            assert len(told) == 1
            assert all(len(text) <= growth.LONGEST_MESSAGE for text in told)

        return looks

    growth.check(prepared, 50)
