"""A lock is read when the client is made: what cannot be used says so then, and is never served."""

from __future__ import annotations

import builtins
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.locking import GREETING, NEWS, body, write_copy, write_lock
from faults.reading import content, warnings
from faults.replies import error

from scope_client import ApiKeyCredentials, ConfigurationError, ScopeClient, ServerError

if TYPE_CHECKING:
    from pathlib import Path

    from faults.server import FaultServer

Make = Callable[..., ScopeClient]


@pytest.fixture(autouse=True)
def down(server: FaultServer) -> None:
    """The folder alone answers."""
    server.answers(error(503))


def test_a_folder_as_it_was_pulled_needs_no_warning(make_locked: Make, caplog: pytest.LogCaptureFixture) -> None:
    client = make_locked()
    assert not warnings(caplog)
    for name in ("greeting", "review", "news"):
        assert client.read_prompt(name).source == "folder"
    assert client.read_prompt("news", label="latest").version.content == "newest {{topic}}"


EDITS: dict[str, Callable[[Path], object]] = {
    "edited": lambda file: file.write_bytes(file.read_bytes().replace(b"locked", b"Locked")),
    "a space more": lambda file: file.write_bytes(file.read_bytes()[:-1] + b" \n"),
    "other metadata": lambda file: file.write_bytes(file.read_bytes().replace(b"m-1", b"m-2")),
    "no front matter": lambda file: file.write_bytes(b"locked {{name}}\n"),
    "another id": lambda file: file.write_bytes(file.read_bytes().replace(b"v_greeting_7", b"v_greeting_8")),
    "broken YAML": lambda file: file.write_bytes(b"---\nstatus: [\n---\nlocked {{name}}\n"),
    "not UTF-8": lambda file: file.write_bytes(b"\xff\xfe"),
    "empty": lambda file: file.write_bytes(b""),
    "a merge": lambda file: file.write_bytes(b"<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n" + file.read_bytes()),
    "gone": lambda file: file.unlink(),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "renamed": lambda file: file.rename(file.with_name("v8.md")),
    "a link that leads out": lambda file: (
        shutil.copy(file, file.parents[3] / "outside.md"),
        file.unlink(),
        file.symlink_to(file.parents[3] / "outside.md"),
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_file_that_is_not_the_locked_one_is_warned_of_once_and_never_served(
    make_locked: Make, lock: Path, caplog: pytest.LogCaptureFixture, edit: Callable[[Path], object]
) -> None:
    edit(lock.parent / "prompts" / "greeting" / "v7.md")
    client = make_locked()
    (warning,) = warnings(caplog)
    assert "1 of 4 locked versions cannot be served" in warning
    assert "greeting" in warning
    assert "`scope pull --locked --force`" in warning
    assert "\n" not in warning
    for _ in range(2):
        with pytest.raises(ServerError):
            content(client)
        assert content(client, fallback="Hi") == "Hi"
    assert content(client, "news") == "news {{topic}}"
    assert len(warnings(caplog, "scope_client.lock")) == 1


def test_all_of_them_are_named_in_one_warning(make_locked: Make, lock: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = lock.parent / "prompts"
    EDITS["edited"](folder / "greeting" / "v7.md")
    (folder / "news" / "v2.md").unlink()
    (folder / "review" / "v2.md").write_text("---\nstatus: [\n---\n")
    make_locked()
    (warning,) = warnings(caplog)
    assert "3 of 4" in warning
    for part in ("greeting/v7.md: was changed since it was locked", "'news'", "v_news_2", "review/v2.md"):
        assert part in warning


def test_many_of_them_are_counted(make_client: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lock = write_lock(tmp_path / "p", [body("x", name=f"prompt-{number}") for number in range(200)], has_copies=False)
    (lock.parent / "prompts").mkdir()
    make_client(lock=lock)
    (warning,) = warnings(caplog)
    assert "200 of 200" in warning
    assert re.search(r"'prompt-0': .*; and \d+ more\. put them back with `scope pull --locked --force`", warning)


def test_a_broken_file_beside_the_locked_one_does_not_matter(
    make_locked: Make, lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = lock.parent / "prompts"
    (folder / "greeting" / "v6.md").write_text("---\nstatus: [\n---\n")
    write_copy(folder, body("published too", number=9))
    (folder / "another.md").write_bytes(b"\xff")
    assert make_locked().read_prompt("greeting").source == "folder"
    assert not warnings(caplog, "scope_client.lock")


@pytest.mark.parametrize("is_file", [False, True])
def test_a_folder_that_is_not_there_is_one_warning(
    make_client: Make, bare_lock: Path, server: FaultServer, is_file: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if is_file:
        (bare_lock.parent / "prompts").write_text("a file")
    client = make_client(lock=bare_lock)
    (warning,) = warnings(caplog)
    assert "4 of 4 locked versions cannot be served" in warning
    assert ("is not a folder" if is_file else "does not exist") in warning
    with pytest.raises(ServerError):
        content(client)


def test_names_of_files_forge_no_line_of_a_log(make_client: Make, tmp_path: Path, caplog: Any) -> None:
    lock = write_lock(tmp_path / "p", [body("x", name="a\nWARNING forged")], has_copies=False)
    (lock.parent / "prompts").mkdir()
    make_client(lock=lock)
    assert "\n" not in caplog.text.strip()


def test_without_what_reads_front_matter_the_extra_is_named(make_locked: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigurationError, match=r'needs PyYAML, which is not installed: .*"scope-prompts\[local\]"'):
        make_locked()


def test_without_a_folder_nothing_has_to_be_installed(
    make_client: Make, bare_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert make_client(lock=bare_lock).status().locked_prompts == 3


BROKEN = {
    "is not TOML": "[[prompts]",
    "settle the merge first": "<<<<<<< HEAD\nformat = 1\n=======\nformat = 1\n>>>>>>> other\n",
    "which is older": "format = 0\n",
    "update it": "format = 2\n",
    "does not begin with its format": "",
    "has no organisation": 'format = 1\nfolder = "prompts"\n',
    "not beside or below": 'format = 1\norganisation = "org-1"\nfolder = "../../etc"\n',
    "64 hexadecimal digits": (
        'format = 1\norganisation = "org-1"\nfolder = "p"\n'
        '[[prompts]]\nname = "a"\nlabel = "production"\nversion_id = "v"\nsha256 = "abc"\n'
    ),
}


@pytest.mark.parametrize("said", BROKEN)
def test_a_broken_lock_is_a_configuration_error_when_the_client_is_made(
    make_client: Make, tmp_path: Path, said: str
) -> None:
    path = tmp_path / "scope.lock"
    path.write_text(BROKEN[said])
    with pytest.raises(ConfigurationError, match=said) as caught:
        make_client(lock=path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


def test_a_lock_that_is_not_there_says_what_writes_one(make_client: Make, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="does not exist; `scope pull NAME -o prompts` writes one") as caught:
        make_client(lock="scope.lock")
    assert str(tmp_path / "scope.lock") in caught.value.message
    with pytest.raises(ConfigurationError, match="cannot be read"):
        make_client(lock=tmp_path)


def test_the_environment_names_a_lock(
    make_client: Make, lock: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCOPE_LOCK", str(lock))
    assert make_client().status().lock == str(lock)
    assert make_client(lock=None).status().lock is None
    monkeypatch.setenv("SCOPE_LOCK", "")
    assert make_client().status().lock is None
    monkeypatch.setenv("SCOPE_LOCK", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match="nowhere"):
        make_client()


@pytest.mark.parametrize("url", ["https://api.example.com", "https://127.0.0.1.example.com", "https://10.0.0.1"])
def test_a_lock_of_another_organisation_is_refused(tmp_path: Path, url: str) -> None:
    lock = write_lock(tmp_path, [GREETING], organisation="org-2")
    keys = ApiKeyCredentials("org-1", "key-1", "secret-1")
    with pytest.raises(ConfigurationError, match="is of the organisation 'org-2', and the credentials are of 'org-1'"):
        ScopeClient(keys, base_url=url, auth_api_url=url, lock=lock)
    keys = ApiKeyCredentials("org-2", "key-1", "secret-1")
    ScopeClient(keys, base_url=url, auth_api_url=url, lock=lock).close()


def test_on_this_machine_it_is_not_because_a_local_platform_has_an_organisation_of_its_own(
    make_client: Make, tmp_path: Path
) -> None:
    lock = write_lock(tmp_path, [GREETING], organisation="org-2")
    assert make_client(lock=lock).read_prompt("greeting").is_locked


def test_a_lock_without_prompts_has_none(make_client: Make, tmp_path: Path, caplog: Any) -> None:
    client = make_client(lock=write_lock(tmp_path, []))
    assert client.status().locked_prompts == 0


def test_a_checkout_with_crlf_is_served(make_locked: Make, lock: Path, caplog: pytest.LogCaptureFixture) -> None:
    for file in [lock, *lock.parent.rglob("*.md")]:
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    client = make_locked()
    assert not warnings(caplog)
    assert client.read_prompt("greeting").source == "folder"


def test_no_lock_is_read_if_none_is_named(make_client: Make, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lock.parent)
    opened: list[Any] = []
    real = builtins.open
    monkeypatch.setattr(
        builtins, "open", lambda file, *rest, **more: (opened.append(file), real(file, *rest, **more))[1]
    )
    make_client()
    assert not [file for file in opened if "scope.lock" in os.fspath(file)]


def test_a_folder_that_prompt_dir_names_stands_in_for_what_is_not_locked_alone(
    make_locked: Make, tmp_path: Path, server: FaultServer
) -> None:
    folder = tmp_path / "other"
    write_copy(folder, body("of prompt_dir", number=1))
    write_copy(folder, body("of prompt_dir", name="news", number=5))
    client = make_locked(prompt_dir=folder)
    assert content(client) == "locked {{name}}"
    assert content(client, label="latest") == "of prompt_dir"
    assert content(client, version="v_greeting_1") == "of prompt_dir"
    assert content(client, "news", label="latest") == "newest {{topic}}"
    assert not client.read_prompt("greeting", label="latest").is_locked


def test_prompt_dir_never_takes_the_place_of_a_locked_version_that_is_not_there(
    make_client: Make, bare_lock: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    write_copy(folder, GREETING)
    write_copy(folder, NEWS)
    with pytest.raises(ServerError):
        content(make_client(lock=bare_lock, prompt_dir=folder))


def test_the_lock_is_in_the_configuration(lock: Path) -> None:
    from scope_client import Configuration

    config = Configuration(lock=lock)
    assert config.lock == str(lock)
    assert config.to_dict()["lock"] == str(lock)
    assert Configuration(lock="not/yet.lock").lock == "not/yet.lock"
    for odd in ("", b"scope.lock", 5, "a\0b", ["scope.lock"]):
        with pytest.raises(ConfigurationError, match=r"lock must be the path of a file such as scope.lock, or None"):
            Configuration(lock=odd)
