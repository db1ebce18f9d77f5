"""Whatever goes wrong is one line on stderr and an exit code; no run prints a traceback or a secret."""

from __future__ import annotations

import os

import pytest

READ = "from scope_client import ScopeClient\nScopeClient.get_prompt_version = {}"


def test_a_wrong_secret_is_one_line_that_names_the_error(scope):
    done = scope("render", "greeting", "-v", "name=Alice", SCOPE_API_SECRET="sesame-0815")
    assert done.code == 1
    assert done.complaint.startswith("scope: InvalidCredentialsError: ")


def test_a_platform_that_repeats_the_secret_does_not_get_it_printed(scope, platform):
    platform.fail(401, on="auth", message="no key sesame-0815\nhere")
    done = scope("get", "greeting", SCOPE_API_SECRET="sesame-0815")
    assert done.code == 1
    assert "***" in done.complaint


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["get", "newsletter"], "NoProductionVersionError: prompt 'newsletter' has no production version"),
        (["get", "nothing"], "NotFoundError: "),
        (["get", "greeting", "--version", "v_no"], "NotFoundError: "),
        (["get", ".."], "ValidationError: name must not be empty"),
        (["render", "greeting", "-v", "nmae=x"], "MissingVariableError: "),
    ],
)
def test_an_error_of_the_sdk_is_named(scope, arguments, error):
    done = scope(*arguments)
    assert done.code == 1
    assert done.complaint.startswith(f"scope: {error}")


def test_missing_credentials_are_named_with_where_to_find_them(scope):
    done = scope("get", "greeting", SCOPE_API_KEY="", SCOPE_API_SECRET="")
    assert done.code == 1
    assert done.complaint == (
        "scope: MissingApiKeyError: the credentials are missing: "
        "set SCOPE_API_KEY, SCOPE_API_SECRET in the environment; `scope serve` prints those of a platform of your own"
    )


def test_a_client_without_its_secret_is_not_sent_to_what_prints_an_api_key(scope):
    done = scope("get", "greeting", SCOPE_API_KEY="", SCOPE_CLIENT_ID="app")
    assert done.code == 1
    assert done.complaint.endswith(": set SCOPE_CLIENT_SECRET in the environment")


def test_a_url_that_is_none_is_named(scope):
    done = scope("get", "greeting", SCOPE_API_URL="https://user:sesame@host")
    assert done.code == 1
    assert "SCOPE_API_URL" in done.complaint
    assert "sesame" not in done.complaint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gte", "greeting"], ["gte"]),
        (["--nonsense"], ["--nonsense"]),
        (["get"], ["NAME", "scope get --help"]),
        (["get", "a", "b"], ["b"]),
        (["get", "a", "--label", "prod"], ["--label", "production", "latest"]),
        (["get", "a", "--label", "latest", "--version", "v_1"], ["--label", "--version", "one of them"]),
        (["render", "a", "-v", "name"], ["-v", "key=value", "'name'"]),
        (["render", "a", "-v", "=x"], ["-v", "key=value", "'=x'"]),
        (["render", "a", "--vars-file", "gone.json"], ["gone.json", "cannot be read", "JSON object"]),
        (["render", "a", "--vars-file", "."], ["'.'", "cannot be read", "JSON object"]),
        (["render", "a", "--vars-file", "text.json"], ["text.json", "is not JSON", "JSON object"]),
        (["render", "a", "--vars-file", "bytes.json"], ["bytes.json", "is not JSON", "JSON object"]),
        (["render", "a", "--vars-file", "list.json"], ["list.json", "holds a JSON list", "JSON object"]),
        (["serve"], ["FOLDER"]),
        (["serve", "gone"], ["gone", "does not exist"]),
        (["serve", "list.json"], ["list.json", "is a file"]),
        (["serve", ".", "--port", "70000"], ["--port", "it must be a whole number from 0 to 65535, got '70000'"]),
        (["serve", ".", "--port", "abc"], ["--port", "it must be a whole number from 0 to 65535, got 'abc'"]),
        (["serve", ".", "--token-ttl", "0"], ["--token-ttl", "it must be a whole number of seconds, 1 or more"]),
        (["serve", ".", "--latency", "-1"], ["--latency", "it must be a number of seconds, 0 or more, got '-1'"]),
        (["demo", "more"], ["more"]),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(scope, tmp_path, platform, arguments, said):
    (tmp_path / "text.json").write_text("name: Alice")
    (tmp_path / "bytes.json").write_bytes(b'{"name": "\xff"}')
    (tmp_path / "list.json").write_text("[1]")
    done = scope(*arguments)
    assert done.code == 2
    assert [part for part in said if part not in done.complaint] == []
    assert platform.requests == ()


def test_an_unexpected_error_is_one_line_without_the_secret(scope, after):
    broken = "lambda *a, **k: int('sesame-0815\\n\\x1b[2J')"
    done = scope("get", "greeting", how=after(READ.format(broken)), SCOPE_API_SECRET="sesame-0815")
    assert done.code == 1
    assert done.complaint.startswith("scope: ValueError: ")
    assert done.complaint.isprintable()


def test_ctrl_c_ends_a_read_without_a_word(scope, after):
    raises = "lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt)"
    done = scope("get", "greeting", how=after(READ.format(raises)))
    assert done.code == 130
    assert (done.out, done.err.strip()) == ("", "")


@pytest.mark.parametrize("arguments", [["get", "greeting", "--json"], ["demo"], []], ids=" ".join)
def test_a_reader_that_left_is_no_error_to_speak_of(scope, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = scope(*arguments, stdout=writing)
    finally:
        os.close(writing)
    assert done.err == ""


def test_without_click_it_says_what_to_install(scope, after):
    done = scope("get", "greeting", how=after("import sys; sys.modules['click'] = None"))
    assert done.code == 1
    assert done.complaint == (
        'scope: the command scope needs click, which is not installed: pip install "scope-prompts[local]"'
    )


@pytest.mark.parametrize("arguments", [["serve", "."], ["demo"]], ids=" ".join)
@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (["flask"], "Flask, which is not installed"),
        (["jwt"], "PyJWT, which is not installed"),
        (["flask", "jwt", "yaml"], "Flask and PyJWT, which are not installed"),
        (["werkzeug"], "Werkzeug, which is not installed"),
    ],
    ids=str,
)
def test_without_the_platforms_extra_it_names_the_missing_packages_and_what_to_install(
    scope, after, arguments, missing, named
):
    done = scope(*arguments, how=after(f"import sys; sys.modules.update(dict.fromkeys({missing!r}))"))
    assert done.code == 1
    assert done.complaint == f'scope: the local platform needs {named}: pip install "scope-prompts[local]"'


def test_a_folder_with_front_matter_names_the_packages_that_read_it(scope, after, tmp_path):
    (tmp_path / "greeting.md").write_text("---\nstatus: draft\n---\nHello!\n")
    done = scope("serve", ".", how=after("import sys; sys.modules.update(yaml=None, frontmatter=None)"))
    assert done.code == 1
    needed = "reading front matter needs PyYAML and python-frontmatter, which are not installed"
    assert f'greeting.md: {needed}: pip install "scope-prompts[local]"' in done.complaint


def test_reading_needs_nothing_of_the_platform(scope, after):
    blocked = "import sys; sys.modules.update(dict.fromkeys(['flask', 'werkzeug', 'jwt', 'frontmatter', 'yaml']))"
    assert scope("get", "greeting", how=after(blocked)).code == 0


def test_the_version_and_the_help_are_no_errors(scope):
    assert scope("--version").out.startswith("scope 0.")
    for done in (scope(), scope("--help")):
        assert (done.code, done.err) == (0, "")
        assert "demo" in done.out
        assert "SCOPE_API_SECRET" in done.out
