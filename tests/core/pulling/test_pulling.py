"""A pull writes a folder and a lock that fit each other, or changes nothing."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from faults.replies import json_answer

from scope_client import ScopeClient
from scope_client._folder.reader import read_prompt_dir
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_place import place_of
from scope_client._lock.pulling import pull
from scope_client._lock.verified import verified
from scope_client.errors import ConfigurationError, NotFoundError, ScopeError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from core.pulling.conftest import Project
    from faults.server import FaultServer

FILES = [
    "prompts/.gitattributes",
    "prompts/greeting/v1.md",
    "prompts/support-chat/v1.md",
    "scope.lock",
]
PROMPT_ID = "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"
LATER = "Hello {{name}}!"


class TestTheFirst:
    def test_writes_a_file_of_each_prompt_and_a_lock(self, project: Project) -> None:
        done = project.pull("support-chat", "greeting")
        assert project.names() == FILES
        assert [each.name for each in done.moved] == ["greeting", "support-chat"]
        assert (project.folder / ".gitattributes").read_bytes() == b"*.md -text\n"

    def test_locks_what_the_platform_serves(self, pulled: Project) -> None:
        for locked in pulled.lock.versions:
            served = pulled.client.get_prompt_version(locked.name)
            assert (locked.version_id, locked.version_number) == (served.id, served.version_number)
            assert (locked.prompt_id, locked.label, locked.sha256) == (
                served.prompt_id,
                "production",
                digest_of(served),
            )
        assert (pulled.lock.organisation, pulled.lock.folder) == ("local-org", "prompts")

    def test_writes_files_that_serve_the_same(self, pulled: Project) -> None:
        with LocalPlatform(pulled.folder) as copy:
            for locked in pulled.lock.versions:
                assert digest_of(copy.client().get_prompt_version(locked.name)) == locked.sha256

    def test_writes_the_same_bytes_in_whatever_order_it_is_asked(self, project: Project) -> None:
        project.pull("support-chat", "greeting", "greeting")
        one = project.all()
        shutil.rmtree(project.folder)
        os.unlink(project.path / "scope.lock")
        project.pull("greeting", "support-chat")
        assert project.all() == one

    def test_writes_no_date_into_the_lock(self, pulled: Project) -> None:
        served = pulled.client.get_prompt_version("greeting")
        assert str(served.created_at)[:10] not in (pulled.path / "scope.lock").read_text()

    def test_keeps_attributes_of_git_that_are_there(self, project: Project) -> None:
        project.folder.mkdir()
        (project.folder / ".gitattributes").write_text("*.md text\n")
        project.pull("greeting")
        assert (project.folder / ".gitattributes").read_text() == "*.md text\n"

    def test_of_an_id_locks_the_name(self, project: Project) -> None:
        project.pull(str(project.client.get_prompt_version("greeting").prompt_id), "greeting")
        assert [each.name for each in project.lock.versions] == ["greeting"]
        assert "prompts/greeting/v1.md" in project.names()

    @pytest.mark.parametrize("name", ["support/greeting", "a:b", "README", "v1", "Ärger ", "../x", "con", "x" * 400])
    def test_takes_any_name(self, name: str, project: Project) -> None:
        project.platform.publish(name, "Hi")
        project.pull(name)
        assert [each.name for each in project.lock.versions] == [name]
        assert list(read_prompt_dir(project.folder)) == [name]
        before = project.times()
        project.pull()
        assert project.times() == before

    def test_of_a_name_with_slashes_is_a_path(self, project: Project) -> None:
        project.platform.publish("support/greeting", "Hi")
        project.pull("support/greeting")
        assert "prompts/support/greeting/v1.md" in project.names()


class TestTheSecond:
    def test_changes_nothing_not_even_a_time(self, pulled: Project) -> None:
        before = pulled.times()
        done = pulled.pull("greeting", "support-chat")
        assert (done.moved, done.written, done.removed, done.is_lock_new) == ((), (), (), False)
        pulled.pull()
        assert pulled.times() == before

    def test_changes_nothing_in_a_checkout_with_other_line_ends(self, project: Project) -> None:
        project.platform.publish("lines", "one\ntwo\nthree\n")
        project.platform.publish("windows", "one\r\ntwo\r\n")
        project.pull("greeting", "lines", "windows")
        for file in [project.path / "scope.lock", *project.folder.rglob("v*.md")]:
            file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        before = project.times()
        project.pull()
        assert project.times() == before
        assert project.check() == ((), (), 3)

    def test_without_names_renews_all_that_is_locked(self, pulled: Project) -> None:
        pulled.platform.publish("greeting", LATER)
        pulled.platform.publish("support-chat", "Now a text")
        done = pulled.pull()
        assert [(each.name, each.old and each.old.version_number) for each in done.moved] == [
            ("greeting", 1),
            ("support-chat", 1),
        ]
        assert pulled.names() == [name.replace("v1", "v2") for name in FILES]
        assert [each.version_number for each in pulled.lock.versions] == [2, 2]

    def test_with_names_leaves_the_others_as_they_are_locked(self, pulled: Project) -> None:
        pulled.platform.publish("greeting", LATER)
        pulled.platform.publish("support-chat", "Now a text")
        pulled.platform.publish("third", "Hi")
        pulled.pull("support-chat", "third")
        assert [(each.name, each.version_number) for each in pulled.lock.versions] == [
            ("greeting", 1),
            ("support-chat", 2),
            ("third", 1),
        ]

    def test_follows_a_prompt_back_to_an_earlier_version(self, pulled: Project) -> None:
        first = pulled.all()
        with LocalPlatform(shutil.copytree(pulled.folder, pulled.path / "as-it-was")) as earlier:
            pulled.platform.publish("greeting", LATER)
            pulled.pull()
            shutil.rmtree(pulled.path / "as-it-was")
            place = place_of(pulled.path / "scope.lock", pulled.folder)
            pull(earlier.client(prompt_dir=None), place)
        after = pulled.all()
        assert after.keys() == first.keys()
        assert after["scope.lock"] == first["scope.lock"]

    def test_writes_a_file_anew_that_is_missing(self, pulled: Project) -> None:
        before = pulled.all()
        shutil.rmtree(pulled.folder)
        pulled.platform.publish("support-chat", "Now a text")
        pulled.pull("greeting")  # the other one is written too, as it is locked
        after = pulled.all()
        assert after.keys() == before.keys()
        assert after["scope.lock"] == before["scope.lock"]
        (chat,) = read_prompt_dir(pulled.folder)["support-chat"]
        assert (chat.status, chat.to_body()["is_production"]) == ("published", True)
        assert verified(chat, pulled.lock.find("support-chat")) is not None

    def test_of_a_version_that_changed_under_its_id_says_so(self, pulled: Project) -> None:
        shutil.rmtree(pulled.folder / "support-chat")
        lock = pulled.path / "scope.lock"
        sha256 = pulled.lock.find("support-chat").sha256
        lock.write_text(lock.read_text().replace(sha256, "0" * 64))
        with pytest.raises(
            ConfigurationError, match=r"of 'support-chat' is not the one any more that .* pull 'support-"
        ):
            pulled.pull("greeting")

    def test_takes_names_that_differ_in_case_alone(self, pulled: Project) -> None:
        pulled.platform.publish("Greeting", "Hi")
        pulled.pull("Greeting")
        assert {name: versions[0].content for name, versions in read_prompt_dir(pulled.folder).items()} == {
            "greeting": "Good {{time_of_day}}, {{name}}!",
            "Greeting": "Hi",
            "support-chat": '[{"role": "user", "content": "{{question}}"}]',
        }
        before = pulled.times()
        pulled.pull()
        assert pulled.times() == before

    def test_renames_a_prompt_that_has_another_name_now(self, pulled: Project) -> None:
        lock = pulled.path / "scope.lock"
        lock.write_text(lock.read_text().replace('"greeting"', '"salute"'))
        os.rename(pulled.folder / "greeting", pulled.folder / "salute")
        pulled.pull("greeting", force=True)
        assert [each.name for each in pulled.lock.versions] == ["greeting", "support-chat"]
        assert pulled.names() == FILES


class TestLabels:
    def test_latest_stands_beside_production(self, pulled: Project) -> None:
        pulled.platform.draft("greeting", LATER)
        pulled.pull("greeting", label="latest")
        assert [(each.name, each.label, each.version_number) for each in pulled.lock.versions] == [
            ("greeting", "production", 1),
            ("greeting", "latest", 2),
            ("support-chat", "production", 1),
        ]
        statuses = [each.status for each in read_prompt_dir(pulled.folder)["greeting"]]
        assert statuses == ["published", "draft"]
        before = pulled.times()
        pulled.pull()
        assert pulled.times() == before

    def test_latest_that_was_promoted_meanwhile_leaves_the_locked_version_in_production(self, pulled: Project) -> None:
        pulled.platform.publish("greeting", LATER)
        pulled.pull("greeting", label="latest")
        assert [each.status for each in read_prompt_dir(pulled.folder)["greeting"]] == ["published", "draft"]
        pulled.pull("greeting")
        assert [(each.number, each.status) for each in read_prompt_dir(pulled.folder)["greeting"]] == [(2, "published")]
        assert len(pulled.lock.versions) == 3

    def test_latest_alone_is_a_draft(self, project: Project) -> None:
        project.platform.draft("greeting", LATER)
        project.pull("greeting", label="latest")
        assert [each.status for each in read_prompt_dir(project.folder)["greeting"]] == ["draft"]


class TestWhatPeopleWrote:
    @pytest.mark.parametrize(
        "edit",
        [
            lambda octets: octets + b"more\n",
            lambda octets: octets.replace(b"status: published", b"status: draft"),
            lambda octets: octets.replace(b"status: published", b"# mine\nstatus: published"),
            lambda octets: octets.replace(b"gpt-4", b"gpt-5"),
            lambda octets: octets[:-1],
            lambda octets: b"---\nunknown: 1\n---\n",
            lambda octets: b"\xff",
            lambda octets: b"",
        ],
    )
    def test_is_not_overwritten(self, edit: object, pulled: Project) -> None:
        file = pulled.folder / "greeting/v1.md"
        written = file.read_bytes()
        file.write_bytes(edit(written))
        pulled.platform.publish("support-chat", "Now a text")
        before = pulled.times()
        for names in ([], ["greeting"], ["support-chat"]):
            with pytest.raises(ConfigurationError, match=r"prompts/greeting/v1\.md is not as .*scope\.lock has it"):
                pulled.pull(*names)
        assert pulled.times() == before
        pulled.pull("support-chat", force=True)
        assert file.read_bytes() == written

    def test_is_named_with_all_of_its_files(self, pulled: Project) -> None:
        for name in ("greeting", "support-chat"):
            with open(pulled.folder / name / "v1.md", "a") as file:
                file.write("more")
        with pytest.raises(ConfigurationError, match=r"greeting/v1\.md, .*support-chat/v1\.md are not as"):
            pulled.pull()

    def test_stays_if_it_is_in_nobodys_way(self, pulled: Project) -> None:
        for name, text in (("README.md", "# Ours"), ("other.md", "Ours"), ("greeting/v9.md", "Ours"), ("a.txt", "x")):
            (pulled.folder / name).write_text(text)
        before = pulled.all()
        pulled.platform.publish("greeting", LATER)
        pulled.pull()
        after = pulled.all()
        assert "prompts/greeting/v2.md" in after
        assert {name for name in before if after.get(name) != before[name]} == {"prompts/greeting/v1.md", "scope.lock"}

    @pytest.mark.parametrize(
        ("name", "text", "says"),
        [
            ("greeting.md", "Ours", "greeting.md"),
            ("greeting/v9.md", "---\nstatus: published\n---\nOurs", "published"),
            ("GREETING.md", "Ours", "upper and lower case"),
            ("other.md", "---\nstatus: pubished\n---\nOurs", "status must be one of"),
        ],
    )
    def test_stops_a_pull_if_the_folder_could_not_be_used_with_it(
        self, name: str, text: str, says: str, project: Project
    ) -> None:
        file = project.folder / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
        before = project.times()
        with pytest.raises(
            ConfigurationError, match="could not be used with what was fetched, so nothing was"
        ) as failed:
            project.pull("greeting")
        assert says in str(failed.value)
        assert len(str(failed.value).splitlines()) == 1
        assert project.all().keys() == {f"prompts/{name}"}
        assert {path: times for path, times in project.times().items() if path.endswith(".md")} == {
            path: times for path, times in before.items() if path.endswith(".md")
        }

    def test_at_the_place_of_a_new_file_is_not_overwritten(self, project: Project) -> None:
        (project.folder / "greeting").mkdir(parents=True)
        (project.folder / "greeting/v1.md").write_text("Ours")
        with pytest.raises(
            ConfigurationError, match=r"greeting/v1\.md is there already, and .*scope\.lock knows nothing"
        ):
            project.pull("greeting")
        assert project.names() == ["prompts/greeting/v1.md"]
        project.pull("greeting", force=True)
        assert read_prompt_dir(project.folder)["greeting"][0].content == "Good {{time_of_day}}, {{name}}!"

    def test_is_taken_over_if_it_is_the_same(self, pulled: Project) -> None:
        os.unlink(pulled.path / "scope.lock")
        before = {path: times for path, times in pulled.times().items() if path.endswith(".md")}
        pulled.pull("greeting", "support-chat")
        assert {path: times for path, times in pulled.times().items() if path.endswith(".md")} == before

    @pytest.mark.parametrize("of", ["greeting", "greeting/v1.md"])
    def test_is_no_link_that_leads_elsewhere(self, of: str, pulled: Project) -> None:
        os.rename(pulled.folder / of, pulled.path / "elsewhere")
        (pulled.folder / of).symlink_to(pulled.path / "elsewhere")
        pulled.platform.publish("greeting", LATER)
        before = pulled.all()
        with pytest.raises(ConfigurationError, match="is a link; replace it by what it leads to"):
            pulled.pull(force=True)
        assert pulled.all() == before

    def test_marked_as_read_only_stays(self, pulled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        pulled.platform.publish("greeting", LATER)
        before = pulled.all()
        monkeypatch.setattr(os, "access", lambda path, _: "greeting" not in str(path))  # root may write all files
        with pytest.raises(ConfigurationError, match=r"greeting/v1\.md is read-only for this user; make it writable"):
            pulled.pull()
        assert pulled.all() == before


class TestRefused:
    def test_one_of_many_leaves_all_as_they_were_and_all_are_told(self, pulled: Project) -> None:
        pulled.platform.publish("greeting", LATER)
        before = pulled.times()
        with pytest.raises(NotFoundError) as failed:
            pulled.pull("greeting", "nobody", "support-chat", "nothing")
        assert str(failed.value).startswith("nothing was written, because the platform did not give nobody: Prompt")
        assert "; nothing: Prompt 'nothing' was not found" in str(failed.value)
        assert pulled.times() == before

    def test_a_platform_that_is_down_is_asked_for_few(self, project: Project) -> None:
        project.platform.stop()
        names = [f"prompt-{number}" for number in range(500)]
        with pytest.raises(ScopeError, match=r"nothing was written, .* more were not asked for") as failed:
            project.pull(*names)
        assert len(str(failed.value).splitlines()) == 1
        assert project.names() == []
        assert not project.folder.exists()

    @pytest.mark.parametrize(
        ("name", "body", "says"),
        [
            (
                "greeting",
                {"name": "greeting", "content": "Hi"},
                "a version of 'greeting' without its ID, which a lock needs",
            ),
            (PROMPT_ID, {"version_id": "v_1", "content": "Hi"}, f"a version of '{PROMPT_ID}' without its name"),
            ("greeting", {"name": "", "content": "Hi"}, "without its ID"),
        ],
    )
    def test_an_answer_without_an_id_or_a_name_is_told(
        self, name: str, body: object, says: str, project: Project, server: FaultServer
    ) -> None:
        server.answers(lambda peer: peer.send(json_answer(body)))
        project.client = ScopeClient(
            credentials=project.platform.credentials, base_url=server.url, auth_api_url=server.url
        )
        with pytest.raises(ConfigurationError, match=says):
            project.pull(name)
        assert project.names() == []

    def test_an_answer_without_a_number_needs_none(self, project: Project, server: FaultServer) -> None:
        server.answers(lambda peer: peer.send(json_answer({"name": "greeting", "version_id": "v_1", "content": "Hi"})))
        project.client = ScopeClient(
            credentials=project.platform.credentials, base_url=server.url, auth_api_url=server.url
        )
        project.pull("greeting")
        assert project.names() == ["prompts/.gitattributes", "prompts/greeting/v1.md", "scope.lock"]
        before = project.times()
        project.pull()
        assert project.times() == before

    def test_a_lock_of_another_organisation(self, pulled: Project) -> None:
        lock = pulled.path / "scope.lock"
        lock.write_text(lock.read_text().replace("local-org", "other-org"))
        asked = len(pulled.platform.requests)
        before = pulled.times()
        for pulling in (pulled.pull, pulled.check):
            with pytest.raises(
                ConfigurationError, match="is of the organisation 'other-org', and the credentials are of"
            ):
                pulling()
        assert pulled.times() == before
        assert len(pulled.platform.requests) == asked

    def test_another_folder_than_that_of_the_lock(self, pulled: Project) -> None:
        pulled.folder = pulled.path / "elsewhere"
        with pytest.raises(ConfigurationError, match=r"has its prompts in 'prompts', not in 'elsewhere': leave -o out"):
            pulled.pull()

    @pytest.mark.parametrize("where", ["..", "../prompts"])
    def test_a_folder_that_is_not_below_the_lock(self, where: str, project: Project) -> None:
        project.folder = project.path / where
        with pytest.raises(ConfigurationError, match="is not beside or below the lock"):
            project.pull("greeting")

    def test_a_file_in_the_place_of_the_folder(self, project: Project) -> None:
        project.folder.write_text("x")
        with pytest.raises(ConfigurationError, match="is not a folder; name one with -o"):
            project.pull("greeting")

    def test_without_a_lock_and_without_names(self, project: Project) -> None:
        with pytest.raises(ScopeError, match="there is nothing to pull: name prompts, such as `scope pull greeting"):
            project.pull()
