"""A process without file descriptors, or one whose imports fail in another way, reads as it does in an outage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
# Each program begins like this: nothing of the network is loaded yet.
BEGINNING = """
import json, os, resource, sys
from scope_client import ApiKeyCredentials, ScopeClient

def read(**options):
    try:
        return client.get_prompt_version("greeting", **options).content
    except BaseException as error:
        return [each.__name__ for each in type(error).__mro__]

def use_up():
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass

def give_back():
    while held:
        os.close(held.pop())

held = []
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
folder = os.environ.get("FOLDER")
client = ScopeClient(credentials=ApiKeyCredentials.from_env(), max_retries=0, prompt_dir=folder)
assert "requests" not in sys.modules and "ssl" not in sys.modules
"""
AN_OUTAGE = ["ConnectionError", "ScopeError"]


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello, {{name}}!"}) as started:
        yield started


def seen_by(program: str, platform: LocalPlatform, **variables: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + program],
        env={**os.environ, **platform.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


NONE_ARE_LEFT = """
use_up()
for _ in range(LEFT):
    os.close(held.pop())
seen = [read(fallback="stand-in"), read(), client.status().last_error]
give_back()
seen += [read(), "HTTPSConnection" in vars(sys.modules["http.client"])]
use_up()
client.close()
seen += [read(cache=False, fallback="stand-in"), read(cache_ttl=0)]
give_back()
print(json.dumps([*seen, read(cache=False)]))
"""


@pytest.mark.parametrize("left", [0, 1, 5])
def test_none_are_left_before_the_first_fetch_and_later_there_are_some(left: int, platform: LocalPlatform) -> None:
    program = f"LEFT = {left}\n{NONE_ARE_LEFT}"
    stand_in, error, last_error, later, has_tls, again_stand_in, stale, at_last = seen_by(program, platform)
    assert stand_in == again_stand_in == "stand-in"
    assert [kind for kind in AN_OUTAGE if kind not in error] == []
    assert last_error.startswith("ConnectionError: ")
    assert "Too many open files" in last_error
    assert later == stale == at_last == "Hello, {{name}}!"
    assert has_tls


def test_the_prompt_folder_stands_in(platform: LocalPlatform, tmp_path: Path) -> None:
    (tmp_path / "greeting.md").write_text("from the folder")
    program = "use_up()\nseen = [read()]\ngive_back()\nprint(json.dumps([*seen, read(cache=False)]))"
    assert seen_by(program, platform, FOLDER=str(tmp_path)) == ["from the folder", "Hello, {{name}}!"]


# In the middle of the imports, at one of them.
AT_AN_IMPORT = """
imports = 0

def hook(event, arguments):
    global imports
    imports += event == "import"
    if event == "import" and imports == PLACE:
        HAPPENS

seen = []
sys.addaudithook(hook)
seen.append(read(fallback="stand-in"))
give_back()
seen.append(read(cache=False))
import requests, urllib3
seen.append([hasattr(urllib3, "util"), hasattr(requests, "adapters"), hasattr(sys.modules["ssl"], "SSLContext")])
print(json.dumps(seen))
"""
PLACES = (1, 20, 60, 75, 90, 110, 140, 165, 180)


def in_the_middle(happens: str, place: int, platform: LocalPlatform) -> Any:
    program = AT_AN_IMPORT.replace("PLACE", str(place)).replace("HAPPENS", happens)
    return seen_by(program, platform)


@pytest.mark.parametrize("place", PLACES)
def test_the_last_one_goes_while_modules_are_loaded(place: int, platform: LocalPlatform) -> None:
    stand_in, later, is_whole = in_the_middle("use_up()", place, platform)
    assert stand_in == "stand-in"
    assert later == "Hello, {{name}}!"
    assert is_whole == [True, True, True]


@pytest.mark.parametrize("place", PLACES)
def test_an_interrupt_strikes_while_modules_are_loaded(place: int, platform: LocalPlatform) -> None:
    interrupt, later, is_whole = in_the_middle("raise KeyboardInterrupt", place, platform)
    assert interrupt[0] == "KeyboardInterrupt"
    assert later == "Hello, {{name}}!"
    assert is_whole == [True, True, True]


@pytest.mark.parametrize("module", ["requests", "urllib3.util", "ssl"])
def test_a_module_cannot_be_had(module: str, platform: LocalPlatform) -> None:
    program = f"""
sys.modules[{module!r}] = None
seen = [read(fallback="stand-in"), read()]
del sys.modules[{module!r}]
print(json.dumps([*seen, read(cache=False)]))
"""
    stand_in, error, later = seen_by(program, platform)
    assert stand_in == "stand-in"
    assert [kind for kind in AN_OUTAGE if kind not in error] == []
    assert later == "Hello, {{name}}!"
