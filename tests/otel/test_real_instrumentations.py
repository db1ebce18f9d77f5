"""Real instrumentations of real libraries, against models on loopback: the spans of models carry their own prompts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from manual import pages
from otel import libraries, show
from recipes import apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.traced import Traced

SHOW = Path(show.__file__)
PLAYED = [
    (name, scene, in_blocks)
    for name, library in libraries.LIBRARIES.items()
    for scene in show.playable(library)
    for in_blocks in (False, True)
]


@pytest.fixture(scope="module")
def theatre() -> Iterator[show.Theatre]:
    with show.theatre() as opened, pytest.MonkeyPatch.context() as patch:
        for name, value in {**opened.models.environ, **libraries.WITHOUT_TEXTS}.items():
            patch.setenv(name, value)
        yield opened


@pytest.fixture(scope="module")
def traced(theatre: show.Theatre, request: pytest.FixtureRequest) -> Iterator[tuple[str, Traced]]:
    """While the library of the test is instrumented."""
    with theatre.tracing(libraries.LIBRARIES[request.param]) as made:
        yield request.param, made


@pytest.mark.parametrize(
    ("traced", "scene", "in_blocks"),
    PLAYED,
    ids=[f"{name}-{scene}-{'blocks' if in_blocks else 'renderings'}".replace(" ", "-") for name, scene, in_blocks in PLAYED],
    indirect=["traced"],
)
@pytest.mark.filterwarnings("default")  # of libraries that wait for one another
def test_each_span_of_a_model_carries_its_prompt_and_no_other_span_does(
    theatre: show.Theatre, traced: tuple[str, Traced], scene: str, in_blocks: bool
) -> None:
    name, made = traced
    library = libraries.LIBRARIES[name]
    assert theatre.judged(theatre.play(made, library, scene, in_blocks), library, in_blocks) == []


@pytest.mark.parametrize("name", libraries.LIBRARIES_APART)
def test_the_official_ones_of_today_agree(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = run([apart.made(tmp_path_factory), SHOW, "--judge", name])
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def run(command: list[Any], **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        env=pages.environment(environ),
        capture_output=True,
        text=True,
        timeout=pages.PATIENCE,
        check=False,
    )
