"""The example projects do what their README says, run as it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from faults.sites import free_port, got, running

EXAMPLES = Path(__file__).resolve().parents[2] / "example_projects"


def test_the_plain_script_goes_on_reading_through_an_outage() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "plain_script" / "outage.py")],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    before, during, after = re.split(r".*--- the platform is (?:gone|back).*\n", done.stdout)
    assert "evening" not in before + during
    assert "stale" in during
    assert "evening" in after
    assert done.stdout.count("WARNING") == 1
    assert done.stdout.endswith("none failed\n")


def test_the_manual_shows_what_changing_a_prompt_that_is_in_use_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "plain_script" / "changing.py")],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"$ make changing\n{done.stdout}```" in (EXAMPLES.parent / "docs" / "changing-prompts.md").read_text()
    runs = re.split(r"^(?:Code|Prompt) first.*\n", done.stdout, flags=re.MULTILINE)[1:]
    assert [("FAILS" in run, run.count("WARNING")) for run in runs] == [(True, 0), (False, 1), (True, 0), (False, 1)]


def test_a_conversation_keeps_its_version_through_a_deployment_as_the_manual_shows() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "plain_script" / "pinned.py")],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"$ make pinned\n{done.stdout}```" in (EXAMPLES.parent / "docs" / "pins.md").read_text()
    assert re.findall(r"new one: (.*) \| (.*)", done.stdout) == [
        ("Good morning, Ada!", "Good morning, Ada!"),
        *[("Good morning, Ada!", "Welcome, Ada, this morning!")] * 2,
    ]


def test_the_langchain_chain_follows_a_promotion_and_every_run_says_which_version_it_used() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "langchain_chain" / "chain.py")],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (0, "")
    parts = done.stdout.split("--- an agent")
    for part, temperatures in zip(parts, ((0.2, 0.8), (0.1, 0.9))):
        runs = re.findall(r"^  (prompt|model) +scope\.prompt\.version=(\d)(.*)$", part, re.MULTILINE)
        first, second = (f" temperature={each}" for each in temperatures)
        assert runs == [("prompt", "1", ""), ("model", "1", first), ("prompt", "2", ""), ("model", "2", second)]
        if sys.version_info < (3, 10):
            break  # LangChain 1.0, whose agents have middleware, needs a newer Python
    assert "Be brief" in done.stdout


@pytest.fixture
def fastapi_site():
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with running(["run.py", "--port", str(port)], EXAMPLES / "fastapi_site", url, {}):
        yield url


def asked(url: str, body: object) -> urllib.request.Request:
    return urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})


def test_the_fastapi_site_streams_answers_to_prompts_that_it_reads_on_its_loop(fastapi_site: str) -> None:
    assert got(f"{fastapi_site}?name=<Ada>") == "Good morning, <Ada>!"
    question = {"question": "Is the lamp dimmable?"}
    with urllib.request.urlopen(asked(f"{fastapi_site}answer/support-chat", question), timeout=30) as answer:
        assert answer.headers["X-Prompt-Version"] == "1"
        first, rest = answer.read(4), answer.read()
    assert (first + rest).decode() == "You said, at a temperature of 0.2: Is the lamp dimmable? "


@pytest.mark.parametrize(("prompt", "status"), [("no-such-prompt", 502), ("greeting", 400)])
def test_the_fastapi_site_says_what_is_wrong(fastapi_site: str, prompt: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked(f"{fastapi_site}answer/{prompt}", {"question": "Why?"}), timeout=30)
    with caught.value as answer:
        assert answer.status == status
        assert json.load(answer)["error"]
