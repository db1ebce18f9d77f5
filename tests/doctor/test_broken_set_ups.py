"""Broken set-ups, each with its advice followed to a working one: what the remedy says is done, and no more."""

from __future__ import annotations

import re
import shutil
import socket
from typing import TYPE_CHECKING, Callable, NamedTuple

import pytest
from faults.certificate import certificate
from faults.locking import lock_platform
from faults.replies import answer, error, prompt

if TYPE_CHECKING:
    from pathlib import Path

    from doctor.conftest import Diagnosis, Doctor
    from faults.server import FaultServer

    from scope_client.local import LocalPlatform

Variables = dict[str, str]
HTML = {"Content_Type": "text/html"}


class Scene:
    """Where a set-up is broken, and where its advice is followed."""

    def __init__(self, folder: Path, platform: LocalPlatform, server: FaultServer, tls_server: FaultServer) -> None:
        self.folder = folder
        self.platform = platform
        self.server = server
        self.tls_server = tls_server
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.closed_port: int = listener.getsockname()[1]

    @property
    def good(self) -> Variables:
        return dict(self.platform.environ)

    def at(self, url: str) -> Variables:
        return {**self.good, "SCOPE_API_URL": url, "SCOPE_AUTH_API_URL": url, "SCOPE_ALLOW_INSECURE": "1"}


class Case(NamedTuple):
    """What is broken, which check fails, what its remedy must say, and how that is done."""

    broken: Callable[[Scene], Variables]
    fails: str
    remedy: str
    """A pattern."""
    followed: Callable[[Scene, Variables, re.Match[str]], Variables]


def without(variables: Variables, *names: str) -> Variables:
    return {name: value for name, value in variables.items() if name not in names}


def quoted(scene: Scene) -> Variables:
    return {**scene.good, "SCOPE_API_SECRET": f'"{scene.good["SCOPE_API_SECRET"]}"'}


def half_a_pair(scene: Scene) -> Variables:
    keys = scene.good
    return {**without(keys, "SCOPE_API_SECRET"), "SCOPE_CLIENT_SECRET": keys["SCOPE_API_SECRET"]}


def swapped(scene: Scene) -> Variables:
    keys = scene.good
    return {**keys, "SCOPE_ORG_ID": keys["SCOPE_API_KEY"], "SCOPE_API_KEY": keys["SCOPE_ORG_ID"]}


def copied_wrongly(scene: Scene) -> Variables:
    return {**scene.good, "SCOPE_API_SECRET": scene.good["SCOPE_API_SECRET"][:-1]}


def misspelt_and_wrong(scene: Scene) -> Variables:
    return {**scene.good, "SCOPE_TIMEUOT": "5"}


def behind_a_dead_proxy(scene: Scene) -> Variables:
    scene.server.answers(error(401), prompt())
    url = f"http://[::ffff:127.0.0.1]:{scene.server.port}"
    return {**scene.at(url), "HTTP_PROXY": f"http://127.0.0.1:{scene.closed_port}"}


def of_an_unknown_authority(scene: Scene) -> Variables:
    scene.tls_server.answers(error(401), prompt())
    return scene.at(scene.tls_server.url)


def with_a_bundle_that_is_not_there(scene: Scene) -> Variables:
    return {**of_an_unknown_authority(scene), "SSL_CERT_FILE": str(scene.folder / "moved.pem")}


def behind_a_login_page(scene: Scene) -> Variables:
    scene.server.answers(answer("<html>Sign in</html>", 200, **HTML))
    return {**scene.good, "SCOPE_API_URL": scene.server.url}


def with_an_edited_lock_folder(scene: Scene) -> Variables:
    lock = lock_platform(scene.folder, scene.platform, "greeting")
    file = scene.folder / "prompts" / "greeting" / "v1.md"
    file.write_bytes(file.read_bytes().replace(b"Hello", b"Hullo"))
    return {**scene.good, "SCOPE_LOCK": str(lock)}


def pulled_anew(scene: Scene, variables: Variables, _: re.Match[str]) -> Variables:
    shutil.rmtree(scene.folder / "prompts")
    lock_platform(scene.folder, scene.platform, "greeting")
    return variables


def with_a_broken_file(scene: Scene) -> Variables:
    (scene.folder / "odd").mkdir()
    (scene.folder / "odd" / "greeting.md").write_text("---\nstatus: live\n---\nHi")
    return {**scene.good, "SCOPE_PROMPT_DIR": "odd"}


def corrected_file(scene: Scene, variables: Variables, _: re.Match[str]) -> Variables:
    (scene.folder / "odd" / "greeting.md").write_text("---\nstatus: published\n---\nHi")
    return variables


def set_as_it_says(scene: Scene, variables: Variables, said: re.Match[str]) -> Variables:
    """For "set NAME in its place, and unset OTHER"."""
    return {**without(variables, said["unset"]), said["set"]: variables[said["unset"]]}


def unset_as_it_says(scene: Scene, variables: Variables, said: re.Match[str]) -> Variables:
    return without(variables, *re.findall(r"\w+_\w+", said["unset"]))


def to_the_platform(*names: str) -> Callable[[Scene, Variables, re.Match[str]], Variables]:
    return lambda scene, variables, _: {**variables, **dict.fromkeys(names, scene.platform.url)}


CASES = {
    "quotes around the secret": Case(
        quoted,
        "credentials",
        "set (?P<name>SCOPE_API_SECRET) without the quotation marks",
        lambda scene, variables, said: {**variables, said["name"]: variables[said["name"]].strip('"')},
    ),
    "half of each pair": Case(
        half_a_pair,
        "credentials",
        "put the secret of SCOPE_API_KEY into (?P<set>SCOPE_API_SECRET), and unset (?P<unset>SCOPE_CLIENT_SECRET)",
        set_as_it_says,
    ),
    "organisation and key swapped": Case(
        swapped,
        "token",
        "copy SCOPE_ORG_ID, the ID and the secret again",
        lambda scene, variables, _: scene.good,
    ),
    "a secret that lacks its end": Case(
        copied_wrongly, "token", "the secret again", lambda scene, variables, _: scene.good
    ),
    "no credentials": Case(
        lambda scene: without(scene.good, "SCOPE_ORG_ID", "SCOPE_API_KEY", "SCOPE_API_SECRET"),
        "credentials",
        "set SCOPE_ORG_ID, SCOPE_API_KEY, SCOPE_API_SECRET",
        lambda scene, variables, _: {**variables, **scene.good},
    ),
    "a misspelt variable": Case(
        misspelt_and_wrong,
        "variables",
        "set (?P<set>SCOPE_TIMEOUT) in its place, and unset (?P<unset>SCOPE_TIMEUOT)",
        set_as_it_says,
    ),
    "a value that is not a number": Case(
        lambda scene: {**scene.good, "SCOPE_TIMEOUT": "5s"},
        "option timeout",
        "correct SCOPE_TIMEOUT, or unset it",
        lambda scene, variables, _: without(variables, "SCOPE_TIMEOUT"),
    ),
    "a host that is not there": Case(
        lambda scene: scene.at("https://scope.invalid"),
        "dns scope.invalid",
        "correct the host in SCOPE_API_URL or SCOPE_AUTH_API_URL",
        to_the_platform("SCOPE_API_URL", "SCOPE_AUTH_API_URL"),
    ),
    "a port where nobody listens": Case(
        lambda scene: scene.at(f"http://127.0.0.1:{scene.closed_port}"),
        "tcp 127.0.0.1:",
        "correct the port in SCOPE_API_URL or SCOPE_AUTH_API_URL",
        to_the_platform("SCOPE_API_URL", "SCOPE_AUTH_API_URL"),
    ),
    "a proxy that is not there": Case(
        behind_a_dead_proxy,
        "tcp 127.0.0.1:",
        "correct (?P<unset>HTTP_PROXY), unset it",
        unset_as_it_says,
    ),
    "an authority that nobody knows": Case(
        of_an_unknown_authority,
        "tls 127.0.0.1",
        "set (?P<name>REQUESTS_CA_BUNDLE) to a PEM file with the authority",
        lambda scene, variables, said: {**variables, said["name"]: str(certificate().authority)},
    ),
    "a bundle that was moved": Case(
        with_a_bundle_that_is_not_there,
        "certificates SSL_CERT_FILE",
        "correct (?P<name>SSL_CERT_FILE), or unset it",
        lambda scene, variables, said: {**variables, said["name"]: str(certificate().authority)},
    ),
    "a login page in between": Case(
        behind_a_login_page,
        "api",
        "set (?P<name>SCOPE_API_URL) to the address of the API",
        to_the_platform("SCOPE_API_URL"),
    ),
    "an edited file of the lock": Case(
        with_an_edited_lock_folder, "lock", "or run scope pull --locked --force", pulled_anew
    ),
    "a lock that is not there": Case(
        lambda scene: {**scene.good, "SCOPE_LOCK": "nowhere.lock"},
        "lock",
        "name another lock",
        lambda scene, variables, _: {
            **variables,
            "SCOPE_LOCK": str(lock_platform(scene.folder, scene.platform, "greeting")),
        },
    ),
    "a broken prompt file": Case(
        with_a_broken_file, "prompt folder", "correct the files that it names", corrected_file
    ),
    "plain HTTP to another machine": Case(
        lambda scene: {**scene.good, "SCOPE_API_URL": "http://scope.example.com"},
        "options",
        "correct the options that it names",
        to_the_platform("SCOPE_API_URL"),
    ),
}


@pytest.fixture
def scene(tmp_path: Path, platform: LocalPlatform, server: FaultServer, tls_server: FaultServer) -> Scene:
    return Scene(tmp_path, platform, server, tls_server)


@pytest.mark.parametrize("name", CASES)
def test_the_advice_leads_to_a_set_up_that_works(name: str, scene: Scene, doctor: Doctor) -> None:
    case = CASES[name]
    variables = case.broken(scene)
    found: Diagnosis = doctor(variables)
    assert found.code == 1
    check = found.of(case.fails)
    assert check["outcome"] == "failed"
    said = re.search(case.remedy, check["remedy"])
    assert said is not None, check["remedy"]
    scene.server.answers(error(401), prompt())
    scene.tls_server.answers(error(401), prompt())
    mended = doctor(case.followed(scene, variables, said))
    assert (mended.code, mended.failed) == (0, [])
    assert mended.outcome("prompt") == "ok"
