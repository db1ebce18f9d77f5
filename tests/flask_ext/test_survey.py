"""What `flask scope check` and `flask scope warm` say that they did not look at, and cannot keep."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import jinja2
import pytest
from cachelib import FileSystemCache, NullCache, SimpleCache
from flask import Blueprint, Flask
from flask_caching import Cache

from scope_client import MemoryStore
from scope_flask import Scope
from scope_flask.test import override_prompts

if TYPE_CHECKING:
    from click.testing import Result

Make = Callable[..., Flask]
GOOD = "{{ scope_prompt('greeting', time_of_day='morning', name=name) }}"
BAD = "\n{{ scope_prompt('greetings') }}"


def run(app: Flask, *words: str) -> Result:
    result = app.test_cli_runner().invoke(args=["scope", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def data(app: Flask, *words: str) -> Any:
    return json.JSONDecoder().raw_decode(run(app, *words, "--json").output)[0]


def places(app: Flask, *words: str) -> list[str]:
    return [f"{each['file']}:{each['line']}" for each in data(app, "check", *words)["findings"]]


@pytest.fixture
def app(make_app: Make, tmp_path: Path) -> Flask:
    """In a folder of its own."""
    made = make_app(SCOPE_MAX_RETRIES=0)
    made.root_path = str(tmp_path)
    made.jinja_loader = jinja2.FileSystemLoader(str(tmp_path / "templates"))
    (tmp_path / "templates").mkdir()
    return made


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


class Own(jinja2.BaseLoader):
    """A user's own, which cannot list."""


class Broken(jinja2.BaseLoader):
    def list_templates(self) -> list[str]:
        raise OSError("the bucket is gone")


MUTE = {
    "FunctionLoader": lambda: jinja2.FunctionLoader(lambda name: None),
    "Own": Own,
    "Broken (OSError: the bucket is gone)": Broken,
    "ModuleLoader": lambda: jinja2.ModuleLoader([]),
}


@pytest.mark.parametrize("kind", MUTE)
@pytest.mark.parametrize("around", ["app", "blueprint", "environment"])
def test_a_loader_that_cannot_be_listed_is_named_and_hides_no_neighbour(kind: str, around: str, app: Flask) -> None:
    good = jinja2.DictLoader({"good.html": BAD})
    mute: Any = MUTE[kind]()
    sys.modules.pop(getattr(mute, "package_name", ""), None)  # a proxy there, which Hypothesis cannot hash
    if around == "app":
        app.jinja_loader = jinja2.ChoiceLoader([mute, jinja2.PrefixLoader({"a": mute}), good])
    elif around == "blueprint":
        app.jinja_loader = mute
        pages = Blueprint("pages", __name__)
        pages.jinja_loader = good
        app.register_blueprint(pages)
    else:
        app.jinja_env.loader = jinja2.ChoiceLoader([mute, app.jinja_env.loader])
        app.jinja_loader = good
    said = run(app, "check").output
    assert "good.html:2:1 S101 prompt 'greetings' does not exist" in said
    (line,) = [line for line in said.splitlines() if "cannot be listed, its templates were not looked at: " in line]
    assert line.startswith("1 loader ")
    assert line.endswith(kind)
    assert len(data(app, "check")["unlisted"]) == 1


def test_a_loader_that_cannot_be_listed_is_no_failure(app: Flask) -> None:
    app.jinja_loader = MUTE["FunctionLoader"]()
    for command in ("check", "list", "warm"):
        said = run(app, command)
        assert (said.exit_code, "1 loader cannot be listed" in said.output) == (0, True)


def test_a_function_that_is_handed_on_is_told_as_one_that_names_its_prompt_when_rendered(
    app: Flask, tmp_path: Path
) -> None:
    put(tmp_path, "templates/a.html", "{% set ask = scope_prompt %}\n{% if scope_prompt is defined %}{% endif %}")
    (unchecked,) = data(app, "check")["unchecked"]
    assert (unchecked["file"], unchecked["line"], unchecked["column"]) == ("templates/a.html", 1, 14)


def test_what_is_excluded_or_hidden_or_not_a_template_is_counted(app: Flask, tmp_path: Path) -> None:
    pages = Blueprint("pages", __name__, template_folder=str(tmp_path / "pages"))
    app.register_blueprint(pages)
    put(tmp_path, "templates/home.html", GOOD)
    put(tmp_path, "templates/README.md", "`{{ scope_prompt('x' }}`")
    put(tmp_path, "templates/old/home.html", BAD)
    put(tmp_path, "pages/home.html", BAD)
    said = run(app, "check", "--exclude", "old")
    praise, note = said.output.splitlines()
    assert praise == "settings, platform and credentials are good; 1 use of 1 prompt too"
    assert note == (
        "3 files left out: templates/README.md (documentation), templates/old/home.html (--exclude), "
        "pages/home.html (hidden by templates/home.html)"
    )
    assert said.exit_code == 0
    assert places(app) == ["templates/old/home.html:2"]


def test_paths_are_relative_to_the_current_folder_if_the_app_is_in_it_or_else_to_the_app(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "site/templates/home.html", BAD)
    app.root_path = str(tmp_path / "site")
    app.jinja_loader = jinja2.FileSystemLoader(str(tmp_path / "site" / "templates"))
    for here, shown in ((tmp_path, "site/templates/"), (tmp_path / "site", "templates/"), (os.sep, "templates/")):
        monkeypatch.chdir(here)
        assert places(app) == [f"{shown}home.html:2"]
    app.root_path = str(tmp_path / "elsewhere")
    assert places(app) == [f"{tmp_path}/site/templates/home.html:2"]


def test_the_nearest_name_is_offered(app: Flask, tmp_path: Path) -> None:
    put(tmp_path, "templates/home.html", GOOD + BAD)
    assert "; the nearest one is 'greeting'" in run(app, "check").output


def test_prompts_of_a_test_are_compared_without_credentials(tmp_path: Path) -> None:
    app = Flask("bare", root_path=str(tmp_path))
    Scope(app)
    put(tmp_path, "templates/home.html", GOOD + BAD)
    with override_prompts({"greeting": "Good {{time_of_day}}, {{name}}!"}):
        (line,) = [line for line in run(app, "check").output.splitlines() if "home.html" in line]
        assert line.startswith("templates/home.html:2:17 S101 prompt 'greetings'")
        assert line.endswith("; the nearest one is 'greeting'")
        put(tmp_path, "templates/home.html", GOOD)
        assert run(app, "check").output == "the prompts of the test are good; 1 use of 1 prompt too\n"
    assert "the credentials lack" in run(app, "check").output


class OwnSimpleCache(SimpleCache):
    """A user's own."""


UNKEPT: dict[str, Callable[[Flask], dict[str, Any]]] = {
    "SCOPE_CACHE is not set, so each process has prompts of its own": lambda app: {},
    "(SimpleCache) belongs to this process alone": lambda app: {"SCOPE_CACHE": SimpleCache()},
    "(OwnSimpleCache) belongs to this process alone": lambda app: {"SCOPE_CACHE": OwnSimpleCache()},
    "(NullCache) keeps nothing": lambda app: {"SCOPE_CACHE": NullCache()},
    "a MemoryStore belongs to this process alone": lambda app: {"SCOPE_CACHE_STORE": MemoryStore()},
    "the cache is off": lambda app: {"SCOPE_CACHE_ENABLED": False},
}


@pytest.mark.parametrize("said", UNKEPT)
def test_warm_says_if_nothing_stays_warm(said: str, make_app: Make) -> None:
    app = make_app(SCOPE_MAX_RETRIES=0, **UNKEPT[said](Flask("other")))
    warmed = run(app, "warm", "greeting")
    assert warmed.exit_code == 1
    assert warmed.output.splitlines()[0] == "greeting: version 1"
    assert f"nothing stays warm: {'' if said[0] != '(' else 'the cache of SCOPE_CACHE '}{said}" in warmed.output
    assert data(app, "warm", "greeting")["prompts"][0]["is_warm"] is False


@pytest.mark.parametrize(
    ("kind", "said"),
    [("SimpleCache", "belongs to this process alone"), ("NullCache", "keeps nothing"), ("FileSystemCache", None)],
)
def test_it_knows_those_of_flask_caching(kind: str, said: str | None, make_app: Make, tmp_path: Path) -> None:
    config = {"CACHE_TYPE": kind, "CACHE_DIR": str(tmp_path / "kept"), "CACHE_NO_NULL_WARNING": True}
    cache = Cache(config=config)
    app = make_app(SCOPE_MAX_RETRIES=0, SCOPE_CACHE=cache)
    cache.init_app(app)
    warmed = run(app, "warm", "greeting")
    assert warmed.exit_code == (0 if said is None else 1)
    assert said is None or f"({kind}) {said}" in warmed.output


def test_files_are_shared_by_the_processes_of_a_machine(make_app: Make, tmp_path: Path) -> None:
    app = make_app(SCOPE_MAX_RETRIES=0, SCOPE_CACHE=FileSystemCache(str(tmp_path / "kept")))
    assert run(app, "warm", "greeting").output == "greeting: version 1\n"
