"""`manage.py scope check` is the engine of `scope check`: code besides templates, and the same options."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Callable

import pytest
from django.core.management import CommandError, call_command
from faults.greeting import GREETING

from scope_client.local import LocalPlatform

LOAD = "{% load scope %}\n"
GOOD = LOAD + '{% scope_prompt "greeting" time_of_day="day" name=user %}\n'
BAD = LOAD + '{% scope_prompt "greetings" %}\n'
CODE = """from scope_django import get_client

get_client().render_prompt("greeting", {"nmae": 1, "time_of_day": 2})
"""
CODE_LINES = [
    "shop/views.py:3:28 S103 prompt 'greeting' is given no value for 'name'",
    "shop/views.py:3:41 S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'",
]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, settings: Any, scope_settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    scope_settings(MAX_RETRIES=0)
    settings.BASE_DIR = tmp_path
    folders = [tmp_path / "templates"]
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": folders}]
    for folder in ("templates", "shop", "prompts"):
        (tmp_path / folder).mkdir()
    (tmp_path / "prompts" / "greeting.md").write_text(GREETING)
    (tmp_path / "templates" / "page.html").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*words: str, **options: Any) -> tuple[list[str], str]:
    """The lines, and the error that it ended with."""
    out = io.StringIO()
    try:
        call_command("scope", "check", *words, stdout=out, stderr=out, **options)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def test_the_code_of_the_project_is_looked_at_too(project: Path) -> None:
    (project / "shop" / "views.py").write_text(CODE)
    assert check() == (CODE_LINES, "2 problems found")
    assert check("templates") == (["settings, platform and credentials are good; 1 use of 1 prompt too"], "")
    assert check(paths=["shop"]) == (CODE_LINES, "2 problems found")


def test_without_a_base_dir_no_code_is(project: Path, settings: Any) -> None:
    (project / "shop" / "views.py").write_text(CODE)
    del settings.BASE_DIR
    assert check()[1] == ""


def test_a_folder_and_a_promotion_are_compared_with(project: Path, platform: LocalPlatform) -> None:
    (project / "shop" / "views.py").write_text(CODE)
    platform.draft("greeting", "{{time_of_day}}, {{name}}, {{tone}}")
    assert check("--against", "prompts", "shop") == (CODE_LINES, "2 problems found")
    assert "promoting v2 breaks templates/page.html:2: needs 'tone'" in check("--label", "latest", "templates")[0][0]


def test_formats_baseline_and_strictness(project: Path) -> None:
    (project / "templates" / "page.html").write_text(BAD + "{% scope_prompt which %}")
    annotation = "::error file=templates/page.html,line=2,col=17,title=S101 unknown prompt::"
    assert check("--format", "github")[0][0].startswith(annotation)
    log = json.loads("\n".join(check("--format", "sarif")[0]))
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == ["S101"]
    assert check("--baseline", "known.json", "--write-baseline") == (["known.json has 1 finding"], "")
    lines, error = check("--baseline", "known.json", "-v")
    assert error == ""
    assert lines[0].startswith("templates/page.html:3:")
    assert lines[0].endswith(" not checked: its name is known only at run time")
    assert check("--baseline", "known.json", "--strict")[1] == "1 problem found"
    assert "the baseline 'gone.json' does not exist" in check("--baseline", "gone.json")[1]


def test_settings_with_a_mistake_are_told(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.scope.check]\nclals = []\n")
    assert check()[1].endswith("has no key 'clals'; the nearest one is 'calls'")


def test_comments_of_a_template_ignore_codes(project: Path) -> None:
    (project / "templates" / "page.html").write_text(BAD.strip() + " {# scope: ignore[S101] #}")
    assert check()[1] == ""
