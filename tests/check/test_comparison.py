"""What is said of a use: the same whether it is compared with the platform, a folder or a lock."""

from __future__ import annotations

import pytest
from check.uses import FILE, use

from scope_client import InvalidCredentialsError, ServerError, TokenRefreshError
from scope_client._check.catalogue import FolderCatalogue, LockCatalogue, VersionsCatalogue
from scope_client._check.comparison import Against, compare
from scope_client._check.platform_catalogue import PlatformCatalogue
from scope_client._check.use import Place
from scope_client._lock.digest import digest_of
from scope_client._lock.lock_file import LockedVersion, read_lock, text_of
from scope_client.testing import PromptsClient

RIGHT = ("time_of_day", "name")
IN_THE_LOCK = (("greeting", "production"), ("greeting", "latest"), ("chat", "production"), ("toned", "production"))


def lock_of(client, folder, *which):
    """A lock beside the folder, with these prompts."""
    versions = []
    for name, label in which or IN_THE_LOCK:
        found = client.get_prompt_version(name, label=label)
        number = found.version_number
        versions.append(LockedVersion(name, label, found.id, digest_of(found), number, found.prompt_id))
    path = folder.parent / "scope.lock"
    path.write_text(text_of("local-org", "prompts", versions))
    return read_lock(path)


@pytest.fixture(params=["platform", "folder", "lock"])
def catalogue(request, client, folder):
    if request.param == "platform":
        return PlatformCatalogue(client)
    return FolderCatalogue(str(folder)) if request.param == "folder" else LockCatalogue(lock_of(client, folder))


def findings(catalogue, *uses, **against):
    return compare(uses, Against(catalogue, **against)).findings


def told(catalogue, *uses, **against):
    return [f"{each.place.column} {each.code} {each.message}" for each in findings(catalogue, *uses, **against)]


def test_a_value_without_a_variable_is_none_where_it_does_no_harm(catalogue):
    assert told(catalogue, use("greeting", *RIGHT, "more", passes_extra=True)) == []
    (finding,) = findings(catalogue, use("greeting", "name", "more", passes_extra=True))
    assert finding.code == "S103"


def test_what_fits_is_checked_and_is_no_finding(catalogue):
    uses = [
        use("greeting", *RIGHT),
        use("greeting", *RIGHT, label="production"),
        use("greeting", *RIGHT, "tone", label="latest"),
        use("greeting", *RIGHT, version="v_greeting_1"),
        use("chat", "topic", "history", "question", kind="chat"),
        use("toned", "name", "tone"),
        use("toned", "name"),
        use("greeting", renders=False),
        use("greeting", "name", is_open=True),
    ]
    found = compare(uses, Against(catalogue))
    assert (found.findings, len(found.checked), found.unchecked, found.ignored) == ((), len(uses), (), 0)


def test_a_prompts_id_does_for_its_name(catalogue, client):
    known = client.get_prompt_version("greeting").prompt_id
    assert told(catalogue, use(known, *RIGHT)) == []
    assert told(catalogue, use(known, "name")) == [f"8 S103 prompt {known!r} is given no value for 'time_of_day'"]


def test_an_unknown_prompt_is_told_with_the_nearest(catalogue):
    (said,) = told(catalogue, use("greting", *RIGHT), use("greeting", *RIGHT))
    assert said.startswith("8 S101 prompt 'greting' does not exist")
    assert said.endswith("; the nearest one is 'greeting'")


def test_one_that_is_like_no_other_is_offered_none(catalogue):
    (said,) = told(catalogue, use("zzz"), use("greeting", *RIGHT))
    assert "nearest" not in said


def test_an_unknown_variable_is_told_at_its_own_place_with_the_nearest(catalogue):
    assert told(catalogue, use("greeting", *RIGHT, "nmae")) == [
        "38 S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'"
    ]
    assert told(catalogue, use("greeting", *RIGHT, "zzz", is_open=True)) == [
        "38 S102 prompt 'greeting' has no variable 'zzz'; it knows 'time_of_day', 'name'"
    ]


def test_a_missing_variable_is_told_and_so_is_a_missing_placeholder(catalogue):
    assert told(catalogue, use("greeting")) == ["8 S103 prompt 'greeting' is given no value for 'time_of_day', 'name'"]
    assert told(catalogue, use("chat", "topic", "question")) == ["8 S103 prompt 'chat' is given no value for 'history'"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"label": "staging"}, "label must be 'production' or 'latest', got 'staging'"),
        ({"label": "v7"}, "a version is asked for by its ID"),
        ({"version": "7"}, "must be the ID of a version"),
        ({"label": "latest", "version": "v_greeting_1"}, "label and version exclude each other"),
    ],
)
def test_a_label_or_version_that_cannot_be_asked_for_is_told(more, said, catalogue):
    (found,) = told(catalogue, use("greeting", *RIGHT, **more))
    assert found.startswith("8 S104 prompt 'greeting' cannot be asked for: ")
    assert said in found


def test_a_version_of_another_prompt_is_told(catalogue):
    (said,) = told(catalogue, use("greeting", *RIGHT, version="v_toned"), use("toned", "name"))
    assert said.startswith("8 S104 prompt 'greeting' has no version 'v_toned'")
    assert said.endswith(", which is one of prompt 'toned'")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_no_prompt_can_have_is_told(name, catalogue):
    (said,) = told(catalogue, use(name))
    assert said.startswith(f"8 S101 prompt {name!r} cannot be asked for: name must not be empty")


def test_the_other_type_is_told_with_what_shows_it(catalogue):
    why = "ScopeChatPromptTemplate needs a chat prompt"
    assert told(catalogue, use("greeting", *RIGHT, kind="chat", why_kind=why)) == [
        "8 S105 prompt 'greeting' is a text prompt, and ScopeChatPromptTemplate needs a chat prompt"
    ]


def test_a_text_for_a_placeholder_is_told_at_its_place(catalogue):
    chat = ("topic", "history", "question")
    assert told(catalogue, use("chat", *chat, kinds={"history": "text", "topic": "text"})) == [
        "28 S105 prompt 'chat' takes a list of messages for 'history', and is given text"
    ]
    assert told(catalogue, use("chat", *chat, kinds={"history": "messages", "topic": "messages"})) == [
        "18 S105 prompt 'chat' takes text for 'topic', which is not a placeholder, and is given a list of messages"
    ]


def test_what_is_known_only_at_run_time_is_no_finding(catalogue):
    uses = [use(None), use("greeting", is_dynamic=True), use("greeting", using="eu")]
    found = compare(uses, Against(catalogue))
    assert (found.findings, found.checked) == ((), ())
    assert [each.why for each in found.unchecked] == [
        "its name is known only at run time",
        "its label or version is known only at run time",
        "it is of the organisation 'eu'",
    ]


def test_codes_that_a_comment_ignores_are_left_out_and_counted(catalogue):
    wrong = ("greeting", "nmae")
    for ignored, codes in ((frozenset(), ["S103", "S102"]), (frozenset({"S102"}), ["S103"]), (None, [])):
        found = compare([use(*wrong, ignored=ignored)], Against(catalogue))
        assert [each.code for each in found.findings] == codes
        assert found.ignored == 2 - len(codes)


def test_findings_are_sorted_by_place_and_each_is_told_once(catalogue):
    uses = [use("greeting", line=12), use("zzz", line=2), use("greeting", "nmae", "x", line=12)]
    found = findings(catalogue, *uses, uses[0])
    assert [(each.place.line, each.place.column, each.code) for each in found] == [
        (2, 8, "S101"),
        (12, 8, "S103"),
        (12, 18, "S102"),
        (12, 28, "S102"),
    ]
    assert found[1].subject == "time_of_day,name"


def test_the_identity_of_a_finding_is_that_of_the_use(catalogue):
    (found,) = findings(catalogue, use("greeting", *RIGHT, "nmae", in_function="Mailer.send"))
    assert (found.prompt, found.subject, found.within) == ("greeting", "nmae", "Mailer.send")
    assert found.place == Place(FILE, 3, 38)


def test_no_production_version_is_told(client, folder):
    for catalogue in (PlatformCatalogue(client), FolderCatalogue(str(folder))):
        (said,) = told(catalogue, use("new"))
        assert said.startswith("8 S104 prompt 'new' has no production version")
        assert "publish one, or ask for label='latest'" in said


def test_the_latest_version_stands_in_for_that_in_production(catalogue):
    uses = [use("greeting", *RIGHT, line=12), use("greeting", *RIGHT, line=13, version="v_greeting_1")]
    assert told(catalogue, *uses, label="latest") == [
        f"8 S103 promoting v2 breaks {FILE}:12: needs 'tone' (prompt 'greeting')"
    ]


def test_what_was_wrong_before_a_promotion_is_not_blamed_on_it(client, folder):
    for catalogue in (PlatformCatalogue(client), FolderCatalogue(str(folder))):
        assert told(catalogue, use("greeting", *RIGHT, "tone", "nmae"), label="latest") == [
            "48 S102 prompt 'greeting' has no variable 'nmae'; the nearest one is 'name'"
        ]
        assert told(catalogue, use("new", "x"), label="latest") == [
            f"18 S102 promoting v1 breaks {FILE}:3: it does not know 'x' (prompt 'new'); it knows none"
        ]
        assert told(catalogue, use("toned"), label="latest") == ["8 S103 prompt 'toned' is given no value for 'name'"]


class TestPlatform:
    def test_each_version_is_asked_for_once_past_the_cache(self, client, platform):
        catalogue = PlatformCatalogue(client)
        client.get_prompt_version("greeting")
        client.get_prompt_version("toned", version="v_toned")
        platform.publish("greeting", "Hello {{name}}")
        uses = [use("greeting", "name"), use("greeting", "name"), use("greeting", "name", label="production")]
        uses.append(use("toned", "name", version="v_toned"))
        assert told(catalogue, *uses) == []
        assert told(catalogue, *uses) == []
        asked = [each.path for each in platform.requests if "/prompts/" in each.path]
        assert [asked.count(path) for path in sorted(set(asked))] == [2, 2]

    def test_a_failure_ends_the_comparison_and_is_raised(self, client, platform):
        platform.fail(503)
        with pytest.raises(ServerError):
            told(PlatformCatalogue(client), *(use(f"p{number}") for number in range(100)))
        assert len(platform.requests) < 20

    def test_nobody_there_is_raised(self, client, platform):
        platform.stop()
        with pytest.raises(TokenRefreshError):
            told(PlatformCatalogue(client), use("greeting"))

    def test_credentials_that_are_refused_are_raised(self, client, platform):
        platform.fail(401, on="auth")
        with pytest.raises(InvalidCredentialsError):
            told(PlatformCatalogue(client), use("greeting"))

    def test_names_of_the_folder_are_offered(self, client):
        (said,) = told(PlatformCatalogue(client, ["invoice-reminder"]), use("invoice_reminder"))
        assert said.endswith("; the nearest one is 'invoice-reminder'")

    def test_an_error_that_a_test_has_given_fails_its_uses_alone(self):
        given = PromptsClient({"a": ServerError(), "b": "Hi {{name}}"})
        assert told(PlatformCatalogue(given), use("a"), use("b", "name")) == [
            "8 S101 prompt 'a' cannot be read: ServerError: the platform failed (HTTP 500)"
        ]


class TestLock:
    def test_nothing_is_sent(self, client, folder, platform):
        lock = lock_of(client, folder)
        platform.stop()
        assert told(LockCatalogue(lock), use("greeting", *RIGHT)) == []

    def test_a_prompt_that_it_does_not_have_is_told_with_how_to_add_it(self, client, folder):
        lock = lock_of(client, folder, ("greeting", "production"))
        (said,) = told(LockCatalogue(lock), use("toned", "name"))
        assert said.startswith("8 S101 prompt 'toned' does not exist in the lock ")
        assert said.endswith("scope.lock': `scope pull toned` adds it")

    def test_what_it_does_not_bind_is_not_checked(self, client, folder):
        lock = lock_of(client, folder, ("greeting", "production"))
        found = compare([use("greeting", label="latest"), use("greeting", version="v_z")], Against(LockCatalogue(lock)))
        assert [each.why for each in found.unchecked] == [
            "the lock has no latest version of it",
            "its version is not in the folder of the lock",
        ]

    @pytest.mark.parametrize("how", ["edited", "deleted"])
    def test_a_file_that_does_not_match_is_drift_at_each_use(self, how, client, folder):
        lock = lock_of(client, folder, ("greeting", "production"))
        file = folder / "greeting" / "v1.md"
        file.write_text(file.read_text().replace("Good", "Bad")) if how == "edited" else file.unlink()
        said = told(LockCatalogue(lock), use("greeting", *RIGHT), use("greeting", line=7))
        assert [each.split(" prompt")[0] for each in said] == ["8 S106", "8 S106"]
        assert ("does not match" if how == "edited" else "is missing") in said[0]

    def test_what_git_did_to_line_ends_is_no_drift(self, client, folder):
        file = folder / "toned.md"
        file.write_bytes(b"---\nid: v_toned\n---\nHi\n{{name}}")
        lock = lock_of(client, folder, ("toned", "production"))
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        assert told(LockCatalogue(lock), use("toned", "name")) == []

    def test_one_without_prompts_needs_no_folder(self, tmp_path):
        (tmp_path / "scope.lock").write_text(text_of("local-org", "prompts", []))
        (said,) = told(LockCatalogue(read_lock(tmp_path / "scope.lock")), use("toned"))
        assert "S101" in said


class TestDrift:
    def test_it_is_told_at_each_use_of_what_has_moved_on(self, client, folder, platform):
        lock = lock_of(client, folder)
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}.")
        uses = [use("greeting", *RIGHT), use("greeting", *RIGHT, line=9), use("toned", "name")]
        said = (
            "8 S106 prompt 'greeting' is v3 in production, and v1 in the lock; `scope bump` brings the lock up to date"
        )
        assert told(PlatformCatalogue(client), *uses, lock=lock) == [said, said]

    def test_a_version_that_was_edited_is_told(self, client, folder, platform):
        lock = lock_of(client, folder)
        file = folder / "toned.md"
        file.write_text(file.read_text().replace("Hi", "Hello"))
        (said,) = told(PlatformCatalogue(client), use("toned", "name"), lock=lock)
        assert said.startswith("8 S106 prompt 'toned' has been edited since it was locked, in v1; ")

    def test_a_prompt_that_is_not_in_the_lock_is_told_and_other_labels_are_free(self, client, folder):
        lock = lock_of(client, folder, ("toned", "production"))
        uses = [use("greeting", *RIGHT, "tone", label="latest"), use("greeting", *RIGHT, version="v_greeting_1")]
        assert told(PlatformCatalogue(client), *uses, lock=lock) == []
        (said,) = told(PlatformCatalogue(client), use("greeting", *RIGHT), lock=lock)
        assert said.endswith("S106 prompt 'greeting' is not in the lock: `scope pull greeting` adds it")

    def test_a_promotion_that_is_tried_is_no_drift(self, client, folder):
        lock = lock_of(client, folder)
        uses = [use("greeting", *RIGHT, "tone")]
        assert told(PlatformCatalogue(client), *uses, lock=lock, label="latest") == []


def test_versions_at_hand_are_compared_and_all_else_is_not_known(client):
    catalogue = VersionsCatalogue([client.get_prompt_version("greeting")])
    found = compare([use("greeting", "nmae"), use("toned"), use("greeting", label="latest")], Against(catalogue))
    assert [each.code for each in found.findings] == ["S103", "S102"]
    assert len(found.unchecked) == 2
