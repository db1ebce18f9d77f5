"""Sites as they are deployed: servers in processes of their own, on loopback; and a browser that looks at them."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faults.clock import eventually
from playwright.sync_api import Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).resolve().parents[2] / "example_projects"
PATIENCE = 30.0
LOW_PORTS = range(10_000, 32_000)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


def free_port() -> int:
    """One for a server that listens a little later: below those that the system gives to whoever asks for any."""
    for port in random.sample(LOW_PORTS, len(LOW_PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def got(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def is_up(url: str) -> bool:
    try:
        return bool(got(url))
    except OSError:
        return False


@contextlib.contextmanager
def running(command: list[str], folder: Path, url: str, environ: dict[str, str]) -> Iterator[None]:
    """A Python server and its children, until they are told to end."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: process.poll() is not None or is_up(url), PATIENCE)
        assert process.poll() is None, "the site ended by itself"
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


@contextlib.contextmanager
def browser_page(*flags: str, **options: Any) -> Iterator[Page]:
    """A page of a browser with these flags; the options are those of Playwright's `Browser.new_page`."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("this test needs a real browser: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *flags])
        yield browser.new_page(**options)
        browser.close()


def keep_picture(page: Page, name: str) -> None:
    """A screenshot, in the folder of SCREENSHOTS where that is set."""
    folder = os.environ.get("SCREENSHOTS")
    picture = page.screenshot()
    if folder:
        Path(folder, f"{name}.png").write_bytes(picture)
