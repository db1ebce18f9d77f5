"""docs/recipes/docker-compose.md: the commands and health checks of the file, run as processes, with its variables.

There is no Docker where the tests run. What it adds is held against the file by reading it: names, ports and folders.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from faults.clock import eventually
from faults.sites import free_port
from manual import pages
from recipes import recipe

from scope_client import Configuration, ConfigurationError
from scope_client.cli._serve import DEFAULT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipes.fakes.server import ModelServer

PAGE = "recipes/docker-compose.md"
FILE = recipe.FOLDER / "compose.yaml"
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
SCOPE, SITE = SERVICES["scope"], SERVICES["site"]
PROGRAMS = {"scope": ["-m", "scope_client.cli"], "uvicorn": ["-m", "uvicorn"], "python": []}


def filled_in(value: str, given: dict[str, str]) -> str:
    """As Compose fills in `${NAME:-this}` and `${NAME:?what is missing}`."""

    def one(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if name in given:
            return given[name]
        assert kind == ":-", f"{name}: {rest}"
        return rest

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", one, value)


class Started:
    """The two services as processes of this machine, on ports of their own."""

    def __init__(self, given: dict[str, str]) -> None:
        self.scope_port, self.site_port = free_port(), free_port()
        self._given = given
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def _here(self, text: str) -> str:
        """With addresses of this machine in place of those of the containers."""
        text = re.sub(rf"\b(scope|127\.0\.0\.1):{DEFAULT_PORT}\b", f"127.0.0.1:{self.scope_port}", text)
        return re.sub(r"127\.0\.0\.1:8000\b", f"127.0.0.1:{self.site_port}", text)

    def environ(self, service: dict[str, Any]) -> dict[str, str]:
        values = service["environment"].items()
        return pages.environment({name: self._here(filled_in(value, self._given)) for name, value in values})

    def words(self, name: str) -> list[str]:
        """The command of a service, to listen on loopback, on a port of its own."""
        program, *rest = SERVICES[name]["command"]
        places = {"/prompts": str(recipe.PROMPTS), "0.0.0.0": "127.0.0.1", "8000": str(self.site_port)}
        port = ["--port", str(self.scope_port)] if name == "scope" else []
        return [sys.executable, *PROGRAMS[program], *(places.get(word, word) for word in rest), *port]

    def start(self, name: str) -> None:
        environ = self.environ(SERVICES[name])
        self._running[name] = subprocess.Popen(
            self.words(name),
            cwd=recipe.FOLDER,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: self._running[name].poll() is not None or self.is_healthy(name), recipe.PATIENCE)
        assert self._running[name].poll() is None, f"{name} ended by itself"

    def stop(self, name: str) -> int:
        process = self._running.pop(name)
        process.terminate()
        return process.wait(recipe.PATIENCE)

    def stop_all(self) -> None:
        for name in list(self._running):
            self.stop(name)

    def is_healthy(self, name: str) -> bool:
        kind, program, *rest = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [sys.executable, *PROGRAMS[program], *map(self._here, rest)]
        done = subprocess.run(command, env=self.environ(SERVICES[name]), capture_output=True, timeout=recipe.PATIENCE)
        return done.returncode == 0

    def asked(self) -> str:
        url = f"http://127.0.0.1:{self.site_port}/answer"
        return httpx.post(url, json={"question": "Is it dimmable?"}, timeout=recipe.PATIENCE).text


@pytest.fixture
def started(models: ModelServer) -> Iterator[Started]:
    services = Started(models.environ)
    with contextlib.ExitStack() as stack:
        stack.callback(services.stop_all)
        yield services


def test_the_services_start_in_order_answer_and_go_on_when_the_platform_is_gone(
    started: Started, models: ModelServer
) -> None:
    started.start("scope")
    started.start("site")
    models.will_say("Yes: turn its knob.")
    assert f"{started.asked()}\n" == recipe.shown_output(PAGE, "curl")
    assert started.stop("scope") == 0
    assert not started.is_healthy("scope")
    assert started.is_healthy("site")
    assert started.asked() == "You answer questions about the: Is it dimmable?"
    assert {body["model"] for body in models.bodies} == {"gpt-5.5"}


@pytest.mark.parametrize(("host", "status"), [("scope:8750", 200), ("another:8750", 421)])
def test_the_platform_answers_by_the_name_of_its_service_and_by_no_other(
    host: str, status: int, started: Started
) -> None:
    started.start("scope")
    keys = started.environ(SITE)
    body = {
        "account_id": keys["SCOPE_ORG_ID"],
        "key_id": keys["SCOPE_API_KEY"],
        "key_secret": keys["SCOPE_API_SECRET"],
    }
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", started.scope_port)) as connection:
        headers = {"Host": host, "Content-Type": "application/json"}
        connection.request("POST", "/v1/auth/sdk-token", json.dumps(body), headers)
        assert connection.getresponse().status == status


def test_the_site_needs_what_permits_http_to_the_other_container(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SITE["environment"].items():
        monkeypatch.setenv(name, filled_in(value, {"OPENAI_API_KEY": "not-one"}))
    assert Configuration().base_url == f"http://scope:{DEFAULT_PORT}"
    monkeypatch.delenv("SCOPE_ALLOW_INSECURE")
    with pytest.raises(ConfigurationError, match="allow_insecure"):
        Configuration()


def test_a_key_for_the_model_must_be_given() -> None:
    with pytest.raises(AssertionError, match="OPENAI_API_KEY: set it in the environment"):
        filled_in(SITE["environment"]["OPENAI_API_KEY"], {})


def test_names_ports_and_folders_of_the_services_fit_one_another() -> None:
    assert urlsplit(SITE["environment"]["SCOPE_API_URL"]).netloc == f"scope:{DEFAULT_PORT}"
    assert SCOPE["command"][SCOPE["command"].index("--allow-host") + 1] == "scope"
    assert [volume.split(":") for volume in SCOPE["volumes"]] == [["./prompts", SCOPE["command"][2], "ro"]]
    (port,) = SITE["ports"]
    assert port.split(":")[-1] == SITE["command"][SITE["command"].index("--port") + 1]
    assert SITE["depends_on"]["scope"]["condition"] == "service_healthy"
    shared = ("SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET")
    assert [SCOPE["environment"][name] for name in shared] == [SITE["environment"][name] for name in shared]


def test_the_image_has_what_the_commands_need() -> None:
    assert SCOPE["image"] == SITE["image"]
    lines = [shlex.split(line) for line in SITE["build"]["dockerfile_inline"].splitlines()]
    steps = {words[0]: words[1:] for words in lines}
    assert steps["FROM"] == ["python:3.13-slim"]
    assert (recipe.FOLDER / steps["COPY"][0]).is_file()
    installed = steps["RUN"][3:]
    imported = re.findall(r"^(?:import|from) (fastapi|openai|uvicorn|pydantic)\b", _site_text(), re.MULTILINE)
    assert installed == ["scope-prompts[local]", *sorted({*imported} - {"pydantic"})]  # which comes with fastapi
    assert SITE["command"][1] == f"{steps['COPY'][0][: -len('.py')]}:app"


def _site_text() -> str:
    return (recipe.FOLDER / "fastapi_streaming.py").read_text()
