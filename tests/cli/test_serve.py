"""`scope serve` runs a platform over a folder until Ctrl-C."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import requests

from scope_client._folder.reader import read_prompt_dir

EXAMPLES = Path(__file__).resolve().parents[2] / "example_projects" / "prompts"
READY = "The requests:"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "greeting.md").write_text("Hello, {{name}}!\n")
    return folder


def exports(lines):
    words = [shlex.split(line) for line in lines]
    return dict(each[1].split("=", 1) for each in words if each[:1] == ["export"])


def test_the_five_lines_it_prints_are_all_that_a_program_needs(serve, scope, folder):
    serving = serve(folder)
    variables = exports(serving.read_until(READY))
    assert sorted(variables) == [
        "SCOPE_API_KEY",
        "SCOPE_API_SECRET",
        "SCOPE_API_URL",
        "SCOPE_AUTH_API_URL",
        "SCOPE_ORG_ID",
    ]
    assert scope("render", "greeting", "-v", "name=Alice", **variables).out == "Hello, Alice!\n"


def test_each_request_is_one_line_of_the_log(serve, scope, folder):
    serving = serve(folder)
    variables = exports(serving.read_until(READY))
    scope("get", "greeting", **variables)
    scope("get", "nothing", **variables)
    log = [line for line in serving.read_until("nothing production") if line]
    assert [re.sub(r" +", " ", line).split(" ", 1)[1].split(" ms")[0].rsplit(" ", 1)[0] for line in log] == [
        "POST /v1/auth/sdk-token 200",
        "GET greeting production 200",
        "POST /v1/auth/sdk-token 200",
        "GET nothing production 404",
    ]


def test_an_edited_file_is_served_at_once(serve, scope, folder):
    variables = exports(serve(folder).read_until(READY))
    assert scope("render", "greeting", "-v", "name=Alice", **variables).out == "Hello, Alice!\n"
    (folder / "greeting.md").write_text("Hi, {{name}}!\n")
    assert scope("render", "greeting", "-v", "name=Alice", **variables).out == "Hi, Alice!\n"


def test_ctrl_c_ends_it_cleanly(serve, folder):
    serving = serve(folder)
    serving.read_until(READY)
    done = serving.interrupt()
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\nStopped.\n")


def test_it_lists_every_version_with_its_status_type_and_id(serve):
    lines = [line.split() for line in serve(EXAMPLES).read_until(READY)]
    for name, versions in read_prompt_dir(EXAMPLES).items():
        assert [name, versions[0].prompt_id] in lines
        for each in versions:
            assert [f"v{each.number}", each.status, each.type, each.id] in lines


def test_an_empty_folder_is_served_with_a_word_on_what_to_do(serve, tmp_path):
    assert any("no prompt yet" in line for line in serve(tmp_path).read_until(READY))


def test_the_options_reach_the_platform(serve, folder):
    variables = exports(serve(folder, "--token-ttl", "5", "--latency", "0.01").read_until(READY))
    answer = requests.post(
        f"{variables['SCOPE_AUTH_API_URL']}/v1/auth/sdk-token",
        json={"account_id": "local-org", "key_id": "local-key", "key_secret": variables["SCOPE_API_SECRET"]},
        timeout=10,
    )
    assert answer.json()["expires_in"] == 5
    assert answer.elapsed.total_seconds() >= 0.01


def test_a_port_in_use_is_one_line(scope, platform, folder):
    done = scope("serve", str(folder), "--port", str(platform.port))
    assert done.code == 1
    assert f"port {platform.port} of 127.0.0.1 cannot be used" in done.complaint
    assert done.complaint.endswith("; choose another with --port, or 0 for any free one")


def test_a_folder_with_mistakes_is_one_line_that_names_each(scope, folder):
    (folder / "one.md").write_text("---\nstatus: live\n---\nx\n")
    (folder / "two.md").write_bytes(b"\xff")
    done = scope("serve", str(folder), "--port", "0")
    assert done.code == 1
    assert "one.md: status must be" in done.complaint
    assert "two.md: is not UTF-8" in done.complaint


def test_without_a_port_it_takes_one_that_is_always_the_same(scope):
    assert "default: 8750" in scope("serve", "--help").out
