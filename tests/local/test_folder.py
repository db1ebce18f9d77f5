"""A folder is served as it is now; what is published while it is served stays in memory."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Callable

import pytest

from scope_client import ConfigurationError, NotFoundError
from scope_client._folder.record import prompt_id
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.local.conftest import Caller


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "greeting").mkdir()
    (tmp_path / "greeting" / "v1.md").write_text("---\nstatus: published\n---\none\n")
    (tmp_path / "greeting" / "v2.md").write_text("two\n")
    (tmp_path / "alone.md").write_text("alone\n")
    return tmp_path


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def platform(folder: Path, lines: list[str]) -> Iterator[LocalPlatform]:
    with LocalPlatform(folder, log=lines.append) as started:
        yield started


def contents(call: Caller) -> tuple[str, str]:
    return call.content("greeting"), call.content("greeting", "latest")


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.md"))}


def test_a_folder_is_served_with_its_statuses(call: Caller) -> None:
    assert contents(call) == ("one", "two")
    assert call.content("alone") == "alone"


def test_a_path_may_be_text(folder: Path, call_to: Callable[[LocalPlatform], Caller]) -> None:
    with LocalPlatform(str(folder)) as platform:
        assert call_to(platform).content("alone") == "alone"


def test_an_edit_shows_in_the_next_answer(folder: Path, call: Caller) -> None:
    for number in range(20):
        (folder / "alone.md").write_text(f"edit {number:02}\n")
        assert call.content("alone") == f"edit {number:02}"


def test_an_edit_of_the_same_size_and_time_shows_too(folder: Path, call: Caller) -> None:
    before = (folder / "alone.md").stat()
    (folder / "other").write_text("ALONE\n")
    os.utime(folder / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
    (folder / "other").replace(folder / "alone.md")
    assert call.content("alone") == "ALONE"


def test_a_new_file_and_a_file_that_went_show_too(folder: Path, call: Caller) -> None:
    (folder / "alone.md").unlink()
    (folder / "greeting" / "v3.md").write_text("three\n")
    (folder / "new.md").write_text("new\n")
    assert call.code("alone") == "prompt_not_found"
    assert contents(call) == ("one", "three")
    assert call.content("new") == "new"


def test_a_promotion_is_an_edit_of_two_files(folder: Path, call: Caller) -> None:
    (folder / "greeting" / "v1.md").write_text("---\nstatus: archived\n---\none\n")
    (folder / "greeting" / "v2.md").write_text("---\nstatus: published\n---\ntwo\n")
    assert contents(call) == ("two", "two")


def test_a_broken_file_leaves_what_was_good_and_is_told_once_in_one_line(
    folder: Path, lines: list[str], call: Caller
) -> None:
    (folder / "alone.md").write_text("---\nstatus: [\n---\n")
    (folder / "greeting" / "v9.md").write_text("---\ntype: x\n---\n")
    assert contents(call) == ("one", "two")
    assert call.content("alone") == "alone"
    told = [line for line in lines if "cannot be used" in line]
    assert len(told) == 1
    assert "alone.md: its front matter is not YAML" in told[0]
    assert "greeting/v9.md: type must be" in told[0]
    assert "\n" not in told[0]


def test_a_repaired_file_is_served_and_broken_again_it_is_told_again(
    folder: Path, lines: list[str], call: Caller
) -> None:
    for number in range(2):
        (folder / "alone.md").write_text("---\nstatus: [\n---\n")
        assert call.read("alone").status_code == 200
        (folder / "alone.md").write_text(f"repaired {number}")
        assert call.content("alone") == f"repaired {number}"
    assert len([line for line in lines if "cannot be used" in line]) == 2


def test_without_a_log_a_broken_file_is_a_logged_warning(
    folder: Path, call_to: Callable[[LocalPlatform], Caller], caplog: pytest.LogCaptureFixture
) -> None:
    with LocalPlatform(folder) as platform:
        (folder / "alone.md").write_bytes(b"\xff")
        assert call_to(platform).content("alone") == "alone"
    assert [(record.name, record.levelno) for record in caplog.records] == [("scope_client.local", logging.WARNING)]
    assert "alone.md: is not UTF-8" in caplog.text


def test_a_folder_that_went_leaves_what_was_good(folder: Path, lines: list[str], call: Caller) -> None:
    folder.rename(folder.with_name("elsewhere"))
    assert contents(call) == ("one", "two")
    assert any("does not exist" in line for line in lines)


def test_what_is_published_lies_on_top_and_is_never_written(
    folder: Path, platform: LocalPlatform, call: Caller
) -> None:
    before = files(folder)
    assert platform.publish("greeting", "three").number == 3
    assert platform.draft("greeting", "four").number == 4
    platform.publish("new", "new")
    platform.archive("alone")
    assert contents(call) == ("three", "four")
    assert call.content("new") == "new"
    assert call.code("alone") == "no_production_version"
    platform.remove("greeting")
    assert call.code("greeting") == "prompt_not_found"
    assert files(folder) == before


def test_what_was_published_stays_when_the_folder_changes(folder: Path, platform: LocalPlatform, call: Caller) -> None:
    platform.publish("greeting", "three")
    (folder / "greeting" / "v3.md").write_text("---\nstatus: draft\n---\nthree of the folder\n")
    (folder / "greeting" / "v4.md").write_text("four of the folder\n")
    (folder / "alone.md").write_text("edited\n")
    assert contents(call) == ("three", "four of the folder")
    assert call.content("alone") == "edited"
    assert platform.publish("greeting", "five").number == 5


def test_a_removed_prompt_stays_gone_when_its_file_changes(folder: Path, platform: LocalPlatform, call: Caller) -> None:
    platform.remove("alone")
    (folder / "alone.md").write_text("edited\n")
    assert call.code("alone") == "prompt_not_found"
    assert platform.publish("alone", "again").number == 1


def test_an_id_in_front_matter_is_how_the_version_is_found(folder: Path, call: Caller) -> None:
    (folder / "alone.md").write_text("---\nid: version/1\n---\nalone\n")
    assert call.content("alone", "versions/version%2F1") == "alone"


def told(call: Caller, name: str, which: str = "production") -> tuple[str, str]:
    answer = call.read(name, which)
    assert answer.status_code == 404
    error = answer.json()["error"]
    return error["code"], error["message"]


BROKEN = "status must be one of draft, published, archived, got 'live'"


def test_a_404_names_the_files_because_of_which_a_version_may_be_missing(folder: Path, call: Caller) -> None:
    (folder / "new.md").write_text("---\nstatus: live\n---\nHi\n")
    (folder / "greeting" / "v3.md").write_bytes(b"\xff")
    (folder / "draft.md").write_text("---\nstatus: draft\n---\nHi\n")
    assert told(call, "new") == ("prompt_not_found", f"Prompt 'new' was not found; in the folder: new.md: {BROKEN}")
    assert told(call, prompt_id("new"))[1].endswith(f"in the folder: new.md: {BROKEN}")
    code, message = told(call, "greeting", "versions/v_3")
    assert code == "version_not_found"
    assert message.endswith("; in the folder: greeting/v3.md: is not UTF-8 (byte 0); save it as UTF-8")
    assert told(call, "draft") == ("no_production_version", "'draft' has no production version")
    (folder / "draft.md").write_text("\n---\nstatus: published\n---\nHi\n")
    code, message = told(call, "draft")
    assert code == "no_production_version"
    assert "; in the folder: draft.md: line 2: front matter must begin" in message


def test_a_404_names_a_link_out_of_the_folder_and_a_file_that_is_being_written(
    folder: Path, call: Caller, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.md"
    secret.write_text("secret")
    (folder / "away.md").symlink_to(secret)
    assert told(call, "away")[1].endswith("away.md: is a link that leads out of the folder, and is not followed")
    (folder / "empty.md").write_text("")
    assert told(call, "empty")[1].endswith("; in the folder: somebody is writing a file of it; ask again")


def test_a_404_of_a_prompt_that_nobody_wrote_names_no_file(folder: Path, call: Caller) -> None:
    (folder / "new.md").write_text("---\nstatus: live\n---\n")
    assert told(call, "nobody") == ("prompt_not_found", "Prompt 'nobody' was not found")


def test_a_404_says_that_the_folder_is_gone(folder: Path, call: Caller) -> None:
    folder.rename(folder.with_name("gone"))
    assert "does not exist; name one that holds .md files" in told(call, "nobody")[1]
    assert call.content("alone") == "alone"


def test_a_client_is_told_which_file_is_broken(folder: Path, platform: LocalPlatform) -> None:
    (folder / "new.md").write_text("---\nstatus: live\n---\nHi\n")
    with platform.client() as client, pytest.raises(NotFoundError, match=r"new\.md: status must be one of"):
        client.get_prompt_version("new")


def test_variables_that_are_declared_follow_those_of_the_content(folder: Path, call: Caller) -> None:
    (folder / "alone.md").write_text("---\nvariables: [tone, name, size]\n---\n{{mood}}, {{name}}\n")
    assert call.read("alone").json()["variables"] == ["mood", "name", "tone", "size"]
    (folder / "chat.md").write_text(
        '---\ntype: chat\nvariables: [tone]\n---\n[{"role": "user", "content": "{{question}}"}]\n'
    )
    assert call.read("chat").json()["variables"] == ["question", "tone"]


@pytest.mark.parametrize("generation", ["newer", "older"])
def test_variables_can_be_declared_with_a_version_that_is_published(
    generation: str, call_to: Callable[[LocalPlatform], Caller]
) -> None:
    with LocalPlatform(generation=generation) as platform, platform.client() as client:
        assert platform.publish("greeting", "Hi {{name}}", variables=["tone"]).declared == ("tone",)
        assert platform.draft("greeting", "Hi", variables=("tone", "name")).declared == ("tone", "name")
        assert call_to(platform).read("greeting").json()["variables"] == ["name", "tone"]
        assert call_to(platform).read("greeting", "latest").json()["variables"] == ["tone", "name"]
        assert client.render_prompt("greeting", {"name": "Ada", "tone": "warm"}) == "Hi Ada"
        for wrong in ("tone", ["a b"], [1], None):
            with pytest.raises(ConfigurationError, match="variables must be a list of names"):
                platform.publish("greeting", "Hi", variables=wrong)


def test_a_folder_that_stands_in_keeps_what_is_declared(folder: Path) -> None:
    (folder / "alone.md").write_text("---\nvariables: [tone]\n---\nHi {{name}}\n")
    with LocalPlatform() as platform, platform.client(prompt_dir=folder, max_retries=0) as client:
        platform.fail(503)
        version = client.get_prompt_version("alone")
    assert (version.is_fallback, version.variables) == (True, ("name",))
    assert version.to_dict()["variables"] == ["name", "tone"]
    assert version.render(name="Ada", tone="warm") == "Hi Ada"


ULID = "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"


@pytest.fixture
def served_folder(tmp_path: Path) -> Path:
    place = tmp_path / "served" / "support" / "what%3F"
    place.mkdir(parents=True)
    (place / "v7.md").write_text(f"---\nstatus: published\nprompt_id: {ULID}\nversion_id: v/7?\n---\nSeven\n")
    (place / "v8.md").write_text("---\ndescription: next\n---\nEight\n")
    return tmp_path / "served"


def test_a_prompt_in_a_folder_is_read_by_name_by_its_id_and_by_the_id_of_a_version(served_folder: Path) -> None:
    with LocalPlatform(served_folder) as platform, platform.client(cache_enabled=False) as client:
        for prompt in ("support/what?", ULID, f"prompt_{ULID[7:].lower()}"):
            version = client.get_prompt_version(prompt)
            assert (version.name, version.prompt_id, version.id, version.version_number) == (
                "support/what?",
                ULID,
                "v/7?",
                7,
            )
            assert client.get_prompt_version(prompt, version="v/7?") == version
            assert client.get_prompt_version(prompt, label="latest").to_dict()["description"] == "next"
            assert client.get_prompt_version(prompt, label="latest").prompt_id == ULID


def test_what_is_published_over_a_prompt_of_the_folder_keeps_its_id(served_folder: Path) -> None:
    with LocalPlatform(served_folder) as platform, platform.client(cache_enabled=False) as client:
        assert platform.publish("support/what?", "Nine").prompt_id == ULID
        assert client.get_prompt_version(ULID).content == "Nine"
        platform.remove("support/what?")
        with pytest.raises(NotFoundError):
            client.get_prompt_version(ULID)


def test_a_folder_that_stands_in_is_read_by_the_same_ids(served_folder: Path) -> None:
    with LocalPlatform() as platform, platform.client(prompt_dir=served_folder, max_retries=0) as client:
        platform.fail(503)
        for prompt in ("support/what?", ULID):
            assert client.get_prompt_version(prompt).content == "Seven"
            assert client.get_prompt_version(prompt, version="v/7?").content == "Seven"
            assert client.get_prompt_version(prompt, label="latest").content == "Eight"
