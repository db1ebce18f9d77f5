"""The page on the first minute: each error is provoked as its heading says, and has the words of the page."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Callable

import pytest
import yaml
from faults.replies import answer
from faults.server import FaultServer
from manual import pages
from manual.pages import Block, blocks

from scope_client import ApiKeyCredentials, Configuration, NoProductionVersionError, ScopeClient
from scope_client._http.tokens import CREDENTIALS_PAUSES
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGE = "first-minute.md"
(PROGRAM,) = blocks(PAGE, "python")
TRIES = re.sub(r"ScopeClient\(\)", "ScopeClient(max_retries=0)", PROGRAM.text)
SAID = [block.text.strip() for block in blocks(PAGE, "text") if not block.before.endswith("prints:")]
AUTH = "https://auth.scope.io"
VALUES = {"SCOPE_ORG_ID": "my-org", "SCOPE_API_KEY": "key_abc123", "SCOPE_API_SECRET": "secret_xyz"}
# What the operating system and OpenSSL say differs from one machine to the next.
SYSTEM = re.compile(r" \((?:ConnectionRefusedError|SSLCertVerificationError): .*\)$")


def said(folder: Path, environ: Mapping[str, str], name: str = "greeting") -> str:
    """What the program of the page ends with."""
    done = pages.run(TRIES.replace('"greeting"', repr(name)), folder, **environ)
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr.strip()


def of_a_refusing_proxy(greeting: bytes) -> Callable[[Path, LocalPlatform], str]:
    def provoke(folder: Path, platform: LocalPlatform) -> str:
        with FaultServer(greeting=greeting) as proxy:
            return said(folder, {**VALUES, "HTTPS_PROXY": proxy.url})

    return provoke


def of_a_closed_network(folder: Path, platform: LocalPlatform) -> str:
    with FaultServer() as proxy:
        url = proxy.url
    return said(folder, {**VALUES, "HTTPS_PROXY": url})


def of_a_certificate_of_a_proxy(folder: Path, platform: LocalPlatform) -> str:
    with FaultServer(tls=True) as server:
        there = {"SCOPE_API_URL": server.url, "SCOPE_AUTH_API_URL": server.url}
        return said(folder, {**VALUES, **there}).replace(server.url, AUTH)


def of_a_right_that_lacks(folder: Path, platform: LocalPlatform) -> str:
    platform.fail(403, code="forbidden", message="This key may not read prompts")
    return said(folder, platform.environ)


def of_one_url(folder: Path, platform: LocalPlatform) -> str:
    code = "from scope_client import *; ScopeClient(base_url='https://scope.example.com')"
    done = pages.python(["-c", code], folder, **VALUES)
    return re.sub(r"^<string>:1: ", "", done.stderr.splitlines()[0])


def of_a_draft(folder: Path, platform: LocalPlatform) -> str:
    platform.draft("drafted", "Hi")
    return said(folder, platform.environ, "drafted")


PROVOKED: list[Callable[[Path, LocalPlatform], str]] = [
    lambda folder, platform: said(folder, {**platform.environ, "SCOPE_API_SECRET": ""}),
    lambda folder, platform: said(folder, {**platform.environ, "SCOPE_API_SECRET": "a-wrong-one"}),
    lambda folder, platform: said(folder, platform.environ, "greting"),
    of_a_draft,
    of_a_right_that_lacks,
    of_a_closed_network,
    of_a_refusing_proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
    of_a_certificate_of_a_proxy,
    of_one_url,
]


@pytest.mark.parametrize("number", range(len(PROVOKED)), ids=lambda number: SAID[number].partition(":")[0])
def test_an_error_has_the_words_of_the_page(number: int, folder: Path, platform: LocalPlatform) -> None:
    assert len(SAID) == len(PROVOKED)
    shown = SAID[number]
    found = PROVOKED[number](folder, platform)
    assert SYSTEM.sub("", found) == SYSTEM.sub("", shown)
    assert f"### {shown.partition(':')[0]}: " in pages.text_of(PAGE)


def test_the_host_that_is_asked_first_is_the_one_that_the_page_names() -> None:
    config = Configuration()
    assert (config.auth_api_url, config.base_url) == (AUTH, "https://api.scope.io")
    for host in ("auth.scope.io", "api.scope.io"):
        assert f"`{host}`" in pages.text_of(PAGE)


def test_a_platform_that_does_not_say_which_has_the_words_of_the_page() -> None:
    with FaultServer() as server:
        server.answers(answer("<h1>Not here</h1>", 404))
        urls = {"base_url": server.url, "auth_api_url": server.url}
        client = ScopeClient(credentials=ApiKeyCredentials("o", "k", "s"), **urls)
        with pytest.raises(NoProductionVersionError) as caught:
            client.get_prompt_version("greeting")
    (doubt,) = re.findall(r"says so: `(.+)`", pages.text_of(PAGE))
    assert doubt in str(caught.value)


def test_the_ways_to_set_the_variables_set_them(folder: Path) -> None:
    (shell,) = blocks(PAGE, "shell")
    code = "import os; print(sorted(each for each in os.environ.items() if each[0].startswith('SCOPE_')))"
    program = shlex.join([sys.executable, "-c", code])
    done = subprocess.run(["sh", "-c", shell.text + program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(sorted(VALUES.items()))
    (file,) = blocks(PAGE, "ini")
    assert dict(line.split("=") for line in file.text.splitlines()) == VALUES
    (powershell,) = blocks(PAGE, "powershell")
    assert dict(re.findall(r'^\$env:(\w+) = "(.+)"$', powershell.text, re.MULTILINE)) == VALUES


def test_the_yaml_of_the_page_names_variables_that_are_read() -> None:
    compose, actions = (yaml.safe_load(block.text) for block in blocks(PAGE, "yaml"))
    assert compose["services"]["web"]["env_file"] == ".env"
    assert list(compose["services"]["web"]["environment"]) == ["SCOPE_ENVIRONMENT"]
    assert list(actions["env"]) == list(VALUES)


def test_nothing_but_the_environment_is_read(folder: Path) -> None:
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in VALUES.items()))
    assert said(folder, {}).startswith("MissingApiKeyError: ")


def command(first: str) -> Block:
    (found,) = (block for block in blocks(PAGE, "console") if block.text.startswith(f"$ {first} "))
    return found


@pytest.mark.parametrize(("first", "start"), [("python", []), ("scope", ["-m", "scope_client.cli"])])
def test_a_command_prints_what_the_page_says(
    first: str, start: list[str], folder: Path, platform: LocalPlatform
) -> None:
    line, _, printed = command(first).text.partition("\n")
    done = pages.python([*start, *shlex.split(line)[2:]], folder, **platform.environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == printed


def test_a_running_client_waits_before_it_tries_refused_credentials_again() -> None:
    assert [CREDENTIALS_PAUSES.after(times) for times in (1, 2, 3, 4, 20)] == [1, 2, 4, 8, 60]


def test_the_wire_has_the_names_of_the_page() -> None:
    body = ApiKeyCredentials("o", "k", "s").token_body()
    assert list(body) == re.findall(r"`(account_id|key_id|key_secret)`", pages.text_of(PAGE))


def test_three_more_attempts_are_made_by_default() -> None:
    assert ScopeClient(credentials=ApiKeyCredentials("o", "k", "s")).config.max_retries == 3
