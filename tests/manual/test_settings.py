"""The page on settings and the code agree, both ways: options, types, defaults, variables, and each spelling."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
from django.test import override_settings
from flask import Flask
from manual.pages import ROOT, blocks, text_of

from scope_client import ApiKeyCredentials, ClientCredentials, Configuration, ConfigurationError, RedisStore
from scope_client._config import options
from scope_client._config.configuration import _OPTIONS
from scope_client._config.credentials import setting_keys
from scope_django import _conf as django_settings
from scope_flask import Scope
from scope_flask._extension import state_of_current_app

PAGE = "settings.md"
TEXT = text_of(PAGE)
SECTIONS: dict[str, str] = dict(re.findall(r"^### (\w+)\n(.*?)(?=^#)", TEXT, re.DOTALL | re.MULTILINE))
ENTRIES = {heading: text for heading, text in SECTIONS.items() if heading.islower()}
OF_DJANGO_ALONE = {"CACHE_ALIAS"}
OF_FLASK_ALONE = {"SCOPE_CACHE"}
KEYS = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": "secret"}
NAMES = {"ApiKeyCredentials": ApiKeyCredentials, "RedisStore": RedisStore, "requests": requests}
VERSIONS = ("0.1.0", "0.2.0", "0.3.0")
# As the page writes them for readers.
TYPES = {
    "ExtraValues": "str",
    "WhenUnfit": "str",
    "Optional[Session]": "requests.Session or None",
    "Union[str, os.PathLike[str], None]": "str, os.PathLike or None",
}


@pytest.fixture(autouse=True)
def a_prompt_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prompts").mkdir()
    monkeypatch.chdir(tmp_path)


def cell(entry: str, row: str) -> str:
    """What an entry has in this row of its table."""
    (found,) = re.findall(rf"^\| {row} \| (.+) \|$", entry, re.MULTILINE)
    return found.replace("`", "")


def annotations() -> dict[str, str]:
    module = ast.parse(Path(options.__file__).read_text(encoding="utf-8"))
    (written,) = (each for each in module.body if isinstance(each, ast.ClassDef) and each.name == "Options")
    lines = [line for line in written.body if isinstance(line, ast.AnnAssign)]
    return {ast.unparse(line.target): ast.unparse(line.annotation) for line in lines}


def in_python(entry: str) -> Configuration:
    call = ast.parse(cell(entry, "Python"), mode="eval").body
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == "ScopeClient"
    return Configuration(**{str(word.arg): eval(ast.unparse(word.value), NAMES) for word in call.keywords})


def in_django(entry: str) -> Configuration:
    done: dict[str, Any] = dict(NAMES)
    exec(cell(entry, "Django"), done)
    with override_settings(SCOPE={**KEYS, **done["SCOPE"]}):
        assert django_settings.problems() == []
        return django_settings.configuration()


def in_flask(entry: str) -> Configuration:
    app = Flask("page")
    app.config.update({f"SCOPE_{key}": value for key, value in KEYS.items()})
    exec(cell(entry, "Flask"), {**NAMES, "app": app})
    Scope(app)
    with app.app_context():
        return state_of_current_app().configuration()


def comparable(value: Any) -> Any:
    """A session and a store are equal to nothing but themselves."""
    return type(value) if isinstance(value, (requests.Session, RedisStore)) else value


def test_every_option_has_one_entry_and_no_other_has_one() -> None:
    headings = re.findall(r"^### (\w+)$", TEXT, re.MULTILINE)
    assert sorted(headings) == sorted([*_OPTIONS, *OF_DJANGO_ALONE, *OF_FLASK_ALONE])
    assert set(_OPTIONS) == set(annotations())


@pytest.mark.parametrize("name", _OPTIONS)
def test_an_entry_says_what_the_code_says(name: str) -> None:
    default, rule, variable = _OPTIONS[name]
    entry = ENTRIES[name]
    annotation = annotations()[name]
    assert cell(entry, "must be") == rule.must_be
    assert cell(entry, "type") == TYPES.get(annotation, re.sub(r"^Optional\[(\w+)\]$", r"\1 or None", annotation))
    assert ast.literal_eval(cell(entry, "default")) == default
    assert cell(entry, "environment") == (variable or "none")
    assert set(re.findall(r"\d\.\d\.\d", cell(entry, "since"))) <= set(VERSIONS)
    assert cell(entry, "since").startswith(VERSIONS)


@pytest.mark.parametrize("name", _OPTIONS)
def test_what_came_with_a_version_is_in_its_changelog(name: str) -> None:
    said = cell(ENTRIES[name], "since")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (new,) = re.findall(r"^## \[0\.2\.0\].*?^### Added\n(.*?)^##", changelog, re.DOTALL | re.MULTILINE)
    if said.startswith("0.2.0"):
        assert f"`{name}" in new
    if said.endswith("the variable since 0.2.0"):
        assert f"`{_OPTIONS[name][2]}`" in new


@pytest.mark.parametrize("name", _OPTIONS)
def test_each_spelling_sets_the_option(name: str) -> None:
    entry = ENTRIES[name]
    wanted = comparable(getattr(in_python(entry), name))
    assert wanted != _OPTIONS[name][0]
    assert comparable(getattr(in_django(entry), name)) == wanted
    assert comparable(getattr(in_flask(entry), name)) == wanted


@pytest.mark.parametrize(("name", "variable"), [(name, each[2]) for name, each in _OPTIONS.items() if each[2]])
def test_a_variable_sets_its_option_and_gives_way_to_what_is_given(
    name: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = getattr(in_python(ENTRIES[name]), name)
    monkeypatch.setenv(variable, str(wanted))
    assert getattr(Configuration(), name) == wanted
    assert getattr(Configuration(**{name: _OPTIONS[name][0]}), name) == _OPTIONS[name][0]
    monkeypatch.setenv(variable, "")
    assert getattr(Configuration(), name) == _OPTIONS[name][0]


def test_the_table_of_variables_has_each_and_leads_to_its_option() -> None:
    table = TEXT[TEXT.index("## All environment variables") :]
    parts = {f"SCOPE_{key}" for kind in (ApiKeyCredentials, ClientCredentials) for key in setting_keys(kind)}
    assert set(re.findall(r"`(SCOPE_\w+)`", table)) == parts | {each[2] for each in _OPTIONS.values() if each[2]}
    for variable, name in re.findall(r"^\| `(SCOPE_\w+)` \| \[`(\w+)`\]\(#\2\) \|$", table, re.MULTILINE):
        assert _OPTIONS[name][2] == variable


@pytest.mark.parametrize("kind", [ApiKeyCredentials, ClientCredentials])
def test_the_parts_of_credentials_are_called_as_the_page_says(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = re.findall(rf"^\| `{kind.__name__}` \|(.+)\|$", TEXT, re.MULTILINE)
    variables, of_django, of_flask = ([*re.findall(r"`(\w+)`", column)] for column in row.split("|"))
    with override_settings(SCOPE=dict.fromkeys(of_django, "text")):
        assert type(django_settings.configuration().credentials) is kind
    app = Flask("page")
    app.config.update(dict.fromkeys(of_flask, "text"))
    Scope(app)
    with app.app_context():
        assert type(state_of_current_app().configuration().credentials) is kind
    for variable in variables:
        monkeypatch.setenv(variable, "text")
    assert type(kind.from_env()) is kind


def test_what_only_django_and_only_flask_have_is_taken(settings: Any) -> None:
    settings.CACHES = {**settings.CACHES, "prompts": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert in_django(SECTIONS["CACHE_ALIAS"]).cache_store is not None
    assert in_django("| Django | `SCOPE = {'CACHE_ALIAS': None}` |").cache_store is None
    assert isinstance(in_flask(SECTIONS["SCOPE_CACHE"]).cache_store, RedisStore)


def test_the_several_organisations_of_the_page_are_settings_that_work() -> None:
    (block,) = (each for each in blocks(PAGE, "python") if each.text.startswith("SCOPE = {"))
    done: dict[str, Any] = {}
    exec(block.text, done)
    with override_settings(SCOPE=done["SCOPE"]):
        assert django_settings.problems() == []
        assert django_settings.configuration("eu").cache_ttl == 60
        assert django_settings.configuration("default").cache_ttl == 300


@pytest.mark.parametrize("read", [in_django, in_flask])
@pytest.mark.parametrize("text", ["true", "1", "YES", "on", "false", "0", "no", "Off"])
def test_text_will_do_for_a_flag_and_a_number_in_settings(text: str, read: Callable[[str], Configuration]) -> None:
    wanted = text.lower() in ("true", "1", "yes", "on")
    given = (
        f"| Django | SCOPE = {{'CACHE_ENABLED': {text!r}, 'CACHE_TTL': '60'}} |\n"
        f"| Flask | app.config.update(SCOPE_CACHE_ENABLED={text!r}, SCOPE_CACHE_TTL='60') |"
    )
    assert (read(given).cache_enabled, read(given).cache_ttl) == (wanted, 60)
    with pytest.raises(ConfigurationError):
        Configuration(cache_ttl="60")  # type: ignore[arg-type]  # which the page says is refused
