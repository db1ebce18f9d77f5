"""Settings that came as text, and those of `app.config.from_prefixed_env()`, which reads JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from scope_client import ConfigurationError
from scope_flask import Scope, current_scope

if TYPE_CHECKING:
    from scope_client import Configuration

KEYS = {"SCOPE_ORG_ID": "org", "SCOPE_API_KEY": "key", "SCOPE_API_SECRET": "secret"}


def read(**config: Any) -> Configuration:
    app = Flask("site")
    app.config.update({**KEYS, **config})
    Scope(app)
    with app.app_context():
        return current_scope.config


def from_env(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Configuration:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    app = Flask("site")
    app.config.from_mapping(KEYS)
    app.config.from_prefixed_env()
    return read(**app.config)


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        from_env(monkeypatch, **variables)
    return caught.value.message


@pytest.mark.parametrize("text", ["12345", "12345678901234567890123", "0123", "0", "-5", '"12345"', "12345-ab"])
@pytest.mark.parametrize(
    ("key", "part"), [("ORG_ID", "account_id"), ("API_KEY", "key_id"), ("API_SECRET", "key_secret")]
)
def test_digits_of_a_credential_are_its_text(key: str, part: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = from_env(monkeypatch, **{f"FLASK_SCOPE_{key}": text})
    assert config.credentials is not None
    assert config.credentials.token_body()[part] == text.strip('"')


@pytest.mark.parametrize("key", ["CLIENT_ID", "CLIENT_SECRET"])
def test_digits_of_a_client_are_its_text(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("site")
    for name, value in {"ORG_ID": "7", "CLIENT_ID": "app", "CLIENT_SECRET": "hush", key: "2026"}.items():
        monkeypatch.setenv(f"FLASK_SCOPE_{name}", value)
    app.config.from_prefixed_env()
    Scope(app)
    with app.app_context():
        body = current_scope.config.credentials.token_body()
    assert (body["account_id"], body[key.lower()]) == ("7", "2026")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1e5", "float"),
        ("1.10", "float"),
        ("true", "bool"),
        ("false", "bool"),
        ("[1]", "list"),
        ("[]", "list"),
        ("{}", "dict"),
        ("0.0", "float"),
    ],
)
@pytest.mark.parametrize("key", ["ORG_ID", "API_KEY", "API_SECRET"])
def test_what_json_changed_is_refused_with_a_hint_that_works(
    key: str, text: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refusal(monkeypatch, **{f"FLASK_SCOPE_{key}": text})
    assert said == (
        f"SCOPE_{key} must be text, got {kind} (put it in quotes; as a variable for from_prefixed_env(), which reads "
        f"JSON, write FLASK_SCOPE_{key}='\"...\"' in the shell, or SCOPE_{key}=... in its place)"
    )
    config = from_env(monkeypatch, **{f"FLASK_SCOPE_{key}": f'"{text}"'})
    assert config.credentials is not None
    assert text in config.credentials.token_body().values()
    monkeypatch.delenv(f"FLASK_SCOPE_{key}")
    monkeypatch.setenv(f"SCOPE_{key}", text)
    config = read(**{f"SCOPE_{key}": None})
    assert config.credentials is not None
    assert text in config.credentials.token_body().values()


def test_null_is_an_absent_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_ORG_ID", "of the environment")
    config = from_env(monkeypatch, FLASK_SCOPE_ORG_ID="null")
    assert config.credentials is not None
    assert config.credentials.org_id == "of the environment"


@pytest.mark.parametrize("text", ["False", "false", "FALSE", "0", "no", "No", "off", '"0"'])
@pytest.mark.parametrize("option", ["cache_enabled", "telemetry_enabled", "allow_insecure"])
def test_a_flag_is_off_by_all_words_of_the_environment(option: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert getattr(from_env(monkeypatch, **{f"FLASK_SCOPE_{option.upper()}": text}), option) is False


@pytest.mark.parametrize("text", ["True", "true", "1", "yes", "on", "ON"])
@pytest.mark.parametrize("option", ["cache_enabled", "telemetry_enabled", "allow_insecure"])
def test_a_flag_is_on_by_all_words_of_the_environment(option: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert getattr(from_env(monkeypatch, **{f"FLASK_SCOPE_{option.upper()}": text}), option) is True


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("cache_ttl", "60", 60),
        ("cache_ttl", "0.5", 0.5),
        ("cache_ttl", "1e3", 1000),
        ("timeout", " 7 ", 7),
        ("deadline", "2", 2),
        ("max_retries", "0", 0),
        ("cache_max_size", "50", 50),
        ("token_refresh_buffer", "11", 11),
        ("environment", "2026", "2026"),
        ("api_version", "2", "2"),
        ("cache_ttl", "", 300),
        ("max_retries", "", 3),
        ("cache_enabled", "", True),
        ("deadline", "", None),
    ],
)
def test_other_settings_are_read_as_the_environment_is(
    option: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"SCOPE_{option.upper()}"
    assert getattr(read(**{key: text}), option) == value
    assert getattr(from_env(monkeypatch, **{f"FLASK_{key}": text}), option) == value
    app = Flask("site")
    app.config.from_prefixed_env(loads=str)
    assert getattr(read(**{key: app.config[key]}), option) == value


@pytest.mark.parametrize(("variable", "option"), [("SCOPE_CACHE_TTL", "cache_ttl"), ("SCOPE_TIMEOUT", "timeout")])
def test_empty_text_leaves_the_word_to_the_environment(
    variable: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "21")
    assert getattr(read(**{variable: ""}), option) == 21


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("TIMEOUT", "fast", "a positive number of seconds, got 'fast'"),
        ("TIMEOUT", "0", "a positive number of seconds, got '0'"),
        ("TIMEOUT", 0, "a positive number of seconds, got 0"),
        ("CACHE_TTL", "ten", "a number of seconds, 0 or more, got 'ten'"),
        ("CACHE_TTL", "-1", "a number of seconds, 0 or more, got '-1'"),
        ("CACHE_TTL", "nan", "a number of seconds, 0 or more, got 'nan'"),
        ("CACHE_TTL", True, "a number of seconds, 0 or more, got True"),
        ("MAX_RETRIES", "3x", "a whole number from 0 to 1000000000, got '3x'"),
        ("MAX_RETRIES", "1.5", "a whole number from 0 to 1000000000, got '1.5'"),
        ("CACHE_ENABLED", "perhaps", "True or False, got 'perhaps'"),
        ("CACHE_ENABLED", 2, "True or False, got 2"),
        ("CACHE_ENABLED", 1.0, "True or False, got 1.0"),
        ("DEADLINE", "soon", "a positive number of seconds, or None, got 'soon'"),
        ("CACHE_STORE", 5, "a CacheStore .*, or None, got int"),
        ("SESSION", "x", "a requests.Session, got str"),
        ("ENVIRONMENT", True, r"printable ASCII text .*, got True \(put it in quotes; .*ENVIRONMENT='\"...\"'"),
        ("API_VERSION", 1.5, r"letters, .*, got 1.5 \(put it in quotes; .*FLASK_SCOPE_API_VERSION='\"...\"'"),
        ("CACHE_TTL", "s3cret-Hush-0123456789", r"a number of seconds, 0 or more, got text \(not shown"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_it_must_be(key: str, value: object, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^SCOPE_{key} must be {said}"):
        read(**{f"SCOPE_{key}": value})


def test_a_number_with_more_digits_than_python_prints_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="SCOPE_ORG_ID must be text, got int"):
        read(SCOPE_ORG_ID=10**5000)
    with pytest.raises(ConfigurationError, match="SCOPE_CACHE_TTL must be a number of seconds"):
        read(SCOPE_CACHE_TTL=10**5000)


def test_a_configuration_by_hand_takes_no_text_for_a_number() -> None:
    from scope_client import Configuration

    with pytest.raises(ConfigurationError):
        Configuration(cache_ttl="60")  # type: ignore[arg-type]  # on purpose
