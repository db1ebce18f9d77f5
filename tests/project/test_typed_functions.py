"""What four type checkers say of the functions that `scope types` makes: of the module, of right calls, of mistakes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from faults.commands import run

from .checkers import COMPLAINTS, marked

pytestmark = pytest.mark.timeout(600)  # the environment may take long to install
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{q}}"},
]
PROMPTS = {
    "greeting.md": "Good {{time_of_day}}, {{name}}!\n",
    "qa-v2.md": f"---\ntype: chat\n---\n{json.dumps(CHAT)}\n",
    "odd.md": '---\nvariables: [tone, "return"]\n---\n{{class}} {{1}} {{name}}\n',
    "wait.md": "Wait.\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typed_functions")
    (folder / "prompts").mkdir()
    for name, text in PROMPTS.items():
        (folder / "prompts" / name).write_text(text, encoding="utf-8")
    words = ("-m", "scope_client.cli", "types", str(folder / "prompts"), "-o", str(folder / "prompts.py"))
    run(sys.executable, *words, PYTHONPATH=str(ROOT))
    for name in ("right_prompt_calls.py", "wrong_prompt_calls.py"):
        shutil.copy(HERE / name, folder)
    return folder


@pytest.mark.parametrize("checker", COMPLAINTS)
def test_a_checker_finds_each_mistake_and_nothing_else(
    checker: str, scripts: Path, project: Path, tmp_path: Path
) -> None:
    file = project / "wrong_prompt_calls.py"
    found = COMPLAINTS[checker](scripts, file, tmp_path)
    assert found.keys() == marked(checker, file), found


@pytest.mark.parametrize("name", ["prompts.py", "right_prompt_calls.py"])
@pytest.mark.parametrize("checker", COMPLAINTS)
def test_a_checker_has_nothing_to_say_of_the_module_and_of_right_calls(
    checker: str, name: str, scripts: Path, project: Path, tmp_path: Path
) -> None:
    assert COMPLAINTS[checker](scripts, project / name, tmp_path) == {}


def test_pyright_has_nothing_to_say_of_the_module_when_it_is_strict(scripts: Path, project: Path) -> None:
    (project / "strict").mkdir()
    (project / "strict" / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    shutil.copy(project / "prompts.py", project / "strict")
    words = ("--pythonpath", str(scripts / "python"), "--project", str(project / "strict"))
    done = subprocess.run([str(scripts / "pyright"), *words], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
