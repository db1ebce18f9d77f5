"""Programs for the platform's own SDK run as they are: only the environment says where the platform is, and who asks.

Each program in `programs` is a part of what that SDK's manual shows, retold.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import scope_client
from scope_client.local import LocalPlatform

PROGRAMS = Path(__file__).parent / "programs"
ROOT = Path(scope_client.__file__).resolve().parents[1]
PAIRS = {"an API key": ("API_KEY", "API_SECRET"), "a client": ("CLIENT_ID", "CLIENT_SECRET")}
either_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform() as started:
        started.publish("greeting-template", "Hello, {{name}}!", metadata={"model": "gpt-4"})
        started.publish(
            "time-of-day", "Good {{time_of_day}}, {{name}}!", metadata={"model": "gpt-4", "temperature": 0.5}
        )
        yield started


def environment(platform: LocalPlatform, pair: tuple[str, ...] = PAIRS["an API key"]) -> dict[str, str]:
    """Where the platform is, and credentials of this pair alone."""
    keys, application = platform.credentials, platform.client_credentials
    every = {
        **platform.environ,
        "SCOPE_API_KEY": keys.api_key,
        "SCOPE_API_SECRET": keys.api_secret,
        "SCOPE_CLIENT_ID": application.client_id,
        "SCOPE_CLIENT_SECRET": application.client_secret,
    }
    left_out = [f"SCOPE_{part}" for each in PAIRS.values() if each != pair for part in each]
    return {name: value for name, value in every.items() if name not in left_out}


def run(name: str, variables: dict[str, str], **more: str) -> list[str]:
    """The lines that a program prints; it must not warn."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAMS / f"{name}.py")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables, **more},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_every_program_is_run_here() -> None:
    source = Path(__file__).read_text()
    assert {file.stem for file in PROGRAMS.glob("*.py")} == set(re.findall(r'run\("(\w+)"', source))


@either_pair
def test_the_first_read(platform: LocalPlatform, pair: tuple[str, ...]) -> None:
    assert run("first_read", environment(platform, pair)) == ["Hello, Alice!", "gpt-4"]


def test_three_ways_to_configure(platform: LocalPlatform) -> None:
    assert run("three_ways_to_configure", environment(platform)) == ["Hello, Alice!"] * 3


def test_every_option_has_the_default_of_the_table(platform: LocalPlatform) -> None:
    *defaults, name = run("every_option", environment(platform))
    assert sorted(defaults) == [
        "cache_ttl True",
        "max_retries True",
        "open_timeout True",
        "timeout True",
        "token_refresh_buffer True",
    ]
    assert name == "greeting-template"


def test_the_optional_variables_are_read(platform: LocalPlatform) -> None:
    more = {"SCOPE_ENVIRONMENT": "staging", "SCOPE_TOKEN_REFRESH_BUFFER": "30"}
    assert run("first_read", environment(platform), **more)[0] == "Hello, Alice!"


def test_which_version_is_read(platform: LocalPlatform) -> None:
    first = platform.publish("my-greeting-prompt", "One, {{name}}")
    platform.publish("my-greeting-prompt", "Two, {{name}} and {{friend}}")
    platform.draft("my-greeting-prompt", "Three, {{name}}")
    lines = run("which_version", environment(platform), VERSION_ID=str(first.id))
    two = "Two, {{name}} and {{friend}}"
    assert lines == [f"{two} / text / name, friend", "True", "Three, {{name}}", two, "One, {{name}}"]


@either_pair
def test_rendering(platform: LocalPlatform, pair: tuple[str, ...]) -> None:
    morning, *evenings, asked, metadata = run("rendering", environment(platform, pair))
    assert morning == "Good morning, Alice!"
    assert evenings == ["Good evening, Bob!"] * 2
    assert asked == str(
        {
            "model": "gpt-4",
            "temperature": 0.5,
            "max_tokens": None,
            "messages": [{"role": "user", "content": "Good morning, Alice!"}],
        }
    )
    assert metadata == str({"model": "gpt-4", "temperature": 0.5})


def test_caching(platform: LocalPlatform) -> None:
    assert run("caching", environment(platform)) == ["Hello, {{name}}!"]
    reads = [request for request in platform.requests if request.method == "GET"]
    assert len(reads) == 3  # the first one, the one past the cache, and the one after it was cleared


def test_each_error_ends_on_its_step_of_the_ladder(platform: LocalPlatform) -> None:
    platform.draft("a-draft", "Soon")
    platform.publish("for-two", "{{name}} and {{friend}} and {{other}}")
    good = environment(platform)
    assert run("errors", good, PROMPT="greeting-template") == ["Hello, Alice!"]
    assert run("errors", good, PROMPT="no-such-prompt") == ["no such prompt"]
    assert run("errors", good, PROMPT="a-draft") == ["nothing in production of a-draft"]
    assert run("errors", good, PROMPT="for-two") == ["missing: friend, other"]
    assert run("errors", {**good, "SCOPE_API_SECRET": "wrong"}, PROMPT="greeting-template") == ["wrong credentials"]
    nowhere = {**good, "SCOPE_AUTH_API_URL": "http://127.0.0.1:9"}
    assert run("errors", nowhere, PROMPT="greeting-template") == ["no token"]
    for status, line in ((503, "API error 503: ServerError"), (403, "API error 403: AuthorizationError")):
        platform.fail(status, times=1)
        assert run("errors", good, PROMPT="greeting-template") == [line]
    platform.fail(429, times=1, retry_after=7)
    assert run("errors", good, PROMPT="greeting-template") == ["again in 7 s"]


def test_telemetry(platform: LocalPlatform) -> None:
    lines = run("telemetry", environment(platform))
    assert [line.split()[0] for line in lines] == ["Request:", "Response:"] * 3 + ["Error:", "NotFoundError"]
    assert all(re.fullmatch(r"Response: (200|404) in \d+\.\d\dms", line) for line in lines[1:6:2])
    assert lines[2].endswith("/api/v1/prompts/greeting-template/production")


@either_pair
def test_what_programs_of_the_newer_generation_write(platform: LocalPlatform, pair: tuple[str, ...]) -> None:
    lines = run("newer_generation", environment(platform, pair))
    assert lines[:3] == ["True True", "True True True", "True"]
    assert lines[3:9] == ["Hello, Alice! True"] * 6
    assert lines[9:] == ["True True", "True True False", "True local True", "{"]


def test_errors_as_a_programs_own_tests_make_them() -> None:
    assert run("doubles", {}) == [
        "NoProductionVersionError 404 {'prompt_id': 'greeting'}",
        "MissingVariableError None {'missing_variables': ('name',)}",
        "RateLimitError 429 {'retry_after': 60}",
        "NotFoundError 404 {}",
        "ConnectionError None {'original_error': OSError('no route')}",
        "TimeoutError None {}",
        "ValidationError None {'field': 'label', 'value': 'prod'}",
        "RenderError None {'template': 'Hi {{name}}'}",
        "NoProductionVersionError 404 {}",
        "MissingVariableError None {}",
        "RateLimitError 429 {}",
    ]


def test_every_error_of_the_table_is_there_and_of_its_kind() -> None:
    assert run("every_error", {}) == ["True"]
