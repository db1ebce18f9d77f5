"""Versions come and go while the platform runs: published, drafted, archived, removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults import growth

from scope_client._folder.reader import PromptFolder
from scope_client._folder.record import prompt_id
from scope_client._folder.writer import FolderWriter
from scope_client.errors import ConfigurationError
from scope_client.local._library import Library

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client.local import LocalPlatform
    from tests.local.conftest import Caller


def test_publishing_puts_a_new_version_into_production(platform: LocalPlatform, call: Caller) -> None:
    first = call.read("greeting").json()
    new = platform.publish("greeting", "Hi", metadata={"model": "gpt-4"}, tags=["x"])
    assert (new.number, new.status, new.metadata, new.tags) == (2, "published", {"model": "gpt-4"}, ("x",))
    assert call.content("greeting") == call.content("greeting", "latest") == "Hi"
    old = call.read("greeting", f"versions/{first['version_id']}").json()
    assert (old["content"], old["status"], old["is_production"]) == ("Hello, {{name}}!", "archived", False)


def test_drafting_leaves_production_alone(platform: LocalPlatform, call: Caller) -> None:
    assert platform.draft("greeting", "Hi").status == "draft"
    assert call.content("greeting") == "Hello, {{name}}!"
    assert call.content("greeting", "latest") == "Hi"


def test_a_prompt_may_begin_as_a_draft(platform: LocalPlatform, call: Caller) -> None:
    assert platform.draft("new", "Hi").number == 1
    assert call.code("new") == "no_production_version"


def test_archiving_ends_production_and_may_be_repeated(platform: LocalPlatform, call: Caller) -> None:
    platform.archive("greeting")
    platform.archive("greeting")
    assert call.code("greeting") == "no_production_version"
    assert platform.publish("greeting", "Hi").number == 2
    assert call.content("greeting") == "Hi"


def test_a_removed_prompt_is_gone_until_it_is_made_again(platform: LocalPlatform, call: Caller) -> None:
    platform.remove("greeting")
    assert call.code("greeting") == call.code("greeting", "latest") == "prompt_not_found"
    assert platform.publish("greeting", "Hi").number == 1
    assert call.content("greeting") == "Hi"


@pytest.mark.parametrize("change", ["archive", "remove"])
def test_a_prompt_that_is_not_there_cannot_be_changed(change: str, platform: LocalPlatform) -> None:
    with pytest.raises(ConfigurationError, match="there is no prompt 'nobody'; the prompts are: 'greeting'"):
        getattr(platform, change)("nobody")


def test_a_list_of_messages_is_a_chat_prompt(platform: LocalPlatform) -> None:
    assert platform.publish("chat", [{"role": "user", "content": "é"}]).content == '[{"role": "user", "content": "é"}]'
    assert platform.publish("chat", "[]", type="chat").type == "chat"
    assert platform.publish("chat", "[]").type == "text"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"content": 7}, "content must be text, or a list"),
        ({"content": None}, "content must be text, or a list"),
        ({"content": {"role": "user", "content": "Hi"}}, "content must be text, or a list"),
        ({"content": [{"role": "user", "content": b"Hi"}]}, "the messages of a chat prompt must be JSON"),
        ({"content": [{"role": "user"}]}, "expected message 1 of a chat prompt as"),
        ({"content": [], "type": "text"}, "content must be text, got list"),
        ({"content": "Hi", "type": "chat"}, "expected a chat prompt's content as a JSON array"),
        ({"content": "Hi", "type": "image"}, "type must be one of text, chat"),
        ({"content": "Hi", "metadata": "gpt-4"}, "metadata must be a mapping"),
        ({"content": "Hi", "tags": "ab"}, "tags must be a list of text"),
        ({"content": "Hi", "name": ".."}, "a prompt's name must be text other than"),
        ({"content": "Hi", "name": ""}, "a prompt's name must be text other than"),
    ],
)
@pytest.mark.parametrize("add", ["publish", "draft"])
def test_a_version_that_cannot_be_is_refused_and_changes_nothing(
    add: str, arguments: dict[str, Any], says: str, platform: LocalPlatform, call: Caller
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        getattr(platform, add)(**{"name": "greeting", **arguments})
    assert call.content("greeting") == call.content("greeting", "latest") == "Hello, {{name}}!"


@pytest.mark.parametrize("add", ["publish", "draft"])
def test_many_threads_get_a_number_each(add: str, platform: LocalPlatform, call: Caller) -> None:
    def one(number: int) -> int:
        version: Any = getattr(platform, add)("greeting", f"content {number}")
        return int(version.number)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(one, range(200)))
    assert sorted(numbers) == list(range(2, 202))
    assert call.read("greeting", "latest").json()["version"] == 201


def test_readers_always_find_one_production_version_while_others_publish(
    platform: LocalPlatform, call_to: Callable[[LocalPlatform], Caller]
) -> None:
    def read(caller: Caller) -> set[int]:
        return {caller.read("greeting").status_code for _ in range(20)}

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, call_to(platform)) for _ in range(3)]
        for number in range(100):
            platform.publish("greeting", str(number))
        assert set().union(*(each.result() for each in reading)) == {200}


def test_a_prompt_that_was_published_is_found_by_its_id_and_as_fast_among_many() -> None:
    def prepared(size: int) -> Callable[[], object]:
        library = Library(warn=print)
        for number in range(size):
            library.add(f"p{number}", "text", promote=True)
        ids = [prompt_id(f"p{number}") for number in range(size)]

        def finds() -> None:
            assert all(library.find(each) for each in ids)

        return finds

    growth.check(prepared, 50)


class TestPages:
    """What pages change is kept: in files if there is a folder, and in memory if there is none."""

    @pytest.fixture(params=["folder", "memory"])
    def library(self, request: pytest.FixtureRequest, tmp_path: Path) -> Library:
        self.changes: list[str] = []
        library = Library(tmp_path if request.param == "folder" else None, warn=print, changed=self.changed)
        for content in ("One", "Two"):
            library.draft("greeting", content)
        library.publish_version("greeting", 1)
        self.changes.clear()
        return library

    def changed(self) -> None:
        self.changes.append("changed")

    def test_publish_a_version_and_archive_the_one_that_was_there(self, library: Library) -> None:
        assert library.publish_version("greeting", 2).status == "published"
        assert [each.status for each in library.find("greeting")] == ["archived", "published"]
        assert library.publish_version("greeting", 1).status == "published"
        assert [each.status for each in library.find("greeting")] == ["published", "archived"]
        assert len(self.changes) == 2

    def test_archive_a_version(self, library: Library) -> None:
        assert library.archive_version("greeting", 2).status == "archived"
        assert [each.status for each in library.find("greeting")] == ["published", "archived"]
        library.archive_version("greeting", 1)
        assert [each.status for each in library.find("greeting")] == ["archived", "archived"]

    def test_draft_a_version_with_all_its_parts(self, library: Library) -> None:
        chat = [{"role": "user", "content": "Hi {{name}}"}]
        new = library.draft("greeting", chat, metadata={"model": "gpt-4"}, tags=["x"], variables=["tone"])
        assert (new.number, new.status, new.type, new.tags) == (3, "draft", "chat", ("x",))
        assert (new.metadata, new.variables) == ({"model": "gpt-4"}, ("name", "tone"))
        assert library.find("greeting")[-1] == new

    def test_list_all_prompts_in_order(self, library: Library) -> None:
        library.draft("Another", "text")
        assert [(each.name, len(each.versions), each.flaws) for each in library.listing()] == [
            ("Another", 1, ()),
            ("greeting", 2, ()),
        ]
        assert library.names() == ["Another", "greeting"]
        assert library.listed("greeting") == library.listing()[1]
        assert library.listed(prompt_id("greeting")) == library.listing()[1]
        assert library.listed("nobody").versions == ()

    def test_change_nothing_that_was_changed_since_they_were_shown(self, library: Library) -> None:
        state = library.listed("greeting").state
        library.draft("greeting", "Three", expected=state)
        for change in (
            lambda: library.publish_version("greeting", 2, expected=state),
            lambda: library.archive_version("greeting", 2, expected=state),
            lambda: library.draft("greeting", "Four", expected=state),
        ):
            with pytest.raises(ConfigurationError, match="'greeting' was changed since you looked at it; look again"):
                change()
        assert [each.status for each in library.find("greeting")] == ["published", "draft", "draft"]
        nobody = library.listed("new").state
        library.draft("new", "text", expected=nobody)
        with pytest.raises(ConfigurationError, match="'new' was changed"):
            library.draft("new", "text", expected=nobody)

    def test_return_what_was_written_though_others_leave_a_flaw_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library = Library(tmp_path, warn=print)
        library.draft("greeting", "One")
        draft = FolderWriter.draft

        def draft_beside_another(writer: FolderWriter, *of: Any) -> None:
            monkeypatch.setattr(PromptFolder, "look_at_what_is_written", leave_a_flaw)
            draft(writer, *of)

        def leave_a_flaw(*_: object) -> None:
            (tmp_path / "greeting" / "v9.md").write_text("---\nstatus: live\n---\n")

        monkeypatch.setattr(FolderWriter, "draft", draft_beside_another)
        new = library.draft("greeting", "Two")
        assert (new.number, new.status, new.content) == (2, "draft", "Two")
        assert (tmp_path / "greeting" / "v2.md").exists()

    def test_name_the_versions_there_are(self, library: Library) -> None:
        for change in (library.publish_version, library.archive_version):
            with pytest.raises(ConfigurationError, match="there is no v9; the versions are: 1, 2"):
                change("greeting", 9)
            with pytest.raises(ConfigurationError, match="there is no v1; the versions are: none"):
                change("nobody", 1)

    @pytest.mark.parametrize("folder", [True, False])
    def test_change_nothing_if_they_are_read_only(self, folder: bool, tmp_path: Path) -> None:
        library = Library(tmp_path if folder else None, warn=print, writes=False)
        library.add("greeting", "Hi", promote=False)
        for change in (
            lambda: library.publish_version("greeting", 1),
            lambda: library.archive_version("greeting", 1),
            lambda: library.draft("greeting", "Two"),
        ):
            with pytest.raises(ConfigurationError, match="this platform is read-only"):
                change()
        assert [each.status for each in library.find("greeting")] == ["draft"]

    def test_keep_in_memory_what_a_program_has_changed_there(self, tmp_path: Path) -> None:
        (tmp_path / "greeting.md").write_text("In the file")
        library = Library(tmp_path, warn=print)
        library.add("greeting", "In memory", promote=True)
        library.publish_version("greeting", 1)
        assert [each.status for each in library.find("greeting")] == ["published", "archived"]
        library.draft("greeting", "Three")
        assert [file.name for file in tmp_path.iterdir()] == ["greeting.md"]
        assert (tmp_path / "greeting.md").read_text() == "In the file"

    def test_show_a_prompt_of_which_no_file_can_be_used(self, tmp_path: Path) -> None:
        library = Library(tmp_path, warn=print)
        (tmp_path / "broken.md").write_text("---\nstatus: live\n---\n")
        (listed,) = library.listing()
        assert (listed.name, listed.versions) == ("broken", ())
        assert listed.flaws[0].startswith("broken.md: status must be one of draft, published, archived")
        with pytest.raises(ConfigurationError, match=r"'broken' cannot be changed: broken\.md: status must be"):
            library.draft("broken", "text")
