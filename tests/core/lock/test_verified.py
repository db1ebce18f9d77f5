"""A file is taken for the locked version only if it holds that very version, whatever git did to its line ends."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from scope_client import PromptVersion
from scope_client._folder.reader import read_prompt_dir
from scope_client._folder.record import new_version
from scope_client._folder.written_file import octets_of
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion
from scope_client._lock.verified import record_for, verified

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client._folder.record import VersionRecord

TEXT = "Hello, {{name}}!\n\n---\nYour {{thing}}\n"
CHAT = '[\n  {"role": "system", "content": "Be {{tone}}.\\r\\nYes."},\n  {"role": "user", "content": "Hi"}\n]'


def record(content: str = TEXT, **parts: object) -> VersionRecord:
    usual = {"status": "published", "metadata": {"model": "m-1"}, "tags": ["a"], "at": "2026-01-01T00:00:00.000Z"}
    return new_version("greeting", 7, content, **{**usual, **parts})


def sent(of: VersionRecord) -> PromptVersion:
    return PromptVersion.from_api(of.to_body())


def lock_of(of: VersionRecord) -> LockedVersion:
    return LockedVersion("greeting", "production", of.id, digest_of(sent(of)), of.number)


def read_in(folder: Path, octets: bytes) -> VersionRecord:
    (folder / "greeting").mkdir(exist_ok=True)
    (folder / "greeting" / "v7.md").write_bytes(octets)
    return read_prompt_dir(folder)["greeting"][0]


@pytest.mark.parametrize(("content", "kind"), [(TEXT, "text"), (CHAT, "chat"), ("one line", "text"), ("", "text")])
def test_a_file_as_it_was_written_is_the_locked_version(tmp_path: Path, content: str, kind: str) -> None:
    of = record(content, type=kind)
    found = verified(read_in(tmp_path, octets_of(of)), lock_of(of))
    assert found is not None
    assert found.content == content
    assert not found.is_fallback


@pytest.mark.parametrize(("content", "kind"), [(TEXT, "text"), (CHAT, "chat"), ("one line", "text"), ("\n", "text")])
def test_a_checkout_with_crlf_is_the_locked_version_and_is_served_with_lf(
    tmp_path: Path, content: str, kind: str
) -> None:
    of = record(content, type=kind)
    found = verified(read_in(tmp_path, octets_of(of).replace(b"\n", b"\r\n")), lock_of(of))
    assert found is not None
    assert found.content == content


def test_content_of_crlf_survives_a_git_that_stores_lf(tmp_path: Path) -> None:
    of = record("Hello\r\n\r\n{{name}}\r\n")
    found = verified(read_in(tmp_path, octets_of(of).replace(b"\r\n", b"\n")), lock_of(of))
    assert found is not None
    assert found.content == of.content


@pytest.mark.parametrize("written", ["Hello\r\nAda", "Hello\nAda"])
@pytest.mark.parametrize("autocrlf", ["true", "input", "false"])
def test_a_real_checkout_is_the_locked_version(tmp_path: Path, autocrlf: str, written: str) -> None:
    of = record(written)
    origin, copy = tmp_path / "origin", tmp_path / "copy"
    origin.mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", f"core.autocrlf={autocrlf}"]
    subprocess.run([*git, "init", "-q", str(origin)], check=True)
    read_in(origin, octets_of(of))
    subprocess.run([*git, "add", "."], cwd=origin, check=True, capture_output=True)
    subprocess.run([*git, "commit", "-qm", "prompts"], cwd=origin, check=True)
    subprocess.run([*git, "clone", "-q", str(origin), str(copy)], check=True)
    found = verified(read_prompt_dir(copy)["greeting"][0], lock_of(of))
    assert found is not None
    assert found.content == written


@pytest.mark.parametrize(
    "changed",
    [
        {"content": TEXT + " "},
        {"content": TEXT.replace("Hello", "hello")},
        {"metadata": {"model": "m-2"}},
        {"metadata": {}},
        {"tags": []},
        {"variables": ["more"]},
        {"id": "v_other"},
        {"type": "chat", "content": CHAT},
    ],
)
def test_a_file_that_was_changed_is_not_the_locked_version(changed: dict[str, object]) -> None:
    assert verified(record(**changed), lock_of(record())) is None


@pytest.mark.parametrize("status", ["draft", "published", "archived"])
def test_a_promotion_does_not_break_it(status: str) -> None:
    assert verified(record(status=status, at="2027-01-01T00:00:00.000Z"), lock_of(record())) is not None


def test_no_file_is_no_version() -> None:
    assert verified(None, lock_of(record())) is None


def test_the_record_of_a_prompt_is_found_by_the_id_of_the_version() -> None:
    of = record()
    other = record(id="v_other")
    assert record_for([other, of], lock_of(of)) is of
    assert record_for([other], lock_of(of)) is None


def test_surplus_values_are_an_error_unless_the_option_says_otherwise() -> None:
    of = record("Hello")
    strict, tolerant = (verified(of, lock_of(of), extra_values=rule) for rule in ("error", "ignore"))
    assert strict is not None
    assert tolerant is not None
    assert tolerant.render(name="Ada") == "Hello"
    with pytest.raises(Exception, match="name"):
        strict.render(name="Ada")
