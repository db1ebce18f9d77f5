"""`[tool.scope.check]`: what it may hold, where it is looked for, and what is said of a mistake in it."""

from __future__ import annotations

import pytest

from scope_client import ConfigurationError
from scope_client._check.settings import CheckSettings, read_settings


def write(folder, text, name="pyproject.toml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_without_a_file_or_a_table_there_are_none(tmp_path):
    assert read_settings(str(tmp_path)) == CheckSettings()
    write(tmp_path, "[tool.black]\nline-length = 100\n[tool.scope]\nother = 1\n")
    assert read_settings(str(tmp_path)) == CheckSettings()


def test_all_of_them_are_read(tmp_path):
    write(
        tmp_path,
        """
[tool.scope.check]
paths = ["src", "tests"]
exclude = ["drafts"]
calls = ["app.llm.prompt:0"]
against = "prompts/scope.lock"
label = "latest"
lock = "scope.lock"
baseline = "known.json"
strict = true
""",
    )
    assert read_settings(str(tmp_path)) == CheckSettings(
        paths=("src", "tests"),
        exclude=("drafts",),
        calls=("app.llm.prompt:0",),
        against="prompts/scope.lock",
        label="latest",
        lock="scope.lock",
        baseline="known.json",
        strict=True,
    )


def test_those_of_a_folder_above_are_found_and_their_paths_are_relative_to_it(tmp_path):
    write(tmp_path, '[tool.scope.check]\npaths = ["src"]\nagainst = "platform"\nbaseline = "known.json"\n')
    write(tmp_path / "src" / "part", "[tool.black]\n")
    found = read_settings(str(tmp_path / "src" / "part"))
    assert found == CheckSettings(paths=("..",), against="platform", baseline="../../known.json")


def test_the_nearest_that_has_some_wins(tmp_path):
    write(tmp_path, "[tool.scope.check]\nstrict = true\n")
    write(tmp_path / "part", '[tool.scope.check]\nagainst = "prompts"\n')
    assert read_settings(str(tmp_path / "part")) == CheckSettings(against="prompts")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.scope.check]\nclals = []", "has no key 'clals'; the nearest one is 'calls'"),
        ("[tool.scope.check]\nzzz = 1", "has no key 'zzz'; its keys are 'paths', 'exclude', 'calls'"),
        ("[tool.scope.check]\ncalls = 'app.llm.prompt:0'", "takes a list of text for calls, such as calls = "),
        ("[tool.scope.check]\npaths = [1]", "takes a list of text for paths"),
        ("[tool.scope.check]\npaths = ['']", "takes a list of text for paths"),
        ("[tool.scope.check]\nstrict = 'yes'", "takes true or false for strict, got 'yes'"),
        ("[tool.scope.check]\nagainst = 1", "takes text for against, got 1"),
        ("[tool.scope.check]\nlock = ''", "takes text for lock, got ''"),
        ("[tool.scope]\ncheck = 1", "[tool.scope.check] must be a table, got 1"),
        ("[tool.scope.check", "it is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(text, said, tmp_path):
    write(tmp_path, text)
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml: ") as caught:
        read_settings(str(tmp_path))
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_is_not_utf_8_is_told(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="it is not TOML"):
        read_settings(str(tmp_path))


def test_windows_line_ends_and_a_byte_order_mark_are_no_mistake(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"\xef\xbb\xbf[tool.scope.check]\r\nstrict = true\r\n")
    assert read_settings(str(tmp_path)).strict
