"""A lock comes back as it was written, always as the same bytes; what is wrong with one is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_client._lock.lock_file import LockedVersion, read_lock, text_of
from scope_client.errors import ConfigurationError

SHA = "0123456789abcdef" * 4
ONE = LockedVersion("greeting", "production", "v_1", SHA, 7, "prompt_1")
words = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1)
entries = st.lists(
    st.builds(
        LockedVersion,
        words,
        st.sampled_from(["production", "latest"]),
        words,
        st.just(SHA),
        st.one_of(st.none(), st.integers(-(2**62), 2**62)),
        st.one_of(st.none(), words),
    ),
    unique_by=lambda each: (each.name, each.label),
)


def put(tmp_path: Path, octets: bytes) -> Path:
    path = tmp_path / "scope.lock"
    path.write_bytes(octets)
    return path


@settings(max_examples=200, deadline=None)
@given(versions=entries, organisation=words, ends=st.sampled_from([b"\n", b"\r\n"]))
def test_what_is_written_comes_back(
    versions: list[LockedVersion], organisation: str, ends: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    octets = text_of(organisation, "prompts", versions).encode()
    lock = read_lock(put(tmp_path_factory.mktemp("lock"), octets.replace(b"\n", ends)))
    assert (lock.organisation, lock.folder) == (organisation, "prompts")
    assert set(lock.versions) == set(versions)
    assert text_of(organisation, "prompts", reversed(lock.versions)).encode() == octets


def test_it_says_what_is_locked_in_a_few_lines() -> None:
    latest = ONE._replace(label="latest", version_id="v_2", version_number=None, prompt_id=None)
    assert text_of("org-1", "prompts", [latest, ONE]) == (
        "# The versions that are served. `scope pull` and `scope bump` write this file.\n"
        'format = 1\norganisation = "org-1"\nfolder = "prompts"\n'
        '\n[[prompts]]\nname = "greeting"\nlabel = "production"\nversion = 7\nversion_id = "v_1"\n'
        f'prompt_id = "prompt_1"\nsha256 = "{SHA}"\n'
        f'\n[[prompts]]\nname = "greeting"\nlabel = "latest"\nversion_id = "v_2"\nsha256 = "{SHA}"\n'
    )


def test_a_prompt_is_found_by_its_name_and_its_id(tmp_path: Path) -> None:
    lock = read_lock(put(tmp_path, text_of("org-1", "a/b", [ONE]).encode()))
    assert lock.find("greeting") == lock.find("prompt_1") == ONE
    assert lock.find("greeting", "latest") is lock.find("other") is None
    assert lock.folder_path == str(tmp_path / "a" / "b")


def test_a_mark_of_an_editor_at_its_beginning_does_not_matter(tmp_path: Path) -> None:
    assert read_lock(put(tmp_path, b"\xef\xbb\xbf" + text_of("org-1", "prompts", [ONE]).encode())).versions == (ONE,)


@pytest.mark.parametrize(
    ("former", "new", "says"),
    [
        (
            "format = 1",
            "",
            "does not begin with its format; restore it from version control; or remove it, and pull",
        ),
        ("format = 1", 'format = "1"', "does not begin with its format"),
        ("format = 1", "format = true", "does not begin with its format"),
        ("format = 1", "format = 2", "has the format 2, and this version of scope-prompts reads 1; update it"),
        ("format = 1", "format = 0", "has the format 0, which is older than 1; restore it"),
        ("format = 1", "format = ", "is not TOML (Invalid value"),
        ('organisation = "org-1"', "organisation = 1", "has no organisation in the file"),
        ('folder = "prompts"', "", "has no folder in the file"),
        ('folder = "prompts"', 'folder = "/etc"', "names the folder '/etc', which is not beside or below it"),
        ('folder = "prompts"', 'folder = "a/../../b"', "which is not beside or below it"),
        ('folder = "prompts"', "folder = 'a\\b'", "which is not beside or below it"),
        ('folder = "prompts"', 'folder = "a\\u0000b"', "which is not beside or below it"),
        ("[[prompts]]", "[prompts]", "has prompts that are not entries [[prompts]]"),
        ('name = "greeting"', 'name = ""', "has no name in entry 1"),
        ('label = "production"', 'label = "staging"', "has the label 'staging', not one of production, latest"),
        ("version = 7", 'version = "7"', "has a version in the entry of 'greeting' that is not a number"),
        ("version = 7", "version = true", "has a version in the entry of 'greeting' that is not a number"),
        ('version_id = "v_1"', "", "has no version_id in the entry of 'greeting'"),
        ('prompt_id = "prompt_1"', "prompt_id = 1", "has no prompt_id in the entry of 'greeting'"),
        (f'sha256 = "{SHA}"', f'sha256 = "{SHA[:-1]}"', "that is not 64 hexadecimal digits"),
        (f'sha256 = "{SHA}"', f'sha256 = "{SHA.upper()}"', "that is not 64 hexadecimal digits"),
        ("[[prompts]]", "<<<<<<< HEAD\n[[prompts]]", "settle the merge first"),
        ("[[prompts]]", ">>>>>>> theirs\n[[prompts]]", "settle the merge first"),
    ],
)
def test_what_is_wrong_with_one_is_one_sentence(former: str, new: str, says: str, tmp_path: Path) -> None:
    text = text_of("org-1", "prompts", [ONE])
    assert former in text
    with pytest.raises(ConfigurationError) as failed:
        read_lock(put(tmp_path, text.replace(former, new).encode()))
    assert failed.value.message.startswith(f"the lock '{tmp_path}/scope.lock' ")
    assert says in failed.value.message
    assert len(failed.value.message.splitlines()) == 1


def test_two_entries_of_one_prompt_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has two entries for the production of 'greeting'; keep one of them"):
        text_of("org-1", "prompts", [ONE, ONE._replace(version_id="v_2")])
    text = text_of("org-1", "prompts", [ONE])
    _, entry = text.split("\n\n")
    with pytest.raises(ConfigurationError, match="has two entries"):
        read_lock(put(tmp_path, f"{text}\n{entry}".encode()))


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"\xff", "is not UTF-8 (byte 0)"),
        (b"\0", "is not TOML"),
        (b"", "does not begin with its format"),
        (b"a = [" + b"[" * 100_000, "is not TOML"),
        (b"#" * (10 * 1024 * 1024 + 1), "is larger than 10,485,760 bytes"),
    ],
)
def test_what_is_no_lock_is_refused(octets: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as failed:
        read_lock(put(tmp_path, octets))
    assert says in failed.value.message


def test_one_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"does not exist; `scope pull NAME -o prompts` writes one"):
        read_lock(tmp_path / "scope.lock")
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Is a directory\); make it a readable file"):
        read_lock(tmp_path)
