"""docs/recipes/kubernetes.md: its ConfigMap, mounted as Kubernetes does it and swapped under readers, and its commands.

There is no cluster where the tests run. The commands and the probes of the file are run as processes.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from faults.clock import eventually
from faults.configmap import ConfigMapVolume
from faults.sites import free_port, got, is_up
from manual import pages
from recipes import recipe

from scope_client.cli._serve import DEFAULT_PORT
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recipes.fakes.server import ModelServer

PAGE = "recipes/kubernetes.md"
MAP, DEPLOYMENT, SERVICE = yaml.safe_load_all((recipe.FOLDER / "kubernetes.yaml").read_text())
POD: dict[str, Any] = DEPLOYMENT["spec"]["template"]["spec"]
(SCOPE,), (SITE,) = POD["initContainers"], POD["containers"]
PROGRAMS = {"scope": ["-m", "scope_client.cli"], "uvicorn": ["-m", "uvicorn"]}
KEY = re.compile(r"[-._a-zA-Z0-9]+")  # what Kubernetes takes as a key
NAMES = ("answer", "support/greeting")
SWAPS = 40


def files(mark: str = "") -> dict[str, str]:
    """The files of the mount, by the paths of the volume's items; with a mark at the end of each text."""
    ((volume),) = POD["volumes"]
    texts = {item["path"]: MAP["data"][item["key"]] for item in volume["configMap"]["items"]}
    return {path: re.sub(r"in one sentence|How can", rf"\g<0>{mark}", text) for path, text in texts.items()}


@pytest.fixture
def volume(tmp_path: Path) -> ConfigMapVolume:
    return ConfigMapVolume(tmp_path / "prompts", files())


class Pod:
    """The two containers as processes of this machine, on ports of their own."""

    def __init__(self, volume: ConfigMapVolume, environ: dict[str, str]) -> None:
        self.volume = volume
        self.scope_port, self.site_port = free_port(), free_port()
        self._environ = environ
        self._running: list[subprocess.Popen[bytes]] = []

    def _here(self, text: str) -> str:
        places = {"/prompts": str(self.volume.folder), "0.0.0.0": "127.0.0.1", "8000": str(self.site_port)}
        return places.get(text, text.replace(f":{DEFAULT_PORT}", f":{self.scope_port}"))

    def _words(self, command: list[str]) -> list[str]:
        program, *rest = command
        return [sys.executable, *PROGRAMS[program], *map(self._here, rest)]

    def environ(self, container: dict[str, Any]) -> dict[str, str]:
        given = {each["name"]: self._here(each["value"]) for each in container["env"]}
        return pages.environment({**given, **self._environ})

    def start(self, container: dict[str, Any], *more: str) -> None:
        words = [*self._words(container["command"]), *more]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._running.append(subprocess.Popen(words, cwd=recipe.FOLDER, env=self.environ(container), **quiet))

    def has_started(self) -> bool:
        """What the startup probe says."""
        probe = self._words(SCOPE["startupProbe"]["exec"]["command"])
        return subprocess.run(probe, env=self.environ(SCOPE), capture_output=True, check=False).returncode == 0

    def end(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(recipe.PATIENCE)


@pytest.fixture
def pod(volume: ConfigMapVolume, models: ModelServer) -> Iterator[Pod]:
    pod = Pod(volume, {**models.environ, "SCOPE_CACHE_TTL": "0.2"})
    with contextlib.ExitStack() as stack:
        stack.callback(pod.end)
        yield pod


def test_an_update_of_the_configmap_reaches_a_running_site(pod: Pod, models: ModelServer) -> None:
    pod.start(SCOPE, "--port", str(pod.scope_port))
    eventually(pod.has_started, recipe.PATIENCE)
    pod.start(SITE)
    site = f"http://127.0.0.1:{pod.site_port}"
    eventually(lambda: is_up(site + SITE["readinessProbe"]["httpGet"]["path"]), recipe.PATIENCE)

    def system_prompt() -> str:
        answer = httpx.post(f"{site}/answer", json={"question": "Is it dimmable?"}, timeout=recipe.PATIENCE)
        assert answer.status_code == 200
        return str(models.bodies[-1]["messages"][0]["content"])

    assert system_prompt() == "You answer questions about the Lamp, in one sentence."
    pod.volume.update(files(" or two"))
    eventually(
        lambda: system_prompt() == "You answer questions about the Lamp, in one sentence or two.", recipe.PATIENCE
    )
    assert got(site + SITE["livenessProbe"]["httpGet"]["path"])


def contents(client: Any) -> list[str]:
    return [client.get_prompt_version(name).content for name in NAMES]


def marks(found: list[str]) -> list[str]:
    return [re.search(r"(?:in one sentence|How can)( \d+)?", text)[1] or "" for text in found]  # type: ignore[index]


def test_readers_of_a_local_platform_see_one_text_or_the_other_at_each_step_of_an_update(
    volume: ConfigMapVolume,
) -> None:
    seen = [""]

    def read() -> None:
        seen.extend(marks(contents(client)))

    with LocalPlatform(volume.folder) as platform, platform.client(cache_enabled=False, max_retries=0) as client:
        for number in range(1, 6):
            before = len(seen)
            volume.update(files(f" {number}"), between=read)
            former = f" {number - 1}" if number > 1 else ""
            assert set(seen[before:]) == {former, f" {number}"}
            assert marks(contents(client)) == [f" {number}"] * 2


def test_readers_of_a_prompt_dir_never_miss_a_prompt_while_it_is_swapped(volume: ConfigMapVolume) -> None:
    with LocalPlatform() as platform:
        platform.stop()
        options: Any = {"prompt_dir": volume.folder, "max_retries": 0, "cache_ttl": 0.001}
        with platform.client(**options) as client:
            errors: list[BaseException] = []
            is_over = threading.Event()

            def read() -> None:
                try:
                    while not is_over.is_set():
                        marks(contents(client))
                except BaseException as error:
                    errors.append(error)

            readers = [threading.Thread(target=read) for _ in range(2)]
            for reader in readers:
                reader.start()
            for number in range(SWAPS):
                volume.update(files(f" {number}"))
            eventually(lambda: marks(contents(client)) == [f" {SWAPS - 1}"] * 2, recipe.PATIENCE)
            is_over.set()
            for reader in readers:
                reader.join()
    assert errors == []


def test_an_update_that_adds_and_removes_prompts_is_followed_and_one_with_a_mistake_is_not(
    volume: ConfigMapVolume,
) -> None:
    with LocalPlatform(volume.folder) as platform, platform.client(cache_enabled=False, max_retries=0) as client:
        volume.update({"answer.md": files(" 1")["answer.md"], "support/farewell/v1.md": "Goodbye.\n"})
        assert client.get_prompt_version("support/farewell").content == "Goodbye."
        assert marks([client.get_prompt_version("answer").content]) == [" 1"]
        volume.update({"answer.md": "---\nmetadata: [\n---\nbroken\n"})
        assert marks([client.get_prompt_version("answer").content]) == [" 1"]
        volume.update(files(" 2"))
        assert marks(contents(client)) == [" 2"] * 2


def scope(folder: Path, *words: str, **environ: str) -> str:
    command = [sys.executable, "-m", "scope_client.cli", *words]
    return subprocess.run(
        command, cwd=folder, env=pages.environment(environ), capture_output=True, text=True, check=True
    ).stdout


def test_the_mount_holds_each_prompt_once(volume: ConfigMapVolume, tmp_path: Path) -> None:
    listed = scope(tmp_path, "list", str(volume.folder))
    assert [line.split()[0] for line in listed.splitlines()] == ["NAME", *NAMES]


def test_code_is_checked_against_a_mount_and_a_lock_in_one_is_kept_to(tmp_path: Path) -> None:
    call = "scope_client.client().render_prompt('support/greeting', {})"
    (tmp_path / "code.py").write_text(f"import scope_client\n{call}\n")
    pulled = tmp_path / "pulled"
    pulled.mkdir()
    with LocalPlatform({"support/greeting": "Good day."}) as platform:
        scope(pulled, "pull", "support/greeting", "-o", "prompts", **platform.environ)
        found = {str(file.relative_to(pulled)): file.read_text() for file in pulled.rglob("*") if file.is_file()}
        mount = ConfigMapVolume(tmp_path / "mount", found).folder
        platform.publish("support/greeting", "Promoted.")
        scope(tmp_path, "check", "code.py", "--against", str(mount / "prompts"))
        with platform.client(lock=str(mount / "scope.lock"), max_retries=0) as client:
            assert client.render_prompt("support/greeting", {}) == "Good day."
        platform.stop()
        with platform.client(lock=str(mount / "scope.lock"), max_retries=0) as client:
            assert client.render_prompt("support/greeting", {}) == "Good day."


def test_the_parts_of_the_manifest_fit_one_another() -> None:
    (volume,) = POD["volumes"]
    items = volume["configMap"]["items"]
    assert volume["configMap"]["name"] == MAP["metadata"]["name"]
    assert {item["key"] for item in items} == set(MAP["data"])
    assert all(KEY.fullmatch(key) for key in MAP["data"])
    for container in (SCOPE, SITE):
        (mount,) = container["volumeMounts"]
        assert (mount["name"], mount["mountPath"]) == (volume["name"], "/prompts")
        assert "subPath" not in mount  # which no update reaches
    assert SCOPE["command"][:3] == ["scope", "serve", "/prompts"]
    assert (SCOPE["restartPolicy"], SCOPE["image"]) == ("Always", SITE["image"])
    assert {each["name"]: each["value"] for each in SITE["env"]}["SCOPE_API_URL"].endswith(f":{DEFAULT_PORT}")
    (port,) = SITE["ports"]
    assert {port["containerPort"], SERVICE["spec"]["ports"][0]["targetPort"]} == {8000}
    assert DEPLOYMENT["spec"]["selector"]["matchLabels"] == SERVICE["spec"]["selector"]


def test_its_answer_is_the_one_of_the_other_recipes() -> None:
    assert MAP["data"]["answer.md"] == (recipe.PROMPTS / "answer.md").read_text()
