"""What puts a folder back as its lock says changes nothing else, and the lock least of all."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from scope_client._lock.lock_place import place_of
from scope_client._lock.restoring import Restored, restore
from scope_client.errors import ConfigurationError, NotFoundError, ScopeError, ValidationError

if TYPE_CHECKING:
    from core.pulling.conftest import Project

GREETING = "prompts/greeting/v1.md"
CHAT = "prompts/support-chat/v1.md"


def put_back(project: Project, *names: str, force: bool = False) -> Restored:
    return restore(project.client, place_of(project.path / "scope.lock", None), names, force=force)


def edit(project: Project, path: str = GREETING) -> None:
    with open(project.path / path, "a") as file:
        file.write("mine")


def test_nothing_to_do_asks_nothing_and_touches_nothing(pulled: Project) -> None:
    before, times = pulled.all(), pulled.times()
    pulled.platform.stop()
    assert put_back(pulled) == (2, ())
    assert (pulled.all(), pulled.times()) == (before, times)


def test_a_missing_file_comes_back_though_production_has_moved_on_and_the_version_is_archived(pulled: Project) -> None:
    before, times = pulled.all(), pulled.times()
    pulled.platform.publish("greeting", "Another {{name}}")
    shutil.rmtree(pulled.folder)
    assert pulled.client.get_prompt_version("greeting", version=pulled.lock.versions[0].version_id).status == "archived"
    done = put_back(pulled)
    assert len(done.written) == 3  # with .gitattributes
    assert pulled.all().keys() == before.keys()
    assert pulled.all()["scope.lock"] == before["scope.lock"]
    lock = str(pulled.path / "scope.lock")
    assert pulled.times()[lock] == times[lock]
    assert put_back(pulled).written == ()
    assert [each.name for each in pulled.check().moved] == ["greeting"]
    assert pulled.check().flaws == ()


def test_an_edited_file_stops_it_and_force_overwrites_that_of_each_name(pulled: Project) -> None:
    before = pulled.all()
    edit(pulled)
    edit(pulled, CHAT)
    edited = pulled.all()
    with pytest.raises(ConfigurationError, match=r"greeting/v1\.md, .* put them back with git, or with `scope pull -"):
        put_back(pulled)
    assert pulled.all() == edited
    assert len(put_back(pulled, "greeting", force=True).written) == 1
    assert pulled.all() == {**edited, GREETING: before[GREETING]}
    assert put_back(pulled, force=True) == (2, (str(pulled.path / CHAT),))
    assert pulled.all() == before


def test_a_lock_that_keeps_its_line_ends_and_comments_stays_as_it_is(pulled: Project) -> None:
    lock = pulled.path / "scope.lock"
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n") + b"# ours\r\n")
    before = lock.read_bytes()
    edit(pulled)
    put_back(pulled, force=True)
    assert lock.read_bytes() == before


@pytest.mark.parametrize(
    ("what", "other"), [(r'sha256 = "\w{8}', 'sha256 = "00000000'), ("\nversion = 1", "\nversion = 7")]
)
def test_a_lock_that_was_edited_is_named_instead_of_the_file(what: str, other: str, pulled: Project) -> None:
    lock = pulled.path / "scope.lock"
    lock.write_text(re.sub(what, other, lock.read_text(), count=1))
    before = pulled.all()
    with pytest.raises(ConfigurationError, match=r"of 'greeting' does not match .* put \S*scope.lock back with git"):
        put_back(pulled, force=True)
    assert pulled.all() == before


def test_a_version_that_is_gone_is_to_be_had_from_git(pulled: Project) -> None:
    lock = pulled.path / "scope.lock"
    lock.write_text(re.sub('version_id = "v_.{4}', 'version_id = "v_0000', lock.read_text(), count=1))
    edit(pulled)
    before = pulled.all()
    with pytest.raises(NotFoundError, match=r"nothing was written, .*; put the files back with git"):
        put_back(pulled, force=True)
    assert pulled.all() == before


def test_a_name_that_the_lock_does_not_have_is_refused(pulled: Project) -> None:
    with pytest.raises(
        ValidationError, match="has no prompt 'greting'; the nearest one is 'greeting': correct the name"
    ):
        put_back(pulled, "greting")


def test_a_platform_that_is_away_changes_nothing(pulled: Project) -> None:
    edit(pulled)
    before = pulled.all()
    pulled.platform.stop()
    with pytest.raises(ScopeError, match="nothing was written"):
        put_back(pulled, force=True)
    assert pulled.all() == before
