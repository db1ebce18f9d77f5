"""On the example projects all uses are resolved, or counted as known only at run time; none is overlooked."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from scope_client._check.catalogue import FolderCatalogue
from scope_client._check.comparison import Against, compare
from scope_client._check.scan import scan

EXAMPLES = Path(__file__).resolve().parents[2] / "example_projects"
# Prompts that examples publish themselves, in place of those of the folder.
OF_THEIR_OWN = {
    "langchain_chain": {
        "support-answer.md": '---\ntype: chat\n---\n[{"role": "system", "content": "{{notes}}"}, '
        '{"role": "placeholder", "content": "{{history}}"}, {"role": "user", "content": "{{question}}"}]',
        "shop-agent.md": "You sell lamps.",
    },
    "plain_script": {
        "greeting.md": "Hi {{name}}!",
        "newsletter.md": "{{month}}",
        "reminder.md": "Good {{time_of_day}}, {{name}}!",
    },
}
_ASKS = re.compile(
    r"\b(a?get_prompt_version|a?render_prompt|a?read_prompt|a?prefetch|scope_prompt(?:_middleware)?)\b\W"
)
_NO_CALL = re.compile(r"^\s*(#|\{#|from |import |\"\"\"|\{% load)|\bdef (a?get_prompt|a?render_prompt|a?read_prompt)")


@pytest.mark.parametrize("project", sorted(path.name for path in EXAMPLES.iterdir() if path.name != "prompts"))
def test_every_use_of_an_example_is_resolved_or_counted(project, tmp_path):
    prompts = tmp_path / "prompts"
    shutil.copytree(EXAMPLES / "prompts", prompts, ignore=shutil.ignore_patterns("README.md"))
    for name, text in OF_THEIR_OWN.get(project, {}).items():
        shutil.rmtree(prompts / name[: -len(".md")], ignore_errors=True)
        (prompts / name).write_text(text)
    if (EXAMPLES / project / "prompts").is_dir():
        shutil.copytree(EXAMPLES / project / "prompts", prompts, dirs_exist_ok=True)
    seen = scan(["."], here=str(EXAMPLES / project), cache=False, processes=1)
    compared = compare(seen.uses, Against(FolderCatalogue(str(prompts))))
    assert [str(each) for each in (*seen.findings, *compared.findings)] == []
    assert len(compared.checked) + len(compared.unchecked) == len(seen.uses)
    known = {(use.place.file, use.place.line) for use in seen.uses}
    overlooked = [place for place in asked(EXAMPLES / project) if not any(_is_near(place, each) for each in known)]
    assert overlooked == []


def asked(project: Path) -> list[tuple[str, int]]:
    """The lines at which a look for words finds a call or a tag."""
    found = []
    for folder, _, names in os.walk(project):
        for name in sorted(names):
            if name.endswith((".py", ".html")):
                path = Path(folder, name)
                lines = path.read_text().splitlines()
                file = path.relative_to(project).as_posix()
                found += [
                    (file, number)
                    for number, line in enumerate(lines, 1)
                    if _ASKS.search(line) and not _NO_CALL.search(line)
                ]
    return found


def _is_near(asked_at: tuple[str, int], used_at: tuple[str, int]) -> bool:
    """A name may be on a line below its call."""
    return asked_at[0] == used_at[0] and 0 <= used_at[1] - asked_at[1] <= 3
