"""The page on changing prompts shows what `make changing` prints."""

from __future__ import annotations

from manual import pages

PAGE = "changing-prompts.md"


def test_the_page_shows_what_the_script_prints(tmp_path):
    (shown,) = (block.text for block in pages.blocks(PAGE, "console"))
    script = pages.ROOT / "example_projects" / "plain_script" / "changing.py"
    assert f"$(BIN)/python {script.relative_to(pages.ROOT)}" in (pages.ROOT / "Makefile").read_text()
    done = pages.python([str(script)], tmp_path)
    assert (f"$ make changing\n{done.stdout}", done.stderr) == (shown, "")
