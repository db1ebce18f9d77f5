"""One mistake of each code, in each kind of place: found at its line and column, alike in all four formats.

In the files below "<<S101>>" stands right before the character at which the finding is to be.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from scope_client import ScopeClient
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion, text_of
from scope_client.local import LocalPlatform

ROOT = Path(__file__).resolve().parents[2]
_MARK = re.compile(r"<<(S\d+)>>")
CALLS = """\
from scope_client import ScopeClient

client = ScopeClient()
client.get_prompt_version(<<S101>>"greting")
client.render_prompt("greeting", {"time_of_day": 1, "name": 2, <<S102>>"nmae": 3})
ü = client.render_prompt(<<S103>>"greeting", variables={"name": "größer"}); client.get_prompt_version(<<S101>>"greting")
client.get_prompt_version(<<S104>>"greeting", label="staging")
client.read_prompt(<<S104>>"greeting", version="v_of_nobody")
client.get_prompt_version(<<S104>>"unpublished")
client.get_prompt_version("chat").messages(topic="a", question="b", <<S105>>history="text")
client.get_prompt_version(<<S106>>"moved")
"""
CONSTANTS = """\
from enum import Enum

from scope_client import ScopeClient

UNKNOWN = "greting"
GREETING: str = "greeting"


class Prompt(str, Enum):
    MOVED = "moved"
    CHAT = "chat"


class Mailer:
    def send(self, client: ScopeClient) -> None:
        <<S101>>client.get_prompt_version(UNKNOWN)
        client.render_prompt(GREETING, dict(time_of_day=1, name=2, <<S102>>nmae=3))
        <<S103>>client.render_prompt(GREETING)
        <<S104>>client.get_prompt_version(GREETING, version="v_chat")
        client.get_prompt_version(Prompt.CHAT).render(topic=1, question=2, <<S105>>history="x")
        <<S106>>client.get_prompt_version(Prompt.MOVED.value)
"""
LISTS = """\
from scope_client import ScopeClient

client = ScopeClient()
client.prefetch([
    "greeting",
    <<S101>>"greting",
    (<<S104>>"greeting", "staging"),
    (<<S104>>"greeting", None, "v_of_nobody"),
    <<S106>>"moved",
])
for name in ["chat", "chta"]:
    <<S101>>client.get_prompt_version(name)
"""
LANGCHAIN = """\
from scope_langchain import ScopeChatPromptTemplate, ScopePromptTemplate, scope_prompt

chain = scope_prompt(<<S101>>"greting")
ScopePromptTemplate.from_scope(<<S105>>"chat")
ScopeChatPromptTemplate.from_scope(<<S105>>"greeting")
ScopePromptTemplate.from_scope(<<S106>>"moved")
ScopePromptTemplate.from_scope(<<S104>>"greeting", version="v_of_nobody")
"""
COMMENTS = """\
def ask(name, **values):
    return client.render_prompt(name, values)  # scope: uses <<S101>>greting(name)


# scope: uses greeting(time_of_day, name, <<S102>>nmae)
# scope: uses <<S103>>greeting(name)
# scope: uses <<S104>>greeting label=staging
# scope: uses <<S106>>moved
"""
DJANGO = """\
{% load scope %}
<p>größer {% scope_prompt <<S101>>"greting" name=user %}</p>
{% scope_prompt "greeting" time_of_day="day" name=user <<S102>>nmae=user %}
{% if user %}{% scope_prompt <<S103>>"greeting" name=user %}{% endif %}
{% scope_prompt <<S104>>"greeting" label="staging" time_of_day="day" name=user %}
{% scope_prompt <<S106>>"moved" as text %}
{% scope_prompt <<S105>>"chat" fallback="Hi" topic=1 question=2 history=user.history %}
<<S107>>{% scope_prompt "greeting"
   name=user time_of_day="day" %}
"""
JINJA = """\
<p>{{ scope_prompt(<<S101>>"greting", name=user) }}</p>
{{ scope_prompt("greeting", time_of_day="day",
                name=user, <<S102>>nmae=user) }}
{% set text = scope_prompt(<<S103>>'greeting', name=user) %}
{{ scope_prompt(<<S104>>"greeting", version="v_of_nobody", time_of_day=1, name=2) }}
{{ scope_prompt(<<S106>>"moved") | upper }}
{{ scope_prompt(<<S105>>"chat", fallback="Hi", topic=1, question=2, history=user.history) }}
{{ scope_prompt("greeting", <<S107>>name="{{ user }}", time_of_day=1) }}
"""
DJANGO_TEXT = """\
{% load scope %}größer {% scope_prompt "greeting" name=user <<S107>>time_of_day="{{ day }}" %}
"""
DJANGO_XML = """\
{% load scope %}<title><<S107>>{ % scope_prompt "greeting" name=user time_of_day="day" % }</title>
"""
JINJA_PART = """\
{% macro card(user) %}<<S107>>{ { scope_prompt("greeting", name=user, time_of_day=1) } }{% endmacro %}
"""
CELL = """\
client.get_prompt_version(<<S101>>"greting")
%time client.prefetch(["greeting"])
client.render_prompt(<<S103>>"greeting", {"name": 1, <<S102>>"nmae": 3})
client.get_prompt_version(<<S104>>"unpublished")
client.get_prompt_version(<<S106>>"moved")
client.get_prompt_version("chat").messages(topic=1, question=2, <<S105>>history="x")
"""
BROKEN = "def f(<<S100>>:\n    pass\n"
FILES = {
    "app/calls.py": CALLS,
    "app/constants.py": CONSTANTS,
    "app/lists.py": LISTS,
    "app/chains.py": LANGCHAIN,
    "app/comments.py": COMMENTS,
    "app/broken.py": BROKEN,
    "app/templates/page.html": DJANGO,
    "app/templates/mail.txt.j2": JINJA,
    "app/templates/card.jinja": JINJA_PART,
    "app/templates/feed.xml": DJANGO_XML,
    "app/templates/mail.txt": DJANGO_TEXT,
    "app/explore.ipynb:cell 2": CELL,
}
KINDS = {
    code: {file for file, text in FILES.items() if f"<<{code}>>" in text}
    for code in ("S101", "S102", "S103", "S104", "S105", "S106", "S107")
}


class Found(NamedTuple):
    file: str
    line: int
    column: int
    code: str


def expected() -> list[Found]:
    found = []
    for file, text in FILES.items():
        for number, line in enumerate(text.splitlines(), 1):
            plain = 0
            for mark in _MARK.finditer(line):
                found.append(Found(file, number, mark.start() - plain + 1, mark[1]))
                plain += len(mark[0])
    return sorted(found)


def write(folder: Path) -> None:
    for file, text in FILES.items():
        path, _, cell = file.partition(":")
        plain = _MARK.sub("", text)
        if cell:
            code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
            cells = [{"cell_type": "markdown", "metadata": {}, "source": ["# Prompts"]}]
            cells.append({**code, "source": plain.splitlines(keepends=True)})
            plain = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(plain, encoding="utf-8")


def lock_of(platform: LocalPlatform, folder: Path) -> None:
    """Beside the project, before one of its prompts moves on."""
    keys, url = platform.credentials, platform.url
    with ScopeClient(credentials=keys, base_url=url, auth_api_url=url) as client:
        versions = [client.get_prompt_version(name) for name in ("greeting", "chat", "moved")]
    entries = [LockedVersion(each.name, "production", str(each.id), digest_of(each), 1) for each in versions]
    (folder / "scope.lock").write_text(text_of("local-org", "prompts", entries))


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the command prints of the project, by format."""
    project = tmp_path_factory.mktemp("project")
    (project / ".git").mkdir()
    write(project)
    with LocalPlatform() as platform:
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}!")
        platform.publish(
            "chat",
            [
                {"role": "system", "content": "Of {{topic}}"},
                {"role": "placeholder", "content": "{{history}}"},
                {"role": "user", "content": "{{question}}"},
            ],
        )
        platform.publish("moved", "once")
        platform.draft("unpublished", "x")
        lock_of(platform, project)
        platform.publish("moved", "twice")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SCOPE_")}
        environment = {**inherited, **platform.environ, "PYTHONPATH": str(ROOT)}
        return {
            name: subprocess.run(
                [sys.executable, "-m", "scope_client.cli", "check", "app", "--format", name],
                cwd=project,
                env=environment,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=120,
            )
            for name in ("text", "json", "github", "sarif")
        }


def test_each_code_is_planted_in_five_kinds_of_place():
    assert {code: len(files) for code, files in KINDS.items() if len(files) < 5} == {}


def test_the_text_names_each_and_nothing_else(printed):
    lines = printed["text"].stdout.splitlines()[:-1]
    found = [re.match(r"(.+?):(\d+):(\d+) (S\d+) ", line).groups() for line in lines]
    assert [Found(file, int(line), int(column), code) for file, line, column, code in found] == expected()
    assert {done.returncode for done in printed.values()} == {1}


def test_the_json_names_each(printed):
    found = json.loads(printed["json"].stdout)["findings"]
    assert [Found(each["file"], each["line"], each["column"], each["code"]) for each in found] == expected()


def test_github_shows_ten_errors_and_the_log_has_the_rest(printed):
    lines = printed["github"].stdout.splitlines()
    shown = [line for line in lines if line.startswith("::")]
    kinds = [line.split(" ")[0] for line in shown]
    assert kinds.count("::error") == 10
    assert 0 < kinds.count("::warning") <= 10
    pattern = (
        r"::\w+ file=([^,]+),(?:line=(\d+),col=(\d+),)?title=(S\d+) [^:]+::(?:cell (\d+), line (\d+), column (\d+))?"
    )
    found = []
    for line in shown:
        file, line_number, column, code, cell, *in_cell = re.match(pattern, line).groups()
        place = in_cell if cell else (line_number, column)
        found.append(Found(f"{file}:cell {cell}" if cell else file, int(place[0]), int(place[1]), code))
    logged = [re.match(r"(.+?):(\d+):(\d+) (S\d+) ", line) for line in lines if not line.startswith("::")]
    found += [Found(each[1], int(each[2]), int(each[3]), each[4]) for each in logged if each]
    assert sorted(found) == expected()
    assert re.search(r"\(and \d+ errors more, which GitHub does not show here", shown[9])


def test_sarif_names_each(printed):
    found = []
    for result in json.loads(printed["sarif"].stdout)["runs"][0]["results"]:
        physical = result["locations"][0]["physicalLocation"]
        file = physical["artifactLocation"]["uri"]
        in_cell = re.match(r"(cell \d+), line (\d+), column (\d+): ", result["message"]["text"])
        if in_cell:
            file, place = f"{file}:{in_cell[1]}", (int(in_cell[2]), int(in_cell[3]))
        else:
            place = (physical["region"]["startLine"], physical["region"]["startColumn"])
        found.append(Found(file, *place, result["ruleId"]))
    assert sorted(found) == expected()
