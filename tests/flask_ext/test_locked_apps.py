"""SCOPE_LOCK locks the client of an app, from its config or the environment; the prompts of a test win."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.greeting import SAID, VALUES
from faults.locking import lock_platform
from flask import Flask, render_template_string

from scope_client import ConfigurationError, ScopeClient, ValidationError
from scope_flask import current_scope, health
from scope_flask.test import override_prompts

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client.local import LocalPlatform

Make = Callable[..., Flask]


@pytest.fixture
def lock(tmp_path: Path, platform: LocalPlatform) -> Path:
    path = lock_platform(tmp_path, platform, "greeting")
    platform.publish("greeting", "promoted {{name}}")
    return path


def client_of(app: Flask) -> ScopeClient:
    return app.extensions["scope"].client()


def page(app: Flask, values: dict[str, str], name: str = "greeting") -> str:
    with app.app_context():
        return render_template_string("{{ scope_prompt(which, **values) }}", which=name, values=values)


@pytest.mark.parametrize("is_from_environment", [False, True])
def test_an_app_is_locked(make_app: Make, lock: Path, monkeypatch: Any, is_from_environment: bool) -> None:
    if is_from_environment:
        monkeypatch.setenv("SCOPE_LOCK", str(lock))
    app = make_app(**({} if is_from_environment else {"SCOPE_LOCK": str(lock)}))
    assert page(app, VALUES) == SAID
    assert client_of(app).status().lock == str(lock)
    with app.app_context(), pytest.raises(ValidationError, match="has no prompt 'greetings'"):
        current_scope.get_prompt_version("greetings")


def test_a_broken_lock_is_a_configuration_error(make_app: Make, tmp_path: Path) -> None:
    app = make_app(SCOPE_LOCK=str(tmp_path / "nowhere.lock"))
    with pytest.raises(ConfigurationError, match=r"nowhere\.lock' does not exist"):
        client_of(app)
    told = app.test_cli_runner().invoke(args=["scope", "check"])
    assert (told.exit_code, told.output.count("nowhere.lock"), "S101" in told.output) == (1, 1, False)
    with pytest.raises(ConfigurationError, match="SCOPE_LOCK must be the path of a file"):
        make_app(SCOPE_LOCK=["scope.lock"])


def test_the_folder_answers_where_the_platform_cannot(make_app: Make, lock: Path, platform: LocalPlatform) -> None:
    platform.stop()
    app = make_app(SCOPE_LOCK=str(lock))
    assert page(app, VALUES) == SAID
    platform.start()


def test_the_prompts_of_a_test_win(make_app: Make, lock: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SCOPE_LOCK", str(lock))
    app = make_app(SCOPE_LOCK=str(lock))
    with override_prompts({"new": "of the test"}):
        assert page(app, {}, "new") == "of the test"
    assert page(app, VALUES) == SAID


def test_the_health_page_says_it(make_app: Make, lock: Path) -> None:
    app = make_app(SCOPE_LOCK=str(lock))
    app.register_blueprint(health)
    app.register_blueprint(health, name="quiet", url_prefix="/quiet", url_defaults={"last_error": False})
    assert app.test_client().get("/health").get_json()["lock"] == str(lock)
    assert app.test_client().get("/quiet/health").get_json()["lock"] == "scope.lock"
