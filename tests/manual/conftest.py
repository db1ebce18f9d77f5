"""What the tests of a page share: its folder, and a platform that serves its prompts.

A test module of a page says which one it is: `PAGE = "integrations/flask.md"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manual import pages

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty folder but for the page's `prompts`."""
    pages.write_prompts(request.module.PAGE, tmp_path)
    return tmp_path


@pytest.fixture
def platform(folder: Path) -> Iterator[LocalPlatform]:
    """A platform that serves the page's prompts; `platform.environ` is what a program needs."""
    with LocalPlatform(folder / "prompts") as started:
        yield started
