"""Real instrumentations of real libraries, against models on loopback: the spans of models carry their own prompts."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages
from otel import libraries, show
from recipes import apart

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 150.0


@pytest.fixture(scope="module")
def theatre() -> Iterator[show.Theatre]:
    with show.theatre() as opened, pytest.MonkeyPatch.context() as patch:
        for name, value in {**opened.models.environ, **libraries.WITHOUT_TEXTS}.items():
            patch.setenv(name, value)
        yield opened


@pytest.mark.filterwarnings("default")  # of libraries that wait for one another
@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_each_span_of_a_model_carries_its_prompt_and_no_other_span_does(theatre: show.Theatre, name: str) -> None:
    performance = theatre.performance(libraries.LIBRARIES[name])
    assert [f"{title}: {fault}" for title, _, wrong in performance for fault in wrong] == []


@pytest.mark.timeout(300)  # it may be the first to make the environment
def test_the_official_ones_of_today_agree(tmp_path_factory: pytest.TempPathFactory) -> None:
    done = run([apart.made(tmp_path_factory), "-m", "otel.show", "--judge", *libraries.LIBRARIES_APART])
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def run(command: list[Any], **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        env=pages.environment({"PYTHONPATH": f"{pages.ROOT / 'tests'}:{pages.ROOT}", **environ}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
