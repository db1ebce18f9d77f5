"""What is written comes back the same, and a file whose status changes keeps every other byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_client._folder.record import VersionRecord, new_version
from scope_client._folder.version_file import parts_in, version_in
from scope_client._folder.whole_file import WholeFile
from scope_client._folder.written_file import octets_of, with_status
from scope_client.errors import ConfigurationError

AT = "2026-01-01T00:00:00.000Z"
SINCE_1970 = 1767225600.0
any_text = st.text(st.characters(blacklist_categories=("Cs",)))
tricky = st.lists(
    st.sampled_from(
        ["---", "\n", "\r\n", "\r", "\ufeff", " ", "{{name}}", "x", "#", "\x85", "\u2028", "\x00", ":", "'"]
    )
).map("".join)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**300), 10**300),
    st.floats(allow_nan=False, allow_infinity=False),
    any_text,
    tricky,
    st.sampled_from(["yes", "1:30", "2026-01-01", "~", "=", "<<", "*a", "&a", "0x1f", "1e5", "null", "!!int 1", "%a"]),
)
values = st.recursive(
    scalars,
    lambda each: st.one_of(st.lists(each, max_size=3), st.dictionaries(any_text, each, max_size=3)),
    max_leaves=8,
)
chats = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user"]), "content": st.one_of(any_text, tricky)})
).map(json.dumps)
contents = st.one_of(
    st.tuples(st.just("text"), st.one_of(any_text, tricky)),
    st.tuples(st.just("chat"), chats),
)


def read(octets: bytes, version: VersionRecord) -> VersionRecord:
    return version_in(WholeFile(octets, SINCE_1970), version.prompt, version.number, "draft")


def made(content: str = "Hi", **parts: object) -> VersionRecord:
    return new_version("greeting", 1, content, **{"status": "draft", "at": AT, **parts})


@settings(max_examples=300, deadline=None)
@given(
    content=contents,
    status=st.sampled_from(["draft", "published", "archived"]),
    metadata=st.dictionaries(st.one_of(any_text, tricky), values, max_size=4),
    tags=st.lists(st.one_of(any_text, tricky), max_size=3),
    variables=st.lists(st.from_regex(r"\w+", fullmatch=True), max_size=3),
    identity=st.one_of(st.none(), any_text.filter(lambda text: text not in ("", ".", ".."))),
)
def test_a_version_that_is_written_comes_back_the_same(content, status, metadata, tags, variables, identity):
    kind, text = content
    parts = {"metadata": metadata, "tags": tags, "variables": variables, "id": identity}
    version = made(text, type=kind, status=status, **parts)
    assert read(octets_of(version), version) == version


@settings(max_examples=300, deadline=None)
@given(
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    end=st.sampled_from(["\n", "\r\n"]),
    front=st.sampled_from(
        [
            None,
            "",
            "# only a comment",
            "status: draft",
            "status: draft  # until it was read",
            "tags: [a]\nstatus:   'draft'\nmetadata:\n  model: gpt-4  # the old one",
            "  type: text\n  # indented",
            "{type: text, status: draft}",
            "{type: text}",
            "{}",
            "status:",
            "status: # nothing yet\ntype: text",
            'status: "draft"\n\n\ntags:\n- x',
        ]
    ),
    content=st.one_of(any_text, tricky),
    status=st.sampled_from(["published", "archived"]),
)
def test_a_status_is_changed_and_everything_else_kept(bom, end, front, content, status):
    lines = [] if front is None else ["---", *front.split("\n"), "---", ""]
    octets = bom + (end.join(lines) + content).encode()
    try:
        before, text = parts_in(octets)
    except ConfigurationError:
        return  # such a content needs front matter
    if front is None and not bom:
        content = content[1:] if content.startswith("\ufeff") else content  # it is the file's own
    changed = with_status(octets, status)
    assert parts_in(changed) == ({**before, "status": status}, text)
    assert changed.startswith(bom)
    assert changed.endswith(content.encode())
    lost = [
        line for line in (front or "").split("\n") if "#" in line and line.partition("#")[2].encode() not in changed
    ]
    assert lost == []
    assert with_status(changed, status) == changed


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"Hi\n", b"---\nstatus: archived\n---\nHi\n"),
        (b"Hi\r\nyou\r\n", b"---\r\nstatus: archived\r\n---\r\nHi\r\nyou\r\n"),
        (b"---\ntype: text\n---\n---\n", b"---\nstatus: archived\ntype: text\n---\n---\n"),
        (b"---\nstatus: draft # why\n---\nHi", b"---\nstatus: archived # why\n---\nHi"),
        (b"---  \r\nstatus: draft\r\n---\r\nHi", b"---  \r\nstatus: archived\r\n---\r\nHi"),
        (b"---\nstatus: draft\nstatus: draft\n---\n", b"---\nstatus: draft\nstatus: archived\n---\n"),
    ],
)
def test_a_status_is_a_line_of_the_front_matter(was, becomes):
    assert with_status(was, "archived") == becomes


@pytest.mark.parametrize(
    "front",
    ["status: &s draft\nmetadata: {a: *s}", "metadata: {a: &s draft}\nstatus: *s", "status: >-\n  draft\ntype: text"],
)
def test_front_matter_that_cannot_be_changed_in_place_is_left_to_an_editor(front):
    octets = f"---\n{front}\n---\nHi\n".encode()
    with pytest.raises(ConfigurationError, match="change the line 'status:' of its front matter in an editor"):
        with_status(octets, "published")


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (made("\ud800"), "the content has half of a surrogate pair"),
        (made("x" * 16 * 1024 * 1024), "a version's file may have 16,777,216 bytes"),
        (made(metadata={"a": json.loads("[" * 250 + "]" * 250)}), "nested too deeply"),
    ],
    ids=["half a pair", "too long", "too deep"],
)
def test_a_version_that_no_file_can_hold_is_refused(version, says):
    with pytest.raises(ConfigurationError, match=says):
        octets_of(version)


def test_a_file_is_written_as_a_person_would_write_it():
    version = made("Good {{time}}!", type="text", metadata={"model": "gpt-4", "temperature": 0.7}, tags=["née", "b"])
    assert octets_of(version).decode() == (
        "---\nstatus: draft\nmetadata: {model: gpt-4, temperature: 0.7}\ntags: [née, b]\n---\nGood {{time}}!\n"
    )
