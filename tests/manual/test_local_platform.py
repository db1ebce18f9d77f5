"""What docs/local-platform.md says is true: its program goes through an outage, its rules and its tables hold."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages

from scope_client._folder.escaping import path_of, paths_of
from scope_client._folder.reader import PromptFolder
from scope_client._folder.record import STATUSES, TYPES
from scope_client._folder.version_file import FRONT_MATTER_KEYS
from scope_client.errors import ConfigurationError
from scope_client.local import LocalPlatform
from scope_client.local._face._fault_page import SWITCHES

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "local-platform.md"
TEXT = pages.text_of(PAGE)
MOST_PICTURE_BYTES = 150_000
LINE = re.compile(r"(\w+) +(\d+\.\d) s  (.+)\n")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading."""
    lines = TEXT.partition(f"# {heading}\n")[2].partition("\n|---|")[2].split("\n")[1:]
    rows = lines[: lines.index("")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_command_says_what_the_page_says_that_it_says(folder: Path) -> None:
    (block,) = [block for block in pages.blocks(PAGE, "console") if block.text.startswith("$ scope serve")]
    command, *promised = block.text.splitlines()
    words = [sys.executable, "-u", "-m", "scope_client.cli", *command.split()[2:], "--port", "0"]
    serving = subprocess.Popen(words, cwd=folder, env=pages.environment(), stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    printed = [serving.stdout.readline().rstrip("\n") for _ in promised]
    serving.send_signal(signal.SIGINT)
    serving.communicate(timeout=pages.PATIENCE)
    assert [re.sub(r":\d+", ":8750", line) for line in printed] == promised
    assert serving.returncode == 0


class Watching:
    """`watch.py` while it runs, a hundred times as fast."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        program = pages.files_of(PAGE)["watch.py"]
        quick = program.replace("cache_ttl=2", "cache_ttl=0.02").replace("time.sleep(1)", "time.sleep(0.01)")
        assert quick.count("0.0") == 2
        (folder / "watch.py").write_text(quick)
        paths = {"PYTHONPATH": str(pages.ROOT), **environ}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "watch.py"],
            cwd=folder,
            env=pages.environment(paths),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until_line(self, wanted: str) -> None:
        """Reads its lines up to this one, which alone need not tell of a version."""
        assert self.process.stdout is not None
        for line in iter(self.process.stdout.readline, ""):
            if line == wanted:
                return
            assert LINE.fullmatch(line), line
        raise AssertionError(f"it ended: {self.process.communicate()}")

    def until(self, source: str, content: str, besides: str = "") -> None:
        """Reads its lines up to one that begins and ends so; on the way there may be one that tells of no version."""
        assert self.process.stdout is not None
        for line in iter(self.process.stdout.readline, ""):
            if line == besides:
                continue
            found = LINE.fullmatch(line)
            assert found, line
            if (found[1], found[3]) == (source, content):
                return
        raise AssertionError(f"it ended: {self.process.communicate()}")


def test_the_program_goes_through_the_outage_as_the_page_tells(platform: LocalPlatform, folder: Path) -> None:
    old, new = "Good {{time_of_day}}, {{name}}!", "Good {{time_of_day}}, dear {{name}}!"
    shown = [LINE.fullmatch(f"{line}\n") for block in pages.blocks(PAGE, "text") for line in block.text.splitlines()]
    assert [(found[1], found[3]) for found in shown if found] == [("stale", old), ("stale", old), ("memory", new)]
    (refusal,) = [block.text for block in pages.blocks(PAGE, "text") if "Error: " in block.text]
    watching = Watching(folder, platform.environ)
    try:
        watching.until("platform", old)
        platform.fail(503)
        platform.fail(503, on="auth")
        watching.until("stale", old)
        version = platform._library.draft("greeting", new)
        platform._library.publish_version("greeting", version.number)
        watching.until("stale", old)
        platform.recover()
        watching.until("memory", new)
        platform.refuse_tokens()
        watching.until_line(refusal)
        platform.recover()
        watching.until("memory", new, besides=refusal)
    finally:
        watching.process.kill()
        watching.process.communicate()
    assert (folder / "prompts" / "greeting" / "v2.md").read_text().endswith(f"{new}\n")


ENTRIES = {
    "alone.md": "Text",
    "several/v1.md": "One",
    "several/V2.MD": "Two",
    "README.md": "---\nstatus: [\n",
    "node_modules/v1.md": "Text",
    ".hidden.md": "Text",
    "other.txt": "Text",
    "several/readme.md": "Text",
    "several/notes.txt": "Text",
    "support/greeting/v7.md": "Text",
    "support/v1.md": "Text",
    "support/reply.md": "Text",
}


def written(folder: Path, entries: dict[str, str]) -> Path:
    for name, text in entries.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_these_entries_are_prompts_and_those_are_left_out(tmp_path: Path) -> None:
    read = PromptFolder(written(tmp_path, ENTRIES))
    assert {name: len(read.versions(name)) for name in read.names} == {
        "alone": 1,
        "several": 2,
        "support": 1,
        "support/greeting": 1,
        "support/reply": 1,
    }


@pytest.mark.parametrize(
    "entry",
    ["several/v01.md", "several/v2-old.md", "alone/v1.md", "ALONE.md", "Support/x.md", f"{'a/' * 41}b.md"],
)
def test_these_entries_are_errors(entry: str, tmp_path: Path) -> None:
    written(tmp_path, ENTRIES)
    with pytest.raises(ConfigurationError):
        PromptFolder(written(tmp_path, {entry: "Text"}))


def test_the_table_of_front_matter_has_every_key_status_and_type() -> None:
    rows = {key: about for keys, about in table("Front matter") for key in re.findall(r"`(\w+)`", keys)}
    assert set(rows) == set(FRONT_MATTER_KEYS)
    assert re.findall("`(draft|published|archived)`", rows["status"]) == list(STATUSES)
    assert set(re.findall("`(text|chat)`", rows["type"])) == set(TYPES)


def test_two_prompts_of_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    text = "---\nprompt_id: prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A\n---\n"
    with pytest.raises(ConfigurationError, match=r"b\.md: its prompt_id .* is also that of a\.md; change one"):
        PromptFolder(written(tmp_path, {"a.md": text, "b.md": text}))


def test_names_are_written_as_the_table_says() -> None:
    rows = table("Names that are no file names")
    shown = {name: path for names, paths in rows for name, path in zip(codes_in(names), codes_in(paths))}
    assert len(shown) >= len(rows)
    side_by_side = {"Greeting": paths_of(["Greeting", "greeting"])["Greeting"]}
    assert {name: f"{side_by_side.get(name, path_of(name))}/v1.md" for name in shown} == shown


def codes_in(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def test_a_lone_file_is_published_and_one_of_several_a_draft(tmp_path: Path) -> None:
    read = PromptFolder(written(tmp_path, ENTRIES))
    assert [version.status for version in read.versions("alone")] == ["published"]
    assert [version.status for version in read.versions("several")] == ["draft", "draft"]


@pytest.mark.parametrize("text", ["\n---\nstatus: draft\n---\nText", "<!-- x -->\n---\nstatus: draft\n---\nText"])
def test_front_matter_that_is_not_at_the_beginning_is_an_error_that_names_the_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="line 2"):
        PromptFolder(written(tmp_path, {"late.md": text}))


def test_a_text_may_begin_with_a_rule_after_empty_front_matter(tmp_path: Path) -> None:
    (version,) = PromptFolder(written(tmp_path, {"rule.md": "---\n---\n---\nText\n"})).versions("rule")
    assert version.content == "---\nText"


def test_the_table_of_faults_has_every_switch() -> None:
    assert [row[0] for row in table("Faults")] == [switch.title for switch in SWITCHES.values()]


def test_the_table_of_what_is_written_holds(platform: LocalPlatform, folder: Path) -> None:
    library: Any = platform._library
    library.draft("greeting", "Two")
    assert not (folder / "prompts" / "greeting.md").exists()
    library.publish_version("greeting", 2)
    statuses = {file.name: file.read_text() for file in (folder / "prompts" / "greeting").iterdir()}
    assert "status: archived" in statuses["v1.md"]
    assert "status: published" in statuses["v2.md"]
    library.archive_version("greeting", 2)
    assert "status: archived" in (folder / "prompts" / "greeting" / "v2.md").read_text()
    library.draft("fresh", "One")
    assert [file.name for file in (folder / "prompts" / "fresh").iterdir()] == ["v1.md"]


def test_the_keys_are_those_of_the_page(platform: LocalPlatform) -> None:
    assert f"`{platform.environ['SCOPE_API_KEY']}`" in TEXT
    assert f"`{platform.environ['SCOPE_API_SECRET']}`" in TEXT


def test_the_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"!\[([^\]]+)\]\((_static/[^)]+)\)", TEXT)
    assert len(pictures) == 2
    for alternative, path in pictures:
        assert len(alternative) > 40
        assert 1_000 < (pages.DOCS / path).stat().st_size < MOST_PICTURE_BYTES
