"""What the page on locked mode says is true: its program runs with the lock it shows, and prints what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.locking import lock_platform
from manual import pages

from scope_client._lock.lock_file import read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client.local import LocalPlatform

PAGE = "locked-mode.md"


def test_the_program_prints_what_the_page_says(folder: Path, platform: LocalPlatform) -> None:
    pages.write_files(PAGE, folder)
    (block,) = pages.blocks(PAGE, "console")
    command, _, printed = block.text.partition("\n")
    assert command == "$ python app.py"
    done = pages.python(["app.py"], folder, **platform.environ)
    assert (done.returncode, done.stdout) == (0, printed)


def test_the_lock_is_the_one_of_the_platform_of_the_page(folder: Path, platform: LocalPlatform) -> None:
    pages.write_files(PAGE, folder)
    made = lock_platform(folder / "elsewhere", platform, "greeting")
    assert (folder / "scope.lock").read_text() == made.read_text()
    assert read_lock(folder / "scope.lock").versions == read_lock(made).versions


def test_a_promotion_changes_nothing(folder: Path, platform: LocalPlatform) -> None:
    pages.write_files(PAGE, folder)
    (folder / "prompts" / "greeting.md").unlink()
    lock_platform(folder, platform, "support-chat")
    done = pages.python(["app.py"], folder, **platform.environ)
    assert done.returncode == 1
    assert "has no prompt 'greeting'" in done.stderr
