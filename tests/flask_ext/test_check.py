"""`flask scope check` is the engine of `scope check`: code besides templates, and the same options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import jinja2
import pytest
from flask import Flask

from scope_client.local import LocalPlatform
from scope_flask import Scope

if TYPE_CHECKING:
    from click.testing import Result

Make = Callable[..., Flask]
GOOD = "{{ scope_prompt('greeting', time_of_day='morning', name=name) }}\n"
BAD = "{{ scope_prompt('greetings') }}\n"
CODE = "def greet(client):\n    return client.render_prompt('greeting', {'nmae': 1, 'time_of_day': 2})\n"
CODE_LINES = [
    "views.py:2:33 S103 prompt 'greeting' is given no value for 'name'",
    "views.py:2:46 S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "greeting.md").write_text("Good {{time_of_day}}, {{name}}!")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def app(make_app: Make, project: Path) -> Flask:
    made = make_app(SCOPE_MAX_RETRIES=0)
    made.root_path = str(project)
    made.jinja_loader = jinja2.FileSystemLoader(str(project / "templates"))
    return made


def run(app: Flask, *words: str) -> Result:
    result = app.test_cli_runner().invoke(args=["scope", "check", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def lines(app: Flask, *words: str) -> list[str]:
    return run(app, *words).output.splitlines()


def data(app: Flask, *words: str) -> Any:
    return json.JSONDecoder().raw_decode(run(app, *words).output)[0]


def test_the_code_of_the_app_is_looked_at_too(app: Flask, project: Path) -> None:
    (project / "views.py").write_text(CODE)
    (project / "templates" / "home.html").write_text(GOOD + BAD)
    assert lines(app) == [
        "templates/home.html:2:17 S101 prompt 'greetings' does not exist; the nearest one is 'greeting'",
        *CODE_LINES,
        "Error: 3 problems found",
    ]


def test_a_prompt_of_an_organisation_of_another_framework_is_known_only_at_run_time(app: Flask, project: Path) -> None:
    of_django = "from scope_django import get_client\nget_client('eu').render_prompt('elsewhere', {})\n"
    (project / "jobs.py").write_text(of_django)
    (project / "views.py").write_text(CODE)
    assert lines(app, "-v") == [
        *CODE_LINES,
        "jobs.py:2:32 not checked: it is of the organisation 'eu'",
        "1 more is known only at run time",
        "Error: 2 problems found",
    ]


def test_the_platform_is_asked_even_if_no_prompt_is_its_own(app: Flask, project: Path, platform: LocalPlatform) -> None:
    (project / "jobs.py").write_text("from scope_django import get_client\nget_client('eu').render_prompt('hi', {})\n")
    assert run(app).exit_code == 0
    platform.stop()
    assert "could not be reached" in run(app).output


def test_paths_name_what_is_looked_at(app: Flask, project: Path) -> None:
    (project / "views.py").write_text(CODE)
    (project / "templates" / "home.html").write_text(BAD)
    assert lines(app, "views.py")[:-1] == CODE_LINES
    assert [line.split(" ")[0] for line in lines(app, "templates")[:-1]] == ["templates/home.html:1:17"]
    assert "cannot be checked: there is no such file or folder" in run(app, "nowhere").output


def test_a_folder_needs_no_platform_and_no_credentials(project: Path) -> None:
    app = Flask("bare", root_path=str(project))
    Scope(app)
    app.jinja_loader = jinja2.FileSystemLoader(str(project / "templates"))
    (project / "templates" / "home.html").write_text(GOOD)
    good = run(app, "--against", "prompts")
    assert "the credentials lack" in good.output
    (project / "views.py").write_text(CODE)
    assert lines(app, "--against", "prompts")[1:-1] == CODE_LINES


def test_a_promotion_is_tried(app: Flask, project: Path, platform: LocalPlatform) -> None:
    platform.draft("greeting", "{{time_of_day}}, {{name}}, {{tone}}")
    (project / "templates" / "home.html").write_text(GOOD)
    assert run(app).exit_code == 0
    assert lines(app, "--label", "latest")[0] == (
        "templates/home.html:1:17 S103 promoting v2 breaks templates/home.html:1: needs 'tone' (prompt 'greeting')"
    )


def test_what_is_known_only_at_run_time_is_listed_or_fails(app: Flask, project: Path) -> None:
    (project / "templates" / "home.html").write_text("{{ scope_prompt(which) }}")
    assert lines(app, "-v")[0] == "templates/home.html:1:4 not checked: its name is known only at run time"
    assert " S108 a prompt is not checked" in run(app, "--strict").output
    (project / "templates" / "home.html").write_text("{{ scope_prompt(which) }} {# scope: uses greeting() #}")
    assert " S103 prompt 'greeting' is given no value for 'time_of_day', 'name'" in run(app).output


def test_comments_ignore_codes(app: Flask, project: Path) -> None:
    (project / "templates" / "home.html").write_text(BAD.strip() + " {# scope: ignore[S101] #}")
    assert run(app).exit_code == 0
    assert data(app, "--json")["ignored"] == 1


def test_the_formats_of_ci(app: Flask, project: Path) -> None:
    (project / "templates" / "home.html").write_text(BAD)
    assert lines(app, "--format", "github")[0] == (
        "::error file=templates/home.html,line=1,col=17,title=S101 unknown prompt::prompt 'greetings' does not exist"
    )
    (result,) = data(app, "--format", "sarif")["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 17}


def test_a_baseline_is_written_and_read(app: Flask, project: Path) -> None:
    (project / "templates" / "home.html").write_text(BAD)
    written = run(app, "--baseline", "known.json", "--write-baseline")
    assert (written.exit_code, written.output) == (0, "known.json has 1 finding\n")
    assert run(app, "--baseline", "known.json").exit_code == 0
    (project / "templates" / "home.html").write_text(BAD * 2)
    assert len(lines(app, "--baseline", "known.json")) == 2
    assert "the baseline 'nowhere.json' does not exist" in run(app, "--baseline", "nowhere.json").output


def test_the_settings_of_the_project_count(app: Flask, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.scope.check]\ncalls = ["llm.ask:0"]\nexclude = ["old"]\n')
    (project / "old").mkdir()
    (project / "old" / "views.py").write_text(CODE)
    (project / "views.py").write_text("from llm import ask\n\nask('greetings')\n")
    assert [line.split(" prompt")[0] for line in lines(app)[:-1]] == ["views.py:3:5 S101"]


def test_a_lock_of_the_site_is_what_its_code_is_compared_with(make_app: Make, project: Path) -> None:
    (project / "scope.lock").write_text('format = 1\norganisation = "local-org"\nfolder = "prompts"\n')
    app = make_app(SCOPE_LOCK=str(project / "scope.lock"))
    app.root_path = str(project)
    app.jinja_loader = jinja2.FileSystemLoader(str(project / "templates"))
    (project / "templates" / "home.html").write_text(GOOD)
    assert " S101 prompt 'greeting' does not exist in the lock " in lines(app)[0]
    drifted = "templates/home.html:1:17 S106 prompt 'greeting' is not in the lock: `scope pull greeting` adds it"
    assert lines(app, "--against", "platform")[0] == drifted


def test_the_code_of_installed_packages_is_not_the_apps(make_app: Make) -> None:
    app = make_app()
    app.root_path = str(Path(json.__file__).parent)
    assert data(app, "--json")["files"] == 0
